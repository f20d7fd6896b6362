"""Privileges of the account with which processes use the database: what is insert only it cannot change."""

from typing import Any

from core.storage.store import COLLECTIONS

ROLE = "landfall"
ADDED = ("find", "insert")
CHANGED = (*ADDED, "update", "remove")
KEPT = ("createCollection", "createIndex", "dropIndex", "listIndexes")
"""Actions by which collections and indexes are made at the start."""


def role(database: str) -> dict[str, Any]:
    """Command that creates the role, for whoever administers MongoDB to run."""
    privileges: list[dict[str, Any]] = [
        {
            "resource": {"db": database, "collection": name},
            "actions": [*(ADDED if declared.insert_only else CHANGED), *KEPT],
        }
        for name, declared in sorted(COLLECTIONS.items())
    ]
    # Reads that begin with documents of their own are of no collection.
    everywhere = {"resource": {"db": database, "collection": ""}, "actions": ["find", "listCollections"]}
    return {"createRole": ROLE, "privileges": [everywhere, *privileges], "roles": []}
