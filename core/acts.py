"""Performing a mutation in its place among the others of its flush."""

from collections.abc import Mapping
from typing import Any

from core import idempotency
from core.context import Context
from core.flush import Minted
from core.idempotency import Mutation, Payload


async def perform(
    ctx: Context, mutation: Mutation, key: str, arguments: Mapping[str, Any], minted: Minted
) -> Payload:
    """The mutation's payload; DEFERRED, without a receipt, where it must wait for an earlier one."""
    flush = ctx.flush
    deferral = flush.deferral(arguments)
    if deferral is not None:
        flush.hold(minted, deferral.retry_after_seconds)
        return idempotency.refused(key, deferral)
    try:
        payload = await idempotency.run(ctx, mutation, key, arguments)
    except Exception as error:
        flush.failed(error, minted)
        raise
    flush.answered(payload, minted)
    return payload
