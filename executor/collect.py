"""Field collection: the fields of a selection for a type, fragments opened and directives decided."""

from collections.abc import Iterable, Mapping
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLAbstractType,
    GraphQLDirective,
    GraphQLIncludeDirective,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLSkipDirective,
    GraphQLUnionType,
    InlineFragmentNode,
    SelectionSetNode,
    VariableNode,
    Visitor,
    visit,
)
from graphql.execution import get_directive_values

from executor.runtime import Fallback

Groups = dict[str, list[FieldNode]]

KNOWN_DIRECTIVES = frozenset({"include", "skip"})


class Collector:
    """Collects fields as the specification says, for one operation and its variables."""

    def __init__(
        self, schema: GraphQLSchema, fragments: Mapping[str, FragmentDefinitionNode], variables: Any
    ) -> None:
        self._schema = schema
        self._fragments = fragments
        self._variables = variables

    def fields(self, type: GraphQLObjectType, selections: Iterable[SelectionSetNode]) -> Groups:
        """Field nodes by response key, in the order in which the answer has them."""
        groups: Groups = {}
        visited: set[str] = set()
        for selection in selections:
            self._collect(type, selection, groups, visited)
        return groups

    def variables(self, selections: Iterable[SelectionSetNode]) -> set[str]:
        """Names of variables that selections use, or any fragment does."""
        names = _Variables()
        for node in (*selections, *self._fragments.values()):
            visit(node, names)
        return names.found

    def _collect(
        self, type: GraphQLObjectType, selections: SelectionSetNode, groups: Groups, visited: set[str]
    ) -> None:
        for node in selections.selections:
            if not self._included(node):
                continue
            if isinstance(node, FieldNode):
                key = node.alias.value if node.alias else node.name.value
                groups.setdefault(key, []).append(node)
            elif isinstance(node, InlineFragmentNode):
                if self._applies(type, node.type_condition):
                    self._collect(type, node.selection_set, groups, visited)
            elif isinstance(node, FragmentSpreadNode):
                self._spread(type, node, groups, visited)

    def _spread(
        self, type: GraphQLObjectType, node: FragmentSpreadNode, groups: Groups, visited: set[str]
    ) -> None:
        name = node.name.value
        if name in visited:
            return
        visited.add(name)
        fragment = self._fragments[name]
        if fragment.variable_definitions:
            raise Fallback
        if self._applies(type, fragment.type_condition):
            self._collect(type, fragment.selection_set, groups, visited)

    def _included(self, node: Any) -> bool:
        if not node.directives:
            return True
        if any(directive.name.value not in KNOWN_DIRECTIVES for directive in node.directives):
            # @defer and whatever else there may be.
            raise Fallback
        skip = self._condition(GraphQLSkipDirective, node)
        include = self._condition(GraphQLIncludeDirective, node)
        return not (skip is True or include is False)

    def _condition(self, directive: GraphQLDirective, node: Any) -> Any:
        values = get_directive_values(directive, node, self._variables)
        return values["if"] if values else None

    def _applies(self, type: GraphQLObjectType, condition: Any) -> bool:
        if condition is None:
            return True
        named = self._schema.get_type(condition.name.value)
        if named is type:
            return True
        if isinstance(named, (GraphQLInterfaceType, GraphQLUnionType)):
            abstract: GraphQLAbstractType = named
            return self._schema.is_sub_type(abstract, type)
        return False


class _Variables(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def enter_variable(self, node: VariableNode, *_: Any) -> None:
        self.found.add(node.name.value)


def condition_variables(document: Any) -> frozenset[str]:
    """Names of variables that decide `@include` and `@skip`: a plan is good for their values only."""
    found: set[str] = set()
    _find_conditions(document, found)
    return frozenset(found)


def _find_conditions(node: Any, found: set[str]) -> None:
    for definition in node.definitions:
        _in_selections(definition.selection_set, found)


def _in_selections(selections: SelectionSetNode | None, found: set[str]) -> None:
    for node in selections.selections if selections else ():
        for directive in node.directives or ():
            for argument in directive.arguments or ():
                if isinstance(argument.value, VariableNode):
                    found.add(argument.value.name.value)
        _in_selections(getattr(node, "selection_set", None), found)
