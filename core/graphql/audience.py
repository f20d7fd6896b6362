"""SDL for an audience: the schema without what is tagged for others."""

from typing import Any

from graphql import (
    REMOVE,
    DirectiveDefinitionNode,
    DirectiveNode,
    DocumentNode,
    EnumValueDefinitionNode,
    FieldDefinitionNode,
    StringValueNode,
    TypeDefinitionNode,
    Visitor,
    parse,
    print_ast,
    visit,
)

TAG = "tag"


TAGGED = (FieldDefinitionNode, TypeDefinitionNode, EnumValueDefinitionNode)


class _Untagged(Visitor):
    """Removes tagged fields, types and values, and the directive itself."""

    def __init__(self, tag: str) -> None:
        super().__init__()
        self._tag = tag

    def enter(self, node: Any, *_: Any) -> Any:
        if isinstance(node, TAGGED) and self._tag in _tags(node):
            return REMOVE
        if isinstance(node, (DirectiveNode, DirectiveDefinitionNode)) and node.name.value == TAG:
            return REMOVE
        return None


def without(sdl: str, tag: str) -> str:
    """The SDL without the fields, types and values that have the tag."""
    document: DocumentNode = visit(parse(sdl, no_location=True), _Untagged(tag))
    return print_ast(document)


def _tags(node: FieldDefinitionNode | TypeDefinitionNode | EnumValueDefinitionNode) -> set[str]:
    return {
        argument.value.value
        for each in node.directives or ()
        if each.name.value == TAG
        for argument in each.arguments or ()
        if isinstance(argument.value, StringValueNode)
    }
