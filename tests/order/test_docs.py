"""The page of orders and payments tells of every refusal and metric, and its operations are run."""

import re
from pathlib import Path

from core.errors import ERROR_CODES
from tests.auth.test_docs import declared
from tests.snippets import SNIPPETS

PAGE = Path(__file__).parents[2] / "docs/systems/order.md"


def test_every_refusal_has_its_row() -> None:
    rows = re.findall(r"^\| ([A-Z_, ]+) \|", PAGE.read_text().partition("Error codes")[2], re.MULTILINE)
    told = {code for row in rows for code in row.split(", ")}
    assert declared("order") - told == set()
    assert told - set(ERROR_CODES) == set()


def test_its_operations_are_run_as_they_stand() -> None:
    """By tests/test_snippets.py, which reads every page."""
    assert len([each for each in SNIPPETS if each.page == PAGE and each.language == "graphql"]) >= 25


def test_every_metric_is_told() -> None:
    source = (PAGE.parents[2] / "resolvers/order/metrics.py").read_text()
    names = set(re.findall(r'"(landfall_\w+)"', source))
    assert {name for name in names if f"`{name}`" not in PAGE.read_text()} == set()
