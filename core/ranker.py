"""The port to whatever ranks feeds."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol


class Signals(NamedTuple):
    """What a ranking model learns of a post for one person; each from 0 to 1."""

    recency: float
    """Halves every twelve hours."""
    affinity: float
    """How much the person has to do with the author."""
    engagement: float
    """How much others have to do with the post."""
    media_fit: float
    """How well the person likes its kind of media."""
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
