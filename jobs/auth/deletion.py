"""Accounts whose time has come, and the systems that erase their part of them."""

from datetime import timedelta
from typing import Any

import structlog

from core import clock
from core.account import ERASERS, on_user_deleted
from core.context import Context, Services
from core.jobs import task
from core.store import Collection
from jobs.auth.export import remove as remove_export
from resolvers.auth import erasing, leaving
from stores import auth as store
from stores.auth import Deletion

logger = structlog.get_logger(__name__)

BATCH = 200
LEASE = timedelta(minutes=10)
FIRST_RETRY, LONGEST_RETRY = timedelta(seconds=30), timedelta(hours=1)


@task("auth.delete_accounts", every=timedelta(minutes=1))
async def delete_accounts(services: Services) -> None:
    """Those whose thirty days are over; then whatever any system has not confirmed yet."""
    for user in await store.users_to_delete(services.db, clock.now(), limit=BATCH):
        ctx = Context(services)

        async def delete(user: store.User = user, ctx: Context = ctx) -> None:
            await leaving.delete(ctx, user)

        await ctx.unit(delete)
    while deletion := await store.claim_deletion(services.db, clock.now(), clock.now() + LEASE):
        await erase_everywhere(services, deletion)


async def erase_everywhere(services: Services, deletion: Deletion) -> None:
    """Ask every system that has not confirmed; one that fails does not keep the others waiting."""
    user_id, failed = deletion["_id"], False
    for system in deletion["pending"]:
        try:
            if system in ERASERS:
                await ERASERS[system](services, user_id)
        except Exception:
            logger.exception("not erased", system=system, user=user_id, attempt=deletion["attempts"])
            failed = True
        else:
            await store.confirm_deletion(services.db, user_id, system)
    if failed:
        wait = min(FIRST_RETRY * 2 ** min(deletion["attempts"], 10), LONGEST_RETRY)
        await store.retry_deletion(services.db, user_id, clock.now() + wait)
    else:
        await store.finish_deletion(services.db, user_id, clock.now())


@on_user_deleted
async def erase_deleted(services: Services, user_id: str) -> None:
    """Sessions with their history, keys, exports, devices, security events, flows, codes, links, receipts."""
    await _erase(services, store.sessions, user_id)
    await _erase(services, store.auth_keys, user_id)
    for export in await store.exports_of(services.db, user_id):
        await remove_export(services, export)
    await erasing.erase_traces(services, user_id)
    rest = (store.devices, store.security_events, store.flows, store.backup_codes, store.password_resets)
    for name in (each.name for each in rest):
        theirs = {"q": {"user_id": user_id}, "limit": 0}
        await services.db.write({"delete": name, "deletes": [theirs]})


async def _erase(services: Services, kept: Collection[Any], user_id: str) -> None:
    while rows := await kept.find(services.db, {"user_id": user_id}, limit=BATCH):
        ctx = Context(services)

        async def erase(rows: list[Any] = rows, ctx: Context = ctx) -> None:
            for row in rows:
                await ctx.tx.delete(kept, row)

        await ctx.unit(erase)
