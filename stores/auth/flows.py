"""Flows (open requests for a code or another proof), and the backup codes that stand in for one."""

from datetime import datetime
from enum import StrEnum
from typing import Any, TypedDict

from core.storage.mongo import Database
from core.storage.moves import Moves
from core.storage.store import Sealed, collection, index


class AuthFactor(StrEnum):
    """Authentication factor: a way to prove who one is."""

    PASSWORD = "PASSWORD"
    """Password of the account."""
    OTP = "OTP"
    """One-time code that was sent."""
    BACKUP_CODE = "BACKUP_CODE"
    """Backup code, good for one use."""
    PASSKEY = "PASSKEY"
    """Passkey of the account (WebAuthn)."""
    DEVICE_KEY = "DEVICE_KEY"
    """Key bound to one device."""


class AuthFlowKind(StrEnum):
    """Kind of a flow: what its code is for."""

    SIGN_IN = "SIGN_IN"
    """Finishing a sign-in with a second factor."""
    VERIFY_EMAIL = "VERIFY_EMAIL"
    """Proving an email address after sign-up."""
    STEP_UP = "STEP_UP"
    """Proving again who one is, before something sensitive."""
    ENABLE_TWO_FACTOR = "ENABLE_TWO_FACTOR"
    """Turning the second factor on."""
    CHANGE_PHONE = "CHANGE_PHONE"
    """Proving a new phone number."""
    CHANGE_EMAIL = "CHANGE_EMAIL"
    """Proving a new email address."""


class AuthFlowStatus(StrEnum):
    """Status of a flow."""

    OPEN = "OPEN"
    """Open, and waiting for the code."""
    VERIFIED = "VERIFIED"
    """Finished by the right code or another factor."""
    LOCKED = "LOCKED"
    """Closed after five wrong codes."""
    EXPIRED = "EXPIRED"
    """Closed because its time was up."""
    SUPERSEDED = "SUPERSEDED"
    """Closed by a newer flow of the same kind on the same device."""


class OtpMethod(StrEnum):
    """Delivery method of a one-time code."""

    SMS = "SMS"
    """Text message to the person's phone number."""
    EMAIL = "EMAIL"
    """Mail to the person's email address."""
    PUSH = "PUSH"
    """Push message to another signed-in device."""


class Flow(TypedDict):
    _id: str
    purpose: AuthFlowKind
    account: str
    """Account whose attempts are counted: a blind index of its email."""
    user_id: str | None
    """None until the sign-up's job has looked, and for good in a decoy flow."""
    device: dict[str, Any]
    session_id: str | None
    method: OtpMethod
    destination: str
    """Encrypted; empty for pushes."""
    masked_destination: str
    went: dict[str, Any] | None
    """Method and masked destination actually used: mail where texts failed."""
    code_hash: str | None
    """None until a code was drawn."""
    otp_length: int
    attempts_left: int
    sends: int
    """Number of codes sent; only the latest is valid."""
    resends_left: int
    resend_allowed_at: datetime
    expires_at: datetime
    factors: list[AuthFactor]
    """Ways to finish it."""
    passed: list[AuthFactor]
    """Factors proven before it."""
    change: dict[str, Any]
    """Change made when it is finished: a new account's data, a new phone or email."""
    status: AuthFlowStatus
    purge_at: datetime
    created_at: datetime
    updated_at: datetime


class BackupCode(TypedDict):
    _id: str
    user_id: str
    hash: str


flows = collection(
    "auth_flows",
    Flow,
    indexes=[
        index("account", "purpose", "status"),
        index("user_id"),
        index("purge_at", expireAfterSeconds=0),
    ],
    sealed=[Sealed("destination", "auth_flows/{_id}")],
    moves=Moves(
        {
            AuthFlowStatus.OPEN: {
                AuthFlowStatus.VERIFIED,
                AuthFlowStatus.LOCKED,
                AuthFlowStatus.EXPIRED,
                AuthFlowStatus.SUPERSEDED,
            },
            AuthFlowStatus.VERIFIED: (),
            AuthFlowStatus.LOCKED: (),
            AuthFlowStatus.EXPIRED: (),
            AuthFlowStatus.SUPERSEDED: (),
        }
    ),
)
backup_codes = collection("backup_codes", BackupCode, indexes=[index("user_id", "hash")], shard_key="user_id")


async def supersede(tx: Database, *, account: str, purpose: AuthFlowKind, device_id: str) -> None:
    """Close open flows of one purpose on one device: a newer one takes their place."""
    query = {"account": account, "purpose": purpose, "status": AuthFlowStatus.OPEN, "device._id": device_id}
    change = {"$set": {"status": AuthFlowStatus.SUPERSEDED}}
    await tx.write({"update": flows.name, "updates": [{"q": query, "u": change, "multi": True}]})


async def end_sign_ins(tx: Database, user_id: str) -> None:
    """Close a person's half-finished sign-ins: their proven factors no longer hold."""
    query = {"user_id": user_id, "purpose": AuthFlowKind.SIGN_IN, "status": AuthFlowStatus.OPEN}
    change = {"$set": {"status": AuthFlowStatus.EXPIRED}}
    await tx.write({"update": flows.name, "updates": [{"q": query, "u": change, "multi": True}]})


async def forget_backup_codes(tx: Database, user_id: str) -> None:
    await backup_codes.delete_all(tx, {"user_id": user_id})
