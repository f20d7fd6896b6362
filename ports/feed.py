"""Ports and hooks of the feed: moderation, ranking and link previews, and the operator's choices."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from pydantic import Field, SecretStr

from core.settings import SystemSettings


class FeedSettings(SystemSettings):
    """Settings of the feed."""

    feed_experiment: str = Field(
        "", description="Ranking of feeds tried out, `name:formula=50,fresh=50`; empty: none."
    )
    classifier_url: str = Field(
        "",
        description="Service that judges posts and pictures, beside the built-in rules; empty: none.",
    )
    classifier_token: SecretStr = Field(SecretStr(""), description="What it knows us by.")
    link_previews: bool = Field(True, description="Whether links in posts are looked at for previews.")


class Verdict(NamedTuple):
    """Moderation verdict."""

    refuse: bool = False
    """It is beyond doubt: it does not appear at all."""
    limit: bool = False
    """It is doubtful: strangers do not see it until a person has judged."""
    label: str | None = None
    """SENSITIVE or MISLEADING."""
    reason: str | None = None
    """A reason that a report could have; one that none has counts as another."""


class Shown(NamedTuple):
    """A picture, or the poster of a film, of a size that is enough to judge by."""

    id: str
    mime: str
    read: Callable[[], Awaitable[bytes]]
    """Its bytes, for those who look at them."""


class Classifier(Protocol):
    """Judges text and pictures; raises `Retryable` when it cannot."""

    async def judge(self, text: str, shown: Sequence[Shown]) -> Verdict:
        """A verdict about text and media."""
        ...


class Signals(NamedTuple):
    """Ranking features of a post for one person; each from 0 to 1."""

    recency: float
    """Halves every twelve hours."""
    affinity: float
    """Strength of the person's relation to the author."""
    engagement: float
    """Strength of others' reactions to the post."""
    media_fit: float
    """Fit of its kind of media to the person's taste."""
    exploration: float
    """Chance, the same for a person and a post all day."""


class Ranker(Protocol):
    """Scores posts for one person: a formula, or a model elsewhere."""

    experiment: str
    """Names what is tried out; empty when nothing is."""
    variants: Mapping[str, int]
    """Variants and how many of a hundred people each gets; the rest, and all without one, get the first."""

    async def scores(self, variant: str, posts: Sequence[Signals]) -> Sequence[float]:
        """A score for each of the posts, in their order; more is better."""
        ...


class Rankers(Protocol):
    """Makes the ranker of an experiment, `name:variant=share,...`; ValueError for an unknown one."""

    def __call__(self, experiment: str) -> Ranker: ...


class Preview(NamedTuple):
    """Link preview: the page's own description of itself."""

    title: str | None
    description: str | None
    site_name: str | None
    image_url: str | None = None
    """Address of its picture."""


class Picture(NamedTuple):
    """A picture as it was fetched: nothing of it was looked at."""

    body: bytes
    mime: str


class Unfetchable(Exception):
    """The page cannot, or must not, be looked at; the text says why and names no address."""


class Previewer(Protocol):
    """Looks at web pages for link previews."""

    async def preview(self, url: str) -> Preview:
        """Return the preview of the page at this address, or raise Unfetchable."""
        ...

    async def picture(self, url: str) -> Picture:
        """The picture at this address, under the same rules; or Unfetchable."""
        ...
