"""Static cost: what a valid document may make us read at most, before anything of it runs.

A field that gives an object costs 1 and each thing under it again; a list multiplies by the page that is
asked for. Scalars are free, their document being there anyway, but for one that is asked for again under
another alias. Fields are collected and arguments coerced by the executor's own code: a limit that is worked
out otherwise than the operation runs can be walked around.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLField,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableDefinitionNode,
    get_argument_values,
    get_named_type,
    get_variable_values,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    is_object_type,
)
from graphql.execution.values import VariableValues
from graphql.type import get_nullable_type

from core.graphql.bindings import Resolver
from executor.arguments import uses_variables, variables_of
from executor.collect import Collector, Groups
from server.bounds import exceeded

PAGE = 20
"""Assumed where a size is asked for by something that is none."""

LIST = 5
"""Assumed of a list that has no size; what it gives beyond is charged when it was served."""

MUTATION = 10
"""Cost of a mutation beside its payload: a transaction."""

SIZES = ("first", "last", "limit")
"""Arguments that say how many things are asked for, as lists of ids do."""

INTROSPECTION = frozenset({"__schema", "__type"})
LONG = frozenset({"String", "JSON", "URL"})
"""Scalars that may be long."""

LARGEST = 1_000
"""Largest page: the field refuses more."""

COSTS = 64
"""Weights cached of an operation, by its sizes."""

HIGHEST_COST = 1_000_000_000
"""Enough to be refused, whatever is multiplied with it."""

MOST_COLLECTED = 50_000
"""Selections looked at for one document: fragments are collected again wherever they meet others."""

NO_VARIABLES = VariableValues({}, {})
LEFT_OUT = object()


class Weight(NamedTuple):
    """Weight of an operation, known before it runs."""

    cost: int
    texts: int = 0
    """Values in its answer that may be long."""


class Size:
    """Size of a field's list: a number, or arguments that are coerced as the executor does it."""

    __slots__ = ("_definition", "_node", "_usual", "constant", "variables")

    def __init__(self, definition: GraphQLField, node: FieldNode, default_size: int) -> None:
        self._definition, self._node, self._usual = definition, node, default_size
        given = [each.value for each in node.arguments or () if each.name.value in definition.args]
        self.variables = frozenset(name for value in given for name in variables_of(value))
        self.constant = None if any(map(uses_variables, given)) else self._of(NO_VARIABLES)

    def of(self, values: VariableValues) -> int:
        return self._of(values) if self.constant is None else self.constant

    def _of(self, values: VariableValues) -> int:
        try:
            given = get_argument_values(self._definition, self._node, values)
        except GraphQLError:
            # Nothing is given for arguments that do not fit.
            return 1
        asked = [len(each) if isinstance(each, list) else each for each in given.values() if each is not None]
        return max(1, min(LARGEST, max(asked, default=self._usual)))


@dataclass(slots=True)
class Level:
    """One object of a type, and what hangs on it: `one_of` these levels for each thing of a size."""

    own: int = 0
    texts: int = 0
    under: list[tuple[int | Size, tuple["Level", ...]]] = field(default_factory=list)

    def weight(self, values: VariableValues, known: dict[int, Weight]) -> Weight:
        """Each level is worked out once, however many fields lead to it."""
        found = known.get(id(self))
        if found is not None:
            return found
        cost, texts = self.own, self.texts
        for size, one_of in self.under:
            times = size if isinstance(size, int) else size.of(values)
            weights = [each.weight(values, known) for each in one_of]
            cost += times * max((each.cost for each in weights), default=0)
            texts += times * max((each.texts for each in weights), default=0)
        known[id(self)] = found = Weight(min(HIGHEST_COST, cost), min(HIGHEST_COST, texts))
        return found


class Operation:
    """Cost model of one operation of a document."""

    __slots__ = (
        "_declared",
        "_definitions",
        "_schema",
        "_top",
        "_weights",
        "introspection",
        "kind",
        "mutations",
        "name",
        "only_introspects",
        "roots",
    )

    def __init__(
        self, schema: GraphQLSchema, node: OperationDefinitionNode, top: Level, groups: Groups
    ) -> None:
        self._schema = schema
        self._top = top
        decisive = _variables(top)
        self._declared = list(node.variable_definitions or ())
        self._definitions = [each for each in self._declared if each.variable.name.value in decisive]
        self._weights: dict[tuple[Any, ...], Weight] = {}
        self.kind = node.operation
        self.name = node.name.value if node.name is not None else None
        self.roots = sum(map(len, groups.values()))
        self.mutations = len(groups) if node.operation is OperationType.MUTATION else 0
        self.introspection = {key: nodes for key, nodes in groups.items() if _introspects(nodes)}
        self.only_introspects = all(
            _introspects(nodes) or nodes[0].name.value == "__typename" for nodes in groups.values()
        )

    def weight(self, variables: Mapping[str, Any]) -> Weight:
        """Cached by the sizes it depends on: clients ask for few sizes of page."""
        sizes = tuple(
            [_size_of(variables.get(each.variable.name.value, LEFT_OUT)) for each in self._definitions]
        )
        found = self._weights.get(sizes)
        if found is None:
            found = self._top.weight(self._coerced(self._definitions, variables), {})
            if len(self._weights) < COSTS:
                self._weights[sizes] = found
        return found

    def values(self, variables: Mapping[str, Any]) -> VariableValues:
        """All of the operation's variables."""
        return self._coerced(self._declared, variables)

    def _coerced(
        self, definitions: list[VariableDefinitionNode], variables: Mapping[str, Any]
    ) -> VariableValues:
        """None where they do not fit: then nothing of the operation runs."""
        if not definitions:
            return NO_VARIABLES
        values = get_variable_values(self._schema, definitions, dict(variables), max_errors=1)
        return values if isinstance(values, VariableValues) else NO_VARIABLES


def _introspects(nodes: Sequence[FieldNode]) -> bool:
    return nodes[0].name.value in INTROSPECTION


def _variables(top: Level) -> set[str]:
    """Names of the variables that decide a size."""
    found: set[str] = set()
    seen: set[int] = set()
    left = [top]
    while left:
        level = left.pop()
        if id(level) in seen:
            continue
        seen.add(id(level))
        for size, one_of in level.under:
            found |= size.variables if isinstance(size, Size) else set()
            left += one_of
    return found


def _size_of(value: Any) -> Any:
    """Part of a variable's value that decides a size; other kinds are no sizes, or coerced alike."""
    if isinstance(value, list):
        return (list, len(value))
    if isinstance(value, int | float | str):
        return (value.__class__, value)
    return value.__class__ if value is not LEFT_OUT else LEFT_OUT


class Whole(Collector):
    """Collects what an operation may select whatever its conditions come to, and no more than so much."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        fragments = {
            each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)
        }
        super().__init__(schema, fragments, NO_VARIABLES)
        self._left = MOST_COLLECTED

    def _included(self, node: Any) -> bool:
        self._left -= 1
        if self._left < 0:
            raise exceeded("selections", MOST_COLLECTED)
        return True


class Scales:
    """Weighs the operations of one valid document."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        self._schema = schema
        self._collector = Whole(schema, document)
        self._levels: dict[Any, Level] = {}

    def operation(self, node: OperationDefinitionNode) -> Operation:
        root = self._schema.get_root_type(node.operation)
        assert root is not None
        groups = self._collector.fields(root, [node.selection_set])
        ordinary = {key: nodes for key, nodes in groups.items() if not _introspects(nodes)}
        top = Level(own=MUTATION * len(groups) if node.operation is OperationType.MUTATION else 0)
        self._fill(top, root, ordinary, counted=False)
        return Operation(self._schema, node, top, groups)

    def _level(self, type: GraphQLObjectType, selections: Iterable[SelectionSetNode], counted: bool) -> Level:
        groups = self._collector.fields(type, selections)
        key = (type.name, counted, *((name, *map(id, nodes)) for name, nodes in groups.items()))
        found = self._levels.get(key)
        if found is None:
            found = self._levels[key] = Level(own=1)
            self._fill(found, type, groups, counted)
        return found

    def _fill(self, level: Level, type: GraphQLObjectType, groups: Groups, counted: bool) -> None:
        """`counted`: lists in it are the page."""
        scalars: Counter[str] = Counter()
        for nodes in groups.values():
            name = nodes[0].name.value
            definition = type.fields.get(name)
            kind = get_named_type(definition.type) if definition is not None else None
            if definition is None or is_leaf_type(kind):
                scalars[name] += 1
                level.texts += _long(definition, kind)
            else:
                level.under.append(self._under(definition, kind, nodes, counted))
        level.own += sum(scalars.values()) - len(scalars)

    def _under(
        self, definition: GraphQLField, kind: Any, nodes: Sequence[FieldNode], counted: bool
    ) -> tuple[int | Size, tuple[Level, ...]]:
        selections = [node.selection_set for node in nodes if node.selection_set is not None]
        listed = is_list_type(get_nullable_type(definition.type))
        size: int | Size | None = _size(definition, nodes[0], listed)
        if size is None:
            size, counted = LIST if listed and not counted else 1, False
        else:
            counted = not listed
        types = self._schema.get_possible_types(kind) if is_abstract_type(kind) else [kind]
        levels = [self._level(each, selections, counted) for each in types if is_object_type(each)]
        return size, tuple({id(each): each for each in levels}.values())


def _long(definition: GraphQLField | None, kind: Any) -> int:
    """Number of the field's values that may be long."""
    if definition is None or kind.name not in LONG:
        return 0
    return LIST if is_list_type(get_nullable_type(definition.type)) else 1


def _size(definition: GraphQLField, node: FieldNode, listed: bool) -> int | Size | None:
    """Number of things the field's arguments ask for; None where no argument says it."""
    default_size = default_page(definition)
    sizes = {
        name: each
        for name, each in definition.args.items()
        if name in SIZES or ((listed or default_size is not None) and _of_ids(name, each))
    }
    if not sizes:
        return None
    size = Size(GraphQLField(definition.type, args=sizes), node, default_size or PAGE)
    return size if size.constant is None else size.constant


def _of_ids(name: str, argument: Any) -> bool:
    return name.lower().endswith("ids") and is_list_type(get_nullable_type(argument.type))


def default_page(field: GraphQLField) -> int | None:
    """Page size of a field when no size is given; None where it takes none, 0 where it does not say."""
    declared = field.args.get("first") or field.args.get("limit")
    if declared is None:
        return None
    if isinstance(declared.default_value, int):
        return declared.default_value
    bound = field.extensions.get("strawberry-definition")
    binding = bound.metadata.get("binding") if bound is not None else None
    return (isinstance(binding, Resolver) and (binding.page or binding.default_size)) or 0
