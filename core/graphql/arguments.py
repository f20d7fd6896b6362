"""Arguments of fields as resolvers take them, and the mutations of an operation before they run."""

from collections.abc import Iterator
from typing import Any

from graphql import (
    FieldNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLObjectType,
    InlineFragmentNode,
    SelectionSetNode,
)
from graphql.execution.values import VariableValues, get_argument_values
from strawberry.types.arguments import convert_arguments

from core.graphql.bindings import MutationField
from core.mutations.acts import Act


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
    nodes: dict[str, FieldNode] = {}
    for node in _fields(raw, raw.operation.selection_set, set()):
        # What has one response key is run once.
        nodes.setdefault((node.alias or node.name).value, node)
    for node in nodes.values():
        act = _act(info.schema, raw, node)
        if act is not None:
            yield act


def _fields(raw: Any, selected: SelectionSetNode, spread: set[str]) -> Iterator[FieldNode]:
    """The root fields, those of each fragment once: fragments that spread others twice are a tree."""
    for each in selected.selections:
        if isinstance(each, FieldNode):
            yield each
        elif isinstance(each, InlineFragmentNode):
            yield from _fields(raw, each.selection_set, spread)
        elif isinstance(each, FragmentSpreadNode) and each.name.value not in spread:
            spread.add(each.name.value)
            yield from _fields(raw, raw.fragments[each.name.value].selection_set, spread)


def _act(schema: Any, raw: Any, node: FieldNode) -> Act | None:
    root: GraphQLObjectType = raw.parent_type
    definition = root.fields.get(node.name.value)
    binding = definition.extensions["strawberry-definition"].metadata.get("binding") if definition else None
    if definition is None or not isinstance(binding, MutationField):
        return None
    variables = VariableValues({}, raw.variable_values)
    return attempted(binding, lambda: coerced(schema, definition, node, variables))


def attempted(binding: MutationField, arguments: Any) -> Act | None:
    """The act, unless its arguments do not fit: that is reported when its turn comes."""
    try:
        return binding.act(arguments())
    except Exception:
        return None
