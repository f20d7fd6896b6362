"""Descriptions under attributes: of every class of a module, whose source is read once."""

import ast

import pytest

from core.graphql import docs
from core.graphql.docs import attribute_docs


class Place:
    name: str
    """Its name."""
    size = 3
    "In metres."
    silent: int

    class Inner:
        name: str
        """Another's name."""


def test_each_class_has_its_own_and_the_source_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    docs._classes.cache_clear()
    parsed = []
    parse = ast.parse
    monkeypatch.setattr(docs.ast, "parse", lambda text: parsed.append(text) or parse(text))

    class Local:
        name: str
        """A local's name."""

    assert attribute_docs(Place) == {"name": "Its name.", "size": "In metres."}
    assert attribute_docs(Place.Inner) == {"name": "Another's name."}
    assert attribute_docs(Local) == {"name": "A local's name."}
    assert len(parsed) == 1


def test_a_class_made_at_run_time_brings_its_own() -> None:
    made = type("Made", (), {"__attribute_docs__": {"name": "Its name."}})
    assert attribute_docs(made) == {"name": "Its name."}
