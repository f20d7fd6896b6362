"""Signing keys of access tokens, shared by all processes; private halves are encrypted."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypedDict

from pymongo.errors import DuplicateKeyError

from core.storage.mongo import Database
from core.storage.store import Sealed, collection, index


class SigningKey(TypedDict):
    """`_id` is the `kid` of tokens."""

    _id: str
    generation: int
    public: str
    private: str | None
    """Encrypted private half; removed once a newer key signs."""
    signs_from: datetime
    created_at: datetime


signing_keys = collection(
    "signing_keys",
    SigningKey,
    indexes=[index("generation", unique=True)],
    shard_key=None,
    sealed=[Sealed("private", "signing_keys/{_id}/private")],
)


async def all_signing_keys(db: Database) -> list[SigningKey]:
    """Oldest first."""
    return await signing_keys.find(db, {}, sort=[("generation", 1)], limit=100)


async def add_signing_key(db: Database, key: SigningKey) -> bool:
    """False if another process was first to add this generation."""
    try:
        await db.write({"insert": signing_keys.name, "documents": [key]})
    except DuplicateKeyError:
        return False
    return True


async def change_signing_key(db: Database, kid: str, change: Mapping[str, Any]) -> None:
    await signing_keys.update_one(db, {"_id": kid}, {"$set": change})


async def remove_signing_key(db: Database, kid: str) -> None:
    await signing_keys.delete_one(db, {"_id": kid})
