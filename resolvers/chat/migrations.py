"""Stored chats, brought up to date."""

from core.storage.migrations import migration, rename_fields
from core.storage.mongo import Database
from stores import chat as store


@migration("chat.blocked")
async def blocked(db: Database) -> int:
    """Give the mark of chats between people who block each other its present name."""
    return await rename_fields(db, store.members, {"parted": "blocked"})
