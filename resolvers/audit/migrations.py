"""Stored checks and exports of earlier versions, brought up to date."""

from core.storage.indexes import retire
from core.storage.migrations import migration, rename_fields, update_each
from core.storage.mongo import Database
from stores import audit as store

CHECKS = {
    "reach": "kind",
    "performed_by": "performed_by_id",
    "total_checked": "checked_entry_count",
    "details": "damages",
}
"""Former names of fields of checks, with those that they have in the API."""


@migration("audit.check-names")
async def check_names(db: Database) -> int:
    """Give fields of checks the names that they have in the API."""
    changed = await rename_fields(db, store.checks, CHECKS)
    await retire(db, store.checks.name, "org_id", "reach", "-performed_at")
    return changed


@migration("audit.export-tries")
async def export_tries(db: Database) -> int:
    """Forget how often the file of an export was tried: its job knows."""
    return await update_each(db, store.audit_exports, {"tries": {"$exists": True}}, {"$unset": {"tries": ""}})
