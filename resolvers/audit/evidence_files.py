"""Files of evidence: locked away with their hash checked, verified again, and handed out on record."""

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple, TypedDict

import structlog
from prometheus_client import Counter

from core import jobs, nodes, uploads
from core.audit import AuditOutcome, Mode, record
from core.context import Context
from core.errors import Forbidden, UserError
from core.hooks import Hook
from core.ids import Id
from core.security.access import NOT_ALLOWED
from core.security.limits import Rate
from core.values.bounds import check_length
from ports.audit import LockedStorage
from resolvers.audit import files
from resolvers.audit.custody import act_on
from resolvers.audit.custody_checking import is_as_logged
from stores import audit as store
from stores import media
from stores.audit import Evidence, EvidenceRejection, EvidenceStatus
from stores.media import UploadFailure

logger = structlog.get_logger(__name__)

VERIFY_RATE = Rate("evidence-verifications", 60, 3600)
DOWNLOAD_RATE = Rate("evidence-downloads", 60, 3600)
DOWNLOAD_LIFE = timedelta(minutes=5)
LONGEST_REASON = 500
MOST_BYTES_AT_ONCE = 64 * 1024**2
"""Size up to which a file is hashed while its caller waits; larger ones are left to a job."""
VERIFY = "audit.verify_evidence"
KEPT = (EvidenceStatus.SEALED, EvidenceStatus.COMPROMISED)
OPAQUE = "application/octet-stream"


COMPROMISED = Counter("landfall_evidence_compromised_total", "Pieces of evidence whose file had changed.")
compromised = Hook[[Context, Evidence], None]("audit.evidence_compromised")
"""Called with evidence whose file has changed, in the unit of work that says so."""


class Verified(TypedDict):
    evidence: Evidence
    valid: bool | None


class LockedFile(NamedTuple):
    """File as it lies in locked storage now."""

    digest: str | None
    """SHA-256; None if the file is gone."""


class Digest:
    """SHA-256 of bytes on their way somewhere."""

    def __init__(self) -> None:
        self._hash, self.size = hashlib.sha256(), 0

    async def through(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        async for piece in pieces:
            self._hash.update(piece)
            self.size += len(piece)
            yield piece

    @property
    def text(self) -> str:
        return self._hash.hexdigest()


async def seal_evidence(ctx: Context, evidence_id: str) -> None:
    """Lock the file away, and seal the evidence if the file has the declared hash; else reject it."""
    evidence = await store.evidence.by_id(ctx.db, evidence_id)
    if evidence is None or evidence["status"] != EvidenceStatus.VERIFYING:
        return
    upload = await media.uploads.by_id(ctx.db, evidence["upload_id"])
    source = await uploads.file_key(ctx, upload) if upload is not None else None
    if upload is None or source is None:
        raise RuntimeError("The file of evidence is gone before it was locked away.")
    key, digest = files.evidence_key(evidence["org_id"], evidence_id), Digest()
    pieces = digest.through(ctx.services.objects.read(source))
    await ctx.services.get(LockedStorage).objects.put(key, pieces, mime=OPAQUE, disposition="attachment")
    rejection = _rejection(evidence, upload, digest.text)

    async def sealed() -> None:
        status = EvidenceStatus.REJECTED if rejection else EvidenceStatus.SEALED
        change = {"status": status, "rejection": rejection, "file_key": key, "last_verified_at": ctx.tx.now}
        where = {"status": EvidenceStatus.VERIFYING}
        changed = await ctx.tx.update(store.evidence, evidence, set=change, where=where)
        if changed is None:
            return
        outcome = AuditOutcome.FAILED if rejection else AuditOutcome.OK
        found = {"sha256": digest.text, "size_bytes": digest.size, "rejection": rejection}
        action = f"audit.evidence_{status.lower()}"
        await record(ctx, act_on(changed, action, "SYSTEM_EVENT", outcome=outcome, details=found))
        if upload["media_id"] is not None:
            # The copy that anybody could take without a reason.
            await uploads.release(ctx, evidence_id)

    await ctx.unit(sealed)


def _rejection(evidence: Evidence, upload: media.Upload, digest: str) -> EvidenceRejection | None:
    if upload["failure"] == UploadFailure.MALWARE:
        return EvidenceRejection.MALWARE
    same = upload["failure"] is None and digest == evidence["cryptographic_hash"]
    return None if same else EvidenceRejection.HASH_MISMATCH


async def locked_digest(ctx: Context, evidence: Evidence) -> str | None:
    """SHA-256 of the file as it lies in locked storage now; None if it is gone."""
    digest = Digest()
    try:
        # Not the stored key, which may have been changed to that of another file.
        key = files.evidence_key(evidence["org_id"], evidence["_id"])
        pieces = ctx.services.get(LockedStorage).objects.read(key)
        async for _ in digest.through(pieces):
            pass
    except FileNotFoundError:
        return None
    return digest.text


async def hashed(ctx: Context, *, evidence_id: Id, **_: Any) -> LockedFile | None:
    """Hash of a file that is small enough to wait for, before the transaction; None for what a job hashes."""
    await ctx.limit(VERIFY_RATE)
    evidence = await nodes.for_update(ctx, store.evidence, evidence_id)
    if evidence["status"] not in KEPT or evidence["size_bytes"] > MOST_BYTES_AT_ONCE:
        return None
    return LockedFile(await locked_digest(ctx, evidence))


async def verify_evidence(ctx: Context, *, evidence_id: Id, prepared: LockedFile | None) -> Verified:
    """Verify that the file is what was sealed; a large one by a job, of which `valid` knows nothing yet."""
    evidence = await nodes.for_update(ctx, store.evidence, evidence_id)
    if evidence["status"] not in KEPT:
        raise UserError("WRONG_STATUS", "Only evidence that was sealed is verified.", evidence=evidence)
    if prepared is None:
        await jobs.enqueue(ctx.tx, VERIFY, key=evidence_id, evidence_id=evidence_id)
        return {"evidence": evidence, "valid": None}
    changed = await keep_verdict(ctx, evidence, prepared.digest)
    return {"evidence": changed, "valid": changed["status"] == EvidenceStatus.SEALED}


async def keep_verdict(ctx: Context, evidence: Evidence, digest: str | None) -> Evidence:
    """Keep with the unit of work what a verification found; evidence that was compromised remains so."""
    as_logged = await is_as_logged(ctx, evidence)
    whole = as_logged and digest == evidence["cryptographic_hash"]
    same = whole and evidence["status"] == EvidenceStatus.SEALED
    change: dict[str, Any] = {"last_verified_at": ctx.tx.now}
    if not same:
        change["status"] = EvidenceStatus.COMPROMISED
    changed = await ctx.tx.update(store.evidence, evidence, set=change)
    assert changed is not None
    outcome = AuditOutcome.OK if same else AuditOutcome.FAILED
    found = {"sha256": digest, "as_logged": as_logged}
    await record(
        ctx, act_on(changed, "audit.evidence_verified", "COMPLIANCE_CHECK", outcome=outcome, details=found)
    )
    if evidence["status"] != changed["status"]:
        logger.critical("evidence compromised", evidence=changed["_id"], org=changed["org_id"])
        ctx.tx.after_commit(_count)
        await compromised(ctx, changed)
    return changed


async def _count() -> None:
    COMPROMISED.inc()


async def verify_again(ctx: Context, evidence_id: str) -> None:
    """Verify evidence by a job."""
    evidence = await store.evidence.by_id(ctx.db, evidence_id)
    if evidence is None or evidence["status"] != EvidenceStatus.SEALED:
        return
    digest = await locked_digest(ctx, evidence)

    async def kept() -> None:
        current = await store.evidence.by_id(ctx.db, evidence_id)
        if current is not None and current["status"] == EvidenceStatus.SEALED:
            await keep_verdict(ctx, current, digest)

    await ctx.unit(kept)


async def request_evidence_download(ctx: Context, *, evidence_id: Id, reason: str) -> dict[str, Any]:
    """Request a URL of the file, for a reason that is put on record before it is given."""
    await ctx.limit(DOWNLOAD_RATE)
    check_length(reason, least=1, most=LONGEST_REASON, field="reason")
    evidence = await nodes.for_update(ctx, store.evidence, evidence_id)
    if evidence["file_key"] is None or evidence["rejection"] == EvidenceRejection.MALWARE:
        raise UserError("WRONG_STATUS", "There is no file to fetch, or it holds malware.", evidence=evidence)
    act = act_on(evidence, "audit.evidence_downloaded", "ACCESS_GRANTED", reason=reason)
    await record(ctx, act, Mode.SYNC)
    expires_at: datetime = ctx.tx.now + DOWNLOAD_LIFE
    key = files.evidence_key(evidence["org_id"], evidence["_id"])
    return {"evidence": evidence, "download": {"key": key, "expires_at": expires_at}}


async def download_urls(ctx: Context, downloads: Sequence[Mapping[str, Any]]) -> list[str]:
    """URLs of files; FORBIDDEN for who sent their request again after they ceased to see the evidence."""
    wanted = [str(each["key"]).rpartition("/")[2] for each in downloads]
    if None in await nodes.GUARDS["evidence"](ctx, wanted):
        raise Forbidden(NOT_ALLOWED)
    return [files.url(ctx, each["key"], each["expires_at"]) for each in downloads]
