"""Validation rules: those of GraphQL, and that what is not synced is not selected inside of synced nodes.

One list for all that validates: requests, documents registered beforehand, both executors.
"""

from collections import defaultdict
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLNonNull,
    NonNullTypeNode,
    OperationDefinitionNode,
    ValidationRule,
    is_input_object_type,
    print_ast,
    specified_rules,
)
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule

ROOTS = {("ChangeSet", "nodes"), ("NodeChanged", "node")}
"""Fields that show synced nodes."""


class SyncedFieldsRule(ValidationRule):
    """Looks at each fragment once, wherever it is spread."""

    def __init__(self, context: Any) -> None:
        super().__init__(context)
        self._inside = 0
        self._fragment: str | None = None
        self._held: dict[str, list[FieldNode]] = defaultdict(list)
        self._spreads: dict[str, set[str]] = defaultdict(set)
        self._shown: set[str] = set()
        """Fragments spread inside of synced nodes."""

    def enter_fragment_definition(self, node: FragmentDefinitionNode, *_: Any) -> None:
        self._fragment = node.name.value

    def leave_fragment_definition(self, *_: Any) -> None:
        self._fragment = None

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        if self._is_unsynced():
            if self._inside:
                self._report(node)
            elif self._fragment:
                self._held[self._fragment].append(node)
        self._inside += self._is_root(node)

    def leave_field(self, node: FieldNode, *_: Any) -> None:
        self._inside -= self._is_root(node)

    def enter_fragment_spread(self, node: FragmentSpreadNode, *_: Any) -> None:
        if self._inside:
            self._shown.add(node.name.value)
        elif self._fragment:
            self._spreads[self._fragment].add(node.name.value)

    def leave_document(self, *_: Any) -> None:
        found, seen = list(self._shown), set(self._shown)
        while found:
            name = found.pop()
            for node in self._held.get(name, ()):
                self._report(node)
            fresh = self._spreads.get(name, set()) - seen
            seen |= fresh
            found += fresh

    def _is_root(self, node: FieldNode) -> bool:
        parent = self.context.get_parent_type()
        return parent is not None and (parent.name, node.name.value) in ROOTS

    def _is_unsynced(self) -> bool:
        defined = self.context.get_field_def()
        declared = defined.extensions.get("strawberry-definition") if defined else None
        return declared is not None and bool(declared.metadata.get("unsynced"))

    def _report(self, node: FieldNode) -> None:
        words = f"'{node.name.value}' is no part of what is synced: read it with the page that shows it."
        self.report_error(GraphQLError(words, node))


class OneOfVariablesRule(ValidationRule):
    """Refuses nullable variables in fields of oneOf inputs, also where the input itself must not be null.

    graphql-core looks for the input beneath no such wrapper, and would let them pass there.
    """

    def leave_operation_definition(self, operation: OperationDefinitionNode, *_: Any) -> None:
        nullable = {
            each.variable.name.value: each
            for each in operation.variable_definitions or ()
            if not isinstance(each.type, NonNullTypeNode)
        }
        for usage in self.context.get_recursive_variable_usages(operation):
            parent, name = usage.parent_type, usage.node.name.value
            of = parent.of_type if isinstance(parent, GraphQLNonNull) else None
            if name in nullable and is_input_object_type(of) and of.is_one_of:
                declared = nullable[name]
                words = (
                    f"Variable '${name}' is of type '{print_ast(declared.type)}' but must be non-nullable"
                    f" to be used for OneOf Input Object '{of}'."
                )
                self.report_error(GraphQLError(words, [declared, usage.node]))


RULES = (*specified_rules, MaybeNullValidationRule, OneOfVariablesRule, SyncedFieldsRule)
