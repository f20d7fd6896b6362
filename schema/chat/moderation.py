"""Reports of messages, and what phones report of themselves."""

from datetime import datetime

from core.binding import batched, input_, key, local, node, one, told, type_
from core.binding.common import Connection, Edge, Entity, MutationInput, Payload
from core.ids import Id
from loaders.chat import PeerById
from resolvers import chat as chats
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
    note: str | None = local(chats.note, "sealed_note", "data_key")
    """What the reporter says of it; null when nothing."""
    status: ReportStatus
    """What became of it."""
    judged_at: datetime | None
    """When it was judged; null while open."""
    reported_messages: list[ReportedMessage] = told(
        batched(chats.reported_messages, roles=(Role.MODERATOR,)), "message_reports"
    )
    """The message and the five nearest to it; reading them is put on record."""


@type_
class MessageReportEdge(Edge):
    """A report and its place in the list."""

    node: MessageReport
    """The report."""


@type_
class MessageReportConnection(Connection):
    """A page of reports."""

    edges: list[MessageReportEdge]
    """The reports of this page."""


@input_
class ReportMessageInput(MutationInput):
    """A message to report to the moderators."""

    id: Id
    """The message."""
    reason: ReportReason
    """Why."""
    note: str | None
    """What the moderators should know; at most 1,000 characters."""


@type_
class ReportMessagePayload(Payload):
    """The report."""

    report: MessageReport | None
    """The report; your first one, if you reported the message before."""


@input_
class JudgeMessageReportInput(MutationInput):
    """A judgement on a report."""

    id: Id
    """The report."""
    upheld: bool
    """True: the message is deleted for both. False: it stays."""


@type_
class JudgeMessageReportPayload(Payload):
    """The report, judged."""

    report: MessageReport | None
    """The report; as it was judged first, if it was judged before."""


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


@input_
class ReportClientHealthInput(MutationInput):
    """How a phone's queues are doing."""

    device_id: Id
    """The device you are signed in on."""
    queues: list[ClientQueueInput]
    """At most 50; no more than once a minute."""


@type_
class ReportClientHealthPayload(Payload):
    """It is noted."""

    reported_at: datetime | None
    """When; null when refused."""
