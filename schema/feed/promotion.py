"""What administrators do with feeds: experiments with the ranking, and posts that are paid for."""

from datetime import datetime

from core.binding import input_, type_
from core.binding.common import MutationInput, Payload
from core.ids import Id
from schema.feed.types import Post


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


@input_
class SetFeedExperimentInput(MutationInput):
    """An experiment in the place of the present one."""

    name: str | None
    """Small letters, digits and dashes; left out: nothing is tried out any more."""
    variants: list[FeedVariantInput] = []
    """Their shares come to at most 100."""
    reason: str
    """Why, for the record; 1 to 500 characters."""


@type_
class SetFeedExperimentPayload(Payload):
    """Feeds that are put together from now on are ranked so."""

    experiment: FeedExperiment | None
    """The experiment; null when there is none, or refused."""


@input_
class SponsorPostInput(MutationInput):
    """A public post that somebody pays for to be shown."""

    post_id: Id
    """The post."""
    starts_at: datetime | None
    """From when on; now when left out."""
    ends_at: datetime
    """Until when; within a year of the start."""
    reason: str
    """Why, for the record; 1 to 500 characters."""


@type_
class SponsorPostPayload(Payload):
    """The post is shown among others, always with its reason, and at most once in eight."""

    post: Post | None
    """The post; null when refused."""
    starts_at: datetime | None
    """From when on; null when refused."""
    ends_at: datetime | None
    """Until when; null when refused."""


@input_
class EndSponsorshipInput(MutationInput):
    """A post that is not paid for any more."""

    post_id: Id
    """The post."""
    reason: str
    """Why, for the record; 1 to 500 characters."""


@type_
class EndSponsorshipPayload(Payload):
    """It is shown like any other."""

    post_id: Id | None
    """The post; null when refused."""
