"""Batch helper for background work: read some, work on them in a unit of work, go on until none is left."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, TypeVar

from core.context import Context, Services
from core.storage.store import BATCH, Collection

T = TypeVar("T", bound=Mapping[str, Any])


async def batches_in_unit(
    services: Services,
    store: Collection[T],
    query: Mapping[str, Any],
    work: Callable[[Context, list[T]], Awaitable[object]],
    *,
    size: int = BATCH,
) -> int:
    """Do the work for all rows of a query, a batch to a unit of work; how many rows there were.

    A batch is done as a whole or not at all, and may be done twice: a job that fails begins again.
    """
    done = 0
    async for rows in store.batches(services.db, query, size=size):
        ctx = Context(services)
        await ctx.unit(partial(work, ctx, rows))
        done += len(rows)
    return done


async def each_in_unit(
    services: Services,
    store: Collection[T],
    query: Mapping[str, Any],
    work: Callable[[Context, T], Awaitable[object]],
    *,
    size: int = BATCH,
) -> int:
    """The same for work that is done row by row."""

    async def all_of(ctx: Context, rows: list[T]) -> None:
        for row in rows:
            await work(ctx, row)

    return await batches_in_unit(services, store, query, all_of, size=size)


async def delete_each(services: Services, store: Collection[Any], query: Mapping[str, Any]) -> None:
    """Delete all rows of a query, each logged as its entity says."""

    async def delete(ctx: Context, row: Mapping[str, Any]) -> None:
        await ctx.tx.delete(store, row)

    await each_in_unit(services, store, query, delete)
