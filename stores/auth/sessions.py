"""Sessions and the devices they live on."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, NotRequired, TypedDict

from core.storage.indexes import A_MOMENT, LONG_AGO, due
from core.storage.mongo import Database
from core.storage.moves import Moves
from core.storage.store import Row, entity, index
from stores.auth.flows import AuthFactor


class DevicePlatform(StrEnum):
    """Platform of a device."""

    IOS = "IOS"
    """iPhone or iPad, in an app."""
    ANDROID = "ANDROID"
    """Android phone or tablet, in an app."""
    WEB = "WEB"
    """Web browser on whatever device."""
    OTHER = "OTHER"
    """Device of any other platform."""


class SessionStatus(StrEnum):
    """Status of a session."""

    ACTIVE = "ACTIVE"
    """Signed in, with tokens that are good."""
    ENDED = "ENDED"
    """Over for good, with tokens that are refused."""


class SessionEndReason(StrEnum):
    """Reason for the end of a session."""

    SIGNED_OUT = "SIGNED_OUT"
    """Signed out on the device."""
    REVOKED_BY_USER = "REVOKED_BY_USER"
    """Ended from another device."""
    REVOKED_BY_ADMIN = "REVOKED_BY_ADMIN"
    """Ended by an administrator."""
    REUSE_DETECTED = "REUSE_DETECTED"
    """A superseded refresh token was used: perhaps it was stolen."""
    PASSWORD_CHANGED = "PASSWORD_CHANGED"
    """The password changed elsewhere."""
    IDLE = "IDLE"
    """Not renewed for 30 days."""
    ABSOLUTE = "ABSOLUTE"
    """Ended 180 days after the sign-in."""
    EVICTED = "EVICTED"
    """Idle longest when one session too many began."""
    ACCOUNT_CLOSED = "ACCOUNT_CLOSED"
    """The account was suspended or deleted."""


class Device(TypedDict):
    _id: str
    name: str
    platform: DevicePlatform
    os_version: str | None
    app_version: str | None
    push_enabled: bool


class Session(Row):
    user_id: str
    device: Device
    status: SessionStatus
    end_reason: SessionEndReason | None
    factors: list[AuthFactor]
    ip_masked: str
    approx_location: NotRequired[str | None]
    counter: int
    rotated_at: datetime
    authenticated_at: datetime
    last_seen_at: datetime
    last_validated_at: datetime
    expires_at: datetime
    absolute_expires_at: datetime
    ended_at: datetime | None
    purge_at: datetime | None


sessions = entity(
    "sessions",
    Session,
    prefix="session",
    owner="user_id",
    indexes=[
        index("user_id", "status", "-last_seen_at", "-_id"),
        index("user_id", "_id"),
        index("status", "expires_at"),
        index("status", "absolute_expires_at"),
        index("purge_at", partialFilterExpression={"purge_at": A_MOMENT}, serves=due("purge_at", LONG_AGO)),
    ],
    shard_key="user_id",
    moves=Moves(
        {
            SessionStatus.ACTIVE: {SessionStatus.ENDED},
            SessionStatus.ENDED: (),
        }
    ),
)


async def active_sessions(db: Database, user_id: str) -> list[Session]:
    """Oldest use first."""
    query = {"user_id": user_id, "status": SessionStatus.ACTIVE}
    return await sessions.find(db, query, sort=[("last_seen_at", 1)], limit=100)


async def active_on(db: Database, user_id: str, device_id: str) -> list[Session]:
    """The person's sessions on one device."""
    query = {"user_id": user_id, "status": SessionStatus.ACTIVE, "device._id": device_id}
    return await sessions.find(db, query, limit=100)


async def count_sessions(db: Database, query: Mapping[str, Any]) -> int:
    rows = await db.aggregate(sessions.name, [{"$match": query}, {"$count": "sessions"}])
    return int(rows[0]["sessions"]) if rows else 0
