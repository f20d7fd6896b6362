"""Calls of the payment gateway: a time limit for each, and the next try of those that went unanswered."""

import asyncio
import time
from collections.abc import Awaitable, Sequence
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar

from core import jobs
from core.context import Context
from core.errors import UserError
from core.ports import Retryable
from ports.order import PaymentGateway
from resolvers.order import metrics

T = TypeVar("T")

ANSWER_SECONDS = 5.0
"""Longest that a call may take: a request has ten seconds in all."""


def gateway(ctx: Context) -> PaymentGateway:
    return ctx.services.get(PaymentGateway)


async def answered(call: str, asked: Awaitable[T]) -> T:
    """The gateway's answer; `Retryable` when none comes in time, though it may have done what was asked."""
    started = time.perf_counter()
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await asked
    except TimeoutError:
        metrics.SILENT.labels(call).inc()
        raise Retryable("The payment gateway did not answer in time.") from None
    except Retryable:
        metrics.SILENT.labels(call).inc()
        raise
    finally:
        metrics.ASKED_SECONDS.labels(call).observe(time.perf_counter() - started)


def unavailable() -> UserError:
    """Refusal of what the gateway did not do, where no job goes on with it."""
    return UserError("UNAVAILABLE", "Payments are not available for the moment.")


async def again(
    ctx: Context, task: str, waits: Sequence[timedelta], round: int, *, key: str, **arguments: Any
) -> bool:
    """Enqueue the next try of a task, in a unit of its own; False after the last one."""
    if round >= len(waits):
        return False
    await ctx.unit(partial(enqueue, ctx, task, waits, round, key=key, **arguments))
    return True


async def enqueue(
    ctx: Context, task: str, waits: Sequence[timedelta], round: int, *, key: str, **arguments: Any
) -> None:
    """Enqueue a try of a task with the running unit, in place of the one that waits."""
    due_at = ctx.tx.now + waits[round]
    await jobs.enqueue(ctx.tx, task, due_at=due_at, key=key, round=round, **arguments)
