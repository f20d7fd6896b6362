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
    """A copy of what was said, made when it was reported."""

    message_id: Id
    """The message."""
    sender: User = one(PeerById, key="sender_id")
    """Who said it."""
    sequence: int
    """Its number in the chat."""
    text: str | None
    """What was said; null when it was deleted, or had attachments alone."""
    reported: bool
    """Whether this is the one that was reported."""
    accepted_at: datetime = key("created_at")
    """When the server accepted it."""


@node("message_report")
class MessageReport(Entity):
    """A message that somebody found wrong."""

    reason: ReportReason
    """Why."""
    note: str | None = local(moderation.note, "sealed_note", "data_key")
    """What the reporter says of it; null when nothing."""
    status: ReportStatus
    """What became of it."""
    judged_at: datetime | None
    """When it was judged; null while open."""
    reported_messages: list[ReportedMessage] = told(
        batched(moderation.reported_messages, roles=(Role.MODERATOR,)), "message_reports"
    )
    """The message and the five nearest to it; reading them is put on record."""


@input_
class ClientQueueInput:
    """One system's queue on a phone."""

    system: str
    """The system: `chat`, `feed`."""
    size: int
    """Mutations that wait."""
    oldest_at: datetime | None
    """When the oldest of them was made; null when there is none."""
    failed: int
    """Mutations given up since the last report."""
