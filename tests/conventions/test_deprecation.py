"""Deprecations of the schema and what released apps ask for, and a case that breaks each rule."""

from datetime import date
from pathlib import Path

import pytest

from core.graphql import deprecated, key, type_
from tests.conventions import rules_deprecation as rules
from tests.conventions.schemas import current, example

RELEASED = Path(__file__).parents[2] / "clients" / "schema" / "released"
WHALES = """
  type Whale { name: String length: Int @deprecated(reason: "%s") }
  extend type Query { whale: Whale }
"""
ASKS = {"app.graphql": "{ whale { name ...Size } } fragment Size on Whale { length }"}


def test_every_deprecation_says_what_replaces_it_and_when_it_goes() -> None:
    assert rules.undated(current()) == []


def test_released_apps_are_served() -> None:
    documents = rules.released(RELEASED)
    assert rules.not_served(current(), documents) == []
    assert rules.still_asked_for(current(), documents, date.today()) == []  # noqa: DTZ011


@pytest.mark.parametrize("reason", ["Too long.", "Use `lengthMeters`.", "Use `lengthMeters`. Until 2027-06."])
def test_a_reason_without_replacement_or_day_is_found(reason: str) -> None:
    assert rules.undated(example(WHALES % reason)) == [
        f'Whale.length is deprecated with "{reason}": write "Use `x`. Until 2027-06-30."'
    ]


def test_a_released_document_that_asks_for_what_is_gone_is_found() -> None:
    schema = example("type Whale { name: String } extend type Query { whale: Whale }")
    assert rules.not_served(schema, ASKS) == [
        "app.graphql is in people's hands and no longer served: Cannot query field 'length' on type 'Whale'."
    ]


def test_a_released_document_that_asks_after_the_day_is_found() -> None:
    schema = example(WHALES % "Use `lengthMeters`. Until 2027-06-30.")
    assert rules.undated(schema) == []
    assert rules.still_asked_for(schema, ASKS, date(2027, 6, 30)) == []
    [finding] = rules.still_asked_for(schema, ASKS, date(2027, 7, 1))
    assert finding.startswith("app.graphql asks for Whale.length, deprecated until 2027-06-30: ")


def test_released_documents_are_read_from_manifests_of_builds(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text('{"0123456789abcdef": "{ whale { name } }"}')
    (tmp_path / "two.graphql").write_text("{ whale { length } }")
    assert rules.released(tmp_path) == {
        "two.graphql": "{ whale { length } }",
        "one.json:0123456789ab": "{ whale { name } }",
    }


@type_
class Whale:
    """Whale seen at sea."""

    name: str | None
    """Name that the whale has."""
    length: int | None = deprecated(key("length_meters"), "lengthMeters", until="2027-06-30")
    """Length of the whale in feet."""


def test_a_deprecation_is_declared_with_both() -> None:
    declared = {each.python_name: each for each in Whale.__strawberry_definition__.fields}  # type: ignore[attr-defined]
    assert declared["length"].deprecation_reason == "Use `lengthMeters`. Until 2027-06-30."
    with pytest.raises(ValueError, match="Invalid isoformat"):
        deprecated(key("length"), "lengthMeters", until="June")
