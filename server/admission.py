"""Admission control: finds the document of an operation, decides if it may run, and charges its cost."""

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

from graphql import GraphQLError, OperationType
from strawberry.types.execution import ExecutionResult, PreExecutionError

from core import request_notes
from core.context import Context
from core.errors import RequestError
from server.cost import Weight
from server.documents import Documents
from server.flushes import Flushes
from server.operation_limits import Charge, OperationLimits


class NotAdmitted(Exception):
    """Nothing of the operation has run; `answer` says why."""

    def __init__(self, fault: RequestError) -> None:
        super().__init__(fault.message)
        self.fault = fault
        error = GraphQLError(fault.message, extensions=fault.extensions)
        self.answer = PreExecutionError(data=None, errors=[error])


class Admitted(NamedTuple):
    query: str
    weight: Weight
    charge: Charge
    tells_cost: bool
    """True if the client wants to know the cost."""


class Admission:
    """Decides over every operation, on all transports."""

    def __init__(self, documents: Documents, limits: OperationLimits, flushes: Flushes) -> None:
        self._documents = documents
        self._limits = limits
        self._flushes = flushes

    def at_once(
        self, query: str, variables: Mapping[str, Any] | None, operation_name: str | None, ctx: Context
    ) -> Weight | None:
        """The weight of an ordinary operation that may run, as far as this process knows; else `admit` finds
        out."""
        if not self._documents.open:
            return None
        try:
            weight = self._limits.weigh_known(query, variables, operation_name, ctx)
            # A flush may have to wait for its turn.
            if weight is None or self._limits.mutations(query, operation_name) > 1:
                return None
            if not self._limits.try_charge_locally(ctx, weight.cost):
                return None
        except RequestError as fault:
            _note(ctx, operation_name)
            raise NotAdmitted(fault) from None
        _note(ctx, operation_name)
        return weight

    async def admit(
        self,
        query: str | None,
        variables: Mapping[str, Any] | None,
        operation_name: str | None,
        extensions: Mapping[str, Any] | None,
        ctx: Context,
    ) -> Admitted:
        """NotAdmitted for a document that is unknown or too much, for a flush where too many run, and for a
        budget that is used up. Who asks ends `ctx.flush` when the operation is over."""
        try:
            text = await self._text(query, extensions, ctx)
            reading = await self._limits.read(text, ctx)
            weight = self._limits.weigh(text, variables, operation_name, ctx)
            await self._flushes.admit(ctx, self._limits.mutations(text, operation_name))
            charge = await self._limits.charge(ctx, weight.cost)
        except RequestError as fault:
            raise NotAdmitted(fault) from None
        finally:
            # Also of what is ended by its deadline.
            _note(ctx, operation_name)
        if query and extensions and reading.sound:
            await self._documents.persist(query, extensions, ctx.network)
        return Admitted(text, weight, charge, bool(extensions and extensions.get("cost")))

    async def _text(self, query: str | None, extensions: Mapping[str, Any] | None, ctx: Context) -> str:
        return await self._documents.text(query, extensions, partial(self._limits.charge, ctx))

    async def subscribes(
        self,
        query: str | None,
        operation_name: str | None,
        extensions: Mapping[str, Any] | None,
        ctx: Context,
    ) -> bool:
        """True if the operation is a subscription; False for an unknown or invalid one."""
        try:
            text = await self._text(query, extensions, ctx)
            if "subscription" not in text:
                return False
            reading = await self._limits.read(text, ctx)
            operation = reading.operation(operation_name)
        except RequestError:
            return False
        return operation is not None and operation.kind is OperationType.SUBSCRIPTION

    async def introspected(
        self, query: str, variables: Mapping[str, Any] | None, operation_name: str | None
    ) -> ExecutionResult | None:
        """The answer of an admitted operation that asks for the schema; None for any other."""
        return await self._limits.introspected(query, variables, operation_name)

    async def owe(self, ctx: Context, cost: int) -> None:
        """Charge an event of a subscription; RateLimited for a budget that is used up."""
        await self._limits.owe(ctx, cost)

    def settle(self, ctx: Context, charge: int) -> int:
        """Settle the operation's final cost, and return it."""
        return self._limits.settle(ctx, charge)


def _note(ctx: Context, operation_name: str | None) -> None:
    """By the name in the document: what a client calls it elsewhere may be anything."""
    operation = ctx.reading.operation(operation_name) if ctx.reading is not None else None
    if operation is None:
        request_notes.operation(request_notes.UNREADABLE)
    else:
        request_notes.operation(operation.name or request_notes.ANONYMOUS)
