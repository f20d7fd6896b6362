"""Background work of the log: sequencing, checkpoints, their copies and time stamps, and verification."""

from datetime import timedelta

from core import jobs
from core.context import Services
from core.jobs import Lane, task
from resolvers.audit import checking, copying, sealing, sequencing, verifying
from resolvers.audit.waking import TASK
from stores import audit as store
from stores.audit import IntegrityCheckKind

STAMP_RETRIES = tuple(timedelta(seconds=2**attempt) for attempt in range(4))


@task(TASK, lane=Lane.CRITICAL, every=timedelta(seconds=10))
async def sequence(services: Services) -> None:
    """Chain what was accepted; periodically too, for what a process that died did not tell of."""
    await sequencing.sequence_all(services)


@task("audit.seal_due", lane=Lane.CRITICAL, every=timedelta(seconds=5))
async def seal_due(services: Services) -> None:
    """Seal the logs of all organizations whose checkpoint is due."""
    for org_id in await sealing.due(services):
        await jobs.enqueue_now(services.db, "audit.seal", org_id=org_id)


@task("audit.seal", lane=Lane.CRITICAL)
async def seal(services: Services, *, org_id: str) -> None:
    await sealing.seal(services, org_id)


task("audit.copy_checkpoint")(copying.copy_checkpoint)
task("audit.stamp", retries=STAMP_RETRIES)(copying.stamp)


@task("audit.stamp_all", every=timedelta(hours=1))
async def stamp_all(services: Services) -> None:
    await _for_each_log(services, "audit.stamp")


@task("audit.verify_new", lane=Lane.BULK, every=timedelta(hours=1))
async def verify_new(services: Services) -> None:
    """Verify what came to each log since the last time."""
    await _for_each_log(services, "audit.verify", reach=IntegrityCheckKind.NEW)


@task("audit.verify_whole", lane=Lane.BULK, every=timedelta(days=7))
async def verify_whole(services: Services) -> None:
    """Verify each log from its beginning."""
    await _for_each_log(services, "audit.verify", reach=IntegrityCheckKind.WHOLE)


@task("audit.verify", lane=Lane.BULK)
async def verify(services: Services, *, org_id: str, reach: str) -> None:
    await verifying.verify_log(services, org_id, IntegrityCheckKind(reach))


@task("audit.verify_range", lane=Lane.BULK, given_up=checking.give_up)
async def verify_range(services: Services, *, org_id: str, check_id: str) -> None:
    """Verify a long range of entries that somebody asked for."""
    await checking.verify_later(services, org_id, check_id)


async def _for_each_log(services: Services, name: str, **arguments: str) -> None:
    for org_id in await store.organizations(services.db):
        await jobs.enqueue_now(services.db, name, org_id=org_id, **arguments)
