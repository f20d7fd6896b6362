"""Evidence: who sees it, the list, and its collection with the first record of its chain of custody."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from core import grants, ids, jobs, paging, uploads
from core.audit import Act, AuditOutcome, record, record_apart
from core.context import PERSONAL, Context
from core.errors import Forbidden, UserError
from core.hooks import on
from core.ids import Id
from core.nodes import guard
from core.paging import NEWEST, PageArgs
from core.security.access import NOT_ALLOWED
from core.security.limits import Rate
from core.uploads import finished, purpose
from core.values.bounds import check_length
from core.values.digests import checked_sha256
from loaders.audit import EvidenceById
from resolvers.audit.client_entries import need_incident
from resolvers.audit.custody import act_on, add_record
from resolvers.audit.reading import READ_RATE, record_read
from stores import audit as store
from stores.audit import CustodyAction, Evidence, EvidenceKind, EvidenceRejection, EvidenceStatus
from stores.audit.roles import EVIDENCE_HANDLERS
from stores.media import UploadStatus

EVIDENCE = purpose(
    "EVIDENCE",
    "A file of any type that is evidence: it is scanned for malware, and kept as it is.",
    file=2**31 - 1,
    opaque=True,
    counted=False,
    keeps_rejected=True,
    reuse=False,
)
COLLECT_RATE = Rate("evidence", 120, 3600)
LONGEST_DESCRIPTION = 1_000
SEAL = "audit.seal_evidence"
ARRIVED = (UploadStatus.READY, UploadStatus.REJECTED)


class EvidenceFilter(TypedDict, total=False):
    """Filter of a list of evidence."""

    incident_ids: list[Id] | None
    """Ids of incidents that the evidence belongs to one of, at most 100."""
    kinds: list[EvidenceKind] | None
    """Kinds that the evidence is of one of."""
    collector_ids: list[Id] | None
    """Ids of people of whom one collected the evidence, at most 100."""


FIELDS = {"incident_ids": "incident_id", "kinds": "kind", "collector_ids": "collector_id"}
"""By key of a filter, the field that has one of its values."""


class Collected(TypedDict):
    evidence: Evidence
    evidence_edge: dict[str, Any]


@guard("evidence", sync="EVIDENCE", owner="collector_id", collection="audit_evidence")
async def visible_evidence(ctx: Context, wanted: Sequence[str]) -> list[Evidence | None]:
    """Access guard of evidence: an organization's handlers of it; of `personal` its collector alone."""
    if ctx.viewer is None:
        return [None for _ in wanted]
    found = await ctx.load_many(EvidenceById, wanted)
    handles = await grants.holds(ctx, *EVIDENCE_HANDLERS)
    return [each if each and _is_visible(ctx, each, handles) else None for each in found]


def _is_visible(ctx: Context, evidence: Evidence, handles: bool) -> bool:
    if evidence["org_id"] == PERSONAL:
        return evidence["collector_id"] == ctx.viewer_id
    return handles and evidence["org_id"] == ctx.org


async def handles_evidence(ctx: Context) -> bool:
    """True for handlers of their organization's evidence, and for people who belong to none: of their own."""
    return ctx.org == PERSONAL or await grants.holds(ctx, *EVIDENCE_HANDLERS)


async def evidence(ctx: Context, *, filter: EvidenceFilter | None = None, args: PageArgs) -> dict[str, Any]:
    """Connection of the evidence that the viewer may see, newest first; FORBIDDEN for who handles none."""
    await ctx.limit_request(READ_RATE)
    org_id, viewer_id = ctx.org, ctx.viewer_id
    if not await handles_evidence(ctx):
        denied = AuditOutcome.DENIED
        # Keyed, since the executor may begin an answer again.
        key = f"{ctx.operation_id}:evidence"
        act = Act("audit.evidence_listed", "ACCESS_DENIED", "EVIDENCE", outcome=denied, entry_key=key)
        await record_apart(ctx, act)
        raise Forbidden(NOT_ALLOWED)
    wanted: Mapping[str, Any] = filter or {}
    narrowed = [{FIELDS[name]: paging.any_of(values)} for name, values in wanted.items() if values]
    own = store.evidence_query(org_id, viewer_id)
    # Joined, not merged: a condition on the same field narrows, and never widens.
    query = {"$and": [own, *narrowed]} if narrowed else own
    found = await store.evidence.page(ctx.db, query, NEWEST, args)
    await record_read(ctx, "audit.evidence_listed", len(found["edges"]), filter or {})
    return found


async def collect_evidence(
    ctx: Context,
    *,
    id: Id | None = None,
    incident_id: Id | None = None,
    kind: EvidenceKind,
    description: str,
    upload_id: Id,
    sha256: str,
) -> Collected:
    """Collect a file as evidence; it may be on its way still, and what it turns out to be is its status."""
    await ctx.limit(COLLECT_RATE)
    if not await handles_evidence(ctx):
        raise UserError("FORBIDDEN", NOT_ALLOWED)
    check_length(description, least=1, most=LONGEST_DESCRIPTION, field="description")
    digest = checked_sha256(sha256, field="sha256")
    if incident_id is not None:
        await need_incident(ctx, incident_id)
    evidence_id = ids.minted(id, "evidence")
    [upload] = await uploads.use(ctx, [upload_id], purpose=EVIDENCE.name, record_id=evidence_id)
    arrived = upload["status"] in ARRIVED
    row: dict[str, Any] = {
        "_id": evidence_id,
        "org_id": ctx.org,
        "collector_id": ctx.viewer_id,
        "custodian_id": ctx.viewer_id,
        "incident_id": incident_id,
        "kind": kind,
        "description": description,
        "upload_id": upload_id,
        "file_name": upload["file_name"],
        "size_bytes": upload["size_bytes"],
        "cryptographic_hash": digest,
        "status": EvidenceStatus.VERIFYING if arrived else EvidenceStatus.UPLOADING,
        "rejection": None,
        "file_key": None,
        "last_verified_at": None,
        "archived_at": None,
        "custody_count": 1,
    }
    made = await ctx.tx.insert(store.evidence, row)
    if arrived:
        await _seal(ctx, evidence_id)
    named = {"kind": kind, "sha256": digest, "size_bytes": upload["size_bytes"], "upload_id": upload_id}
    act = act_on(made, "audit.evidence_collected", details=named)
    await add_record(ctx, made, 0, act, CustodyAction.COLLECTED, ctx.viewer_id)
    return {"evidence": made, "evidence_edge": evidence_edge(ctx, made)}


def evidence_edge(ctx: Context, row: Evidence) -> dict[str, Any]:
    """Edge of evidence in the list of all that the viewer may see."""
    return store.evidence.edge(store.evidence_query(row["org_id"], ctx.viewer_id), NEWEST, row)


@on(finished(EVIDENCE.name))
async def arrived(ctx: Context, upload: Mapping[str, Any]) -> None:
    """Have evidence verified whose file has come, or mark it as expired where none will."""
    row = await store.evidence.by_id(ctx.db, upload["record_id"])
    if row is None or row["status"] != EvidenceStatus.UPLOADING:
        return
    if await uploads.file_key(ctx, upload) is None:
        lost = {"status": EvidenceStatus.EXPIRED, "rejection": EvidenceRejection.EXPIRED}
        await ctx.tx.update(store.evidence, row, set=lost)
        await record(ctx, act_on(row, "audit.evidence_expired", "SYSTEM_EVENT"))
        return
    await ctx.tx.update(store.evidence, row, set={"status": EvidenceStatus.VERIFYING})
    await _seal(ctx, row["_id"])


async def _seal(ctx: Context, evidence_id: str) -> None:
    await jobs.enqueue(ctx.tx, SEAL, key=evidence_id, evidence_id=evidence_id)
