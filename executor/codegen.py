"""Writes the Python of an operation: plain fields in dictionary displays, everything else level by level.

Client text never enters the source: response keys, names and literals are bound as constants.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from graphql import (
    FieldNode,
    GraphQLInterfaceType,
    GraphQLLeafType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLUnionType,
    SelectionSetNode,
    get_named_type,
    is_leaf_type,
)

from core.binding.bindings import Binding, Call, Derived, Local, Many, One, Plain
from core.binding.build import Schema
from core.binding.fields import BoundField
from core.binding.types import type_name
from executor import runtime
from executor.arguments import Arguments
from executor.collect import Collector
from executor.runtime import Anomaly, Fields

HELPERS = (
    "anomaly",
    "each",
    "fetch",
    "flat",
    "gather",
    "parted",
    "present",
    "regrouped",
    "restored",
    "united",
    "distinct",
)
REFERENCES = {
    One: ("", "keys", "None if k is None else found[k]"),
    Many: (" or ()", "flat(keys)", "[x for each in k if (x := found[each]) is not None]"),
}
"""Of a reference: what stands for no key, the keys in a row, and the value of a document's `k`."""
TEXT = frozenset({"String", "ID", "URL", "SyncToken"})


class Code:
    """The growing source and the constants it names."""

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


class Compiler:
    """Compiles selections of one operation into `code`."""

    def __init__(self, schema: Schema, collector: Collector) -> None:
        self._schema = schema
        self.collector = collector
        self.code = Code()
        self._levels: dict[Any, tuple[str, bool]] = {}
        self._fields: dict[Any, Fields] = {}
        self._count = 0

    def level(self, type: GraphQLObjectType, selections: Sequence[SelectionSetNode]) -> tuple[str, bool]:
        """The function that answers a selection for many documents of a type, and whether it is async."""
        key = (type.name, *map(id, selections))
        if key not in self._levels:
            self._levels[key] = self._write_level(type, selections)
        return self._levels[key]

    def _write_level(
        self, type: GraphQLObjectType, selections: Sequence[SelectionSetNode]
    ) -> tuple[str, bool]:
        inline: list[str] = []
        columns: list[tuple[str, bool]] = []
        for response_key, nodes in self.collector.fields(type, selections).items():
            key = self.code.constant(response_key)
            expression = self._expression(type, nodes)
            if expression is None:
                expression = f"r{len(columns)}"
                columns.append(self.column(type, nodes))
            inline.append(f"{key}: {expression}")
        name = self._name("level")
        body = self._await_columns(columns)
        rows = ", ".join(["docs", *(f"l{index}" for index in range(len(columns)))])
        each = ", ".join(["d", *(f"r{index}" for index in range(len(columns)))])
        source = f"for {each} in zip({rows})" if columns else "for d in docs"
        body.append(f"return [{{{', '.join(inline)}}} {source}]")
        asynchronous = any(waits for _, waits in columns)
        self.code.function(name, body, asynchronous=asynchronous)
        return name, asynchronous

    def _await_columns(self, columns: Sequence[tuple[str, bool]]) -> list[str]:
        """Columns that wait do so together."""
        waiting = [index for index, (_, waits) in enumerate(columns) if waits]
        lines = [f"l{i} = {name}(ctx, v, docs)" for i, (name, waits) in enumerate(columns) if not waits]
        calls = [f"{columns[index][0]}(ctx, v, docs)" for index in waiting]
        if len(calls) == 1:
            lines.append(f"l{waiting[0]} = await {calls[0]}")
        elif calls:
            targets = ", ".join(f"l{index}" for index in waiting)
            lines.append(f"{targets} = await gather({', '.join(calls)})")
        return lines

    def _expression(self, type: GraphQLObjectType, nodes: Sequence[FieldNode]) -> str | None:
        """A leaf read from the document alone, as an expression of `d`; None for everything else."""
        if nodes[0].name.value == "__typename":
            return self.code.constant(type.name)
        definition, bound = self.field(type, nodes[0])
        if isinstance(bound.binding, Local) and nodes[0].arguments:
            return None
        source = self._source(bound.binding, nullable=not isinstance(definition.type, GraphQLNonNull))
        if source is None or not _is_leaf(definition.type):
            return None
        return self._leaf(definition.type, source)

    def _source(self, binding: Binding, *, nullable: bool) -> str | None:
        match binding:
            case Plain(key=key):
                name = self.code.constant(key)
                return f"d.get({name})" if nullable else f"d[{name}]"
            case Derived(function=function):
                return f"{self.code.constant(function)}(d)"
            case Local(function=function):
                return f"{self.code.constant(function)}(ctx, d)"
        return None

    def _leaf(self, type: Any, source: str) -> str:
        nullable = not isinstance(type, GraphQLNonNull)
        named = type if nullable else type.of_type
        if isinstance(named, GraphQLList):
            serialize = self.code.constant(self._serializer(named))
            return (
                f"(None if (x := {source}) is None else {serialize}(x))"
                if nullable
                else f"{serialize}({source})"
            )
        serialize = self.code.constant(self._serializer(named))
        if named.name in TEXT:
            fine = "is str or x is None" if nullable else "is str"
            return f"(x if (x := {source}).__class__ {fine} else {serialize}(x))"
        if nullable:
            return f"(None if (x := {source}) is None else {serialize}(x))"
        return f"({serialize}(x) if (x := {source}) is not None else anomaly())"

    def _serializer(self, type: Any) -> Any:
        key = ("serializer", str(type))
        if key not in self._levels:
            if isinstance(type, GraphQLList):
                inner = type.of_type
                nullable = not isinstance(inner, GraphQLNonNull)
                made = runtime.leaves(self._serializer(inner if nullable else inner.of_type), nullable)
            else:
                made = runtime.serializer(type)
            self._levels[key] = made  # type: ignore[assignment]
        return self._levels[key]

    def column(self, type: GraphQLObjectType, nodes: Sequence[FieldNode]) -> tuple[str, bool]:
        """The function that answers one field for many documents, and whether it is async."""
        definition, bound = self.field(type, nodes[0])
        body, asynchronous = self._values(definition, bound, nodes)
        shared = isinstance(bound.binding, (One, Many))
        lines, waits = self.completed(definition.type, nodes, shared=shared)
        name = self._name("column")
        asynchronous = asynchronous or waits
        self.code.function(name, [*body, *lines, "return vals"], asynchronous=asynchronous)
        return name, asynchronous

    def _values(
        self, definition: Any, bound: BoundField, nodes: Sequence[FieldNode]
    ) -> tuple[list[str], bool]:
        """Lines that set `vals`, a value per document."""
        binding, node = bound.binding, nodes[0]
        if isinstance(binding, Local) and node.arguments:
            arguments = self.code.constant(Arguments(self._schema, definition, bound, node, binding.filled))
            function = self.code.constant(binding.function)
            return [f"a = {arguments}(v)", f"vals = [{function}(ctx, d, **a) for d in docs]"], False
        source = self._source(binding, nullable=True)
        if source is not None:
            return [f"vals = [{source} for d in docs]"], False
        if isinstance(binding, (One, Many)):
            key, loader = self.code.constant(binding.key), self._loader(binding.loader, definition, nodes)
            none, keys, value = REFERENCES[type(binding)]
            return [
                f"keys = [d.get({key}){none} for d in docs]",
                f"found = await fetch(ctx, {loader.format(keys)})",
                f"vals = [{value} for k in keys]",
            ], True
        if not isinstance(binding, Call):
            raise Anomaly
        filled = binding.filled
        if binding.page is not None:
            filled = partial(filled, shown=self._shown(definition, nodes))
        arguments = self.code.constant(Arguments(self._schema, definition, bound, node, filled))
        if binding.root:
            call = f"{self.code.constant(binding.resolver)}(ctx, **a)"
            return [f"a = {arguments}(v)", f"vals = [await {call}]"], True
        if binding.together is not None:
            call = f"{self.code.constant(binding.together)}(ctx, docs, **a)"
            return [f"a = {arguments}(v)", f"vals = await {call}"], True
        call = f"{self.code.constant(binding.resolver)}(ctx, d, **a)"
        return [f"a = {arguments}(v)", f"vals = await each([{call} for d in docs])"], True

    def _loader(self, loader: Any, definition: Any, nodes: Sequence[FieldNode]) -> str:
        """Arguments of `fetch`: the loader, a place for the keys, and what is read of its documents."""
        fields = self._fields.setdefault(loader, Fields())
        type = get_named_type(definition.type)
        fields.add(self._read(type, _selections(nodes)) if isinstance(type, GraphQLObjectType) else None)
        return f"{self.code.constant(loader)}, {{}}, {self.code.constant(fields)}"

    def _read(self, type: GraphQLObjectType, selections: Sequence[SelectionSetNode]) -> set[str] | None:
        """The keys of a document that a selection reads; None when a resolver gets the whole."""
        read: set[str] = set()
        for nodes in self.collector.fields(type, selections).values():
            if nodes[0].name.value == "__typename":
                continue
            match self.field(type, nodes[0])[1].binding:
                case Plain(key=key) | One(key=key) | Many(key=key):
                    read.add(key)
                case Derived(needs=needs) | Call(needs=needs) if needs:
                    read |= set(needs)
                case Local(needs=needs) as local if needs:
                    read |= local.reads(argument.name.value for argument in nodes[0].arguments or ())
                case _:
                    return None
        return read

    def _shown(self, definition: Any, nodes: Sequence[FieldNode]) -> tuple[str, ...]:
        """The keys that a selection on a connection reads of its nodes; none when one cannot tell."""
        fields = Fields()
        fields.add(())
        for edge, edges in self._under(get_named_type(definition.type), nodes, "edges"):
            for type, chosen in self._under(edge, edges, "node"):
                fields.add(
                    self._read(type, _selections(chosen)) if isinstance(type, GraphQLObjectType) else None
                )
        return fields.read

    def _under(
        self, type: Any, nodes: Sequence[FieldNode], name: str
    ) -> Iterator[tuple[Any, list[FieldNode]]]:
        """The type and nodes of a field of the selection, for each of its response keys."""
        for group in self.collector.fields(type, _selections(nodes)).values():
            if group[0].name.value == name:
                yield get_named_type(type.fields[name].type), group

    def completed(self, type: Any, nodes: Sequence[FieldNode], *, shared: bool) -> tuple[list[str], bool]:
        """Lines that turn `vals` into answers, and whether they wait."""
        if _is_leaf(type):
            return [f"vals = [{self._leaf(type, 'd')} for d in vals]"], False
        if isinstance(type, GraphQLNonNull):
            lines, waits = self._object_or_list(type.of_type, nodes, shared=shared)
            return ["if None in vals: anomaly()", *lines], waits
        lines, waits = self._object_or_list(type, nodes, shared=shared)
        name = self.nested(lines, waits)
        call = f"{'await ' if waits else ''}{name}(ctx, v, present(vals))"
        return [f"vals = restored(vals, {call})"], waits

    def _object_or_list(
        self, type: Any, nodes: Sequence[FieldNode], *, shared: bool
    ) -> tuple[list[str], bool]:
        if isinstance(type, GraphQLList):
            lines, waits = self.completed(type.of_type, nodes, shared=shared)
            name = self.nested(lines, waits)
            call = f"{'await ' if waits else ''}{name}(ctx, v, flat(vals))"
            return [f"vals = regrouped(vals, {call})"], waits
        selections = _selections(nodes)
        if isinstance(type, (GraphQLInterfaceType, GraphQLUnionType)):
            return self._by_type(type, selections)
        name, waits = self.level(type, selections)
        wait = "await " if waits else ""
        if not shared:
            return [f"vals = {wait}{name}(ctx, v, vals)"], waits
        return [
            "unique, which = distinct(vals)",
            f"built = {wait}{name}(ctx, v, unique)",
            "vals = [built[i] for i in which]",
        ], waits

    def _by_type(self, type: Any, selections: Sequence[SelectionSetNode]) -> tuple[list[str], bool]:
        """Documents of an interface or union, each type's in a level of its own."""
        possible = self._schema._schema.get_possible_types(type)
        names = self.code.constant(frozenset(each.name for each in possible))
        lines = [f"parts = parted(vals, type_name, {names})", "done = {}"]
        waits = False
        for each in possible:
            level, level_waits = self.level(each, selections)
            key = self.code.constant(each.name)
            wait = "await " if level_waits else ""
            lines.append(f"if {key} in parts: done[{key}] = {wait}{level}(ctx, v, parts[{key}])")
            waits = waits or level_waits
        return [*lines, "vals = united(vals, type_name, done)"], waits

    def nested(self, lines: Sequence[str], waits: bool) -> str:
        """Lines about `vals` as a function of other values."""
        name = self._name("items")
        self.code.function(name, ["vals = docs", *lines, "return vals"], asynchronous=waits)
        return name

    def field(self, type: GraphQLObjectType, node: FieldNode) -> tuple[Any, BoundField]:
        definition = type.fields.get(node.name.value)
        bound = definition.extensions.get("strawberry-definition") if definition else None
        if not isinstance(bound, BoundField):
            # Introspection, and whatever else is not ours.
            raise Anomaly
        return definition, bound

    def _name(self, kind: str) -> str:
        self._count += 1
        return f"{kind}_{self._count}"


def _selections(nodes: Sequence[FieldNode]) -> list[SelectionSetNode]:
    return [node.selection_set for node in nodes if node.selection_set]


def _is_leaf(type: Any) -> bool:
    while isinstance(type, (GraphQLNonNull, GraphQLList)):
        type = type.of_type
    leaf: GraphQLLeafType | Any = type
    return is_leaf_type(leaf)
