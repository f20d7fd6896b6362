"""Groups and their members."""

from datetime import datetime
from typing import TypedDict

from core.storage.mongo import Database
from core.storage.store import Row, collection, entity, index
from stores.feed.kinds import GroupPrivacy, GroupRole
from stores.feed.posts import pair
from stores.feed.scopes import group_scopes


class Group(Row):
    name: str
    privacy: GroupPrivacy
    member_count: int


class Member(TypedDict):
    """`_id` is `group|user`."""

    _id: str
    group_id: str
    user_id: str
    role: GroupRole
    created_at: datetime


groups = entity("groups", Group, prefix="group", scopes=group_scopes)
members = collection(
    "group_members",
    Member,
    indexes=[index("user_id", "-created_at", "-_id"), index("group_id", "created_at", "_id")],
    shard_key="user_id",
)

MOST_OF_ONE = 600
"""Memberships read of one person: some more than there may be, for those who join two groups at once."""


async def memberships(db: Database, user_id: str) -> list[Member]:
    """Groups of a person, bounded by the limit on memberships."""
    return await members.find(db, {"user_id": user_id}, limit=MOST_OF_ONE, batch=True)


async def membership(db: Database, group_id: str, user_id: str) -> Member | None:
    return await members.by_id(db, pair(group_id, user_id))
