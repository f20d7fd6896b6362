"""Withdrawal of a target: it leaves the favorites of all who saved it, with a word why."""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from core import ids, jobs
from core.audit import Act, record
from core.context import Context, Services
from resolvers.favorite.kinds import KINDS
from resolvers.favorite.writing import changed_list, unsave
from stores import favorite as store
from stores.favorite import FavoriteKindName, FavoriteRemovalReason, FavoriteStatus

BATCH = 500
CHUNK = 50
"""Followers of one unit of work: more would hold up what they do themselves."""
RETRIES = tuple(timedelta(seconds=seconds) for seconds in (1, 4, 15, 60))
FEWEST_COUNTED = 10
"""A smaller number would tell who saved a target."""


async def target_withdrawn(ctx: Context, kind: FavoriteKindName, target_id: str) -> None:
    """Let a target leave all favorites, with the transaction that withdraws it: a job does it."""
    run_id = ids.new_id("withdrawal")
    await jobs.enqueue(ctx.tx, "favorite.withdraw", kind=kind, target_id=target_id, run_id=run_id)


async def withdraw(services: Services, *, kind: str, target_id: str, run_id: str) -> None:
    """Remove the favorite of each follower once; a run that is done again goes on where it was."""
    of = KINDS[kind]
    [target] = await of.read(Context(services), [target_id])
    if target is not None and not of.withdrawn(target):
        # It is offered again.
        return
    followers = {"target_id": target_id, "status": FavoriteStatus.SAVED}
    count = 0
    async for rows in store.favorites.batches(services.db, followers, size=BATCH, fields=("user_id",)):
        for start in range(0, len(rows), CHUNK):
            ctx = Context(services)
            named = [row["_id"] for row in rows[start : start + CHUNK]]
            count += await ctx.unit(partial(_remove, ctx, named))
    if count:
        ctx = Context(services)
        await ctx.unit(partial(_record, ctx, target_id, run_id, count))


async def _remove(ctx: Context, favorite_ids: Sequence[str]) -> int:
    """Remove the favorites that are left of these; how many there were."""
    found = await store.favorites.by_ids(ctx.db, favorite_ids)
    saved = [each for each in found if each["status"] == FavoriteStatus.SAVED]
    for each in saved:
        default = await store.default_list(ctx.db, each["user_id"], each["kind"])
        await changed_list(ctx, default, by=-1)
        await unsave(ctx, each, FavoriteRemovalReason.TARGET_REMOVED)
    return len(saved)


async def _record(ctx: Context, target_id: str, run_id: str, count: int) -> None:
    """On record, with the number of people only where it names nobody."""
    details = {"target_id": target_id, "count": count if count >= FEWEST_COUNTED else None}
    await record(ctx, Act("favorite.target_withdrawn", "SYSTEM_EVENT", details=details, entry_key=run_id))
