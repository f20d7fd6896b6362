"""Grants: roles that people hold in something, for a time."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from core.grants import GrantScope
from core.storage.mongo import Database
from core.storage.store import Row, entity, index


class Grant(Row):
    user_id: str
    role: str
    scope: GrantScope
    scope_id: str | None
    """Name of the organization, or id of the thing; None in scopes of which there is one."""
    granted_by: str | None
    """None after that person's account was deleted, and for grants that no person gave."""
    expires_at: datetime | None


grants = entity(
    "grants",
    Grant,
    prefix="grant",
    owner="user_id",
    indexes=[
        index("user_id", "role", "scope_id", unique=True),
        index("user_id", "-created_at", "-_id"),
        index("role", "scope_id", "-created_at", "-_id"),
        index("-created_at", "-_id"),
        index("granted_by"),
    ],
    # A unique index must begin with it.
    shard_key="user_id",
)

MOST_GRANTS = 200
"""Grants one person may have."""


async def grants_of(db: Database, user_id: str) -> list[Grant]:
    """All grants of a person, those that have expired included."""
    return await grants.find(db, {"user_id": user_id}, batch=True)


async def grant_of(db: Database, user_id: str, role: str, scope_id: str | None) -> Grant | None:
    return await grants.first(db, {"user_id": user_id, "role": role, "scope_id": scope_id})


async def count_grants(db: Database, user_id: str) -> int:
    rows = await grants.find(db, {"user_id": user_id}, fields=("_id",), limit=MOST_GRANTS)
    return len(rows)


def in_force(moment: datetime) -> Mapping[str, Any]:
    """Query for grants that have not expired."""
    return {"$or": [{"expires_at": None}, {"expires_at": {"$gt": moment}}]}


async def holders(db: Database, role: str, scope_id: str | None, moment: datetime, most: int) -> list[str]:
    """People who hold a role in an organization or thing at a moment, those who were given it last first."""
    query = {"role": role, "scope_id": scope_id, **in_force(moment)}
    rows = await grants.find(
        db, query, sort=[("created_at", -1), ("_id", -1)], limit=most, fields=("user_id",)
    )
    return [row["user_id"] for row in rows]


async def forget_giver(db: Database, user_id: str) -> None:
    """Leave no word of a deleted person on what they granted."""
    gone = {"q": {"granted_by": user_id}, "u": {"$set": {"granted_by": None}}, "multi": True}
    await db.write({"update": grants.name, "updates": [gone]})
