"""Batch mutations: each item is an act of its own, with its own key, receipt and result, in order.

One refused item stops no other. The first with a transient error defers those that follow, and what stands
behind the batch in its flush, as a mutation would. Each is a unit of work of its own too, unless the system
says how several are done `together`; nobody can tell the difference.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core import outages
from core.context import Context
from core.errors import BadUserInput, IdempotencyKeyReused, UserError
from core.messages import gettext_noop
from core.mutations import acts, idempotency
from core.mutations.acts import Act
from core.mutations.groups import Groups, Together
from core.mutations.idempotency import Mutation
from core.mutations.references import Payload

UNFIT = gettext_noop("This cannot be taken as it is.")
LATER = gettext_noop("The service is not available for the moment.")
TAKEN = gettext_noop("This id is in use.")


@dataclass(frozen=True, slots=True)
class Item:
    """Item of a batch: the key under which it takes effect once, and the arguments of its mutation."""

    key: str
    arguments: Mapping[str, Any]
    alone: bool = False
    """True for one that is a unit of work of its own in any case, as one that will be refused."""


async def run(
    ctx: Context, mutation: Mutation, items: Sequence[Item], *, together: Together | None = None
) -> list[Payload]:
    """Payloads of the items. The batch's own mutation has neither a transaction nor a receipt.

    With `together` several items are one unit of work. Only where an item decides by nothing that an earlier
    one of its unit writes late, and has no rate limit: it is run again when its group fails.
    """
    batch = ctx.fork()
    siblings = [Act(mutation, item.key, item.arguments, tuple) for item in items]
    groups = Groups(together, siblings, [item.key for item in items if item.alone]) if together else None
    payloads: list[Payload] = []
    while rest := siblings[len(payloads) :]:
        done = await groups.perform(batch, rest) if groups else []
        payloads += done or [await _perform(batch, rest[0], siblings)]
    if (waiting := batch.flush.deferral({})) is not None:
        ctx.flush.stop(waiting.retry_after_seconds)
    ctx.refresh()
    return payloads


async def _perform(ctx: Context, act: Act, siblings: Sequence[Act]) -> Payload:
    try:
        # A batch that comes again is known by one read of its receipts.
        return await acts.perform(ctx, act, lambda: siblings)
    except Exception as error:
        refusal = _refusal(error)
        if refusal is None:
            raise
        return idempotency.refused(act.key, refusal)


def _refusal(error: Exception) -> UserError | None:
    """Refusal of an item that failed; None for a bug, and for what the whole request must be told."""
    if isinstance(error, BadUserInput):
        return UserError("INVALID_INPUT", UNFIT)
    if isinstance(error, IdempotencyKeyReused):
        return UserError("ID_TAKEN", TAKEN, field=["id"])
    fault = outages.fault_of(error)
    if fault is None or not fault.transient:
        return None
    return UserError("UNAVAILABLE", LATER, retry_after_seconds=fault.extensions.get("retryAfterSeconds"))
