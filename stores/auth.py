"""People, their sessions and devices."""

from datetime import datetime
from enum import StrEnum
from typing import NotRequired, TypedDict

from core.mongo import MAX_ROWS, Database
from core.store import collection, index


class Role(StrEnum):
    """What a person may do beyond their own account."""

    MEMBER = "MEMBER"
    """An ordinary account."""
    PROVIDER = "PROVIDER"
    """Offers appointments and services."""
    OPERATOR = "OPERATOR"
    """Runs incidents and deliveries."""
    MODERATOR = "MODERATOR"
    """Judges reported content."""
    AUDITOR = "AUDITOR"
    """Reads audit records."""
    ADMIN = "ADMIN"
    """Administers the service."""


class UserStatus(StrEnum):
    """Where an account is in its life."""

    PENDING_VERIFICATION = "PENDING_VERIFICATION"
    """Signed up; the email address is not yet proven."""
    ACTIVE = "ACTIVE"
    """In use."""
    SUSPENDED = "SUSPENDED"
    """Closed by an administrator for now."""
    DELETION_SCHEDULED = "DELETION_SCHEDULED"
    """Its owner asked for deletion; signing in undoes it."""
    DELETED = "DELETED"
    """Gone."""


class DevicePlatform(StrEnum):
    """What kind of device it is."""

    IOS = "IOS"
    """iPhone or iPad."""
    ANDROID = "ANDROID"
    """Android phone or tablet."""
    WEB = "WEB"
    """A browser."""
    OTHER = "OTHER"
    """Anything else."""


class SessionStatus(StrEnum):
    """Whether a session's tokens are good."""

    ACTIVE = "ACTIVE"
    """Signed in."""
    ENDED = "ENDED"
    """Over for good; its tokens are refused."""


class SessionEndReason(StrEnum):
    """Why a session ended."""

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
    """Not used for 30 days."""
    ABSOLUTE = "ABSOLUTE"
    """180 days old."""
    EVICTED = "EVICTED"
    """Too many sessions: the one idle longest gives way."""
    ACCOUNT_CLOSED = "ACCOUNT_CLOSED"
    """The account was suspended or deleted."""


class AuthFactor(StrEnum):
    """A way to prove who one is."""

    PASSWORD = "PASSWORD"
    """Password."""
    OTP = "OTP"
    """One-time code."""
    BACKUP_CODE = "BACKUP_CODE"
    """Single-use backup code."""
    PASSKEY = "PASSKEY"
    """WebAuthn passkey."""
    DEVICE_KEY = "DEVICE_KEY"
    """Key bound to a device."""


class User(TypedDict):
    _id: str
    first_name: str | None
    last_name: str | None
    handle: str | None
    bio: str | None
    avatar_id: str | None
    email: str
    email_verified: bool
    locale: str
    time_zone: str
    roles: list[Role]
    status: UserStatus
    password_hash: str
    accepted_terms_version: str
    version: int
    created_at: datetime
    updated_at: datetime
    follower_count: NotRequired[int]
    following_count: NotRequired[int]
    post_count: NotRequired[int]


class UserKey(TypedDict):
    """`email:ada@example.com`: unique over all people, and the way to find one at sign-in."""

    _id: str
    user_id: str


class Device(TypedDict):
    _id: str
    name: str
    platform: DevicePlatform
    os_version: str | None
    app_version: str | None
    push_enabled: bool


class Session(TypedDict):
    _id: str
    user_id: str
    device: Device
    status: SessionStatus
    end_reason: SessionEndReason | None
    factors: list[AuthFactor]
    ip_masked: str
    counter: int
    rotated_at: datetime
    authenticated_at: datetime
    last_seen_at: datetime
    last_validated_at: datetime
    expires_at: datetime
    absolute_expires_at: datetime
    ended_at: datetime | None
    purge_at: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime


users = collection("users", User, prefix="user", synced=True)
user_keys = collection("user_keys", UserKey)
sessions = collection(
    "sessions",
    Session,
    prefix="session",
    indexes=[
        index("user_id", "status", "-last_seen_at"),
        index("user_id", "_id"),
        index("ended_at", partialFilterExpression={"ended_at": {"$type": "date"}}),
        index("purge_at", partialFilterExpression={"purge_at": {"$type": "date"}}),
    ],
    shard_key="user_id",
    synced=True,
)


def email_key(email: str) -> str:
    return f"email:{email.casefold()}"


async def user_by_email(db: Database, email: str) -> User | None:
    owner = await user_keys.by_id(db, email_key(email))
    return await users.by_id(db, owner["user_id"]) if owner else None


async def active_sessions(db: Database, user_id: str) -> list[Session]:
    """Oldest use first."""
    query = {"user_id": user_id, "status": SessionStatus.ACTIVE}
    return await sessions.find(db, query, sort=[("last_seen_at", 1)], limit=100)


async def ended_since(db: Database, moment: datetime) -> list[Session]:
    """Sessions that ended at or after a moment, in that order."""
    query = {"ended_at": {"$gte": moment}}
    return await sessions.find(db, query, sort=[("ended_at", 1)], limit=MAX_ROWS, fields=("ended_at",))
