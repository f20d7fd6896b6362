"""Background work of evidence: sealing what has arrived, and verifying all of it every month."""

from datetime import timedelta

from core import jobs
from core.context import Context, Services
from core.jobs import Lane, task
from resolvers.audit import evidence_files
from resolvers.audit.collecting import SEAL
from stores import audit as store
from stores.audit import EvidenceStatus

RETRIES = tuple(timedelta(minutes=minutes) for minutes in (1, 10, 60, 360))


@task(SEAL, retries=RETRIES)
async def seal_evidence(services: Services, *, evidence_id: str) -> None:
    await evidence_files.seal_evidence(Context(services), evidence_id)


@task(evidence_files.VERIFY, lane=Lane.BULK, retries=RETRIES)
async def verify_evidence(services: Services, *, evidence_id: str) -> None:
    await evidence_files.verify_again(Context(services), evidence_id)


@task("audit.verify_all_evidence", lane=Lane.BULK, every=timedelta(days=30))
async def verify_all_evidence(services: Services) -> None:
    """Hash all sealed evidence again, each piece by a job of its own."""
    async for rows in store.evidence.batches(services.db, {"status": EvidenceStatus.SEALED}, fields=["_id"]):
        for row in rows:
            await jobs.enqueue_now(services.db, evidence_files.VERIFY, evidence_id=row["_id"])
