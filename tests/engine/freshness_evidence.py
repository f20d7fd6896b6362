"""More acts that change what synced nodes are made of: evidence, and who has custody of it."""

from core.context import Context
from core.ids import new_id
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
