"""Ranking: a model behind a port, its fallback, and the rules that no order may break."""

import asyncio
import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from prometheus_client import Counter, Histogram

from ports.feed import Ranker, Signals
from stores.feed import Affinity, FeedReason, Post

logger = structlog.get_logger(__name__)

PATIENCE = 0.25
"""Timeout of the model in seconds; then newest first is better than late."""
HALF_LIFE = 12 * 3600.0
IN_A_ROW = 2
"""Limit of consecutive posts of one author."""
SPONSORED_GAP = 7
"""Unpaid posts between two sponsored ones: one in eight."""
MUCH_ENGAGEMENT = 100.0
JUST_POSTED = timedelta(minutes=10)

STRANGE = (FeedReason.SUGGESTED, FeedReason.SPONSORED)
LIKELY = {
    FeedReason.FRIEND: 0.6,
    FeedReason.FOLLOW: 0.35,
    FeedReason.SHARED_BY_FOLLOW: 0.35,
    FeedReason.GROUP: 0.3,
    FeedReason.PINNED: 0.35,
    FeedReason.SPONSORED: 0.2,
    FeedReason.SUGGESTED: 0.05,
}
"""Prior affinity to authors of whom nothing is known yet."""

RUNS = Counter("landfall_feed_rankings_total", "Rankings by variant and outcome.", ["variant", "outcome"])
SECONDS = Histogram("landfall_feed_ranking_seconds", "How long a model took to score a feed.")


@dataclass(frozen=True, slots=True)
class Candidate:
    """Post that may be shown, with its reason."""

    post: Post
    reason: FeedReason


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate with its score."""

    post: Post
    reason: FeedReason
    score: float


class Ranking:
    """Ranking of this process: a model behind a port."""

    def __init__(self, ranker: Ranker, make: Callable[[str], Ranker] | None = None) -> None:
        self.ranker = ranker
        self._make = make

    def made(self, experiment: str) -> Ranker:
        """Ranker of an experiment; ValueError if it cannot be made."""
        if self._make is None:
            raise ValueError("This ranking knows no experiments.")
        return self._make(experiment)

    def try_out(self, experiment: str) -> None:
        """Rank by this from now on; stored snapshots are shown until they are rebuilt."""
        self.ranker = self.made(experiment)

    @property
    def experimenting(self) -> bool:
        return bool(self.ranker.experiment)

    def variant_of(self, user_id: str) -> str:
        """Variant of the person: by hash, so that it is the same on every machine."""
        names = list(self.ranker.variants)
        place = _chance(self.ranker.experiment, user_id) * 100
        for name in names:
            place -= self.ranker.variants[name]
            if place < 0:
                return name
        return names[0]

    async def order(
        self, user_id: str, candidates: Sequence[Candidate], affinity: Affinity | None, now: datetime
    ) -> tuple[list[Ranked], bool]:
        """Rank best first; newest first and True if the model fails or times out."""
        variant = self.variant_of(user_id)
        try:
            signals = [signals_of(each, user_id, affinity, now) for each in candidates]
            scores = await self._scores(variant, signals)
        except Exception as error:
            logger.warning("feed not ranked", variant=variant, error=type(error).__name__)
            RUNS.labels(variant, "degraded").inc()
            return _newest(candidates), True
        RUNS.labels(variant, "ranked").inc()
        ranked = [
            Ranked(each.post, each.reason, round(score, 6))
            for each, score in zip(candidates, scores, strict=True)
        ]
        return sorted(ranked, key=lambda each: (-each.score, each.post["_id"])), False

    async def _scores(self, variant: str, signals: Sequence[Signals]) -> Sequence[float]:
        with SECONDS.time():
            async with asyncio.timeout(PATIENCE):
                scores = await self.ranker.scores(variant, signals)
        if len(scores) != len(signals) or not all(map(math.isfinite, scores)):
            raise ValueError("A model must give each post one finite score.")
        return scores


def _newest(candidates: Sequence[Candidate]) -> list[Ranked]:
    """Fallback order, newest first; strangers only for people who follow nobody."""
    near = [each for each in candidates if each.reason not in STRANGE] or candidates
    newest = sorted(near, key=lambda each: (each.post["created_at"], each.post["_id"]), reverse=True)
    return [Ranked(each.post, each.reason, 0.0) for each in newest]


def signals_of(candidate: Candidate, user_id: str, affinity: Affinity | None, now: datetime) -> Signals:
    post = candidate.post
    age = max(0.0, (now - post["created_at"]).total_seconds())
    likes = sum((post.get("reactions") or {}).values())
    moved = likes + 2 * post.get("comment_count", 0) + 3 * post.get("share_count", 0)
    authors = affinity["authors"] if affinity else {}
    media = affinity["media"] if affinity else {}
    likely = LIKELY[FeedReason.FRIEND] if post["author_id"] == user_id else LIKELY.get(candidate.reason, 0.3)
    return Signals(
        recency=math.pow(0.5, age / HALF_LIFE),
        affinity=authors.get(post["author_id"], likely),
        engagement=min(1.0, math.log1p(max(0, moved)) / math.log1p(MUCH_ENGAGEMENT)),
        media_fit=media.get(media_kind(post), 0.5),
        exploration=_chance(user_id, post["_id"], f"{now:%Y-%m-%d}"),
    )


def media_kind(post: Mapping[str, object]) -> str:
    """Media class of a post, the key of a person's affinity for media."""
    return "PICTURED" if post.get("media_ids") else "WRITTEN"


def _chance(*parts: str) -> float:
    """Deterministic number from 0 to below 1, by hash of the parts."""
    digest = hashlib.blake2b("|".join(parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest) / 2**64


def own_first(ranked: Sequence[Ranked], user_id: str, now: datetime) -> list[Ranked]:
    """Put the viewer's own new posts first: whoever has just posted looks for it at the top."""
    own = [
        each
        for each in ranked
        if each.post["author_id"] == user_id and now - each.post["created_at"] < JUST_POSTED
    ]
    own.sort(key=lambda each: (each.post["created_at"], each.post["_id"]), reverse=True)
    mine = {each.post["_id"] for each in own}
    return [*own, *(each for each in ranked if each.post["_id"] not in mine)]


def spread(ranked: Sequence[Ranked], limit: int) -> list[Ranked]:
    """Diversify the order: no author three times in a row, sponsored posts at a distance.

    What must wait is taken as soon as it may. When one author alone is left, their posts follow each other:
    a hole would be worse. Paid posts that find no place are left out.
    """
    waiting = list(ranked)
    shown: list[Ranked] = []
    while waiting and len(shown) < limit:
        index = next((i for i, each in enumerate(waiting) if _may_follow(shown, each)), None)
        if index is None:
            index = next((i for i, each in enumerate(waiting) if not _paid(each)), None)
        if index is None:
            break
        shown.append(waiting.pop(index))
    return shown


def _may_follow(shown: Sequence[Ranked], each: Ranked) -> bool:
    if _paid(each) and any(_paid(earlier) for earlier in shown[-SPONSORED_GAP:]):
        return False
    row = [earlier.post["author_id"] for earlier in shown[-IN_A_ROW:]]
    return row != [each.post["author_id"]] * IN_A_ROW


def _paid(each: Ranked) -> bool:
    return each.reason is FeedReason.SPONSORED
