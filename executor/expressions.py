"""Expression compiler: a document's leaves, and objects of nothing else, as one Python expression.

Client text never enters the source: response keys, names and literals are bound as constants.
"""

from collections.abc import Sequence
from typing import Any

from graphql import (
    FieldNode,
    GraphQLEnumType,
    GraphQLLeafType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    SelectionSetNode,
    is_leaf_type,
)

from core.graphql.bindings import Binding, Computed, Derived, Plain
from core.graphql.fields import BoundField
from core.graphql.types import type_name
from executor import runtime
from executor.collect import Collector
from executor.runtime import Fallback

HELPERS = (
    "anomaly",
    "each",
    "fetch",
    "flat",
    "parted",
    "present",
    "regrouped",
    "restored",
    "together",
    "united",
    "distinct",
)
FINE = {
    **dict.fromkeys(("Decimal", "ID", "String", "SyncToken", "URL"), "(x := {}).__class__ is str"),
    "Boolean": "(x := {}).__class__ is bool",
    "Int": f"(x := {{}}).__class__ is int and {runtime.SMALLEST} <= x <= {runtime.LARGEST}",
}
"""Of scalars, when a value is its own JSON; whatever else it is, the serializer decides."""
MOST_INLINE = 200
"""Objects written where they stand; one more spread of a fragment would write all it holds once more."""


class Code:
    """Source under construction, and the constants it names (`c12`, `c13`, ...)."""

    def __init__(self) -> None:
        self.names: dict[str, Any] = {name: getattr(runtime, name) for name in HELPERS}
        self.names["type_name"] = type_name
        self.lines: list[str] = []
        self._known: dict[Any, str] = {}

    def constant(self, value: Any) -> str:
        key = (type(value), value) if isinstance(value, (str, int)) else id(value)
        name = self._known.get(key)
        if name is None:
            name = self._known[key] = f"c{len(self.names)}"
            self.names[name] = value
        return name

    def function(self, name: str, body: Sequence[str], *, asynchronous: bool) -> None:
        prefix = "async def" if asynchronous else "def"
        # Without parents nothing is asked, not even whether the arguments are good.
        lines = ["if not docs: return []", *body]
        self.lines += [f"{prefix} {name}(ctx, v, docs):", *(f"    {line}" for line in lines)]

    def run(self) -> dict[str, Any]:
        exec(compile("\n".join(self.lines), "<landfall operation>", "exec"), self.names)
        return self.names


class Expressions:
    """Writes the expressions of one operation."""

    def __init__(self, code: Code, collector: Collector) -> None:
        self._code = code
        self._collector = collector
        self._serializers: dict[str, Any] = {}
        self._objects = 0

    def of(
        self, type: GraphQLObjectType, nodes: Sequence[FieldNode], document: str = "d", depth: int = 1
    ) -> str | None:
        """A field of `document`; None where it takes more than the document."""
        if nodes[0].name.value == "__typename":
            return self._code.constant(type.name)
        definition, bound = field(type, nodes[0])
        if isinstance(bound.binding, Computed) and nodes[0].arguments:
            return None
        nullable = not isinstance(definition.type, GraphQLNonNull)
        source = self.source(bound.binding, document, nullable=nullable)
        if source is None:
            return None
        if is_leaf(definition.type):
            return self.leaf(definition.type, source)
        named = definition.type if nullable else definition.type.of_type
        if not isinstance(named, GraphQLObjectType):
            return None
        own = f"o{depth}"
        row = self._row(named, selections_of(nodes), own, depth + 1)
        if row is None:
            return None
        if nullable:
            return f"(None if ({own} := {source}) is None else {row})"
        return f"({row} if ({own} := {source}) is not None else anomaly())"

    def _row(
        self, type: GraphQLObjectType, selections: Sequence[SelectionSetNode], document: str, depth: int
    ) -> str | None:
        self._objects += 1
        if self._objects > MOST_INLINE:
            return None
        row: list[str] = []
        for response_key, nodes in self._collector.fields(type, selections).items():
            expression = self.of(type, nodes, document, depth)
            if expression is None:
                return None
            row.append(f"{self._code.constant(response_key)}: {expression}")
        return f"{{{', '.join(row)}}}"

    def source(self, binding: Binding, document: str, *, nullable: bool) -> str | None:
        """The value that a leaf or object is made of."""
        match binding:
            case Plain(key=key):
                name = self._code.constant(key)
                return f"{document}.get({name})" if nullable else f"{document}[{name}]"
            case Derived(function=function):
                return f"{self._code.constant(function)}({document})"
            case Computed(function=function):
                return f"{self._code.constant(function)}(ctx, {document})"
        return None

    def leaf(self, type: Any, source: str) -> str:
        """The JSON of a leaf value."""
        nullable = not isinstance(type, GraphQLNonNull)
        named = type if nullable else type.of_type
        if isinstance(named, GraphQLEnumType):
            names = self._code.constant(runtime.names_of(named))
            return f"(None if (x := {source}) is None else {names}[x])" if nullable else f"{names}[{source}]"
        serialize = self._code.constant(self._serializer(named))
        if isinstance(named, GraphQLList):
            return (
                f"(None if (x := {source}) is None else {serialize}(x))"
                if nullable
                else f"{serialize}({source})"
            )
        fine = FINE.get(named.name)
        if fine is not None:
            also = " or x is None" if nullable else ""
            return f"(x if {fine.format(source)}{also} else {serialize}(x))"
        if nullable:
            return f"(None if (x := {source}) is None else {serialize}(x))"
        return f"({serialize}(x) if (x := {source}) is not None else anomaly())"

    def _serializer(self, type: Any) -> Any:
        key = str(type)
        if key not in self._serializers:
            if isinstance(type, GraphQLList):
                inner = type.of_type
                nullable = not isinstance(inner, GraphQLNonNull)
                made = runtime.leaves(self._serializer(inner if nullable else inner.of_type), nullable)
            else:
                made = runtime.serializer(type)
            self._serializers[key] = made
        return self._serializers[key]


def field(type: GraphQLObjectType, node: FieldNode) -> tuple[Any, BoundField]:
    """Return a field's declaration in the GraphQL schema and in ours."""
    definition = type.fields.get(node.name.value)
    bound = definition.extensions.get("strawberry-definition") if definition else None
    if not isinstance(bound, BoundField):
        # Introspection, and whatever else is not ours.
        raise Fallback
    return definition, bound


def selections_of(nodes: Sequence[FieldNode]) -> list[SelectionSetNode]:
    return [node.selection_set for node in nodes if node.selection_set]


def is_leaf(type: Any) -> bool:
    while isinstance(type, (GraphQLNonNull, GraphQLList)):
        type = type.of_type
    leaf: GraphQLLeafType | Any = type
    return is_leaf_type(leaf)
