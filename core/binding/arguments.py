"""Arguments of fields as resolvers take them, and the mutations of an operation before they run."""

from collections.abc import Iterator
from typing import Any

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLObjectType,
    SelectionSetNode,
)
from graphql.execution.values import VariableValues, get_argument_values
from strawberry.types.arguments import convert_arguments

from core.acts import Act
from core.binding.bindings import Mutate


def coerced(schema: Any, definition: GraphQLField, node: FieldNode, variables: Any) -> dict[str, Any]:
    """The keyword arguments of a field of a Strawberry schema."""
    return convert_arguments(
        get_argument_values(definition, node, variables),
        definition.extensions["strawberry-definition"].arguments,
        scalar_registry=schema.schema_converter.scalar_registry,
        config=schema.config,
    )


def acts_of(info: Any) -> Iterator[Act]:
    """All mutations of the operation that a resolver is called for, in order."""
    raw = info._raw_info
    for node in _fields(raw, raw.operation.selection_set):
        act = _act(info.schema, raw, node)
        if act is not None:
            yield act


def _fields(raw: Any, selected: SelectionSetNode) -> Iterator[FieldNode]:
    for each in selected.selections:
        if isinstance(each, FieldNode):
            yield each
        else:
            inner: Any = raw.fragments[each.name.value] if isinstance(each, FragmentSpreadNode) else each
            yield from _fields(raw, inner.selection_set)


def _act(schema: Any, raw: Any, node: FieldNode) -> Act | None:
    root: GraphQLObjectType = raw.parent_type
    definition = root.fields.get(node.name.value)
    binding = definition.extensions["strawberry-definition"].metadata.get("binding") if definition else None
    if definition is None or not isinstance(binding, Mutate):
        return None
    variables = VariableValues({}, raw.variable_values)
    return attempted(binding, lambda: coerced(schema, definition, node, variables))


def attempted(binding: Mutate, arguments: Any) -> Act | None:
    """The act, unless its arguments do not fit: that is told when its turn comes."""
    try:
        return binding.act(arguments())
    except Exception:
        return None
