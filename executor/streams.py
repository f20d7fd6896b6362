"""Subscriptions: compiled once; an event is completed and serialized once for all with the same answer."""

import json
from collections.abc import AsyncGenerator, Awaitable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

import orjson
from graphql import DocumentNode, execute
from prometheus_client import Counter
from strawberry.types.execution import ExecutionResult

from core.context import Context
from core.graphql.bindings import Stream
from core.graphql.build import Schema
from core.graphql.types import type_name
from core.sync.shared_context import AnonymousContext, ViewerDependent
from core.sync.single_flight import SharedEvent
from executor.arguments import Arguments
from executor.runtime import FALLBACKS, Fallback
from executor.written import written

EVENTS = Counter(
    "landfall_executor_events_total",
    "Events delivered, by how their answer was made: shared, for one viewer, or on the reference.",
    ["path"],
)
SHARED, OWN, REFERENCE = (EVENTS.labels(path) for path in ("shared", "own", "reference"))


@dataclass(frozen=True, slots=True)
class Level:
    """The compiled selection of one type of event."""

    complete: Any
    waits: bool


@dataclass(frozen=True, slots=True)
class Topic:
    """The one field of a subscription: where its events come from, and how each is answered."""

    response_key: str
    binding: Stream
    arguments: Arguments
    levels: Mapping[str | None, Level]
    """By the type of the event."""
    variables: tuple[str, ...]
    """Those that decide the answer, not only where the events come from."""
    personal: set[str | None] = field(default_factory=set)
    """Types whose answer was seen to depend on the viewer."""


class Subscription:
    """One subscriber's running operation."""

    def __init__(
        self,
        schema: Schema,
        topic: Topic,
        document: DocumentNode,
        operation_name: str | None,
        given: Mapping[str, Any],
        values: Any,
        ctx: Context,
    ) -> None:
        self._schema = schema
        self._topic = topic
        self._document = document
        self._operation_name = operation_name
        self._given = given
        self._values = values
        self._ctx = ctx
        self._source = topic.binding.resolve(None, ctx, topic.arguments(values))
        decisive = {name: given[name] for name in topic.variables if name in given}
        # Topics stand for the document, its operation and the variables of its directives.
        self._alike = (id(topic), json.dumps(decisive, sort_keys=True) if decisive else "", ctx.origin)

    async def answers(self) -> AsyncGenerator[ExecutionResult, None]:
        """An answer per event, in the order of the events."""
        async with aclosing(self._source) as events:
            async for event in events:
                yield await self._answer(event)

    async def _answer(self, event: Any) -> ExecutionResult:
        try:
            kind = type_name(event)
            level = self._topic.levels.get(kind)
            if level is None:
                raise Fallback
            if isinstance(event, SharedEvent):
                return await self._common(event, kind, level)
            answer = await self._completed(level, self._ctx, event)
            OWN.inc()
            return answer
        except Exception as error:
            # The reference executor meets the same error, and reports it exactly.
            FALLBACKS.labels(type(error).__name__).inc()
            REFERENCE.inc()
            return await self._on_reference(event)

    async def _common(self, event: SharedEvent, kind: str | None, level: Level) -> ExecutionResult:
        """The answer that others of this operation get too, unless it depends on the viewer."""
        if kind not in self._topic.personal:
            try:
                answer: ExecutionResult | None = event.answers.known(self._alike)
                if answer is None:
                    answer = await self._for_all(event, level)
                SHARED.inc()
                return answer
            except ViewerDependent:
                self._topic.personal.add(kind)
        own: ExecutionResult = await event.answers.get(
            (*self._alike, self._ctx.viewer), lambda: self._completed(level, self._ctx, event)
        )
        OWN.inc()
        return own

    async def _for_all(self, event: SharedEvent, level: Level) -> ExecutionResult:
        everybody = AnonymousContext(self._ctx.services, origin=self._ctx.origin)
        answer: ExecutionResult
        if level.waits:
            answer = await event.answers.get(self._alike, lambda: self._completed(level, everybody, event))
        else:
            answer = await self._completed(level, everybody, event)
            event.answers.keep(self._alike, answer)
        # Nothing, where it was made for another one.
        self._ctx.served += everybody.served
        return answer

    async def _completed(self, level: Level, ctx: Context, event: Any) -> ExecutionResult:
        rows: Any = level.complete(ctx, self._values, [event])
        [row] = await rows if level.waits else rows
        if isinstance(ctx, AnonymousContext) and ctx.personal:
            raise ViewerDependent
        return written(orjson.dumps({self._topic.response_key: row}))

    async def _on_reference(self, event: Any) -> ExecutionResult:
        self._ctx.refresh()
        running: Any = execute(
            self._schema._schema,
            self._document,
            root_value=event,
            context_value=self._ctx,
            variable_values=dict(self._given),
            operation_name=self._operation_name,
        )
        result = await running if isinstance(running, Awaitable) else running
        return ExecutionResult(data=result.data, errors=result.errors, extensions=result.extensions)
