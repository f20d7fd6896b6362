"""Authentication and identity, as clients see them."""

from datetime import datetime

from core.binding import (
    connection,
    derived,
    enum,
    field,
    input_,
    key,
    local,
    mutation,
    node,
    query,
    type_,
)
from core.binding.common import Connection, Edge, Entity, MutationInput, Payload
from core.ids import Id
from resolvers import auth
from resolvers.auth.flows import FlowPurpose, FlowStatus, OtpMethod
from stores.auth import AuthFactor, DevicePlatform, Role, SessionEndReason, SessionStatus, UserStatus

for each in (
    AuthFactor,
    DevicePlatform,
    FlowPurpose,
    FlowStatus,
    OtpMethod,
    Role,
    SessionEndReason,
    SessionStatus,
    UserStatus,
):
    enum(each)


@node("user")
class User(Entity):
    """A person with an account."""

    first_name: str | None
    """Given name; null when not given."""
    last_name: str | None
    """Family name; null when not given."""
    name: str = derived(auth.full_name, "first_name", "last_name", "handle")
    """First and last name, else the handle: what to show."""
    handle: str | None
    """Unique short name, without @; null until chosen."""
    bio: str | None
    """A few words about themselves; null when none."""
    email: str | None = local(auth.private("email"), "email")
    """Email address; null unless you are this person or an administrator."""
    email_verified: bool | None = local(auth.private("email_verified"), "email_verified")
    """Whether the address was proven; null unless you are this person or an administrator."""
    locale: str | None = local(auth.private("locale"), "locale")
    """Language tag (BCP 47); null unless you are this person or an administrator."""
    time_zone: str | None = local(auth.private("time_zone"), "time_zone")
    """IANA time zone; null unless you are this person or an administrator."""
    roles: list[Role] | None = local(auth.private("roles"), "roles")
    """What they may do; null unless you are this person or an administrator."""
    status: UserStatus | None = local(auth.private("status"), "status")
    """Where the account is in its life; null unless you are this person or an administrator."""


@type_
class Device:
    """A phone or browser that signed in."""

    id: Id
    """Minted once by the client."""
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
    status: SessionStatus
    """Whether its tokens are good."""
    end_reason: SessionEndReason | None
    """Why it ended; null while active."""
    factors: list[AuthFactor]
    """How its owner proved who they are."""
    ip_masked: str
    """Network it was started from, last part removed."""
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


@type_
class SessionEdge(Edge):
    """A session and its place in the list."""

    node: Session
    """The session."""


@type_
class SessionConnection(Connection):
    """A page of sessions."""

    edges: list[SessionEdge]
    """The sessions of this page."""


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


@type_
class AuthFlow:
    """An open request for a code."""

    id: Id = key("_id")
    """Name it in `verifyOtp`."""
    purpose: FlowPurpose
    """What it is for."""
    method: OtpMethod | None
    """How the code travels."""
    masked_destination: str | None
    """Where it went, mostly hidden."""
    otp_length: int
    """How many digits the code has."""
    expires_at: datetime
    """When the code is no longer good."""
    attempts_left: int
    """How many wrong codes it still takes."""
    status: FlowStatus
    """Where it is."""


@input_
class DeviceInput:
    """The device that asks."""

    id: Id
    """A UUID or `device_...` id, minted once per installation."""
    name: str
    """What its owner calls it, at most 100 characters."""
    platform: DevicePlatform
    """What kind of device it is."""
    os_version: str | None
    """Version of its system."""
    app_version: str | None
    """Version of the app."""


@input_
class SignUpInput(MutationInput):
    """A new account."""

    id: Id | None
    """The user's id, if the client minted one."""
    email: str
    """Address; a code is sent there."""
    password: str
    """10 to 128 characters, not containing the email address."""
    first_name: str | None
    """Given name, at most 100 characters."""
    last_name: str | None
    """Family name, at most 100 characters."""
    locale: str = "en"
    """Language tag (BCP 47)."""
    time_zone: str = "UTC"
    """IANA time zone."""
    accepted_terms_version: str
    """Version of the terms the person accepted."""
    device: DeviceInput
    """The device that asks."""
    captcha_token: str | None
    """Answer to a CAPTCHA, when one was demanded."""


@type_
class SignUpPayload(Payload):
    """A code is on its way, whether or not the address was free."""

    flow: AuthFlow | None
    """Finish it with `verifyOtp`; null when refused."""


@input_
class SignInInput(MutationInput):
    """Email and password."""

    email: str
    """The account's address."""
    password: str
    """Its password."""
    device: DeviceInput
    """The device that asks."""
    captcha_token: str | None
    """Answer to a CAPTCHA, when one was demanded."""


@type_
class SignInPayload(Payload):
    """Tokens, or a flow to finish first."""

    tokens: TokenPair | None
    """The session's tokens; null when refused or when `flow` comes first."""
    session: Session | None
    """The new session."""
    user: User | None
    """Who signed in."""
    flow: AuthFlow | None
    """A code to enter first; null when `tokens` are given."""


@input_
class VerifyOtpInput(MutationInput):
    """The code of a flow."""

    flow_id: Id
    """The flow."""
    code: str
    """The digits received."""
    device_id: Id
    """The device that opened the flow."""


@input_
class RefreshSessionInput(MutationInput):
    """A refresh token."""

    refresh_token: str
    """The latest refresh token of the session."""
    device_id: Id
    """The device it was given to."""


@type_
class RefreshSessionPayload(Payload):
    """New tokens of the same session."""

    tokens: TokenPair | None
    """New access and refresh token; null when refused."""
    session: Session | None
    """The session."""
    user: User | None
    """Whose session it is."""


@input_
class SignOutInput(MutationInput):
    """Which session ends."""

    refresh_token: str | None
    """The session's refresh token; the bearer's session when left out."""


@type_
class SignOutPayload(Payload):
    """The session is over."""

    ended_session_id: Id | None
    """The session; the same when it had ended before."""


@input_
class RevokeSessionInput(MutationInput):
    """A session of one's own to end."""

    id: Id
    """The session."""


@type_
class RevokeSessionPayload(Payload):
    """The session is over."""

    session: Session | None
    """The session as it is now; null when refused."""


class Query:
    user: User | None = query(auth.user)
    """A person; NOT_FOUND when unknown, deleted or hidden from you."""


class Viewer:
    user: User = field(auth.viewer_user)
    """Yourself."""
    session: Session = field(auth.viewer_session)
    """The session this request belongs to."""
    sessions: SessionConnection = connection(auth.viewer_sessions, status="Only sessions with this status.")
    """Your sessions, latest use first."""


anonymous = {"owner": auth.device_owner, "secrets": ("tokens",), "reissue": auth.reissue}


class Mutation:
    sign_up = mutation(auth.sign_up, SignUpInput, SignUpPayload, owner=auth.device_owner)
    """Open an account; always answers with a flow."""
    verify_otp = mutation(auth.verify_otp, VerifyOtpInput, SignInPayload, **anonymous)
    """Finish a flow with the code that was sent."""
    sign_in = mutation(auth.sign_in, SignInInput, SignInPayload, **anonymous)
    """Sign in with email and password."""
    refresh_session = mutation(auth.refresh, RefreshSessionInput, RefreshSessionPayload, **anonymous)
    """New tokens for old; safe to repeat when the answer was lost."""
    sign_out = mutation(auth.sign_out, SignOutInput, SignOutPayload, owner=auth.sign_out_owner)
    """End a session; works with an expired access token."""
    revoke_session = mutation(auth.revoke_session, RevokeSessionInput, RevokeSessionPayload)
    """End one of your sessions on another device."""
