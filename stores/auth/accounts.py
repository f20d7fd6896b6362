"""Accounts, and the unique keys that find them at sign-in."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any, NotRequired, TypedDict

from core import ids
from core.context import PERSONAL
from core.hooks import PlainHook
from core.security.access import role_kind
from core.storage.indexes import A_MOMENT, A_TEXT, LONG_AGO, due
from core.storage.mongo import Database
from core.storage.moves import Moves
from core.storage.store import Further, Row, Sealed, collection, entity, index
from core.sync.changes import user_scope
from stores.auth import emails
from stores.auth.flows import OtpMethod


class Role(StrEnum):
    """Role of a person: permissions beyond their own account. Access tokens tell it to other services."""

    MEMBER = "MEMBER"
    """Has an ordinary account and no further permissions."""
    PROVIDER = "PROVIDER"
    """Offers appointments and services; no permissions in this API."""
    OPERATOR = "OPERATOR"
    """Runs incidents and deliveries; no permissions in this API."""
    MODERATOR = "MODERATOR"
    """Reads all reports, and judges the content and messages that were reported."""
    AUDITOR = "AUDITOR"
    """Audits what was done with the service by its log."""
    ADMIN = "ADMIN"
    """Administers accounts and roles, sponsorships and the feed's experiment; has every role of the shop."""


role_kind("roles", "Roles of the account, one of which is needed.", Role)


class AccountStatus(StrEnum):
    """Status of an account."""

    PENDING_VERIFICATION = "PENDING_VERIFICATION"
    """Signed up, with an email address that is not proven yet."""
    ACTIVE = "ACTIVE"
    """In ordinary use by its owner."""
    SUSPENDED = "SUSPENDED"
    """Closed by an administrator, until one opens it again."""
    DELETION_SCHEDULED = "DELETION_SCHEDULED"
    """Due for deletion as the owner asked; signing in calls it off."""
    DELETED = "DELETED"
    """Erased for good, with all personal data."""


class TwoFactor(TypedDict):
    """The second factor a person chose."""

    method: OtpMethod
    destination: str
    """Encrypted; empty for pushes."""
    masked_destination: str
    backup_codes_left: int
    enabled_at: datetime


class User(Row):
    first_name: str | None
    last_name: str | None
    handle: str | None
    bio: str | None
    avatar_id: str | None
    avatar_upload_id: NotRequired[str | None]
    """The avatar chosen last; shown when it is ready."""
    email: str
    email_verified: bool
    locale: str
    time_zone: str
    roles: list[Role]
    org: NotRequired[str]
    job_role: NotRequired[str | None]
    """Job title, as set by an administrator."""
    deletion_due_at: NotRequired[datetime]
    locked_until: NotRequired[datetime]
    status: AccountStatus
    password_hash: str
    accepted_terms_version: str
    phone: NotRequired[str]
    """Encrypted."""
    phone_index: NotRequired[str]
    """Blind index: equal for equal numbers, not reversible."""
    phone_masked: NotRequired[str]
    two_factor: NotRequired[TwoFactor | None]
    shown_at: NotRequired[datetime]
    """Time of the last change that others may read, counters aside."""
    account_changes: NotRequired[int]
    """Number of changes of what its owner alone reads."""
    account_changed_at: NotRequired[datetime]
    follower_count: NotRequired[int]
    following_count: NotRequired[int]
    post_count: NotRequired[int]


class UserKey(TypedDict):
    """`email:ada@example.com`: unique over all people, and the way to find one at sign-in."""

    _id: str
    user_id: str


keepers = PlainHook[[str], str]("auth.keepers")
"""Scope read by those who keep a person on their devices: followers, chat partners."""


def person_scopes(user: Mapping[str, Any]) -> list[str]:
    """Scopes of a person's public change: themselves, and while active, everybody who keeps them."""
    own = [user_scope(user["_id"])]
    return [*own, *keepers(user["_id"])] if user["status"] == AccountStatus.ACTIVE else own


def _readers(user: User) -> list[str]:
    """Scopes of a deleted person: none, they are gone from all devices."""
    return [] if user["status"] == AccountStatus.DELETED else person_scopes(user)


def org_of(user: Mapping[str, Any]) -> str:
    """Organization of a person, or of their account; PERSONAL for those who belong to none."""
    org: str = user.get("org", PERSONAL)
    return org


def account_of(user: Mapping[str, Any]) -> dict[str, Any]:
    """The person's account as a node: all of the stored document, under an id and a version of its own."""
    return {
        **user,
        "_id": account_id(user["_id"]),
        "user_id": user["_id"],
        "version": 1 + user.get("account_changes", 0),
        "updated_at": user.get("account_changed_at") or user.get("created_at"),
    }


def account_id(user_id: str) -> str:
    return ids.sibling(user_id, "account")


def _owners(user: User) -> list[str]:
    """Scopes of a person's account: their own devices."""
    return [] if user["status"] == AccountStatus.DELETED else [user_scope(user["_id"])]


ADMINISTRATORS = {"roles": Role.ADMIN.value}
"""Condition of those who administer the service."""

users = entity(
    "users",
    User,
    prefix="user",
    scopes=_readers,
    aspects=("counts",),
    further=[Further(_owners, account_of)],
    indexes=[
        index(
            "deletion_due_at",
            partialFilterExpression={"deletion_due_at": A_MOMENT},
            serves=due("deletion_due_at", LONG_AGO),
        ),
        index("phone_index", partialFilterExpression={"phone_index": A_TEXT}, serves={"phone_index": "x"}),
        index("-follower_count", "_id"),
        index("updated_at", "_id"),
        index("roles", "_id", partialFilterExpression=ADMINISTRATORS, serves=ADMINISTRATORS),
    ],
    sealed=[
        Sealed("phone", "users/{_id}/phone"),
        Sealed("two_factor.destination", "users/{_id}/two_factor"),
    ],
    moves=Moves(
        {
            AccountStatus.PENDING_VERIFICATION: {AccountStatus.ACTIVE, AccountStatus.DELETED},
            AccountStatus.ACTIVE: {
                AccountStatus.SUSPENDED,
                AccountStatus.DELETION_SCHEDULED,
                AccountStatus.DELETED,
            },
            AccountStatus.SUSPENDED: {AccountStatus.ACTIVE, AccountStatus.DELETED},
            AccountStatus.DELETION_SCHEDULED: {AccountStatus.ACTIVE, AccountStatus.DELETED},
            AccountStatus.DELETED: (),
        }
    ),
)
user_keys = collection("user_keys", UserKey, indexes=[index("user_id")])


def email_key(email: str) -> str:
    return f"email:{emails.canonical(email)}"


def handle_key(handle: str) -> str:
    return f"handle:{handle.lower()}"


async def popular(db: Database, *, limit: int) -> list[str]:
    """Ids of active people with the most followers."""
    query, order = {"status": AccountStatus.ACTIVE}, [("follower_count", -1), ("_id", 1)]
    rows = await users.find(db, query, sort=order, limit=limit, fields=("_id",))
    return [row["_id"] for row in rows]


async def administrators(db: Database, *, limit: int) -> list[str]:
    """Ids of active people who administer the service, those who signed up last first."""
    query = {**ADMINISTRATORS, "status": AccountStatus.ACTIVE}
    rows = await users.find(db, query, sort=[("_id", -1)], limit=limit, fields=("_id",))
    return [row["_id"] for row in rows]


async def user_by_email(db: Database, email: str) -> User | None:
    owner = await user_keys.by_id(db, email_key(email))
    return await users.by_id(db, owner["user_id"]) if owner else None


async def users_with_number(db: Database, phone_index: str, *, limit: int) -> list[User]:
    """People whose confirmed number this is, by its blind index: some share one."""
    return await users.find(db, {"phone_index": phone_index}, limit=limit)


async def email_keys(db: Database, *, after: str, pattern: str, limit: int) -> list[UserKey]:
    """Keys of matching emails, in their order."""
    query = {"_id": {"$gt": after, "$lt": "email;", "$regex": pattern}}
    return await user_keys.find(db, query, sort=[("_id", 1)], limit=limit)


async def keys_of(db: Database, user_id: str) -> list[UserKey]:
    """Unique keys that a person holds: email, handle."""
    return await user_keys.find(db, {"user_id": user_id}, limit=100)
