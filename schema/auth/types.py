"""People, sessions, flows, keys and security events, as clients see them."""

from datetime import datetime

from core.graphql import (
    Page,
    connection,
    derived,
    extend,
    field,
    input_,
    key,
    local,
    node,
    one,
    type_,
    unsynced,
)
from core.graphql.common import Entity, Node
from core.graphql.pages import called
from core.ids import Id
from core.values.text import Line
from loaders.auth import UserById
from resolvers.auth import devices, exports, keys, people
from stores.auth import (
    AccountStatus,
    AuthFactor,
    AuthFlowKind,
    AuthKeyKind,
    DevicePlatform,
    ExportStatus,
    FlowStatus,
    OtpMethod,
    Role,
    SecurityKind,
    SessionEndReason,
    SessionStatus,
)


@type_
class TwoFactorSettings:
    """How a sign-in is confirmed."""

    enabled: bool
    """Whether signing in asks for a code."""
    method: OtpMethod | None
    """How codes travel; null when off."""
    masked_destination: str | None
    """Where they go, mostly hidden; null when off."""
    backup_codes_left: int
    """How many backup codes were not used yet."""


@node("user")
class User(Entity):
    """Person with an account, as others see them; what is private is on `Account`.

    People you follow and people you chat with (of 5,000 chats at most) are part of what you sync, unless you
    are hidden from each other: their names, pictures and counters are told. Of everybody else they are as old
    as the answer you have them from: pages bring them as they are now."""

    updated_at: datetime = derived(people.shown_at, "shown_at", "created_at")
    """When what others may read of it last changed, counters aside."""
    first_name: str | None
    """Given name; null when not given."""
    last_name: str | None
    """Family name; null when not given."""
    name: str = derived(people.full_name, "first_name", "last_name", "handle")
    """First and last name, else the handle: what to show."""
    handle: str | None
    """Unique short name, without @; null until chosen."""
    bio: str | None
    """A few words about themselves; null when none."""


@node("device")
class Device(Node):
    """A phone or browser that signed in; `id` was minted by the client."""

    name: str
    """What its owner calls it."""
    platform: DevicePlatform
    """What kind of device it is."""
    os_version: str | None
    """Version of its system; null when not told."""
    app_version: str | None
    """Version of the app; null when not told."""
    push_enabled: bool
    """Whether it takes push messages."""


@node("session")
class Session(Entity):
    """A signed-in device."""

    device: Device | None
    """Device that signed in, as it was told last; null when not known."""
    current: bool = local(people.current, "_id")
    """Whether it is the one that asks."""
    status: SessionStatus
    """Whether its tokens are good."""
    end_reason: SessionEndReason | None
    """Why it ended; null while active."""
    factors: list[AuthFactor]
    """How its owner proved who they are."""
    ip_masked: str
    """Network it was started from, last part removed."""
    approx_location: str | None
    """Roughly where that is, `Berlin, Germany`; null when not known."""
    last_seen_at: datetime
    """When it was last used, to a few minutes."""
    last_validated_at: datetime
    """When its tokens were last renewed."""
    expires_at: datetime
    """When it ends unless it is used: 30 days after the last renewal."""
    absolute_expires_at: datetime
    """When it ends in any case: 180 days after sign-in."""
    ended_at: datetime | None
    """When it ended; null while active."""


@extend(Page[Session])
class Counted:
    total_count: int = field(people.session_count)
    """Number of sessions in the whole list, under the same filter."""


@type_
class TokenPair:
    """Tokens of a session; keep both in the platform's secure store."""

    access_token: str
    """JWT for `Authorization: Bearer`, good for 15 minutes."""
    access_token_expires_at: datetime
    """Refresh when less than 30 seconds are left."""
    refresh_token: str
    """For `refreshSession`; each use gives a new one."""
    refresh_token_expires_at: datetime
    """When the session ends unless it is refreshed."""
    scopes: list[str]
    """What the access token allows."""
    server_time: datetime
    """The server's clock, to judge expiry by."""


@input_
class DeviceInput:
    """The device that asks."""

    device_id: Id
    """Id of the installation, a UUID or a `device_...` id, minted by the app once."""
    name: Line
    """What its owner calls it, at most 100 characters."""
    platform: DevicePlatform
    """What kind of device it is."""
    os_version: str | None
    """Version of its system."""
    app_version: str | None
    """Version of the app."""


@node("security_event")
class SecurityEvent(Entity):
    """Something that happened to the safety of your account; kept for 400 days.

    What should alarm you, all but sign-ins, failed ones and ended sessions, is part of what you sync, for 90
    days."""

    kind: SecurityKind
    """What happened."""
    device: Device | None
    """The device it happened on, as it was then; null when not known."""
    ip_masked: str
    """Network it came from, last part removed."""
    approx_location: str | None
    """Roughly where that is; null when not known."""


@node("export")
class DataExport(Node):
    """A data export: everything kept about you, as one file."""

    status: ExportStatus
    """Where it is; the link to it is in a mail to you."""
    file_size_bytes: int | None = key("size_bytes")
    """Size of the export's file in bytes; null until the export is READY."""
    created_at: datetime
    """When it was asked for."""
    expires_at: datetime
    """When the link is no longer good: seven days after it was mailed."""


@node("flow")
class AuthFlow(Node):
    """An authentication flow: an open request for a code."""

    kind: AuthFlowKind = key("purpose")
    """Kind of the flow: what the code is for."""
    otp_method: OtpMethod | None = key("method")
    """Delivery method of the code; EMAIL when texts and pushes failed, null where no code travels."""
    masked_destination: str | None
    """Where it went, mostly hidden."""
    otp_length: int
    """How many digits the code has."""
    expires_at: datetime
    """When the code is no longer good."""
    resend_allowed_at: datetime
    """From when on `resendOtp` sends another."""
    attempts_left: int
    """How many wrong codes it still takes."""
    resends_left: int
    """How often `resendOtp` still sends one."""
    factors: list[AuthFactor]
    """Ways to finish it: `verifyOtp`, `verifyBackupCode`, or a sign-in with a key."""
    status: FlowStatus
    """Where it is."""


@called("key", "keys")
@node("auth_key")
class AuthKey(Entity):
    """A key you can sign in with; only its public half is here."""

    kind: AuthKeyKind
    """What kind of key it is."""
    name: str
    """What its owner calls it."""
    device: Device | None
    """The device it was enrolled on, as it was then; a device key works on no other."""
    last_used_at: datetime | None
    """When it was last used; null before."""
    disabled_at: datetime | None
    """When it was disabled because it was copied; null while it is good."""


@type_
class KeyChallenge:
    """Bytes for a key to sign: a passkey in the platform's ceremony, a device key by ECDSA with SHA-256."""

    challenge_id: Id = key("_id")
    """Id of the challenge, to be sent with its signature."""
    challenge: str
    """32 bytes as base64url."""
    expires_at: datetime
    """Good once, and until then: two minutes."""
    rp_id: str
    """The relying party's id, for the platform."""
    allow_credentials: list[str]
    """Credentials that will do (base64url): for an address ten, some of which may be nobody's; when enrolling
    those that exist already. Empty: any passkey."""
    user_handle: str | None
    """When enrolling, the `user.id` to give the platform (base64url); null otherwise."""


@node("account")
class Account(Entity):
    """Private half of a person's account, for its owner and for administrators."""

    user: User = one(UserById, key="user_id")
    """Person whose account it is, whatever its status: the public half of the same record."""
    email: str = local(people.email, "email", "user_id")
    """Email address that signs in; administrators see it mostly hidden."""
    email_verified: bool
    """Whether the email address was proven."""
    phone_masked: str | None
    """Phone number but for its last two digits; null when there is none."""
    two_factor: TwoFactorSettings = derived(people.two_factor, "two_factor")
    """Settings of the second factor at sign-in."""
    locale: str
    """Language tag (BCP 47) for messages to its owner."""
    time_zone: str
    """IANA time zone of its owner."""
    roles: list[Role]
    """Roles that say what its owner may do; `MEMBER` is always among them."""
    org: str | None = derived(people.org, "org")
    """Organization its owner belongs to; null when there is none."""
    job_role: str | None
    """Job title of its owner in the organization; null when there is none."""
    status: AccountStatus
    """Status of the account in its life."""
    locked_until: datetime | None
    """Time until which an administrator locked it; null when none did."""
    deletion_due_at: datetime | None
    """Time when it will be deleted; null unless its owner asked for that."""
    sessions: Page[Session] = connection(people.sessions, reads=["user_id"])
    """Sessions of its owner, latest use first."""
    devices: Page[Device] = connection(devices.of_account, reads=["user_id"])
    """Devices its owner signed in on, latest sign-in first."""
    auth_keys: Page[AuthKey] = connection(keys.of_account, reads=["user_id"])
    """Passkeys and device keys of its owner, newest first."""
    security_events: Page[SecurityEvent] = connection(people.security_events, reads=["user_id"])
    """Security events of the account, newest first."""
    data_export: DataExport | None = unsynced(
        field(exports.of_account, reads=["user_id"]), "read it at `viewer.account`."
    )
    """Latest export of everything kept about its owner; null when there is none, or no longer, and for
    administrators."""
