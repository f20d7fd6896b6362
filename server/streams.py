"""Operations over sockets and streams: compiled where they can be, on the reference otherwise."""

import time
from collections.abc import AsyncGenerator, Collection
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError
from strawberry.http import GraphQLRequestData
from strawberry.types.execution import ExecutionResult
from strawberry.types.graphql import OperationType

from core import request_notes
from core.context import Context
from core.deadline import Deadline
from core.errors import TimedOut
from core.graphql.build import Schema
from core.request_notes import Notes
from executor import Executor
from server import errors
from server.admission import Admission, NotAdmitted
from server.answers import fits, objects, too_large
from server.cost import Weight
from server.http_metrics import OPERATIONS

Answers = AsyncGenerator[ExecutionResult, None]

ALL = frozenset(OperationType)


@dataclass(frozen=True, slots=True)
class OperationRequest:
    query: str | None
    variables: dict[str, Any] | None
    operation_name: str | None
    allowed: Collection[OperationType]
    weight: Weight


class Streams:
    """Stands where Strawberry's transports expect the schema."""

    def __init__(
        self,
        schema: Schema,
        executor: Executor | None,
        admission: Admission,
        deadline: Deadline,
        max_answer_bytes: int,
    ) -> None:
        self._schema = schema
        self._executor = executor
        self._admission = admission
        self._deadline = deadline
        self._most = max_answer_bytes

    async def stream(
        self,
        query: str | None,
        variable_values: dict[str, Any] | None = None,
        context_value: Any = None,
        root_value: Any = None,
        operation_name: str | None = None,
        operation_extensions: dict[str, Any] | None = None,
        allowed_operation_types: Collection[OperationType] = ALL,
    ) -> Answers:
        # A socket carries many operations.
        ctx: Context = context_value.fork()
        notes, started = request_notes.begin(), time.perf_counter()
        answers = await self._answers(
            ctx, query, variable_values, operation_name, operation_extensions, allowed_operation_types
        )
        return _counted(answers, ctx.language, notes, None if _subscribes(ctx, operation_name) else started)

    async def _answers(
        self,
        ctx: Context,
        query: str | None,
        variable_values: dict[str, Any] | None,
        operation_name: str | None,
        operation_extensions: dict[str, Any] | None,
        allowed_operation_types: Collection[OperationType],
    ) -> Answers:
        try:
            admitted = await self._admission.admit(
                query, variable_values, operation_name, operation_extensions, ctx
            )
        except NotAdmitted as refusal:
            return _only(refusal.answer)
        query = admitted.query
        asked = OperationRequest(
            query, variable_values, operation_name, allowed_operation_types, admitted.weight
        )
        if self._executor is not None and isinstance(variable_values, dict | None):
            if OperationType.SUBSCRIPTION in asked.allowed:
                running = self._executor.subscribe(query, variable_values, operation_name, ctx)
                if running is not None:
                    return self._bounded(public(self._charged(running.answers(), ctx), ctx), asked)
            if OperationType.QUERY in asked.allowed:
                return self._settled(self._single(self._executor, asked, ctx), asked, ctx)
        return self._settled(await self._on_reference(asked, ctx), asked, ctx)

    async def _settled(self, answers: Answers, asked: OperationRequest, ctx: Context) -> Answers:
        """Bounded, and charged for what was served beyond what was assumed."""
        async with aclosing(self._bounded(answers, asked)) as bounded:
            async for answer in bounded:
                self._admission.settle(ctx, asked.weight.cost)
                yield answer

    async def _bounded(self, answers: Answers, asked: OperationRequest) -> Answers:
        """With what says so in the place of answers that are too large."""
        async with aclosing(answers):
            async for answer in answers:
                yield answer if fits(answer, self._most) else too_large(self._most)

    async def over_http(self, method: str, data: GraphQLRequestData, ctx: Context) -> Any:
        """The answers of one request for SSE or multipart."""
        allowed = OperationType.from_http("GET" if method == "GET" else "POST")
        if data.protocol == "multipart-subscription":
            allowed = {OperationType.SUBSCRIPTION}
        return await self.stream(
            data.query,
            data.variables,
            ctx,
            None,
            data.operation_name,
            data.extensions,
            allowed_operation_types=allowed,
        )

    async def _single(self, executor: Executor, asked: OperationRequest, ctx: Context) -> Answers:
        """A query's or mutation's one answer."""
        mutations = OperationType.MUTATION in asked.allowed
        schema = await self._admission.introspected(asked.query or "", asked.variables, asked.operation_name)
        if schema is not None:
            yield schema
            return
        try:
            try:
                with self._deadline:
                    answer = await executor.run(
                        asked.query, asked.variables, asked.operation_name, ctx, mutations=mutations
                    )
            except TimeoutError:
                answer = ExecutionResult(data=None, errors=[_told(TimedOut(), ctx)])
            if answer is not None:
                errors.hide(answer, ctx.request_id)
                # A client that is slow to read the answer holds no slot.
                ctx.end_flush()
                yield answer
                return
            async with aclosing(await self._on_reference(asked, ctx)) as answers:
                async for each in answers:
                    yield each
        finally:
            ctx.end_flush()

    async def _on_reference(self, asked: OperationRequest, ctx: Context) -> Answers:
        answers: Any = await self._schema.stream(
            asked.query,
            variable_values=asked.variables,
            context_value=ctx,
            operation_name=asked.operation_name,
            allowed_operation_types=asked.allowed,
        )
        if _subscribes(ctx, asked.operation_name):
            return public(self._charged(answers, ctx), ctx)
        return self._in_time(answers, ctx)

    async def _charged(self, answers: Answers, ctx: Context) -> Answers:
        """A subscription's answers, charged for what they serve: others decide how many there are."""
        async with aclosing(answers):
            async for answer in answers:
                # What is shared is charged to whom it was made for.
                if served := ctx.served or objects(answer.data):
                    ctx.served = 0
                    await self._admission.owe(ctx, served)
                yield answer

    async def _in_time(self, answers: Answers, ctx: Context) -> Answers:
        """A query's or mutation's one answer, or that it took too long."""
        async with aclosing(answers):
            try:
                with self._deadline:
                    answer = await anext(answers)
                errors.hide(answer, ctx.request_id)
                ctx.served = objects(answer.data)
                ctx.end_flush()
                yield answer
            except Exception as error:
                yield ExecutionResult(data=None, errors=[_told(error, ctx)])
            finally:
                ctx.end_flush()


def _subscribes(ctx: Context, operation_name: str | None) -> bool:
    operation = ctx.reading.operation(operation_name) if ctx.reading is not None else None
    # The document's kinds are graphql-core's, not Strawberry's.
    return operation is not None and operation.kind.value == OperationType.SUBSCRIPTION.value


async def _counted(answers: Answers, language: str, notes: Notes, started: float | None) -> Answers:
    """In the caller's language, with codes noted, and timed until the first; never a subscription's."""
    async with aclosing(answers):
        try:
            async for answer in answers:
                errors.translate(answer.errors, language)
                request_notes.told(answer.errors or ())
                if started is not None:
                    OPERATIONS.timed(notes, time.perf_counter() - started)
                    started = None
                OPERATIONS.refused(notes)
                yield answer
        finally:
            OPERATIONS.refused(notes)


async def public(answers: Answers, ctx: Context) -> Answers:
    """A subscription's answers, with what clients may know of errors."""
    async with aclosing(answers):
        try:
            async for answer in answers:
                if answer.errors:
                    suggest = not ctx.services.settings.production
                    answer.errors = [
                        errors.public(error, ctx.request_id, suggest=suggest) for error in answer.errors
                    ]
                yield answer
        except Exception as error:
            # Of the events themselves: the subscriber is too slow, or may not see them.
            yield ExecutionResult(data=None, errors=[_told(error, ctx)])


async def _only(answer: ExecutionResult) -> Answers:
    yield answer


def _told(error: Exception, ctx: Context) -> GraphQLError:
    return errors.public(GraphQLError(str(error), original_error=error), ctx.request_id)
