"""SDL for an audience: the schema without what is tagged for others."""

from collections import defaultdict
from collections.abc import Mapping, Set
from dataclasses import replace
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


class _Given(Visitor):
    """Collects the directives that are used, each with the arguments that it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.arguments = defaultdict[str, set[str]](set)

    def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
        self.arguments[node.name.value].update(each.name.value for each in node.arguments or ())


class _Unused(Visitor):
    """Removes definitions of directives that nothing uses, and of arguments that none is given."""

    def __init__(self, given: Mapping[str, Set[str]]) -> None:
        super().__init__()
        self._given = given

    def enter_directive_definition(self, node: DirectiveDefinitionNode, *_: Any) -> Any:
        given = self._given.get(node.name.value)
        if given is None:
            return REMOVE
        return replace(
            node, arguments=tuple(each for each in node.arguments or () if each.name.value in given)
        )


def without(sdl: str, tag: str) -> str:
    """The SDL without the fields, types and values that have the tag, and without what only those used."""
    document: DocumentNode = visit(parse(sdl, no_location=True), _Untagged(tag))
    given = _Given()
    visit(document, given)
    return print_ast(visit(document, _Unused(given.arguments)))


def _tags(node: FieldDefinitionNode | TypeDefinitionNode | EnumValueDefinitionNode) -> set[str]:
    return {
        argument.value.value
        for each in node.directives or ()
        if each.name.value == TAG
        for argument in each.arguments or ()
        if isinstance(argument.value, StringValueNode)
    }
