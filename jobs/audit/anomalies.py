"""Detection of anomalies in how the logs are used."""

from datetime import timedelta

from core import jobs
from core.context import PERSONAL, Services
from core.jobs import Lane, task
from resolvers.audit import detecting
from stores import audit as store


@task("audit.detect_all", lane=Lane.BULK, every=timedelta(minutes=5))
async def detect_all(services: Services) -> None:
    """Look at the logs of all organizations; that of people of none has no administrators to be told."""
    for org_id in await store.organizations(services.db):
        if org_id != PERSONAL:
            await jobs.enqueue_now(services.db, "audit.detect", org_id=org_id)


@task("audit.detect", lane=Lane.BULK)
async def detect(services: Services, *, org_id: str) -> None:
    await detecting.detect(services, org_id)
