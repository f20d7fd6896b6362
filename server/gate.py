"""What is asked of a document before anything runs: its limits, its cost, and the caller's budget for it."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple

from graphql import GraphQLError, GraphQLSchema, parse

from core import clock
from core.context import Context
from core.errors import Forbidden, QueryTooComplex, RateLimited
from core.limits import Limits, Rate, Verdict
from core.settings import Settings
from server.cost import Operation, Shape, shape
from stores.auth import Role

DOCUMENTS = 1_000
"""Shapes remembered."""

LONGEST_REMEMBERED = 100_000

LEASE = 0.02
"""The part of a budget that a process takes in advance, so that most requests ask nobody."""
LEASE_SECONDS = 10.0
SUBJECTS = 100_000


@dataclass(slots=True)
class Lease:
    """What is left of what was taken in advance."""

    left: int
    until: float
    verdict: Verdict


class Charge(NamedTuple):
    """What an operation cost, and what its caller has left."""

    requested: int
    left: int
    """Of what was taken in advance."""
    verdict: Verdict

    @property
    def document(self) -> dict[str, Any]:
        reset_at = (
            (clock.now() + timedelta(seconds=self.verdict.reset_after))
            .isoformat(timespec="milliseconds")
            .replace("+00:00", "Z")
        )
        return {
            "requested": self.requested,
            "limit": self.verdict.rate.count,
            "remaining": self.verdict.remaining + self.left,
            "resetAt": reset_at,
        }


class Gate:
    """Admits operations: `weigh` by what is written in them, `charge` by who asks."""

    def __init__(self, schema: GraphQLSchema, settings: Settings, limits: Limits) -> None:
        self._schema = schema
        self._settings = settings
        self._limits = limits
        self._shapes: OrderedDict[str, Shape] = OrderedDict()
        self._leases: OrderedDict[str, Lease] = OrderedDict()
        self._rate = Rate("cost", settings.cost_per_minute, 60)

    def weigh(
        self, query: str, variables: Mapping[str, Any] | None, operation_name: str | None, ctx: Context
    ) -> int:
        """The operation's cost; QueryTooComplex if it is more than anybody may ask for.

        A document that does not parse, or lacks the operation, weighs nothing: its errors are told elsewhere.
        """
        found = self._shapes.get(query)
        if found is None:
            found = self._read(query)
            if found is None:
                return 0
            if len(query) <= LONGEST_REMEMBERED:
                self._shapes[query] = found
                if len(self._shapes) > DOCUMENTS:
                    self._shapes.popitem(last=False)
        operation = found.operation(operation_name)
        return (
            self._weighed(operation, variables if isinstance(variables, dict) else {}, ctx)
            if operation
            else 0
        )

    def mutations(self, query: str, operation_name: str | None) -> int:
        """How many mutations an operation runs that was weighed; too long to remember counts as many."""
        if len(query) > LONGEST_REMEMBERED:
            return 2 if "mutation" in query else 0
        found = self._shapes.get(query)
        operation = found.operation(operation_name) if found is not None else None
        return operation.mutations if operation is not None else 0

    def _read(self, query: str) -> Shape | None:
        most = self._settings.max_tokens
        try:
            document = parse(query, max_tokens=most, no_location=True)
            return self._checked(shape(self._schema, document))
        except GraphQLError as error:
            if f"more than {most} tokens" in error.message:
                raise _exceeded("tokens", most) from None
            return None
        except RecursionError:
            raise _exceeded("depth", self._settings.max_depth) from None

    def _checked(self, found: Shape) -> Shape:
        settings, counts = self._settings, found.counts
        for name, count, most in (
            ("aliases", counts.aliases, settings.max_aliases),
            ("directives", counts.directives, settings.max_directives),
            ("repeated directives", counts.repeated_directives, settings.max_repeated_directives),
            ("repeated fields", counts.repeated_fields, settings.max_repeated_fields),
        ):
            if count > most:
                raise _exceeded(name, most, count)
        return found

    def _weighed(self, operation: Operation, variables: Mapping[str, Any], ctx: Context) -> int:
        settings = self._settings
        if operation.depth > settings.max_depth:
            raise _exceeded("depth", settings.max_depth, operation.depth)
        if operation.roots > settings.max_root_fields:
            raise _exceeded("root fields", settings.max_root_fields, operation.roots)
        if operation.introspects and not self._may_introspect(ctx):
            raise Forbidden("Introspection is off here.")
        cost = operation.cost(variables)
        if cost > settings.max_cost:
            raise _exceeded("cost", settings.max_cost, cost)
        return cost

    def _may_introspect(self, ctx: Context) -> bool:
        if self._settings.introspection != "auto":
            return self._settings.introspection == "on"
        return not self._settings.production or (ctx.viewer is not None and Role.ADMIN in ctx.viewer.roles)

    async def charge(self, ctx: Context, cost: int) -> Charge:
        """Take the cost from the caller's budget; RateLimited when it is used up."""
        subject = _subject(ctx)
        lease = self._lease(subject, cost)
        if lease is None:
            lease = self._leases[subject] = await self._leased(subject, cost, clock.timestamp())
            if len(self._leases) > SUBJECTS:
                self._leases.popitem(last=False)
        lease.left -= cost
        return Charge(cost, lease.left, lease.verdict)

    def spend(self, ctx: Context, cost: int) -> bool:
        """Take the cost from what was taken in advance; False where `charge` must ask for more."""
        lease = self._lease(_subject(ctx), cost)
        if lease is None:
            return False
        lease.left -= cost
        return True

    def _lease(self, subject: str, cost: int) -> Lease | None:
        """What was taken in advance, if it is enough and still good."""
        lease = self._leases.get(subject)
        return lease if lease and lease.left >= cost and lease.until >= clock.timestamp() else None

    async def _leased(self, subject: str, cost: int, now: float) -> Lease:
        ahead = round(self._rate.count * LEASE)
        for count in (cost + ahead, cost):
            verdict = await self._limits.take(self._rate, subject, count=count)
            if verdict.allowed:
                return Lease(count, now + LEASE_SECONDS, verdict)
        raise RateLimited(verdict.retry_after)


def _subject(ctx: Context) -> str:
    """Whose budget it is."""
    return ctx.viewer_id_or_none or f"ip:{ctx.address}"


def _exceeded(what: str, most: int, found: int | None = None) -> QueryTooComplex:
    more = {"found": found} if found is not None else {}
    return QueryTooComplex(f"The document has more than {most:,} {what}.", limit=what, allowed=most, **more)
