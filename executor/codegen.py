"""Code generation: the Python of an operation, plain fields in dictionary displays, the rest level by level.

Client text never enters the source: response keys, names and literals are bound as constants.

A level is one selection on all documents of its parents; its function builds all of their rows. Of
`{ posts { id author { name } } }` the posts' level is this function, here with its constants' values in place
of their names (`c12`, `c13`, ...) and its last line broken:

    async def level_2(ctx, v, docs):
        if not docs: return []
        keys = [d.get("author_id") for d in docs]
        found = await fetch(ctx, UserById, keys, fields)
        vals = [None if k is None else found[k] for k in keys]
        if None in vals: anomaly()
        ctx.served += len(vals)
        unique, which = distinct(vals)
        built = level_1(ctx, v, unique)
        vals = [built[i] for i in which]
        l0 = vals
        rows = []
        for d, r0 in zip(docs, l0):
            rows.append({"id": (x if (x := d["_id"]).__class__ is str else serialize(x)), "author": r0})
        return rows

Short names:

    ctx, v          the context, the coerced variables
    docs, d         the documents of the level, one of them
    a               arguments of a field
    keys, k, found  keys of a reference, one of them, the documents by key
    vals            values of one field, one for each document: first raw, then completed
    l0, l1, ...     completed columns of the level; r0, r1, ... their values in one row
    whole_1, ...    `vals` before its lists were flattened, or its None left out
    o1, x           an object inside of a document, a leaf value
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any

from graphql import (
    FieldNode,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLUnionType,
    SelectionSetNode,
    get_named_type,
)

from core.graphql.bindings import Computed, Derived, Many, One, Plain, Resolver
from core.graphql.build import Schema
from core.graphql.fields import BoundField
from executor.arguments import Arguments
from executor.collect import Collector
from executor.expressions import Code, Expressions, field, is_leaf, selections_of
from executor.runtime import Fallback, Fields

REFERENCES = {
    One: ("", "keys", "None if k is None else found[k]"),
    Many: (" or ()", "flat(keys)", "[x for each in k if (x := found[each]) is not None]"),
}
"""Code of a reference: its keys where it is missing, the keys in a row, and the value of a document's `k`."""

SERVED = "ctx.served += len(vals)"


class Compiler:
    """Compiles selections of one operation into `code`."""

    def __init__(self, schema: Schema, collector: Collector) -> None:
        self._schema = schema
        self.collector = collector
        self.code = Code()
        self._expressions = Expressions(self.code, collector)
        self._levels: dict[Any, tuple[str, bool]] = {}
        self._fields: dict[Any, Fields] = {}
        self._count = 0

    def level(self, type: GraphQLObjectType, selections: Sequence[SelectionSetNode]) -> tuple[str, bool]:
        """Name of the function that builds a selection's rows of many documents; and True if it is async."""
        key = (type.name, *map(id, selections))
        if key not in self._levels:
            self._levels[key] = self._write_level(type, selections)
        return self._levels[key]

    def _write_level(
        self, type: GraphQLObjectType, selections: Sequence[SelectionSetNode]
    ) -> tuple[str, bool]:
        row: list[str] = []
        columns: list[tuple[list[str], bool]] = []
        for response_key, nodes in self.collector.fields(type, selections).items():
            key = self.code.constant(response_key)
            expression = self._expressions.of(type, nodes)
            if expression is None:
                expression = f"r{len(columns)}"
                columns.append(self._column(type, nodes))
            row.append(f"{key}: {expression}")
        name = self._name("level")
        body = [*self._columns(columns), "rows = []"]
        each = ", ".join(["d", *(f"r{index}" for index in range(len(columns)))])
        lists = ", ".join(["docs", *(f"l{index}" for index in range(len(columns)))])
        source = f"for {each} in zip({lists})" if columns else "for d in docs"
        # Not a comprehension, which would be a call of its own.
        body += [f"{source}: rows.append({{{', '.join(row)}}})", "return rows"]
        asynchronous = any(waits for _, waits in columns)
        self.code.function(name, body, asynchronous=asynchronous)
        return name, asynchronous

    def _columns(self, columns: Sequence[tuple[list[str], bool]]) -> list[str]:
        """Lines that set the lists `l0`, `l1`, ...; async columns run concurrently."""
        ready = [index for index, (_, waits) in enumerate(columns) if not waits]
        waiting = [index for index, (_, waits) in enumerate(columns) if waits]
        alone = waiting if len(waiting) == 1 else []
        lines: list[str] = []
        for index in [*ready, *alone]:
            lines += [*columns[index][0], f"l{index} = vals"]
        if len(waiting) > 1:
            calls = ", ".join(f"{self._function(columns[index])}(ctx, v, docs)" for index in waiting)
            lines.append(f"{', '.join(f'l{index}' for index in waiting)} = await together({calls})")
        return lines

    def _function(self, column: tuple[list[str], bool]) -> str:
        name = self._name("column")
        self.code.function(name, [*column[0], "return vals"], asynchronous=column[1])
        return name

    def _column(self, type: GraphQLObjectType, nodes: Sequence[FieldNode]) -> tuple[list[str], bool]:
        """Lines that set `vals` to a field's completed values of `docs`; and True if they are async."""
        definition, bound = field(type, nodes[0])
        body, asynchronous = self._values(definition, bound, nodes)
        shared = isinstance(bound.binding, (One, Many))
        lines, waits = self.completed(definition.type, nodes, shared=shared)
        return [*body, *lines], asynchronous or waits

    def _values(
        self, definition: Any, bound: BoundField, nodes: Sequence[FieldNode]
    ) -> tuple[list[str], bool]:
        """Lines that set `vals`, a value per document."""
        binding, node = bound.binding, nodes[0]
        if isinstance(binding, Computed) and node.arguments:
            arguments = self._arguments(definition, node, binding.filled)
            function = self.code.constant(binding.function)
            return [f"a = {arguments}", f"vals = [{function}(ctx, d, **a) for d in docs]"], False
        source = self._expressions.source(binding, "d", nullable=True)
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
        if not isinstance(binding, Resolver):
            raise Fallback
        filled = binding.filled
        if binding.page is not None:
            filled = partial(filled, shown=self._shown_of_nodes(definition, nodes))
        elif binding.wants_projection:
            filled = partial(filled, shown=self._shown([(get_named_type(definition.type), nodes)]))
        arguments = self._arguments(definition, node, filled)
        if binding.root:
            call = f"{self.code.constant(binding.resolver)}(ctx, **a)"
            return [f"a = {arguments}", f"vals = [await {call}]"], True
        if binding.batch is not None:
            call = f"{self.code.constant(binding.batch)}(ctx, docs, **a)"
            return [f"a = {arguments}", f"vals = await {call}"], True
        call = f"{self.code.constant(binding.resolver)}(ctx, d, **a)"
        return [f"a = {arguments}", f"vals = await each([{call} for d in docs])"], True

    def _arguments(self, definition: Any, node: FieldNode, filled: Any) -> str:
        """The field's keyword arguments, as an expression of the variables `v`."""
        arguments = Arguments(self._schema, definition, node, filled)
        if arguments.constant is None:
            return f"{self.code.constant(arguments)}(v)"
        return self.code.constant(arguments.constant)

    def _loader(self, loader: Any, definition: Any, nodes: Sequence[FieldNode]) -> str:
        """Arguments of `fetch`: the loader, a place for the keys, and what is read of its documents."""
        fields = self._fields.setdefault(loader, Fields())
        type = get_named_type(definition.type)
        fields.add(self._read(type, selections_of(nodes)) if isinstance(type, GraphQLObjectType) else None)
        return f"{self.code.constant(loader)}, {{}}, {self.code.constant(fields)}"

    def _read(self, type: GraphQLObjectType, selections: Sequence[SelectionSetNode]) -> set[str] | None:
        """The keys of a document that a selection reads; None when a resolver gets the whole."""
        read: set[str] = set()
        for nodes in self.collector.fields(type, selections).values():
            if nodes[0].name.value == "__typename":
                continue
            match field(type, nodes[0])[1].binding:
                case Plain(key=key) | One(key=key) | Many(key=key):
                    read.add(key)
                case Derived(reads=reads) | Resolver(reads=reads) if reads:
                    read |= set(reads)
                case Computed(reads=reads) as local if reads:
                    read |= local.read_keys(argument.name.value for argument in nodes[0].arguments or ())
                case _:
                    return None
        return read

    def _shown(self, asked: Iterable[tuple[Any, Sequence[FieldNode]]]) -> tuple[str, ...]:
        """The keys that selections read of the documents they are on; none when one cannot tell."""
        fields = Fields()
        fields.add(())
        for type, nodes in asked:
            known = isinstance(type, GraphQLObjectType)
            fields.add(self._read(type, selections_of(nodes)) if known else None)
        return fields.read

    def _shown_of_nodes(self, definition: Any, nodes: Sequence[FieldNode]) -> tuple[str, ...]:
        """The keys that a selection on a connection reads of its nodes."""
        edges = self._under(get_named_type(definition.type), nodes, "edges")
        asked = [under for edge, chosen in edges for under in self._under(edge, chosen, "node")]
        return self._shown(asked)

    def _under(
        self, type: Any, nodes: Sequence[FieldNode], name: str
    ) -> Iterator[tuple[Any, list[FieldNode]]]:
        """The type and nodes of a field of the selection, for each of its response keys."""
        for group in self.collector.fields(type, selections_of(nodes)).values():
            if group[0].name.value == name:
                yield get_named_type(type.fields[name].type), group

    def completed(self, type: Any, nodes: Sequence[FieldNode], *, shared: bool) -> tuple[list[str], bool]:
        """Lines that complete `vals`; and True if they are async."""
        if is_leaf(type):
            return [f"vals = [{self._expressions.leaf(type, 'd')} for d in vals]"], False
        if isinstance(type, GraphQLNonNull):
            lines, waits = self._object_or_list(type.of_type, nodes, shared=shared)
            return ["if None in vals: anomaly()", *lines], waits
        return self._inside("present", "restored", *self._object_or_list(type, nodes, shared=shared))

    def _inside(self, take: str, put: str, lines: Sequence[str], waits: bool) -> tuple[list[str], bool]:
        """Wrap lines: `vals` is unpacked by `take` before them, and packed again by `put` after them."""
        whole = self._name("whole")
        inner = [f"    {line}" for line in lines]
        return [
            f"{whole} = vals",
            f"vals = {take}(vals)",
            "if vals:",
            *inner,
            f"vals = {put}({whole}, vals)",
        ], waits

    def _object_or_list(
        self, type: Any, nodes: Sequence[FieldNode], *, shared: bool
    ) -> tuple[list[str], bool]:
        if isinstance(type, GraphQLList):
            return self._inside("flat", "regrouped", *self.completed(type.of_type, nodes, shared=shared))
        selections = selections_of(nodes)
        if isinstance(type, (GraphQLInterfaceType, GraphQLUnionType)):
            return self._by_type(type, selections)
        name, waits = self.level(type, selections)
        wait = "await " if waits else ""
        if not shared:
            return [SERVED, f"vals = {wait}{name}(ctx, v, vals)"], waits
        return [
            SERVED,
            "unique, which = distinct(vals)",
            f"built = {wait}{name}(ctx, v, unique)",
            "vals = [built[i] for i in which]",
        ], waits

    def _by_type(self, type: Any, selections: Sequence[SelectionSetNode]) -> tuple[list[str], bool]:
        """Documents of an interface or union, each type's in a level of its own."""
        possible = self._schema._schema.get_possible_types(type)
        names = self.code.constant(frozenset(each.name for each in possible))
        lines = [SERVED, f"parts = parted(vals, type_name, {names})", "done = {}"]
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

    def _name(self, kind: str) -> str:
        self._count += 1
        return f"{kind}_{self._count}"
