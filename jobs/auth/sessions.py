"""Expiry of sessions."""

from datetime import timedelta

from core import clock
from core.context import Context, Services
from core.jobs import Lane, task
from core.storage.batches import each_in_unit
from core.storage.indexes import due
from resolvers.auth import keys, sessions
from stores import auth as store
from stores.auth import Session, SessionEndReason, SessionStatus


@task("auth.expire_sessions", every=timedelta(hours=1))
async def expire_sessions(services: Services) -> None:
    """End sessions that were idle for 30 days or are 180 days old."""
    now = clock.now()
    over = [{"expires_at": {"$lte": now}}, {"absolute_expires_at": {"$lte": now}}]
    await each_in_unit(services, store.sessions, {"status": SessionStatus.ACTIVE, "$or": over}, _expire)


async def _expire(ctx: Context, session: Session) -> None:
    old = session["absolute_expires_at"] <= ctx.tx.now
    await sessions.end(ctx, session, SessionEndReason.ABSOLUTE if old else SessionEndReason.IDLE)


@task("auth.end_everybody")
async def end_everybody(services: Services, *, before: str, but: str) -> None:
    """End the sessions whose tokens an administrator's bulk revocation already refuses."""
    begun = {"created_at": {"$lt": clock.moment(before)}, "_id": {"$ne": but}}
    await each_in_unit(services, store.sessions, {"status": SessionStatus.ACTIVE, **begun}, _revoke)


async def _revoke(ctx: Context, session: Session) -> None:
    await sessions.end(ctx, session, SessionEndReason.REVOKED_BY_ADMIN)


@task("auth.purge_sessions", lane=Lane.BULK, every=timedelta(hours=6))
async def purge_sessions(services: Services) -> None:
    """Delete sessions that ended 90 days ago, on their owners' devices too, and devices without any."""
    await each_in_unit(services, store.sessions, due("purge_at", clock.now()), _purge)


async def _purge(ctx: Context, session: Session) -> None:
    if await ctx.tx.delete(store.sessions, session):
        await keys.device_forgotten(ctx, session["user_id"], session["device"]["_id"])
