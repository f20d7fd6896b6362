"""Migrations of stored reservations."""

from core import indexes
from core.migrations import migration
from core.mongo import Database
from stores.catalog import stock


@migration("catalog.holds-by-holder")
async def holds_by_holder(db: Database) -> int:
    """One living hold of a holder: the index that keeps it begins with the shard key now."""
    return await indexes.retire(db, stock.reservations.name, "holder.type", "holder.id")
