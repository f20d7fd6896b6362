"""Operation limits: the document's bounds, cost and caller's budget, checked before anything runs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple

from strawberry.types.execution import ExecutionResult

from core import clock
from core.context import Context
from core.errors import BadUserInput, Forbidden, RateLimited
from core.graphql.build import Schema
from core.lru_cache import LruCache
from core.security.access import ADMIN
from core.security.limits import Limits, Rate, Verdict
from core.settings import Settings
from core.storage.contention import Contention
from server.bounds import exceeded
from server.cost import Operation, Weight
from server.introspection import Introspection, key_of
from server.reading import Reading, Readings, as_mapping

NOTHING = Weight(0)
MOST_BESIDE = 200
"""Most that introspection may cost beside other fields: it is answered with them, and not cached."""
MENTIONS = re.compile(r"\b__(schema|type)\b")
OFF = "Introspection is off here."

LEASE = 0.02
"""Share of a budget that a process reserves in advance, so that most requests need no round trip to Redis."""
LEASE_SECONDS = 10.0
SUBJECTS = 100_000


@dataclass(slots=True)
class CostReservation:
    """Cost reservation: budget taken in advance in Redis, spent in this process."""

    left: int
    until: float
    verdict: Verdict


class Charge(NamedTuple):
    """Charge: the cost of an operation, and the budget its caller has left."""

    requested: int
    left: int
    """Of what was taken in advance."""
    verdict: Verdict

    def document(self, cost: int) -> dict[str, Any]:
        """Cost report for clients, of an operation with this final cost."""
        reset_at = (
            (clock.now() + timedelta(seconds=self.verdict.reset_after))
            .isoformat(timespec="milliseconds")
            .replace("+00:00", "Z")
        )
        return {
            "requested": cost,
            "limit": self.verdict.rate.count,
            "remaining": self.verdict.remaining + self.left,
            "resetAt": reset_at,
        }


class OperationLimits:
    """Admits operations: `weigh` by what is written in them, `charge` by who asks."""

    def __init__(self, schema: Schema, settings: Settings, limits: Limits) -> None:
        self._settings = settings
        self._limits = limits
        self._readings = Readings(schema._schema, settings)
        self._introspection = Introspection(schema, settings.max_cost)
        self._leases: LruCache[CostReservation] = LruCache(most=SUBJECTS, size=SUBJECTS)
        self._turns = Contention()
        self._rate = Rate("cost", settings.cost_per_minute, 60)
        self._ahead = round(self._rate.count * LEASE)

    async def read(self, query: str, ctx: Context) -> Reading:
        """The document, charged to who sends one that is new to this process, or is not sound.

        One that does not parse is parsed again to tell its errors: nothing is saved by knowing it.
        """
        found = self._readings.known(query)
        if found is None or not found.sound:
            await self.charge(ctx, self._readings.price(query))
            found = self._readings.read(query)
        ctx.reading = found
        return found

    def weigh(
        self, query: str, variables: Mapping[str, Any] | None, operation_name: str | None, ctx: Context
    ) -> Weight:
        """The operation's weight; QueryTooComplex if it is more than anybody may ask for.

        A document that is not sound, or lacks the operation, weighs nothing: others report its errors.
        """
        reading = ctx.reading = self._readings.read(query)
        operation = reading.operation(operation_name)
        if operation is None:
            if MENTIONS.search(query) and not self._may_introspect(ctx):
                # What is wrong with it would tell of the schema.
                raise Forbidden(OFF)
            return NOTHING
        given = as_mapping(variables)
        weight = self._weighed(operation, given)
        if operation.introspection:
            price = self._price(reading, operation, query, operation_name, given, ctx)
            weight = Weight(weight.cost + price, weight.texts)
        most = self._settings.max_cost
        if weight.cost > most:
            raise exceeded("cost", most, weight.cost)
        return weight

    def mutations(self, query: str, operation_name: str | None) -> int:
        """Number of mutations in an operation that was weighed."""
        reading = self._readings.known(query)
        operation = reading.operation(operation_name) if reading is not None else None
        return operation.mutations if operation is not None else 0

    def weigh_known(
        self, query: str, variables: Mapping[str, Any] | None, operation_name: str | None, ctx: Context
    ) -> Weight | None:
        """`weigh`, for a document that was read before."""
        return self.weigh(query, variables, operation_name, ctx) if self._readings.known(query) else None

    def _weighed(self, operation: Operation, variables: Mapping[str, Any]) -> Weight:
        most = self._settings.max_root_fields
        if operation.roots > most:
            raise exceeded("root fields", most, operation.roots)
        return operation.weight(variables)

    def _price(
        self,
        reading: Reading,
        operation: Operation,
        query: str,
        operation_name: str | None,
        variables: Mapping[str, Any],
        ctx: Context,
    ) -> int:
        """Cost of the operation's introspection."""
        if not self._may_introspect(ctx):
            raise Forbidden(OFF)
        assert reading.document is not None
        key = key_of(query, operation_name, variables)
        values = operation.values(variables)
        price = self._introspection.price(key, reading.document, operation.introspection, values)
        if price > MOST_BESIDE and not operation.only_introspects:
            raise BadUserInput("Ask for `__schema` and `__type` in an operation of its own.")
        return price

    async def introspected(
        self, query: str, variables: Mapping[str, Any] | None, operation_name: str | None
    ) -> ExecutionResult | None:
        """The answer of an admitted operation that asks for the schema; None for any other."""
        reading = self._readings.known(query)
        operation = reading.operation(operation_name) if reading is not None else None
        if reading is None or operation is None or not operation.introspection:
            return None
        if not operation.only_introspects:
            return None
        assert reading.document is not None
        given = as_mapping(variables)
        key = key_of(query, operation_name, given)
        return await self._introspection.answer(key, reading.document, operation_name, given)

    def _may_introspect(self, ctx: Context) -> bool:
        if self._settings.introspection != "auto":
            return self._settings.introspection == "on"
        return not self._settings.production or (ctx.viewer is not None and ADMIN in ctx.viewer.roles)

    async def charge(self, ctx: Context, cost: int) -> Charge:
        """Take the cost from the caller's budget; RateLimited when it is used up."""
        subject = _subject(ctx)
        lease = self._usable_lease(subject, cost)
        if lease is None:
            lease = await self._acquire_lease(subject, cost)
        lease.left -= cost
        return Charge(cost, lease.left, lease.verdict)

    def try_charge_locally(self, ctx: Context, cost: int) -> bool:
        """Take the cost from what was taken in advance; False where `charge` must ask for more."""
        lease = self._usable_lease(_subject(ctx), cost)
        if lease is None:
            return False
        lease.left -= cost
        return True

    async def owe(self, ctx: Context, cost: int) -> None:
        """Take what an event cost, which may be a debt: paid when it is as much as is taken in advance,
        so that most events need no round trip. RateLimited where that cannot be paid.
        """
        lease = self._leases.get(_subject(ctx))
        if lease is None:
            await self.charge(ctx, cost)
            return
        lease.left -= cost
        if lease.left < -self._ahead:
            await self.charge(ctx, 0)

    def settle(self, ctx: Context, charged: int) -> int:
        """Return the final cost of the operation; lists that gave more than was assumed become a debt."""
        more = ctx.served - charged
        lease = self._leases.get(_subject(ctx)) if more > 0 else None
        if lease is not None:
            lease.left -= more
        return max(charged, ctx.served)

    def _usable_lease(self, subject: str, cost: int) -> CostReservation | None:
        """Return the caller's reservation if it covers the cost and has not expired."""
        lease = self._leases.get(subject)
        return lease if lease and lease.left >= cost and lease.until >= clock.timestamp() else None

    async def _acquire_lease(self, subject: str, cost: int) -> CostReservation:
        """A reservation that covers the cost: of many who ask at once, one reserves for all."""
        await self._turns.acquire(subject)
        try:
            lease = self._usable_lease(subject, cost)
            if lease is None:
                lease = await self._reserve(subject, cost, clock.timestamp())
                self._leases.put(subject, lease, 1)
            return lease
        finally:
            self._turns.release(subject)

    async def _reserve(self, subject: str, cost: int, now: float) -> CostReservation:
        before = self._leases.get(subject)
        debt = max(0, -before.left) if before is not None else 0
        most = round(self._rate.count * self._limits.scale)
        for count in (cost + self._ahead, cost):
            # A debt beyond what there is in all would never be paid, and its subject never let in again.
            whole = max(count, min(count + debt, most))
            verdict = await self._limits.take(self._rate, subject, count=whole)
            if verdict.allowed:
                # Looked at last: others took of it while we waited.
                rest = max(0, before.left) if before is not None and before.until >= now else 0
                return CostReservation(count + rest, now + LEASE_SECONDS, verdict)
        raise RateLimited(verdict.retry_after)


def _subject(ctx: Context) -> str:
    """Whose budget it is."""
    return ctx.viewer_id_or_none or f"ip:{ctx.network}"
