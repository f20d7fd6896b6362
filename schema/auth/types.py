"""People, sessions, flows, keys and security events, as clients see them."""

from datetime import datetime

from core.graphql import Page, connection, derived, extend, field, input_, key, local, node, one, type_
from core.graphql.common import Entity, Node
from core.graphql.pages import called
from core.ids import Id
from core.values.text import Line, Opaque
from loaders.auth import UserById
from resolvers.auth import admin, people, telling
from stores.auth import (
    AuthFactor,
    AuthKeyKind,
    DevicePlatform,
    ExportStatus,
    FlowPurpose,
    FlowStatus,
    OtpMethod,
    Role,
    SecurityKind,
    SessionEndReason,
    SessionStatus,
    UserStatus,
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
    """A person with an account.

    People you follow and people you chat with (of 5,000 chats at most) are part of what you sync, unless you
    are hidden from each other: their names, pictures and counters are told. Of everybody else they are as old
    as the answer you have them from: pages bring them as they are now."""

    version: int = local(telling.version, "version", "private_changes")
    """Rises with every edit; send your own as `expectedVersion` to learn of edits made elsewhere meanwhile.
    Of others it counts what you may read of them."""
    updated_at: datetime = local(telling.updated_at, "updated_at", "shown_at", "created_at")
    """When something of it last changed; of others, when what you may read did, counters aside."""
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
    email: str | None = local(people.email, "email")
    """Email address; mostly hidden from administrators, null for everybody else."""
    email_verified: bool | None = local(people.private("email_verified"), "email_verified")
    """Whether the address was proven; null unless you are this person or an administrator."""
    phone_masked: str | None = local(people.private("phone_masked"), "phone_masked")
    """Phone number but for its last two digits; null when none, and for everybody else."""
    two_factor: TwoFactorSettings | None = local(people.two_factor, "two_factor")
    """The second factor; null unless you are this person or an administrator."""
    locale: str | None = local(people.private("locale"), "locale")
    """Language tag (BCP 47); null unless you are this person or an administrator."""
    time_zone: str | None = local(people.private("time_zone"), "time_zone")
    """IANA time zone; null unless you are this person or an administrator."""
    roles: list[Role] | None = local(people.private("roles"), "roles")
    """What they may do; null unless you are this person or an administrator."""
    org: str | None = local(people.org, "org")
    """Organisation, `personal` for none; null unless you are this person or an administrator."""
    job_role: str | None = local(people.private("job_role"), "job_role")
    """What they do in their organisation; null unless you are this person or an administrator."""
    deletion_due_at: datetime | None = local(people.private("deletion_due_at"), "deletion_due_at")
    """When the account will be deleted, if its owner asked for that; null for everybody else."""
    status: UserStatus | None = local(people.private("status"), "status")
    """Where the account is in its life; null unless you are this person or an administrator."""


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

    device: Device
    """The device."""
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
    """How many sessions with this status there are."""


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

    id: Id
    """A UUID or `device_...` id, minted once per installation."""
    name: Line
    """What its owner calls it, at most 100 characters."""
    platform: DevicePlatform
    """What kind of device it is."""
    os_version: str | None
    """Version of its system."""
    app_version: str | None
    """Version of the app."""


@node("security_event")
class SecurityEvent(Node):
    """Something that happened to the safety of your account; kept for 400 days."""

    kind: SecurityKind
    """What happened."""
    at: datetime
    """When."""
    device: Device | None
    """The device it happened on, as it was then; null when not known."""
    ip_masked: str
    """Network it came from, last part removed."""
    approx_location: str | None
    """Roughly where that is; null when not known."""


@type_
class DataExport:
    """Everything kept about you, as one file."""

    id: Id = key("_id")
    """Its id."""
    status: ExportStatus
    """Where it is; the link to it is in a mail to you."""
    size_bytes: int | None
    """Size of the file; null until it is ready."""
    created_at: datetime
    """When it was asked for."""
    expires_at: datetime
    """When the link is no longer good: seven days after it was mailed."""


@type_
class AuthFlow:
    """An open request for a code."""

    id: Id = key("_id")
    """Name it in `verifyOtp`."""
    purpose: FlowPurpose
    """What it is for."""
    method: OtpMethod | None
    """How the code travels; EMAIL when texts and pushes failed."""
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

    id: Id = key("_id")
    """Name it when you send the signature."""
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


@input_
class KeyProofInput:
    """A challenge of `beginKeySignIn`, signed by a key of yours."""

    challenge_id: Id
    """The challenge; begun on this device."""
    key_id: Id
    """The key's id here, or its credential id (base64url)."""
    signature: Opaque
    """The signature (base64url); of a device key: ASN.1 DER, over the challenge's 32 bytes."""
    client_data_json: Opaque | None
    """A passkey's `clientDataJSON` (base64url)."""
    authenticator_data: Opaque | None
    """A passkey's `authenticatorData` (base64url)."""


@input_
class PasskeyAttestationInput:
    """What the platform answers when a passkey is made."""

    client_data_json: Opaque
    """`clientDataJSON` (base64url)."""
    attestation_object: Opaque
    """`attestationObject` (base64url)."""


@type_
class Account:
    """An account as administrators see it: addresses and phone numbers mostly hidden."""

    user: User | None = one(UserById, key="user_id")
    """The person, whatever the account's status."""
    locked_until: datetime | None
    """Until when an administrator locked it; null when none did."""
    sessions: Page[Session] = connection(admin.account_sessions, status="Only sessions with this status.")
    """Their sessions, latest use first."""
    security_events: Page[SecurityEvent] = connection(admin.account_security_events)
    """What happened to the account's safety, newest first."""
