"""Saved audit queries: filters of the audit log that a person keeps under a name."""

from typing import Any

from core.storage.store import Row, entity, index


class SavedAuditQuery(Row):
    owner_id: str
    org_id: str
    name: str
    filter: dict[str, Any]
    """Filter by the names that clients write."""


saved_queries = entity(
    "audit_saved_queries",
    SavedAuditQuery,
    prefix="saved_audit_query",
    owner="owner_id",
    indexes=[index("owner_id", "-created_at", "-_id")],
    shard_key="owner_id",
)
