"""Stored products and stock, brought up to date."""

from core.mutations.renames import rename_receipts
from core.storage import indexes
from core.storage.migrations import migration, rename_fields, update_each
from core.storage.mongo import Database
from stores.catalog import people, products, stock

MUTATIONS = {
    "moderateReview": "decideReview",
    "submitPredictionFeedback": "recordPredictionFeedback",
}
"""Former names of mutations, with the present ones."""


@migration("catalog.holds-by-holder")
async def holds_by_holder(db: Database) -> int:
    """One living hold of a holder: the index that keeps it begins with the shard key now."""
    return await indexes.retire(db, stock.reservations.name, "holder.type", "holder.id")


@migration("catalog.dirty")
async def dirty(db: Database) -> int:
    """Give the mark of rows whose changes are to be published its present name."""
    stores = (products.products, stock.inventory)
    return sum([await rename_fields(db, store, {"untold": "dirty"}) for store in stores])


@migration("catalog.mutation-names")
async def mutation_names(db: Database) -> int:
    """Let receipts of mutations be found under the mutations' present names."""
    return await rename_receipts(db, MUTATIONS)


@migration("catalog.versions")
async def versions(db: Database) -> int:
    """Give privacy choices of earlier versions the version that they were taken to have."""
    return await update_each(db, people.privacy, {"version": {"$exists": False}}, {"$set": {"version": 1}})
