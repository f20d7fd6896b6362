"""Phones and browsers of a person."""

from collections.abc import Iterable
from datetime import datetime
from typing import NotRequired, TypedDict

from core.storage.indexes import A_TEXT
from core.storage.mongo import Database
from core.storage.store import Sealed, collection, index
from stores.auth.sessions import DevicePlatform


class OwnDevice(TypedDict):
    """Device of one person: the next to sign in on it has a record of their own."""

    _id: str
    user_id: str
    device_id: str
    name: str
    platform: DevicePlatform
    os_version: str | None
    app_version: str | None
    push_enabled: bool
    push_token: NotRequired[str | None]
    """Sealed."""
    push_index: NotRequired[str | None]
    """Blind index: tells equal tokens, and nothing else."""
    approx_location: NotRequired[str | None]
    """Approximate location of its last sign-in."""
    created_at: datetime
    last_seen_at: datetime


devices = collection(
    "devices",
    OwnDevice,
    indexes=[
        index("user_id", "-last_seen_at", "-device_id"),
        index("push_index", partialFilterExpression={"push_index": A_TEXT}, serves={"push_index": "x"}),
    ],
    shard_key="user_id",
    sealed=[Sealed("push_token", "devices/{_id}/push_token")],
)

MOST_DEVICES = 100
"""Devices of one person that are read."""


def device_key(user_id: str, device_id: str) -> str:
    return f"{user_id}/{device_id}"


def device_named(user_id: str, device_id: str) -> dict[str, str]:
    """Filter that names a person's device in a write."""
    return {"_id": device_key(user_id, device_id), "user_id": user_id}


async def own_devices(db: Database, user_id: str, device_ids: Iterable[str]) -> list[OwnDevice]:
    query = {"user_id": user_id, "_id": {"$in": [device_key(user_id, id) for id in device_ids]}}
    return await devices.find(db, query, limit=MOST_DEVICES)


async def devices_with_push(db: Database, user_id: str) -> list[OwnDevice]:
    """Devices with a push token, latest use first; tokens are encrypted."""
    query = {"user_id": user_id, "push_enabled": True}
    return await devices.find(db, query, sort=[("last_seen_at", -1)], limit=MOST_DEVICES)


async def devices_with_token(db: Database, push_index: str) -> list[OwnDevice]:
    """Devices registered with this push token, by its blind index."""
    return await devices.find(db, {"push_index": push_index}, limit=MOST_DEVICES)
