"""The page of favorites tells of every refusal and metric, draws the states, and its operations are run."""

import re
from pathlib import Path

from core.errors import ERROR_CODES
from stores import favorite as store
from tests.auth.test_docs import declared
from tests.snippets import SNIPPETS

PAGE = Path(__file__).parents[2] / "docs/systems/favorite.md"


def test_every_refusal_has_its_row() -> None:
    rows = re.findall(r"^\| ([A-Z_, ]+) \|", PAGE.read_text().partition("Error codes")[2], re.MULTILINE)
    told = {code for row in rows for code in row.split(", ")}
    assert declared("favorite") - told == set()
    assert told - set(ERROR_CODES) == set()


def test_its_operations_are_run_as_they_stand() -> None:
    """By tests/test_snippets.py, which reads every page."""
    assert len([each for each in SNIPPETS if each.page == PAGE and each.language == "graphql"]) == 12


def test_every_metric_is_told() -> None:
    source = (PAGE.parents[2] / "resolvers/favorite/metrics.py").read_text()
    names = set(re.findall(r'"(landfall_\w+)"', source))
    assert {name for name in names if f"`{name}`" not in PAGE.read_text()} == set()


def test_the_states_are_drawn_as_they_are() -> None:
    assert store.favorites.moves is not None
    assert store.favorites.moves.drawn() in PAGE.read_text()
