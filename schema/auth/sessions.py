"""Sessions, devices and tokens, as clients see them."""

from datetime import datetime

from core.binding import field, input_, local, node, type_
from core.binding.common import Connection, Edge, Entity, MutationInput, Node, Payload
from core.ids import Id
from core.text import Line, Opaque
from resolvers import auth
from schema.auth.accounts import User
from stores.auth import AuthFactor, DevicePlatform, SessionEndReason, SessionStatus


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
    current: bool = local(auth.current, "_id")
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
    total_count: int = field(auth.session_count)
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


@input_
class RefreshSessionInput(MutationInput):
    """A refresh token."""

    refresh_token: Opaque
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

    refresh_token: Opaque | None
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


@input_
class RevokeOtherSessionsInput(MutationInput):
    """Every session but this one."""


@type_
class RevokeOtherSessionsPayload(Payload):
    """The sessions are over."""

    ended_session_ids: list[Id] | None
    """Those that ended; null when refused."""
