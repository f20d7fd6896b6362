"""What administrators see of accounts and do with them."""

from datetime import datetime

from core.binding import connection, input_, one, type_
from core.binding.common import MutationInput, Payload
from core.ids import Id
from core.text import Line
from loaders.auth import UserById
from resolvers.auth import admin
from schema.auth.accounts import User
from schema.auth.security import SecurityEventConnection
from schema.auth.sessions import SessionConnection
from stores.auth import Role


@type_
class Account:
    """An account as administrators see it: addresses and phone numbers mostly hidden."""

    user: User | None = one(UserById, key="user_id")
    """The person, whatever the account's status."""
    locked_until: datetime | None
    """Until when an administrator locked it; null when none did."""
    sessions: SessionConnection = connection(admin.account_sessions, status="Only sessions with this status.")
    """Their sessions, latest use first."""
    security_events: SecurityEventConnection = connection(admin.account_security_events)
    """What happened to the account's safety, newest first."""


@input_
class SuspendUserInput(MutationInput):
    """An account to close for now."""

    user_id: Id
    """Whose."""
    reason: str
    """Why, for the record; 1 to 500 characters."""


@type_
class SuspendUserPayload(Payload):
    """The account is closed, its sessions are over."""

    user: User | None
    """The person; null when refused."""


@input_
class UnsuspendUserInput(MutationInput):
    """An account to open again."""

    user_id: Id
    """Whose."""
    reason: str
    """Why, for the record; 1 to 500 characters."""


@type_
class UnsuspendUserPayload(Payload):
    """The account is in use again."""

    user: User | None
    """The person; null when refused."""


@input_
class LockUserInput(MutationInput):
    """An account nobody may sign in to for a while; sessions go on."""

    user_id: Id
    """Whose."""
    minutes: int
    """How long: from a minute to 30 days."""
    reason: str
    """Why, for the record; 1 to 500 characters."""


@type_
class LockUserPayload(Payload):
    """The account is locked."""

    user: User | None
    """The person; null when refused."""


@input_
class UnlockUserInput(MutationInput):
    """An account to unlock, whoever or whatever locked it."""

    user_id: Id
    """Whose."""
    reason: str
    """Why, for the record; 1 to 500 characters."""


@type_
class UnlockUserPayload(Payload):
    """The account is not locked."""

    user: User | None
    """The person; null when refused."""


@input_
class AssignRolesInput(MutationInput):
    """What a person may do from now on."""

    user_id: Id
    """Whose."""
    roles: list[Role]
    """All of them; MEMBER is always among them."""
    org: str | None
    """Organisation: small letters, digits and dashes, `personal` for none; left out: as it was."""
    job_role: Line | None
    """What they do there, at most 100 characters, empty for nothing; left out: as it was."""
    reason: str
    """Why, for the record; 1 to 500 characters."""


@type_
class AssignRolesPayload(Payload):
    """The person may do that from now on; their devices refresh their tokens by themselves."""

    user: User | None
    """The person; null when refused."""


@input_
class RevokeUserSessionsInput(MutationInput):
    """Whose sessions end: `userId`, or `all`."""

    user_id: Id | None
    """One person's."""
    all: bool = False
    """Everybody's but this one."""
    reason: str
    """Why, for the record; 1 to 500 characters."""


@type_
class RevokeUserSessionsPayload(Payload):
    """The sessions are over."""

    ended_count: int | None
    """How many there were; null when refused."""
