"""Freshness of synced fields: the documents each is made of, and if their changes are logged.

A synced node is logged when its own document changes. What a field shows beside it is declared (`told`), and
the system that changes such a document logs the node as well; or the field says in its description how old it
may be (`dated`), or that it is no part of what is synced (`unsynced`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLInterfaceType, GraphQLObjectType, GraphQLSchema, get_named_type
from strawberry.types.field import StrawberryField

from core.graphql.bindings import Computed, Derived, Many, One, Plain, Resolver
from core.graphql.types import NODE_TYPES
from core.nodes import DOCUMENTS, SYNCED


@dataclass(frozen=True, slots=True)
class Told:
    """Changes in these collections are logged where the field shows them."""

    sources: frozenset[str]


@dataclass(frozen=True, slots=True)
class Listed:
    """A list that is read page by page."""


@dataclass(frozen=True, slots=True)
class Stated:
    """Changes are logged in part or not at all, as its description says; `shown` in synced nodes or not."""

    bound: str
    shown: bool


Answer = Told | Listed | Stated | None
"""None: nobody has said."""


def answers(schema: GraphQLSchema) -> dict[str, Answer]:
    """By `Type.field`, every field of a synced type, those of the values it holds included."""
    found: dict[str, Answer] = {}
    for prefix in SYNCED.values():
        type_ = _type_of(schema, prefix)
        found |= dict(_fields(type_.name, type_, DOCUMENTS[prefix]))
    return found


def _type_of(schema: GraphQLSchema, prefix: str) -> GraphQLObjectType:
    type_ = schema.type_map[NODE_TYPES[prefix]]
    assert isinstance(type_, GraphQLObjectType)
    return type_


def _fields(path: str, type_: GraphQLObjectType, own: str) -> Iterator[tuple[str, Answer]]:
    for name, field in type_.fields.items():
        declared = field.extensions["strawberry-definition"]
        shown = get_named_type(field.type)
        here = f"{path}.{name}"
        answer = _answer(declared, own, reference=_is_node(shown))
        yield here, answer
        if isinstance(shown, GraphQLObjectType) and not _is_node(shown) and isinstance(answer, Told):
            for inner, told in _fields(here, shown, own):
                yield inner, Told(told.sources | answer.sources) if isinstance(told, Told) else told


def _is_node(type_: Any) -> bool:
    """A reference: what it refers to has fields, and freshness, of its own."""
    if isinstance(type_, GraphQLInterfaceType):
        return type_.name in ("Node", "Entity")
    return isinstance(type_, GraphQLObjectType) and any(each.name == "Node" for each in type_.interfaces)


def _answer(declared: StrawberryField, own: str, *, reference: bool) -> Answer:
    kept = declared.metadata
    binding = kept.get("binding")
    if kept.get("unsynced") or kept.get("dated"):
        return Stated(kept.get("unsynced") or kept["dated"], shown=not kept.get("unsynced"))
    if kept.get("sources"):
        return Told(frozenset({own, *kept["sources"]}))
    if isinstance(binding, (Plain, Derived, Computed)):
        return Told(frozenset({own}))
    if isinstance(binding, (One, Many)) and reference and binding.loader.__name__.endswith("ById"):
        # Which node it is stands in the own document.
        return Told(frozenset({own}))
    if isinstance(binding, Resolver) and binding.page is not None:
        return Listed()
    return None
