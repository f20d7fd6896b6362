"""Reports of messages, and what phones report of themselves."""

from datetime import datetime

from core.graphql import batched, input_, key, local, node, one, told, type_
from core.graphql.common import Entity
from core.ids import Id
from loaders.chat import PeerById
from resolvers.chat import moderation
from schema.auth import User
from stores.auth import Role
from stores.feed import ReportReason, ReportStatus


@type_
class ReportedMessage:
    """Copy of a message, made when it was reported or near one that was."""

    message_id: Id
    """Id of the message that was copied."""
    sender: User = one(PeerById, key="sender_id")
    """Person who sent the message."""
    sequence: int
    """Number of the message in its chat."""
    text: str | None
    """Text of the message; null when it was deleted, or had attachments alone."""
    reported: bool
    """True if this message is the one that was reported."""
    accepted_at: datetime = key("created_at")
    """Time at which the server accepted the message."""


@node("message_report")
class MessageReport(Entity):
    """Report of a message to the moderators."""

    reason: ReportReason
    """Violation that was reported, by kind."""
    note: str | None = local(moderation.note, "sealed_note", "data_key")
    """Note of the reporter to the moderators; null when there is none."""
    status: ReportStatus
    """Status of the report: open, or how it was decided."""
    judged_at: datetime | None
    """Time of the decision; null while the report is open."""
    reported_messages: list[ReportedMessage] = told(
        batched(moderation.reported_messages, roles=(Role.MODERATOR,)), "message_reports"
    )
    """Copies of the message and of the five nearest to it, by sequence; reading them is put on record."""


@input_
class ClientQueueInput:
    """Outgoing queue of one system on a phone."""

    system: str
    """Name of the system, such as `chat` or `feed`."""
    queued_count: int
    """Number of mutations that wait in the queue."""
    oldest_at: datetime | None
    """Time at which the oldest waiting mutation was made; null when none waits."""
    failed_count: int
    """Number of mutations given up since the last report."""
