"""What moderators and administrators see: reports, and experiments with the ranking."""

from datetime import datetime

from core.graphql import batched, dated, input_, local, node, type_
from core.graphql.common import Entity, Node
from resolvers.feed import moderating
from schema.feed.types import Post
from stores.feed import ReportReason, ReportStatus


@node("report")
class Report(Entity):
    """Something that was reported to moderators. Who reported it is told to nobody."""

    target: Node | None = dated(
        batched(moderating.targets),
        "What goes out of sight leaves it when the report is next told or read.",
    )
    """The post, comment or person; null when it is gone or hidden from you."""
    reason: ReportReason
    """What is wrong with it."""
    status: ReportStatus
    """What came of it."""
    note: str | None = local(moderating.moderator_only("note"), "note")
    """What was written with it; for moderators."""
    appeal: str | None = local(moderating.moderator_only("appeal"), "appeal")
    """What the author says to it; for moderators."""


@type_
class FeedVariant:
    """One way of ranking that is tried out."""

    name: str
    """The ranking."""
    share: int
    """Of a hundred people, how many get it."""


@type_
class FeedExperiment:
    """Rankings that are tried out, each on some people."""

    version: int
    """Version of the experiment: rises whenever one is set or ended, 0 for one of the settings."""
    name: str
    """Another name deals people out anew."""
    variants: list[FeedVariant]
    """Who gets none of them is ranked by the first."""


@input_
class FeedVariantInput:
    """A way of ranking to try out."""

    name: str
    """`formula`, `fresh` or `close`, unless the deployment has a model of its own."""
    share: int
    """Of a hundred people, how many get it."""


@type_
class Sponsorship:
    """Period in which a post is shown to strangers because somebody pays for it."""

    post: Post
    """Post that is shown to strangers."""
    starts_at: datetime
    """Start of the period."""
    ends_at: datetime
    """End of the period, which is not part of it."""
