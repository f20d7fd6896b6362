"""Introspection: priced by what it makes us look at, answered in a thread, and cached by its document.

The schema is the same for all who may see it, so an answer is made once. What it takes is counted with the
library's own resolvers, each thing once for a selection however often it is met.
"""

import asyncio
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, NamedTuple

import orjson
from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLObjectType,
    GraphQLSchema,
    TypeMetaFieldDef,
    execute,
    get_argument_values,
    get_named_type,
    is_list_type,
)
from graphql.execution.values import VariableValues
from graphql.type import SchemaMetaFieldDef, get_nullable_type
from strawberry.types.execution import ExecutionResult

from core.errors import QueryTooComplex
from core.graphql.build import Schema
from core.lru_cache import LruCache
from executor import written
from executor.collect import Groups
from executor.expressions import selections_of
from server.bounds import exceeded
from server.cost import Whole

VALUES_EACH = 5
"""Values of an answer for which introspection costs 1: each takes microseconds."""

BYTES_EACH = 2_000
"""Bytes of a cached answer that cost 1."""

LETTERS = 5_000_000
"""Most letters of all documents whose price is cached, together."""
MOST_ANSWERS = 50
MOST_BYTES = 20_000_000
"""Most bytes of all cached answers together."""

META = {"__schema": SchemaMetaFieldDef, "__type": TypeMetaFieldDef}


class Thing(NamedTuple):
    """A part of the schema, and how often a selection meets it."""

    value: Any
    times: int


class Introspection:
    """Prices and answers of one schema's introspection."""

    def __init__(self, schema: Schema, max_cost: int) -> None:
        self._schema: GraphQLSchema = schema._schema
        self._most = max_cost * VALUES_EACH
        self._info = SimpleNamespace(schema=self._schema)
        self._prices: LruCache[int | QueryTooComplex] = LruCache(most=1_000, size=LETTERS)
        """Also what is refused: else it would be counted up to its limit each time."""
        self._answers: LruCache[bytes] = LruCache(most=MOST_ANSWERS, size=MOST_BYTES)
        self._turn = asyncio.Lock()

    def price(self, key: str, document: DocumentNode, groups: Groups, values: VariableValues) -> int:
        """Cost of an operation's introspection; QueryTooComplex where it is more than one may."""
        answer = self._answers.get(key)
        if answer is not None:
            return 1 + len(answer) // BYTES_EACH
        known = self._prices.get(key)
        if known is None:
            known = self._counted(document, groups, values)
            self._prices.put(key, known, len(key))
        if isinstance(known, QueryTooComplex):
            raise known.with_traceback(None)
        return known

    def _counted(
        self, document: DocumentNode, groups: Groups, values: VariableValues
    ) -> int | QueryTooComplex:
        count = _Count(self._schema, self._info, document, values, self._most)
        try:
            return 1 + count.roots(groups) // VALUES_EACH
        except QueryTooComplex as refusal:
            return refusal

    async def answer(
        self, key: str, document: DocumentNode, operation_name: str | None, variables: Mapping[str, Any]
    ) -> ExecutionResult:
        """The data as bytes, made once for all who ask alike."""
        found = self._answers.get(key)
        if found is None:
            async with self._turn:
                found = self._answers.get(key)
                if found is None:
                    # Beside the event loop: what takes a second must not keep others waiting.
                    result = await asyncio.to_thread(self._run, document, operation_name, variables)
                    if result.errors:
                        return result
                    found = orjson.dumps(result.data)
                    self._answers.put(key, found, len(found))
        return written(found)

    def _run(
        self, document: DocumentNode, operation_name: str | None, variables: Mapping[str, Any]
    ) -> ExecutionResult:
        found: Any = execute(
            self._schema, document, variable_values=dict(variables), operation_name=operation_name
        )
        return ExecutionResult(data=found.data, errors=found.errors)


def key_of(query: str, operation_name: str | None, variables: Mapping[str, Any]) -> str:
    given = orjson.dumps(variables, option=orjson.OPT_SORT_KEYS, default=str).decode() if variables else ""
    return f"{operation_name or ''}\n{given}\n{query}"


class _Count:
    """Counter of the values a selection gives, as they are resolved."""

    def __init__(
        self,
        schema: GraphQLSchema,
        info: Any,
        document: DocumentNode,
        values: VariableValues,
        most: int,
    ) -> None:
        self._schema, self._info, self._values, self._left = schema, info, values, most
        self._most = most
        self._collector = Whole(schema, document)

    def roots(self, groups: Groups) -> int:
        for nodes in groups.values():
            definition = META[nodes[0].name.value]
            given = self._arguments(definition, nodes[0])
            name = given.get("name")
            found = self._schema if definition is SchemaMetaFieldDef else self._schema.get_type(str(name))
            if found is not None:
                self._things(get_named_type(definition.type), nodes, [Thing(found, 1)])
        return self._most - self._left

    def _things(self, type: Any, nodes: list[FieldNode], things: list[Thing]) -> None:
        assert isinstance(type, GraphQLObjectType)
        times = sum(each.times for each in things)
        for group in self._collector.fields(type, selections_of(nodes)).values():
            # Also for the selection itself, which is looked at however little it gives.
            self._left -= times + 1
            if self._left < 0:
                raise exceeded("cost", self._most // VALUES_EACH)
            definition = type.fields.get(group[0].name.value)
            if definition is None or group[0].selection_set is None:
                continue
            under = self._under(definition, group[0], things)
            if under:
                self._things(get_named_type(definition.type), group, under)

    def _under(self, definition: Any, node: FieldNode, things: list[Thing]) -> list[Thing]:
        """Values of the field for all of the things, each once with its number of occurrences."""
        arguments = self._arguments(definition, node)
        listed = is_list_type(get_nullable_type(definition.type))
        found: dict[int, Thing] = {}
        for thing, times in things:
            given = definition.resolve(thing, self._info, **arguments)
            for each in (given or ()) if listed else [given]:
                if each is None:
                    continue
                # Fields and arguments are new pairs each time, of a name and always the same object.
                place = id(each[1]) if isinstance(each, tuple) else id(each)
                before = found.get(place)
                found[place] = Thing(each, times + (before.times if before else 0))
        return list(found.values())

    def _arguments(self, definition: Any, node: FieldNode) -> dict[str, Any]:
        try:
            return get_argument_values(definition, node, self._values)
        except GraphQLError:
            return {}
