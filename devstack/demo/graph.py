"""Follow graph of the demo: a few people everybody knows, circles of friends, and the long tail."""

from collections.abc import Iterator
from itertools import accumulate
from random import Random

KNOWN = 3
KNOWN_FOLLOW = 20
STEEPNESS = 0.9
CIRCLE = 8
FRIENDLY = 0.45
FOLLOWS_BACK = 0.2
FOLLOWS_THE_STAR = 0.8

Follows = list[set[int]]


def follows(n: int, rng: Random) -> Iterator[tuple[int, int]]:
    """Pairs (follower, followee) of indices below n, each once, nobody following themselves."""
    followed: Follows = [set() for _ in range(n)]
    _introduce_the_known(followed, rng)
    _join_circles(followed, rng)
    _follow_the_popular(followed, rng)
    _follow_back(followed, rng)
    for follower, followees in enumerate(followed):
        yield from ((follower, followee) for followee in sorted(followees - {follower}))


def _introduce_the_known(followed: Follows, rng: Random) -> None:
    """The first three follow each other and at least twenty others."""
    n = len(followed)
    for person in range(min(KNOWN, n)):
        others = range(KNOWN, n)
        followed[person].update(range(min(KNOWN, n)), rng.sample(others, min(KNOWN_FOLLOW + 5, len(others))))


def _join_circles(followed: Follows, rng: Random) -> None:
    """Neighbours by index are friends: they follow each other."""
    n = len(followed)
    for person in range(n):
        for other in range(person + 1, min(person + 1 + CIRCLE, n)):
            if rng.random() < FRIENDLY:
                followed[person].add(other)
                followed[other].add(person)


def _follow_the_popular(followed: Follows, rng: Random) -> None:
    """Everyone follows some people; whom, falls off with their rank as a power law."""
    n = len(followed)
    ranked = rng.sample(range(n), n)
    weights = list(accumulate((rank + 2) ** -STEEPNESS for rank in range(n)))
    for person in range(n):
        # Few follow many. The picks repeat, so fewer than these are new.
        picks = min(int(rng.lognormvariate(2.95, 0.6)), n)
        followed[person].update(rng.choices(ranked, cum_weights=weights, k=picks))
        if rng.random() < FOLLOWS_THE_STAR:
            followed[person].add(ranked[0])


def _follow_back(followed: Follows, rng: Random) -> None:
    """Some answer a follow with one, the popular with few of theirs."""
    for person, known_by in enumerate(_followers(followed)):
        chance = FOLLOWS_BACK * min(1.0, 15 / max(len(known_by), 1))
        followed[person].update(follower for follower in sorted(known_by) if rng.random() < chance)


def _followers(followed: Follows) -> Follows:
    followers: Follows = [set() for _ in followed]
    for follower, followees in enumerate(followed):
        for followee in followees:
            followers[followee].add(follower)
    return followers
