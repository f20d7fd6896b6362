"""What a document may cost at most, read from its text and the schema before anything runs.

A field that gives an object costs 1 and each thing under it again; a list multiplies by the page asked for.
Scalars are free: their document is there anyway. Fragments of different types exclude each other, so the
dearest counts.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    ValueNode,
    VariableNode,
    get_named_type,
    is_composite_type,
    is_list_type,
)
from graphql.type import get_nullable_type

from core.binding.bindings import Call

Composite = GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType

PAGE = 20
"""Assumed where a size is asked for by something that is none."""

LIST = 5
"""Assumed of a list that has no size."""

MUTATION = 10
"""What a mutation costs beside its payload: a transaction."""

SIZES = ("first", "last", "ids")
"""Arguments that say how many things are asked for."""

INTROSPECTION = frozenset({"__schema", "__type"})

LARGEST = 1_000
"""No page is larger: who asks for more is told so by the field."""

COSTS = 64
"""Remembered of an operation, by its sizes."""

MOST = 1_000_000_000
"""Enough to be refused, whatever is multiplied with it."""


@dataclass(frozen=True, slots=True)
class Size:
    """A page's size: a number, or a variable's with what it is without one."""

    number: int = 1
    variable: str | None = None

    def of(self, variables: Mapping[str, Any]) -> int:
        if self.variable is None:
            return self.number
        given = variables.get(self.variable, self.number)
        if isinstance(given, list):
            return min(LARGEST, len(given))
        return max(1, min(LARGEST, given)) if isinstance(given, int) else self.number


@dataclass(frozen=True, slots=True)
class Cost:
    """`own` and, `size` times, the costs under it: a tree, evaluated for a request's variables."""

    own: int = 0
    size: Size = Size()
    all_of: tuple["Cost", ...] = ()
    one_of: tuple["Cost", ...] = ()

    def of(self, variables: Mapping[str, Any]) -> int:
        inner = sum(each.of(variables) for each in self.all_of)
        inner += max((each.of(variables) for each in self.one_of), default=0)
        return min(MOST, self.own + self.size.of(variables) * inner)

    @property
    def variables(self) -> set[str]:
        """Those it depends on."""
        own = {self.size.variable} if self.size.variable is not None else set()
        return own.union(*(each.variables for each in (*self.all_of, *self.one_of)))


class Operation:
    """What is counted of one operation."""

    __slots__ = ("_costs", "_tree", "_variables", "depth", "introspects", "mutations", "roots")

    def __init__(self, tree: Cost, *, depth: int, roots: int, introspects: bool, mutations: int) -> None:
        self._tree = tree
        self._variables = tuple(tree.variables)
        self._costs: dict[tuple[Any, ...], int] = {}
        self.depth = depth
        self.roots = roots
        self.introspects = introspects
        self.mutations = mutations

    def cost(self, variables: Mapping[str, Any]) -> int:
        """Remembered by what it depends on: clients ask for few sizes of page."""
        sizes = tuple([_size_of(variables.get(name)) for name in self._variables])
        found = self._costs.get(sizes)
        if found is None:
            found = self._tree.of(variables)
            if len(self._costs) < COSTS:
                self._costs[sizes] = found
        return found


def _size_of(value: Any) -> int | None:
    if isinstance(value, list):
        return len(value)
    return value if isinstance(value, int) else None


@dataclass(slots=True)
class Counts:
    """What is counted of the text of a document, whatever it costs."""

    aliases: int = 0
    directives: int = 0
    repeated_fields: int = 0
    """Fields given again in the same selection: each is compared with each other when validated."""
    repeated_directives: int = 0


@dataclass(frozen=True, slots=True)
class Shape:
    """What is counted of a document."""

    operations: Mapping[str | None, Operation]
    counts: Counts

    def operation(self, name: str | None) -> Operation | None:
        if name is None and len(self.operations) == 1:
            return next(iter(self.operations.values()))
        return self.operations.get(name)


def shape(schema: GraphQLSchema, document: DocumentNode) -> Shape:
    reader = _Reader(schema, document)
    operations = {
        node.name.value if node.name else None: reader.operation(node)
        for node in document.definitions
        if isinstance(node, OperationDefinitionNode)
    }
    return Shape(operations, reader.counts)


def default_page(field: GraphQLField) -> int | None:
    """How many the field gives to who names no size; None where it takes none, 0 where it does not say."""
    declared = field.args.get("first")
    if declared is None:
        return None
    if isinstance(declared.default_value, int):
        return declared.default_value
    bound = field.extensions.get("strawberry-definition")
    binding = bound.metadata.get("binding") if bound is not None else None
    return (isinstance(binding, Call) and (binding.page or binding.usual)) or 0


class _Reader:
    """Walks each selection once: fragments are remembered, so that spreading them often costs nothing."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        self._schema = schema
        self._fragments = {
            node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)
        }
        self._read: dict[str, tuple[Cost, int]] = {}
        self._reading: set[str] = set()
        self._defaults: dict[str, int] = {}
        self._introspects = False
        self.counts = Counts()
        for fragment in self._fragments.values():
            self._count_directives(fragment)

    def operation(self, node: OperationDefinitionNode) -> Operation:
        self._defaults = {
            each.variable.name.value: int(each.default_value.value)
            for each in node.variable_definitions or ()
            if isinstance(each.default_value, IntValueNode)
        }
        # Sizes by variable have another default in each operation.
        self._read = {}
        self._introspects = False
        for each in (node, *(node.variable_definitions or ())):
            self._count_directives(each)
        root = self._schema.get_root_type(node.operation)
        fields = [each for each in node.selection_set.selections if isinstance(each, FieldNode)]
        cost, depth = self._selections(node.selection_set, root)
        if node.operation is OperationType.MUTATION:
            cost = Cost(own=MUTATION * len(fields), all_of=(cost,))
        roots = len(node.selection_set.selections)
        # A fragment may hold many.
        mutations = 2 * roots - len(fields) if node.operation is OperationType.MUTATION else 0
        return Operation(cost, depth=depth, roots=roots, introspects=self._introspects, mutations=mutations)

    def _count_directives(self, node: Any) -> None:
        names = [each.name.value for each in node.directives or ()]
        self.counts.directives += len(names)
        self.counts.repeated_directives += len(names) - len(set(names))

    def _selections(
        self,
        node: SelectionSetNode,
        parent: Composite | None,
        *,
        counted: bool = False,
        names: Counter[str] | None = None,
    ) -> tuple[Cost, int]:
        """The cost of what is selected, and how deep it goes.

        `counted`: lists in it are the page. `names` are those given already, of an inline fragment.
        """
        shared: list[Cost] = []
        exclusive: dict[str, list[Cost]] = {}
        deepest = 0
        names = Counter() if names is None else names
        for selection in node.selections:
            self._count_directives(selection)
            if isinstance(selection, FieldNode):
                name = (selection.alias or selection.name).value
                self.counts.repeated_fields += name in names
                names[name] += 1
                cost, depth = self._field(selection, parent, counted)
                shared.append(cost)
            else:
                name, cost, depth = self._fragment(selection, parent, names)
                exclusive.setdefault(name, []).append(cost)
            deepest = max(deepest, depth)
        alternatives = tuple(Cost(all_of=tuple(costs)) for costs in exclusive.values())
        return Cost(all_of=tuple(shared), one_of=alternatives), deepest

    def _field(self, node: FieldNode, parent: Composite | None, counted: bool) -> tuple[Cost, int]:
        self.counts.aliases += node.alias is not None
        self._introspects |= node.name.value in INTROSPECTION
        if node.selection_set is None:
            return Cost(), 1
        fields = getattr(parent, "fields", {})
        field: GraphQLField | None = fields.get(node.name.value)
        kind = get_named_type(field.type) if field else None
        size = self._size(node, field)
        listed = field is not None and is_list_type(get_nullable_type(field.type))
        if size is None:
            size = Size(LIST) if listed and not counted else Size()
            counted = False
        else:
            counted = not listed
        inner, depth = self._selections(
            node.selection_set, kind if is_composite_type(kind) else None, counted=counted
        )
        return Cost(size=size, all_of=(Cost(own=1, all_of=(inner,)),)), depth + 1

    def _fragment(
        self,
        node: FragmentSpreadNode | InlineFragmentNode | Any,
        parent: Composite | None,
        names: Counter[str],
    ) -> tuple[str, Cost, int]:
        """The type it is of, its cost and its depth; a circle is for validation to refuse."""
        if isinstance(node, InlineFragmentNode):
            kind = self._schema.get_type(node.type_condition.name.value) if node.type_condition else parent
            cost, depth = self._selections(
                node.selection_set, kind if is_composite_type(kind) else None, names=names
            )
            return getattr(kind, "name", ""), cost, depth
        name = node.name.value
        fragment = self._fragments.get(name)
        if fragment is None or name in self._reading:
            return "", Cost(), 0
        condition = fragment.type_condition.name.value
        if name not in self._read:
            kind = self._schema.get_type(condition)
            self._reading.add(name)
            self._read[name] = self._selections(
                fragment.selection_set, kind if is_composite_type(kind) else None
            )
            self._reading.discard(name)
        cost, depth = self._read[name]
        return condition, cost, depth

    def _size(self, node: FieldNode, field: GraphQLField | None) -> Size | None:
        """How many things the field's arguments ask for; None where none says."""
        given = {argument.name.value: argument.value for argument in node.arguments or ()}
        usual = default_page(field) if field is not None else None
        for name in SIZES:
            if name in given:
                return self._given(given[name], usual or PAGE)
        return None if usual is None else Size(usual or PAGE)

    def _given(self, value: ValueNode, usual: int) -> Size:
        if isinstance(value, VariableNode):
            name = value.name.value
            return Size(self._defaults.get(name, usual), name)
        if isinstance(value, IntValueNode):
            return Size(max(1, min(LARGEST, int(value.value))))
        return Size(min(LARGEST, len(value.values))) if isinstance(value, ListValueNode) else Size(usual)
