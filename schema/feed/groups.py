"""Groups and reports, as clients see them."""

from datetime import datetime

from core.binding import dated, field, input_, local, node, type_
from core.binding.common import Connection, Edge, MutationInput, Node, Payload
from core.ids import Id
from core.text import Line
from resolvers import feed
from schema.feed.types import Group
from stores.feed import (
    GroupPrivacy,
    ModerationAction,
    ModerationLabel,
    ReportReason,
    ReportStatus,
)


@type_
class GroupEdge(Edge):
    """A group and its place in the list."""

    node: Group
    """The group."""


@type_
class GroupConnection(Connection):
    """A page of groups."""

    edges: list[GroupEdge]
    """The groups of this page."""


@input_
class CreateGroupInput(MutationInput):
    """A new group of yours."""

    id: Id | None
    """The group's id, if you mint one."""
    name: Line
    """1 to 100 characters."""
    privacy: GroupPrivacy = GroupPrivacy.OPEN
    """Who may join."""
    member_ids: list[Id] = []
    """Friends to bring along, at most 50."""


@type_
class CreateGroupPayload(Payload):
    """The new group."""

    group: Group | None
    """The group; null when refused."""


@input_
class JoinGroupInput(MutationInput):
    """Which group to join."""

    group_id: Id
    """The group."""


@type_
class JoinGroupPayload(Payload):
    """You are in the group."""

    group: Group | None
    """The group with its new count; null when refused."""
    feed_stale: bool | None
    """Whether your feed should be read again."""


@input_
class LeaveGroupInput(MutationInput):
    """Which group to leave."""

    group_id: Id
    """The group."""


@type_
class LeaveGroupPayload(Payload):
    """You are not in the group."""

    group: Group | None
    """The group with its new count; null when nobody is left in it."""
    feed_stale: bool | None
    """Whether your feed should be read again."""


@node("report")
class Report(Node):
    """Something that was reported to moderators. Who reported it is told to nobody."""

    target: Node | None = dated(
        field(feed.target, together=feed.targets),
        "What goes out of sight leaves it when the report is next told or read.",
    )
    """The post, comment or person; null when it is gone or hidden from you."""
    reason: ReportReason
    """What is wrong with it."""
    status: ReportStatus
    """What came of it."""
    note: str | None = local(feed.moderator_only("note"), "note")
    """What was written with it; for moderators."""
    appeal: str | None = local(feed.moderator_only("appeal"), "appeal")
    """What the author says to it; for moderators."""
    created_at: datetime
    """When it was reported."""


@type_
class ReportEdge(Edge):
    """A report and its place in the queue."""

    node: Report
    """The report."""


@type_
class ReportConnection(Connection):
    """A page of reports."""

    edges: list[ReportEdge]
    """The reports of this page."""


@input_
class ReportContentInput(MutationInput):
    """What is wrong with something."""

    subject_id: Id
    """The post, comment or person."""
    reason: ReportReason
    """What is wrong."""
    note: str | None
    """Anything to add, at most 1,000 characters."""


@type_
class ReportContentPayload(Payload):
    """Moderators will look at it."""

    report: Report | None
    """Your report; the first one, if you reported it before."""


@input_
class ModerateInput(MutationInput):
    """A decision about something reported."""

    subject_id: Id
    """The post, comment or person."""
    action: ModerationAction
    """What is to become of it."""
    label: ModerationLabel | None
    """With LABEL: the warning, or null for none any more."""
    reason: str
    """Why; kept on record."""


@type_
class ModeratePayload(Payload):
    """It is decided."""

    subject: Node | None
    """The post, comment or person as it is now."""
    resolved: int | None
    """How many reports this settled."""


@input_
class AppealInput(MutationInput):
    """Why a decision about something of yours was wrong."""

    subject_id: Id
    """Your post or comment."""
    text: str
    """At most 1,000 characters."""


@type_
class AppealPayload(Payload):
    """Moderators will look again."""

    subject: Node | None
    """Your post or comment."""
