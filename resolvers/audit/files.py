"""Files of the audit log that are handed out: under signed URLs, for a time."""

from datetime import datetime
from urllib.parse import quote

from core import clock
from core.context import Context
from core.ports import ObjectStore
from ports.audit import LockedStorage

EVIDENCE_FOLDER = "evidence"
EXPORT_FOLDER = "audit-exports"


def evidence_key(org_id: str, evidence_id: str) -> str:
    """Key in locked storage of a file that is evidence."""
    return f"{EVIDENCE_FOLDER}/{org_id}/{evidence_id}"


def export_key(export_id: str, extension: str) -> str:
    """Key of a file that was exported."""
    return f"{EXPORT_FOLDER}/{export_id}.{extension}"


def store_of(ctx: Context, key: str) -> ObjectStore:
    """Store that holds a file: evidence is locked away, exports are not."""
    if key.startswith(f"{EVIDENCE_FOLDER}/"):
        return ctx.services.get(LockedStorage).objects
    return ctx.services.objects


def url(ctx: Context, key: str, expires_at: datetime) -> str:
    """URL of a file that is good until then."""
    direct = store_of(ctx, key).direct_url(key, expires_at=expires_at)
    if direct is not None:
        return direct
    ends = int(expires_at.timestamp())
    signature = ctx.services.signer.link("audit", key, ends)
    return f"{ctx.origin}/audit-files/{ends}-{signature}/{quote(key)}"


def opened(ctx: Context, path: str) -> str | None:
    """Key of a file by the path of its URL; None if we did not issue it, or its time is over."""
    head, _, key = path.partition("/")
    ends, _, signature = head.partition("-")
    if not ends.isdecimal() or len(ends) > 12 or int(ends) <= clock.timestamp():
        return None
    return key if ctx.services.signer.linked(signature, "audit", key, ends) else None
