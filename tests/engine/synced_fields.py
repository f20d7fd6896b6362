"""Every field of every synced type in one selection, made from the schema and what it says of freshness."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    is_leaf_type,
    is_required_argument,
)

from core.graphql.freshness import Stated, Told, answers
from core.graphql.types import NODE_TYPES
from core.nodes import SYNCED

FOR_MODERATORS = "MessageReport.reportedMessages"
"""Copies, which never change."""


def told(schema: GraphQLSchema) -> dict[str, frozenset[str]]:
    """By `Type.field`, the collections whose changes are synced; of fields without fields of their own."""
    found = answers(schema)
    outer = {path.rpartition(".")[0] for path in found}
    return {
        path: answer.sources
        for path, answer in found.items()
        if isinstance(answer, Told) and path not in outer and not path.startswith(FOR_MODERATORS)
    }


def stated(schema: GraphQLSchema) -> dict[str, Stated]:
    return {path: answer for path, answer in answers(schema).items() if isinstance(answer, Stated)}


def selection(schema: GraphQLSchema) -> str:
    """All synced fields of a node; names that have other types elsewhere are aliased by their type's name."""
    wanted, types = told(schema), [schema.type_map[NODE_TYPES[prefix]] for prefix in SYNCED.values()]
    clashing = _clashing(types)
    parts = []
    for type_ in types:
        assert isinstance(type_, GraphQLObjectType)
        parts.append(f"... on {type_.name} {{ {' '.join(_fields(type_.name, type_, wanted, clashing))} }}")
    return f"__typename id {' '.join(parts)}"


def _clashing(types: list[GraphQLNamedType]) -> frozenset[str]:
    seen: dict[str, set[str]] = defaultdict(set)
    for type_ in types:
        assert isinstance(type_, GraphQLObjectType)
        for name, field in type_.fields.items():
            seen[name].add(str(field.type))
    return frozenset(name for name, kinds in seen.items() if len(kinds) > 1)


def _fields(
    path: str,
    type_: GraphQLObjectType,
    wanted: dict[str, frozenset[str]],
    clashing: frozenset[str] = frozenset(),
) -> Iterator[str]:
    for name, field in type_.fields.items():
        here = f"{path}.{name}"
        inner = any(each.startswith(f"{here}.") for each in wanted)
        if (here in wanted or inner) and not any(map(is_required_argument, field.args.values())):
            alias = f"{path}_{name}: " if name in clashing else ""
            yield f"{alias}{name} {_shown(here, field, wanted)}"


def _shown(path: str, field: GraphQLField, wanted: dict[str, frozenset[str]]) -> str:
    shown = get_named_type(field.type)
    if is_leaf_type(shown):
        return ""
    if path in wanted or isinstance(shown, GraphQLInterfaceType):
        return "{ __typename id }"
    assert isinstance(shown, GraphQLObjectType)
    return f"{{ {' '.join(_fields(path, shown, wanted))} }}"


Values = dict[str, Any]


def flat(node: Values) -> Values:
    """A node's values by `Type.field`; of a list of values, each field's values."""
    return _flat(node["__typename"], node)


def _flat(path: str, node: Values) -> Values:
    found: Values = {}
    for name, value in node.items():
        here = f"{path}.{name.removeprefix(f'{path}_')}"
        if isinstance(value, dict) and "__typename" not in value:
            found |= _flat(here, value)
        elif (
            isinstance(value, list) and value and isinstance(value[0], dict) and "__typename" not in value[0]
        ):
            for each in value:
                for inner, part in _flat(here, each).items():
                    found.setdefault(inner, []).append(part)
        elif name != "__typename":
            found[here] = value
    return found


def _has_fields(value: Any) -> bool:
    """A value, not a reference."""
    return isinstance(value, dict) and "__typename" not in value
