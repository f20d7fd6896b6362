"""People, sessions, flows, keys and security events, as clients see them."""

from datetime import datetime

from core import discovery
from core.grants import GrantRole, GrantScope
from core.graphql import (
    Page,
    connection,
    dated,
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
    visible,
)
from core.graphql.common import Entity, Node
from core.graphql.pages import called
from core.ids import Id
from core.values.text import Line
from loaders.auth import UserById
from resolvers.auth import devices, exports, grants_shown, keys, people
from stores.auth import (
    AccountStatus,
    AuthFactor,
    AuthFlowKind,
    AuthFlowStatus,
    AuthKeyKind,
    DataExportStatus,
    DevicePlatform,
    OtpMethod,
    Role,
    SecurityEventKind,
    SessionEndReason,
    SessionStatus,
)

# Every system names its own roles beside its data, or where it resolves: read them all first.
discovery.systems("stores")
discovery.systems("resolvers")


@type_
class TwoFactorSettings:
    """Settings of the second factor at sign-in."""

    enabled: bool
    """True if signing in asks for a second factor."""
    method: OtpMethod | None
    """Delivery method of the codes; null when the second factor is off."""
    masked_destination: str | None
    """Destination of the codes, mostly hidden: `a***@example.com`; null when the second factor is off."""
    remaining_backup_code_count: int = key("backup_codes_left")
    """Number of backup codes that were not used yet."""


@node("user")
class User(Entity):
    """Person with an account, as others see them; what is private is on `Account`.

    People you follow and people you chat with (of 5,000 chats at most) are part of what you sync, unless you
    are hidden from each other: their names, pictures and counters are told. Those of everybody else are
    as old as the answer that brought them: read a page that shows the person to refresh them."""

    updated_at: datetime = derived(people.shown_at, "shown_at", "created_at")
    """Time of the last change to what others may read of the person, counters aside."""
    first_name: str | None
    """First name of the person; null when not told."""
    last_name: str | None
    """Family name of the person; null when not told."""
    name: str = derived(people.full_name, "first_name", "last_name", "handle")
    """Name to show of the person: first and last name, else the handle."""
    handle: str | None
    """Unique short name, without @; null until chosen."""
    bio: str | None
    """Words of the person about themselves; null when there are none."""


@node("device")
class Device(Node):
    """Phone or browser that signed in; its id was minted by the app."""

    name: str
    """Name that the app told of the device, to show to its owner."""
    platform: DevicePlatform
    """Platform that the device runs on."""
    os_version: str | None
    """Version of the operating system; null when not told."""
    app_version: str | None
    """Version of the app on the device; null when not told."""
    push_enabled: bool
    """True if the device takes push messages."""


@node("session")
class Session(Entity):
    """Session: one sign-in on a device, until it ends."""

    device: Device | None
    """Device that signed in, as the app described it last; null when not known."""
    current: bool = local(people.current, "_id")
    """True if this request belongs to the session."""
    status: SessionStatus
    """Status of the session, and so of its tokens."""
    end_reason: SessionEndReason | None
    """Reason why the session ended; null while it is active."""
    factors: list[AuthFactor]
    """Factors by which the owner proved who they are."""
    ip_masked: str
    """IP address of the sign-in without its last part."""
    approximate_location: str | None = key("approx_location")
    """Place of the sign-in, roughly: `Berlin, Germany`; null when not known."""
    last_seen_at: datetime
    """Time of the last use, to a few minutes."""
    last_validated_at: datetime
    """Time when the tokens were last renewed."""
    expires_at: datetime
    """Time at which the session ends unless it is refreshed: 30 days after the last refresh."""
    absolute_expires_at: datetime
    """Time at which the session ends in any case: 180 days after the sign-in."""
    ended_at: datetime | None
    """Time when the session ended; null while it is active."""


@extend(Page[Session])
class Counted:
    total_count: int = field(people.session_count)
    """Number of sessions in the whole list, under the same filter."""


@type_
class TokenPair:
    """Tokens of a session; keep both in the platform's secure store."""

    access_token: str
    """JWT to send as `Authorization: Bearer`, good for 15 minutes."""
    access_token_expires_at: datetime
    """Time at which the access token expires: refresh when less than 30 seconds are left."""
    refresh_token: str
    """Refresh token to send to `refreshSession`, which gives a new one each time."""
    refresh_token_expires_at: datetime
    """Time at which the session ends unless it is refreshed."""
    scopes: list[str]
    """Scopes of the access token: what it allows."""
    issued_at: datetime
    """Time of issue on the server's clock, to judge expiry by."""


@input_
class DeviceInput:
    """Device that sends the request, as the app describes it."""

    device_id: Id
    """Id of the installation, a UUID or a `device_...` id, minted by the app once."""
    name: Line
    """Name of the device to show to its owner, cut to 100 characters: `Anna's iPhone`."""
    platform: DevicePlatform
    """Platform that the device runs on."""
    os_version: str | None
    """Version of the operating system, cut to 50 characters."""
    app_version: str | None
    """Version of the app, cut to 50 characters."""


@node("security_event")
class SecurityEvent(Entity):
    """Event that concerns the safety of your account; kept for 400 days.

    Those that should alarm you (all but sign-ins, failed ones and ended sessions) are part of what you sync,
    for 90 days."""

    kind: SecurityEventKind
    """Kind of the event: what happened."""
    device: Device | None
    """Device on which it happened, as the app described it then; null when not known."""
    ip_masked: str
    """IP address it came from, without its last part."""
    approximate_location: str | None = key("approx_location")
    """Place it came from, roughly: `Berlin, Germany`; null when not known."""


@node("export")
class DataExport(Node):
    """Data export: what is kept about you, or one system's part, as one file behind a link that is mailed."""

    status: DataExportStatus
    """Status of the export; when READY, a link to the file was mailed to you."""
    file_size_bytes: int | None = key("size_bytes")
    """Size of the export's file in bytes; null until the export is READY."""
    created_at: datetime
    """Time when the export was requested."""
    expires_at: datetime
    """Time when the mailed link ceases to work: seven days after it was mailed."""


@node("flow")
class AuthFlow(Node):
    """Authentication flow: a request for a one-time code, open until the code is given."""

    kind: AuthFlowKind = key("purpose")
    """Kind of the flow: what the code is for."""
    otp_method: OtpMethod | None = key("method")
    """Delivery method of the code; EMAIL when texts and pushes failed, null where no code travels."""
    masked_destination: str | None
    """Destination of the code, mostly hidden: `a***@example.com`, `••••••12`; null where no code travels."""
    otp_digit_count: int = key("otp_length")
    """Number of digits of the code."""
    expires_at: datetime
    """Time at which the flow and its code expire."""
    resend_allowed_at: datetime
    """Time from which on `resendOtp` sends another code."""
    remaining_attempt_count: int = key("attempts_left")
    """Number of attempts left; the last wrong code locks the flow."""
    remaining_resend_count: int = key("resends_left")
    """Number of times `resendOtp` still sends another code."""
    factors: list[AuthFactor]
    """Factors that finish the flow: `verifyOtp`, `verifyBackupCode`, or a sign-in with a key."""
    status: AuthFlowStatus
    """Status of the flow in its life."""


@called("key", "keys")
@node("auth_key")
class AuthKey(Entity):
    """Authentication key of a person, for signing in; only its public half is kept here."""

    kind: AuthKeyKind
    """Kind of the key: passkey or device key."""
    name: str
    """Name that the owner gave the key."""
    device: Device | None
    """Device on which the key was enrolled, as it was then; a device key works on no other. Null when not
    known."""
    last_used_at: datetime | None
    """Time when the key was last used; null before the first use."""
    disabled_at: datetime | None
    """Time when the key was disabled because a copy of it was used; null while it is good."""


@node("grant")
class Grant(Entity):
    """Grant of a role to a person, in a scope and perhaps for a time.

    Its holder sees it, administrators, and those who may give the role."""

    user: User = one(UserById, key="user_id")
    """Person who holds the role."""
    role: GrantRole
    """Role that is granted."""
    scope: GrantScope
    """Scope that the role is held in."""
    scope_id: Id | None = derived(grants_shown.thing, "scope", "scope_id")
    """Id of the provider, restaurant, site or plant that the role is held in; null in other scopes."""
    organization: str | None = derived(grants_shown.organization, "scope", "scope_id")
    """Organization that the role is held in; null in other scopes."""
    granted_by: User | None = dated(
        visible("granted_by"), "That somebody is hidden from you meanwhile shows when the grant is next told."
    )
    """Person who granted the role; null when that person is gone or hidden from you."""
    held_until: datetime | None = key("expires_at")
    """Time at which the grant ends; null when it lasts until it is revoked."""


@type_
class KeyChallenge:
    """Bytes for a key to sign: a passkey in the platform's ceremony, a device key by ECDSA with SHA-256."""

    challenge_id: Id = key("_id")
    """Id of the challenge, to be sent with its signature."""
    challenge: str
    """Random bytes to sign, 32 as base64url."""
    expires_at: datetime
    """Time until which the challenge is good, for one use: two minutes from now."""
    rp_id: str
    """Id of the relying party, for the platform's ceremony."""
    allow_credentials: list[str]
    """Ids of the credentials that will do (base64url): for an email address ten, some of which may be
    nobody's; at enrollment those that exist already, to exclude. Empty when any passkey will do."""
    user_handle: str | None
    """Value of `user.id` for the platform at enrollment (base64url); null at sign-in."""


@node("account")
class Account(Entity):
    """Private half of a person's account, for its owner and for administrators."""

    user: User = one(UserById, key="user_id")
    """Person whose account it is, whatever its status: the public half of the same record."""
    email: str = local(people.email, "email", "user_id")
    """Email address that signs in; administrators see it mostly hidden."""
    email_verified: bool
    """True if the email address was proven."""
    phone_masked: str | None
    """Phone number but for its last two digits; null when there is none."""
    two_factor: TwoFactorSettings = derived(people.two_factor, "two_factor")
    """Settings of the second factor at sign-in."""
    locale: str
    """Language tag (BCP 47) of messages to the owner: `de-AT`."""
    time_zone: str
    """IANA time zone of the owner: `Europe/Vienna`."""
    roles: list[Role]
    """Roles that say what its owner may do; `MEMBER` is always among them."""
    organization: str | None = derived(people.org, "org")
    """Organization its owner belongs to; null when there is none."""
    job_role: str | None
    """Job title of its owner in the organization; null when there is none."""
    status: AccountStatus
    """Status of the account in its life."""
    locked_until: datetime | None
    """Time until which an administrator locked the account; null when none did."""
    deletion_due_at: datetime | None
    """Time when the account will be deleted; null unless its owner asked for that."""
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
