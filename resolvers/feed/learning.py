"""Learning of affinities and suggestions, ahead of a person's next visit."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence

from core import clock
from core.context import Services
from core.storage.mongo import Database
from resolvers.feed.ranking import media_kind
from resolvers.feed.snapshots import LOST, Snapshots
from stores import feed as store

REACTIONS = 300
COMMENTS = 200
HIDES = 100
IMPRESSIONS = 300
DWELT_MS = 4_000
"""Milliseconds on the screen from which a post counts as read, half a reaction's worth."""
REMEMBERED = 500
"""Authors in one person's affinities."""
CHOSEN = 100
ACQUAINTANCES = 50
"""Friends of friends whose posts are considered."""
ENOUGH = 5.0
"""Reactions to an author that make two thirds of full affinity."""
KINDS = ("PICTURED", "WRITTEN")


async def prepare(services: Services, user_id: str) -> None:
    """Learn a person's affinities, and choose posts of strangers for them."""
    db = services.db
    await store.learn(db, user_id, await _taste(db, user_id), now=clock.now())
    posts, paid = await _strangers(db, user_id)
    try:
        await services.get(Snapshots).choose(user_id, posts, paid)
    except LOST:
        return
    await store.trim(db, user_id)


async def _taste(db: Database, user_id: str) -> Mapping[str, Mapping[str, float]]:
    """Affinity to authors and media, from reactions, reading time, comments and hides."""
    liked = await store.latest_reactions(db, user_id, limit=REACTIONS)
    said = await store.latest_comments(db, user_id, limit=COMMENTS)
    refused = await store.uninteresting(db, user_id, limit=HIDES)
    read = await store.dwelt_on(db, user_id, at_least=DWELT_MS, limit=IMPRESSIONS)
    wanted = [row["subject_id"] for row in liked]
    found = await store.posts.by_ids(db, [*wanted, *read], fields=("author_id", "media_ids"))
    kinds = {post["_id"]: media_kind(post) for post in found}
    authors_of = {post["_id"]: post["author_id"] for post in found}
    points: dict[str, float] = defaultdict(float)
    for ids, worth in ((wanted, 1.0), (read, 0.5)):
        for id in ids:
            if id in authors_of:
                points[authors_of[id]] += worth
    for row in said:
        points[row["post_author_id"]] += 2
    authors = {author: 1 - math.exp(-count / ENOUGH) for author, count in points.items() if author != user_id}
    for hide in refused:
        authors[hide["author_id"]] = 0.0
    kept = dict(sorted(authors.items(), key=lambda each: -each[1])[:REMEMBERED])
    return {"authors": kept, "media": _media([kinds[id] for id in wanted if id in kinds])}


def _media(kinds: Sequence[str]) -> dict[str, float]:
    """Share of each media class among liked posts, shrunk towards the mean while data is scarce."""
    return {kind: (kinds.count(kind) + 2) / (len(kinds) + 4) for kind in KINDS}


async def _strangers(db: Database, user_id: str) -> tuple[list[str], list[str]]:
    """Public posts by people followed by those one follows, and the newest of all."""
    edges = await store.follows_of(db, user_id)
    followed = {edge["followee_id"] for edge in edges} | {user_id}
    near = await store.acquaintances(db, [edge["followee_id"] for edge in edges], limit=ACQUAINTANCES)
    authors = [author for author in near if author not in followed]
    theirs = await store.public_by(db, authors, limit=CHOSEN // 2) if authors else []
    public, paid = await store.public(db, clock.now(), limit=CHOSEN)
    ids = [post["_id"] for post in (*theirs, *public) if post["author_id"] not in followed]
    return list(dict.fromkeys(ids))[:CHOSEN], paid
