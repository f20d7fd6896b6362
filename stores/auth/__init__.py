"""People, their sessions and devices."""

from stores.auth.accounts import (
    Role,
    User,
    UserKey,
    UserStatus,
    email_key,
    keys_of,
    user_by_email,
    user_keys,
    users,
    users_to_delete,
)
from stores.auth.deletions import (
    Deletion,
    claim_deletion,
    confirm_deletion,
    deletions,
    finish_deletion,
    retry_deletion,
)
from stores.auth.devices import OwnDevice, device_key, devices, devices_with_push, own_devices
from stores.auth.flows import AuthFactor, FlowPurpose, FlowStatus, OtpMethod
from stores.auth.security import SecurityEvent, SecurityKind, security_events
from stores.auth.sessions import (
    Device,
    DevicePlatform,
    Session,
    SessionEndReason,
    SessionStatus,
    active_sessions,
    ended_since,
    sessions,
)

__all__ = [
    "AuthFactor",
    "Deletion",
    "Device",
    "DevicePlatform",
    "FlowPurpose",
    "FlowStatus",
    "OtpMethod",
    "OwnDevice",
    "Role",
    "SecurityEvent",
    "SecurityKind",
    "Session",
    "SessionEndReason",
    "SessionStatus",
    "User",
    "UserKey",
    "UserStatus",
    "active_sessions",
    "claim_deletion",
    "confirm_deletion",
    "deletions",
    "device_key",
    "devices",
    "devices_with_push",
    "email_key",
    "ended_since",
    "finish_deletion",
    "keys_of",
    "own_devices",
    "retry_deletion",
    "security_events",
    "sessions",
    "user_by_email",
    "user_keys",
    "users",
    "users_to_delete",
]
