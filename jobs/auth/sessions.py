"""Sessions that have had their time."""

from datetime import timedelta

from core import clock
from core.context import Context, Services
from core.indexes import due
from core.jobs import task
from resolvers.auth import keys, sessions
from stores import auth as store
from stores.auth import SessionEndReason, SessionStatus

BATCH = 200


@task("auth.expire_sessions", every=timedelta(hours=1))
async def expire_sessions(services: Services) -> None:
    """End sessions that were idle for 30 days or are 180 days old."""
    now = clock.now()
    query = {
        "status": SessionStatus.ACTIVE,
        "$or": [{"expires_at": {"$lte": now}}, {"absolute_expires_at": {"$lte": now}}],
    }
    while rows := await store.sessions.find(services.db, query, limit=BATCH):
        ctx = Context(services)

        async def expire(rows: list[store.Session] = rows, ctx: Context = ctx) -> None:
            for row in rows:
                old = row["absolute_expires_at"] <= now
                await sessions.end(ctx, row, SessionEndReason.ABSOLUTE if old else SessionEndReason.IDLE)

        await ctx.unit(expire)


@task("auth.end_everybody")
async def end_everybody(services: Services, *, before: str, but: str) -> None:
    """End the sessions whose tokens an administrator has had refused already."""
    moment = clock.moment(before)
    while rows := await store.active_before(services.db, moment, but=but, limit=BATCH):
        ctx = Context(services)

        async def revoke(rows: list[store.Session] = rows, ctx: Context = ctx) -> None:
            for row in rows:
                await sessions.end(ctx, row, SessionEndReason.REVOKED_BY_ADMIN)

        await ctx.unit(revoke)


@task("auth.purge_sessions", every=timedelta(hours=6))
async def purge_sessions(services: Services) -> None:
    """Forget sessions that ended 90 days ago, on their owners' devices too, and devices without any."""
    while rows := await store.sessions.find(services.db, due("purge_at", clock.now()), limit=BATCH):
        ctx = Context(services)

        async def purge(rows: list[store.Session] = rows, ctx: Context = ctx) -> None:
            for row in rows:
                if await ctx.tx.delete(store.sessions, row):
                    await keys.device_forgotten(ctx, row["user_id"], row["device"]["_id"])

        await ctx.unit(purge)
