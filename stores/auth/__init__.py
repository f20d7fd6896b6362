"""People, their sessions and devices."""

from stores.auth.accounts import Role, User, UserKey, UserStatus, email_key, user_by_email, user_keys, users
from stores.auth.flows import AuthFactor, FlowPurpose, FlowStatus, OtpMethod
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
    "Device",
    "DevicePlatform",
    "FlowPurpose",
    "FlowStatus",
    "OtpMethod",
    "Role",
    "Session",
    "SessionEndReason",
    "SessionStatus",
    "User",
    "UserKey",
    "UserStatus",
    "active_sessions",
    "email_key",
    "ended_since",
    "sessions",
    "user_by_email",
    "user_keys",
    "users",
]
