"""Lockouts after too many wrong guesses, and the tokens of password resets."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TypedDict

from core.storage.mongo import Database
from core.storage.store import collection, index


class Lock(TypedDict):
    """Lock of a subject: the blind index of an email (account or not), and `/device` for a known device."""

    _id: str
    until: datetime
    times: int
    """Consecutive locks; each doubles the next."""
    purge_at: datetime


class PasswordReset(TypedDict):
    """Password reset, by the SHA-256 of the mailed token."""

    _id: str
    user_id: str
    expires_at: datetime


locks = collection("auth_locks", Lock, indexes=[index("purge_at", expireAfterSeconds=0)])
password_resets = collection(
    "password_resets", PasswordReset, indexes=[index("user_id"), index("expires_at", expireAfterSeconds=0)]
)


async def lock(db: Database, subject: str, *, until: datetime, times: int, kept: timedelta) -> None:
    change = {"$set": {"until": until, "times": times, "purge_at": until + kept}}
    await locks.update_one(db, {"_id": subject}, change, upsert=True)


async def unlock(db: Database, subjects: Sequence[str]) -> None:
    await locks.delete_all(db, {"_id": {"$in": list(subjects)}})


async def forget_resets(db: Database, user_id: str) -> None:
    """Void the other reset tokens of a person."""
    await password_resets.delete_all(db, {"user_id": user_id})


async def good_reset(db: Database, hash: str, now: datetime) -> PasswordReset | None:
    return await password_resets.first(db, {"_id": hash, "expires_at": {"$gt": now}})
