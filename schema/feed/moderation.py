"""What moderators and administrators see: reports, and experiments with the ranking."""

from datetime import datetime

from core.graphql import batched, dated, input_, key, node, restricted, told, type_
from core.graphql.common import Entity, Node
from resolvers.feed import moderating
from schema.feed.types import Post
from stores.auth import Role
from stores.feed import ReportReason, ReportStatus


@node("report")
class Report(Entity):
    """Report of a post, comment or person to the moderators. The reporter's name is told to nobody."""

    subject: Node | None = dated(
        batched(moderating.subjects),
        "When it goes out of your sight, the report shows so when it is next told or read.",
    )
    """Post, comment or person that was reported; null when it is gone or hidden from you."""
    reason: ReportReason
    """Violation that was reported, by kind."""
    status: ReportStatus
    """Status of the report; an appeal opens it again."""
    note: str | None = told(restricted("note", (Role.MODERATOR,)), "reports")
    """Note that the reporter wrote for the moderators; null when there is none, and for all others."""
    appeal: str | None = told(restricted("appeal", (Role.MODERATOR,)), "reports")
    """Appeal of the author to the moderators; null when there is none, and for all others."""


@type_
class FeedVariant:
    """One way of ranking that is tried out."""

    name: str
    """Name of the way of ranking."""
    share_percent: int = key("share")
    """Share of people who get this ranking, in percent."""


@type_
class FeedExperiment:
    """Rankings that are tried out, each on some people."""

    version: int
    """Version of the experiment: rises whenever one is set or ended, 0 for one of the settings."""
    name: str
    """Name of the experiment; another name assigns people to variants anew."""
    variants: list[FeedVariant]
    """Variants that are tried out, at most one for each ranking; people without a share get the first."""


@input_
class FeedVariantInput:
    """A way of ranking to try out."""

    name: str
    """Name of the way of ranking: `formula`, `fresh` or `close`, unless the deployment has its own model."""
    share_percent: int
    """Share of people who get this ranking, in percent."""


@type_
class Sponsorship:
    """Period in which a post is shown to strangers because somebody pays for it."""

    version: int
    """Version of the sponsorship: rises with every change of its period; send it as `expectedVersion`."""
    post: Post
    """Post that is shown to strangers."""
    starts_at: datetime
    """Start of the period."""
    ends_at: datetime
    """End of the period, which is not part of it."""
