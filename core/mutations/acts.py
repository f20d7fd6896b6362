"""Mutation runner: performs a mutation in its place among the others of its flush."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from core.context import Context
from core.mutations import idempotency, receipt_codes  # noqa: F401  # Declares its migration.
from core.mutations.flush import Minted
from core.mutations.idempotency import Mutation
from core.mutations.references import Payload


@dataclass(frozen=True, slots=True)
class Act:
    """A mutation with its key and its arguments."""

    mutation: Mutation
    key: str
    arguments: Mapping[str, Any]
    minted: Minted


Siblings = Callable[[], Iterable[Act]]
"""Gives all acts of the operation."""


async def perform(ctx: Context, act: Act, siblings: Siblings = tuple) -> Payload:
    """The mutation's payload; DEFERRED, without a receipt, where it must wait for an earlier one."""
    flush = ctx.flush
    cut = flush.begin()
    deferral = flush.deferral(act.arguments)
    if deferral is not None:
        flush.hold(act.minted, deferral.retry_after_seconds)
        return idempotency.refused(act.key, deferral)
    try:
        async with asyncio.timeout_at(cut):
            await foresee(ctx, siblings)
            payload = await idempotency.run(ctx, act.mutation, act.key, act.arguments)
    except Exception as error:
        flush.failed(error, act.minted)
        raise
    flush.answered(payload, act.minted)
    return payload


async def foresee(ctx: Context, siblings: Siblings) -> None:
    """Read what is known of all acts of the operation, once."""
    if not ctx.flush.foreseen:
        ctx.flush.foreseen = True
        keys = [(each.mutation, each.key, each.arguments) for each in siblings()]
        await idempotency.foresee(ctx, keys)
