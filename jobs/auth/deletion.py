"""Deletion of accounts that are due, and its confirmation by every system."""

from datetime import timedelta

import structlog

from core import clock, outages
from core.context import Services
from core.erasure import ERASERS, erase_owned, on_user_deleted
from core.jobs import Lane, task
from core.storage.batches import each_in_unit
from core.storage.indexes import due
from jobs.auth.export import remove as remove_export
from resolvers.auth import erasing, leaving
from stores import auth as store
from stores.auth import AccountStatus, Deletion

logger = structlog.get_logger(__name__)

LEASE = timedelta(minutes=10)
FIRST_RETRY, LONGEST_RETRY = timedelta(seconds=30), timedelta(hours=1)


@task("auth.delete_accounts", lane=Lane.BULK, every=timedelta(minutes=1))
async def delete_accounts(services: Services) -> None:
    """Delete accounts after their thirty days, then retry whatever any system has not confirmed yet."""
    overdue = {**due("deletion_due_at", clock.now()), "status": AccountStatus.DELETION_SCHEDULED}
    await each_in_unit(services, store.users, overdue, leaving.delete, size=1)
    while deletion := await store.claim_deletion(services.db, clock.now(), clock.now() + LEASE):
        await erase_everywhere(services, deletion)


async def erase_everywhere(services: Services, deletion: Deletion) -> None:
    """Ask every unconfirmed system to erase its part; one that fails does not hold up the others."""
    user_id, failed = deletion["_id"], False
    for system in deletion["pending"]:
        try:
            if system in ERASERS:
                await ERASERS[system](services, user_id)
        except Exception as error:
            about = {"system": system, "user": user_id, "attempt": deletion["attempts"]}
            outages.log(logger, "not erased", error, **about)
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
    """Erase sessions, keys, grants, exports, devices, security events, flows, codes, links, receipts."""
    await erase_owned([store.sessions, store.auth_keys, store.grants], services, user_id)
    for export in await store.exports_of(services.db, user_id):
        await remove_export(services, export)
    await store.forget_giver(services.db, user_id)
    await erasing.erase_traces(services, user_id)
    rest = (store.devices, store.security_events, store.flows, store.backup_codes, store.password_resets)
    for kept in rest:
        await kept.delete_all(services.db, {"user_id": user_id})
