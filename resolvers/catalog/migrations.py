"""Stored products and stock, brought up to date."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from core import ids
from core.grants import GRANT_ROLES
from core.mutations.renames import rename_receipts
from core.storage import indexes, transactions
from core.storage.migrations import exists, migration, rename_fields, update_each
from core.storage.mongo import Database
from core.storage.unit import Unit
from resolvers import auth
from stores import auth as accounts
from stores.catalog import people, products, stock

MUTATIONS = {
    "moderateReview": "decideReview",
    "submitPredictionFeedback": "recordPredictionFeedback",
}
"""Former names of mutations, with the present ones."""


FORMER_ROLES = "commerce_roles"
"""Collection of the shop roles of people, before they were granted as all others are."""
BATCH = 200


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


@migration("catalog.grants")
async def grants(db: Database) -> int:
    """Turn the shop roles of earlier versions into grants, each in a transaction with its log entry."""
    if not await exists(db, FORMER_ROLES):
        return 0
    moved = 0
    while rows := await db.find(FORMER_ROLES, {}, limit=BATCH):
        granted, _ = await transactions.run(db, partial(_grant, rows=rows))
        moved += granted
    await db.command({"drop": FORMER_ROLES})
    return moved


async def _grant(tx: Unit, *, rows: Sequence[Mapping[str, Any]]) -> int:
    for row in rows:
        role, user_id = GRANT_ROLES[row["role"]], row["user_id"]
        if await accounts.grant_of(tx.db, user_id, role, None) is None:
            named = {"user_id": user_id, "role": str(role), "scope": role.scope, "scope_id": None}
            given = {"granted_by": row["granted_by"], "expires_at": None, "created_at": row["created_at"]}
            await tx.insert(accounts.grants, {"_id": ids.new_id("grant"), **named, **given})
            auth.note_grants(tx, user_id)
    done = [{"q": {"_id": {"$in": [row["_id"] for row in rows]}}, "limit": 0}]
    await tx.db.write({"delete": FORMER_ROLES, "deletes": done})
    return len(rows)
