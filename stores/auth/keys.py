"""Passkeys and device keys: their public halves."""

from datetime import datetime
from enum import StrEnum

from core.storage.mongo import Database
from core.storage.store import Row, entity, index
from stores.auth.sessions import Device


class AuthKeyKind(StrEnum):
    """Kind of an authentication key."""

    PASSKEY = "PASSKEY"
    """WebAuthn credential, kept by the platform or a security key."""
    DEVICE_KEY = "DEVICE_KEY"
    """P-256 key in one device's secure hardware, unlocked by fingerprint or face."""


class AuthKey(Row):
    user_id: str
    kind: AuthKeyKind
    name: str
    device: Device | None
    credential_id: str
    """Credential id given by the authenticator; for device keys a hash of the key itself."""
    public_key: str
    counter: int
    disabled_at: datetime | None
    last_used_at: datetime | None


auth_keys = entity(
    "auth_keys",
    AuthKey,
    prefix="auth_key",
    owner="user_id",
    indexes=[
        index("credential_id", unique=True),
        index("user_id", "-created_at", "-_id"),
    ],
    # A unique index must begin with it.
    shard_key="credential_id",
)

MOST_KEYS = 10
"""Keys one person may have."""


async def keys_of_user(db: Database, user_id: str) -> list[AuthKey]:
    return await auth_keys.find(db, {"user_id": user_id}, sort=[("created_at", -1)], limit=100)


async def key_named(db: Database, name: str) -> AuthKey | None:
    """Key by our id or the authenticator's."""
    field = "_id" if name.startswith("auth_key_") else "credential_id"
    return await auth_keys.first(db, {field: name})
