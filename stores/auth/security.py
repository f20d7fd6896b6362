"""Security events of an account."""

from datetime import datetime, timedelta
from enum import StrEnum

from core.storage.store import Row, collection, index
from stores.auth.sessions import Device


class SecurityEventKind(StrEnum):
    """Kind of a security event."""

    SIGN_IN = "SIGN_IN"
    """Somebody signed in to the account."""
    SIGN_IN_FAILED = "SIGN_IN_FAILED"
    """Somebody tried to sign in and failed."""
    NEW_DEVICE = "NEW_DEVICE"
    """Somebody signed in on a device, or from a place, not seen before."""
    LOCKED = "LOCKED"
    """The account was locked, by too many failures or an administrator."""
    REUSE_DETECTED = "REUSE_DETECTED"
    """A superseded refresh token was used: perhaps it was stolen."""
    PASSWORD_CHANGED = "PASSWORD_CHANGED"
    """The password was changed or reset."""
    TWO_FACTOR_CHANGED = "TWO_FACTOR_CHANGED"
    """The second factor was turned on, off or changed."""
    KEY_ADDED = "KEY_ADDED"
    """A passkey or device key was added."""
    KEY_REMOVED = "KEY_REMOVED"
    """A passkey or device key was removed, or disabled because it was copied."""
    SESSION_REVOKED = "SESSION_REVOKED"
    """A session was ended from elsewhere."""
    EXPORT = "EXPORT"
    """An export of everything kept about the person was asked for."""
    DELETION = "DELETION"
    """Deletion of the account was asked for, or called off."""


class SecurityEvent(Row):
    user_id: str
    kind: SecurityEventKind
    alerting: bool
    device: Device | None
    ip_masked: str
    approx_location: str | None
    at: datetime


KEPT = timedelta(days=400)

security_events = collection(
    "security_events",
    SecurityEvent,
    prefix="security_event",
    owner="user_id",
    synced=True,
    indexes=[
        index("user_id", "-at", "-_id"),
        index("at", expireAfterSeconds=int(KEPT.total_seconds())),
    ],
    shard_key="user_id",
)
