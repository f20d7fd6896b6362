"""The page of the audit log tells of every refusal and metric; tests/test_snippets.py runs its operations."""

import re
from pathlib import Path

from tests.auth.test_docs import declared

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/systems/audit.md").read_text()


def test_every_refusal_has_its_row() -> None:
    first_cells = re.findall(r"^\| ([^|]+) \|", PAGE, re.MULTILINE)
    told = {word for cell in first_cells for word in re.findall(r"\b[A-Z][A-Z_]+\b", cell)}
    assert declared("audit") - told == set()
    assert told >= {"CONFLICT", "STEP_UP_REQUIRED", "RATE_LIMITED"}


def test_what_is_told_of_is_there() -> None:
    fields = set(re.findall(r"^  (\w+)\(", (ROOT / "schema/schema.graphql").read_text(), re.MULTILINE))
    called = set(re.findall(r"`([a-z]+[A-Z]\w+)\(", PAGE))
    assert len(called) > 3
    assert called - fields == set()


def test_every_metric_is_told() -> None:
    sources = [file.read_text() for file in (ROOT / "resolvers/audit").glob("*.py")]
    names = {name for source in sources for name in re.findall(r'Counter\(\s*"(landfall_\w+)"', source)}
    assert len(names) == 3
    assert {name for name in names if f"`{name}`" not in PAGE} == set()
