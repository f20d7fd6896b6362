"""Argument coercion: once for all where a field's arguments are constant, else from the variables."""

from collections.abc import Callable, Iterator
from typing import Any

from graphql import FieldNode, GraphQLField, ListValueNode, ObjectValueNode, VariableNode

from core.graphql.arguments import coerced
from core.graphql.build import Schema


def uses_variables(node: Any) -> bool:
    """True if an argument's value names a variable, however deep."""
    return any(True for _ in variables_of(node))


def variables_of(node: Any) -> Iterator[str]:
    """Names of the variables in an argument's value."""
    if isinstance(node, VariableNode):
        yield node.name.value
    elif isinstance(node, ListValueNode):
        for value in node.values:
            yield from variables_of(value)
    elif isinstance(node, ObjectValueNode):
        for field in node.fields:
            yield from variables_of(field.value)


class Arguments:
    """The keyword arguments of one field node."""

    def __init__(
        self,
        schema: Schema,
        definition: GraphQLField,
        node: FieldNode,
        filled: Callable[..., Any],
    ) -> None:
        self._schema = schema
        self._definition = definition
        self._node = node
        self._filled = filled
        self.constant: dict[str, Any] | None = None
        """Arguments that do not depend on variables; None where they do."""
        if not any(uses_variables(argument.value) for argument in node.arguments or ()):
            self.constant = self._coerced(None)

    def __call__(self, variables: Any) -> dict[str, Any]:
        return self.constant if self.constant is not None else self._coerced(variables)

    def _coerced(self, variables: Any) -> dict[str, Any]:
        arguments: dict[str, Any] = self._filled(
            coerced(self._schema, self._definition, self._node, variables)
        )
        return arguments
