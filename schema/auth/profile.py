"""Profile and devices, as clients see and change them."""

from core.binding import input_, type_
from core.binding.common import Connection, Edge, MutationInput, Payload
from core.ids import Id
from core.text import Line, Opaque
from schema.auth.accounts import User
from schema.auth.sessions import Device


@type_
class DeviceEdge(Edge):
    """A device and its place in the list."""

    node: Device
    """The device."""


@type_
class DeviceConnection(Connection):
    """A page of devices."""

    edges: list[DeviceEdge]
    """The devices of this page."""


@input_
class UpdateProfileInput(MutationInput):
    """What to change; what is left out stays, null clears it."""

    first_name: Line | None
    """Given name, at most 100 characters."""
    last_name: Line | None
    """Family name, at most 100 characters."""
    handle: str | None
    """3 to 30 letters, digits, dots or underscores; unique, kept in small letters."""
    bio: str | None
    """A few words about yourself, at most 500 characters."""
    avatar_upload_id: Id | None
    """Your upload for AVATAR; it may be unfinished: the former picture stays until it is READY."""
    locale: str | None
    """Language tag (BCP 47)."""
    time_zone: str | None
    """IANA time zone."""
    expected_version: int | None
    """Your `version` as this device knows it; CONFLICT if another device changed it since."""


@type_
class UpdateProfilePayload(Payload):
    """The changed profile."""

    user: User | None
    """You, as you are now; with CONFLICT too. Null when refused otherwise."""


@input_
class RegisterPushTokenInput(MutationInput):
    """How a device is reached."""

    device_id: Id
    """The device; you must have signed in on it."""
    token: Opaque | None
    """Push token of the platform, at most 4,096 characters; null: do not reach it any more."""


@type_
class RegisterPushTokenPayload(Payload):
    """The device."""

    device: Device | None
    """The device with `pushEnabled`; null when refused."""
