"""Security events and leaving for good, as clients see them."""

from datetime import datetime

from core.binding import input_, key, node, type_
from core.binding.common import Connection, Edge, MutationInput, Node, Payload
from core.ids import Id
from schema.auth.accounts import User
from schema.auth.sessions import Device
from stores.auth import ExportStatus, SecurityKind


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
class SecurityEventEdge(Edge):
    """A security event and its place in the list."""

    node: SecurityEvent
    """The event."""


@type_
class SecurityEventConnection(Connection):
    """A page of security events."""

    edges: list[SecurityEventEdge]
    """The events of this page."""


@input_
class RequestAccountDeletionInput(MutationInput):
    """Your account, in thirty days."""


@type_
class RequestAccountDeletionPayload(Payload):
    """The account is to be deleted."""

    user: User | None
    """You, with `deletionDueAt`; null when refused."""


@input_
class CancelAccountDeletionInput(MutationInput):
    """Your account stays."""


@type_
class CancelAccountDeletionPayload(Payload):
    """The account stays."""

    user: User | None
    """You; null when refused."""


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


@input_
class RequestDataExportInput(MutationInput):
    """Everything kept about you."""


@type_
class RequestDataExportPayload(Payload):
    """It is being put together; a link is mailed."""

    data_export: DataExport | None
    """The export; null when refused."""
