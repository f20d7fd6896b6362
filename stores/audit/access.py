"""Access to the audit log: grants for a time."""

from datetime import datetime
from typing import Any, TypedDict

from core.storage.store import collection, index


class AuditAccessGrant(TypedDict):
    """Access of an external auditor to the entries of some incidents, until a moment."""

    _id: str
    version: int
    org_id: str
    grantee_id: str
    incident_ids: list[str]
    pii: bool
    granted_by: str
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


access_grants = collection(
    "audit_grants",
    AuditAccessGrant,
    prefix="audit_access_grant",
    indexes=[index("grantee_id", "-created_at", "-_id"), index("org_id", "-created_at", "-_id")],
    shard_key="grantee_id",
    versioned=True,
)


def in_force(moment: datetime) -> dict[str, Any]:
    """Condition of grants that are neither over nor revoked."""
    return {"revoked_at": None, "expires_at": {"$gt": moment}}
