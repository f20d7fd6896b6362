"""More acts that change what synced nodes are made of: evidence and its custody, and exports of the log."""

from core.context import Context
from core.ids import new_id
from resolvers.audit import export_job
from stores import audit as store
from tests.engine.freshness_acts import act
from tests.engine.freshness_notices import ACTS as ACTS
from tests.engine.freshness_world import World, done
from tests.media.steps import complete, created, send, sha256


async def _collected(w: World, body: bytes, digest: str) -> str:
    """Evidence of Ada's whose file has arrived after it was collected."""
    upload = await created(w.ada, body, "text/plain", purpose="EVIDENCE", fileName="a.log")
    told = {"kind": "LOG_FILE", "description": "Log", "uploadId": upload["id"], "sha256": digest}
    made = await done(w.ada, "collectEvidence", "evidence { id }", **told)
    await w.check("collected")
    await complete(w.ada, upload, await send(w.ada.http, upload, body))
    await w.check("arrived")
    id: str = made["evidence"]["id"]
    return id


@act("audit_evidence", "uploads")
async def ada_collects_a_file_that_was_changed_on_its_way(w: World) -> None:
    await _collected(w, b"log", sha256(b"other"))


@act("audit_evidence", "audit_custody", "uploads")
async def ada_collects_evidence_and_archives_it(w: World) -> None:
    id = await _collected(w, b"log", sha256(b"log"))
    await done(w.ada, "recordCustody", evidenceId=id, action="ANALYZED", location="Lab", notes="Copied")
    await w.check("analyzed")
    await done(w.ada, "recordCustody", evidenceId=id, action="ARCHIVED")
    ctx = Context(w.services)
    await w.check("archived")
    # People who belong to no organization hand nothing over.
    await ctx.unit(lambda: ctx.tx.update(store.evidence, id, set={"custodian_id": new_id("user")}))


@act("audit_exports")
async def ada_exports_the_log_and_the_file_is_deleted_after_a_day(w: World) -> None:
    made = await done(w.ada, "requestAuditExport", "auditExport { id }", format="CSV")
    # Before a job has written it.
    for cache in w.caches:
        await cache.sync()
    await w.check("exported")
    await export_job.expire_export(w.services, made["auditExport"]["id"])


@act("audit_exports")
async def an_export_of_ada_fails(w: World) -> None:
    made = await done(w.ada, "requestAuditExport", "auditExport { id }", format="CSV")
    for cache in w.caches:
        await cache.sync()
    ctx = Context(w.services)
    failed = {"status": store.AuditExportStatus.FAILED, "failure": store.AuditExportFailure.ERROR}
    id = made["auditExport"]["id"]
    await ctx.unit(lambda: ctx.tx.update(store.audit_exports, id, set=failed))


@act("audit_saved_queries")
async def ada_keeps_a_query_of_the_log_under_another_name(w: World) -> None:
    """The writes of a member of an organization, to which none of these people belong."""
    ctx = Context(w.services)
    kept = {"owner_id": w.ada.user_id, "org_id": "clinic", "name": "Denials", "filter": {}}
    made = await ctx.unit(
        lambda: ctx.tx.insert(store.saved_queries, {"_id": new_id("saved_audit_query"), **kept})
    )
    await w.check("kept")
    changed = {"name": "Decisions", "filter": {"eventKinds": ["DECISION_MADE"]}}
    await ctx.unit(lambda: ctx.tx.update(store.saved_queries, made, set=changed))
