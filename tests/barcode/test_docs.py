"""The page of the scanner tells of every refusal, status and metric; its operations are run."""

import re
from pathlib import Path

import pytest

from core.errors import ERROR_CODES
from core.storage.store import COLLECTIONS
from tests.auth.test_docs import declared
from tests.snippets import SNIPPETS

PAGE = Path(__file__).parents[2] / "docs/systems/barcode.md"


def test_every_refusal_has_its_row() -> None:
    rows = re.findall(r"^\| ([A-Z_, ]+) \|", PAGE.read_text().partition("Error codes")[2], re.MULTILINE)
    told = {code for row in rows for code in row.split(", ")}
    assert declared("barcode") - told == set()
    assert told - set(ERROR_CODES) == set()


def test_its_operations_are_run_as_they_stand() -> None:
    """By tests/test_snippets.py, which reads every page."""
    assert len([each for each in SNIPPETS if each.page == PAGE and each.language == "graphql"]) == 10


@pytest.mark.parametrize("name", ["scans", "barcode_submissions", "barcode_mappings"])
def test_its_diagrams_are_current(name: str) -> None:
    moves = COLLECTIONS[name].moves
    assert moves is not None
    assert f"```mermaid\n{moves.drawn()}\n```" in PAGE.read_text()


def test_every_metric_is_told() -> None:
    source = (PAGE.parents[2] / "resolvers/barcode/metrics.py").read_text()
    names = set(re.findall(r'"(landfall_\w+)"', source))
    assert {name for name in names if f"`{name}`" not in PAGE.read_text()} == set()
