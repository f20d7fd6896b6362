"""Home feed: ranked snapshots, paging over them, and news since one was shown."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from prometheus_client import Counter

from core import clock, ids, paging
from core.context import Context
from core.errors import BadUserInput
from core.paging import NEWEST, KeysetPage, PageArgs, PageRequest
from loaders.feed import PostById, SponsorshipByPost
from resolvers.feed import candidates, latest, viewer_relations
from resolvers.feed.background import KeyedTasks
from resolvers.feed.ranking import Ranking, own_first, spread
from resolvers.feed.snapshots import LOST, SIZE, Item, Snapshot, Snapshots
from resolvers.feed.viewer_relations import ViewerRelations
from stores import feed as store
from stores.feed import FeedReason, FeedSort, Post

logger = structlog.get_logger(__name__)

Document = Mapping[str, Any]

LARGEST_PAGE = 50
REFRESHED = timedelta(seconds=60)
"""Age from which a snapshot is shown once more while the next one is built (stale-while-revalidate)."""
DEGRADED_KEPT = timedelta(seconds=5)
"""Lifetime of an order without a model, which is retried soon."""
SLACK = 6
"""Items read beyond a page, in place of those no longer visible."""

READS = Counter("landfall_feed_reads_total", "Reads of home feeds by where they came from.", ["source"])

RANKED, OLDER = "r", "t"
"""Cursor kinds: within a ranked snapshot, and behind its end."""


async def feed(
    ctx: Context, viewer: Document, *, sort: FeedSort = FeedSort.RANKED, args: PageArgs
) -> dict[str, Any]:
    """Home feed, ranked or newest first; if ranking fails, newest first."""
    listing = feed_listing(ctx, sort)
    if sort is FeedSort.NEWEST:
        return await _latest(ctx, listing, args)
    wanted = paging.page_request(args, most=LARGEST_PAGE)
    place = _place(listing, wanted)
    try:
        snapshot, stands = await _snapshot(ctx, place)
    except LOST as error:
        logger.warning("feed without snapshots", error=type(error).__name__)
        READS.labels("no redis").inc()
        return await _older(ctx, listing, wanted, place, None, degraded=True)
    if snapshot is None or (place and place.kind == OLDER):
        return await _older(ctx, listing, wanted, place, snapshot)
    return await _ranked(ctx, listing, wanted, place, snapshot, stands)


def feed_listing(ctx: Context, sort: FeedSort = FeedSort.RANKED) -> paging.Listing:
    return paging.Listing("feed", viewer=ctx.viewer_id, sort=sort)


def feed_edge(ctx: Context, post: Post) -> dict[str, Any]:
    """Edge of the viewer's own new post in their feed: before everything older."""
    place = [OLDER, "", 0, post["created_at"], post["_id"]]
    extra = {"reason": FeedReason.FOLLOW, "score": 1.0, "position": 0}
    return paging.placed_edge(str(feed_listing(ctx)), place, post, **extra)


@dataclass(frozen=True, slots=True)
class Place:
    """Cursor of a ranked feed.

    In the snapshot: its position, and in `at` the oldest post shown so far, for when the snapshot is gone.
    Behind its end: the post's own place among all, newest first, and as position the oldest of the snapshot,
    in milliseconds.
    """

    kind: str
    snapshot_id: str
    position: int
    at: datetime | None
    post_id: str


def _place(listing: paging.Listing, wanted: PageRequest) -> Place | None:
    if wanted.cursor is None:
        return None
    try:
        kind, snapshot_id, position, at, post_id = paging.decode(listing, wanted.cursor)
    except ValueError:
        raise BadUserInput("The cursor is malformed.") from None
    fitting = (
        kind in (RANKED, OLDER)
        and isinstance(snapshot_id, str)
        and len(snapshot_id) < 100
        and isinstance(position, int)
        and 0 <= position < 2**42
        and isinstance(at, datetime)
        and isinstance(post_id, str)
    )
    if not fitting:
        raise BadUserInput("The cursor is malformed.")
    return Place(kind, snapshot_id, position, at, post_id)


async def _snapshot(ctx: Context, place: Place | None) -> tuple[Snapshot | None, ViewerRelations | None]:
    """Snapshot that a cursor names, None if it is gone; without a cursor, the current one."""
    if place is None:
        return await current(ctx)
    if not place.snapshot_id:
        return None, None
    found = await ctx.services.get(Snapshots).named(ctx.viewer_id, place.snapshot_id)
    return found, None


async def current(
    ctx: Context, *, oldest: timedelta = timedelta(days=1)
) -> tuple[Snapshot, ViewerRelations | None]:
    """The viewer's newest snapshot; built now if there is none, or it is stale or too old."""
    snapshot, mark = await ctx.services.get(Snapshots).current(ctx.viewer_id)
    if snapshot is None or not _good(snapshot, mark, oldest):
        READS.labels("ranked").inc()
        return await build(ctx, mark)
    READS.labels("snapshot").inc()
    if snapshot.age > REFRESHED:
        again = Context(ctx.services, viewer=ctx.viewer, request_id=ctx.request_id)
        ctx.services.get(KeyedTasks).start(f"feed:{ctx.viewer_id}", build(again, mark))
    return snapshot, None


def _good(snapshot: Snapshot, mark: str | None, oldest: timedelta) -> bool:
    oldest = min(oldest, DEGRADED_KEPT) if snapshot.degraded else oldest
    return snapshot.mark == mark and snapshot.age <= oldest


async def build(ctx: Context, mark: str | None) -> tuple[Snapshot, ViewerRelations]:
    """Rank the viewer's feed now, and store the snapshot."""
    ranking = ctx.services.get(Ranking)
    now = clock.now()
    material = await candidates.gather(ctx)
    ranked, degraded = await ranking.order(ctx.viewer_id, material.candidates, material.affinity, now)
    shown = spread(own_first(ranked, ctx.viewer_id, now), SIZE)
    snapshot = Snapshot(
        ids.new_id("feed"),
        now,
        [
            Item(
                each.post["_id"],
                each.post["author_id"],
                each.reason.value,
                each.score,
                round(each.post["created_at"].timestamp() * 1000),
            )
            for each in shown
        ],
        ranking.variant_of(ctx.viewer_id) if ranking.experimenting else None,
        degraded,
        material.whole and len(shown) == len(ranked),
        mark,
    )
    logger.info(
        "feed ranked",
        snapshot=snapshot.id,
        experiment=ranking.ranker.experiment or None,
        variant=ranking.variant_of(ctx.viewer_id),
        degraded=degraded,
        posts=len(shown),
    )
    await ctx.services.get(Snapshots).keep(ctx.viewer_id, snapshot)
    if material.affinity is None or not material.affinity["inbox_maintained"]:
        work = _begin_inbox(ctx, material.undelivered)
        ctx.services.get(KeyedTasks).start(f"inbox:{ctx.viewer_id}", work)
    return snapshot, material.standing


async def _begin_inbox(ctx: Context, posts: Sequence[Post]) -> None:
    """Begin to maintain the inbox: the posts pulled this time are delivered once."""
    db, user_id = ctx.services.db, ctx.viewer_id
    rows = [store.inbox_row(post, user_id) for post in posts if not post.get("pulled")]
    await store.put_in(db, rows)
    await store.learn(db, user_id, {"inbox_maintained": True}, now=clock.now())


async def _ranked(
    ctx: Context,
    listing: paging.Listing,
    wanted: PageRequest,
    place: Place | None,
    snapshot: Snapshot,
    stands: ViewerRelations | None,
) -> dict[str, Any]:
    """Page of a snapshot; forwards, it is filled up with older posts where the snapshot ends."""
    rows = await _visible(ctx, snapshot, wanted, place, stands)
    shown = rows[: wanted.size]
    more = len(rows) > wanted.size
    if wanted.backward:
        shown.reverse()
    edges = [ranked_edge(listing, snapshot, position, post) for position, post in shown]
    if not wanted.backward and not more and not snapshot.whole:
        room = KeysetPage(wanted.size - len(shown)) if len(shown) < wanted.size else KeysetPage(1)
        tail = await _tail(ctx, snapshot, room)
        more = len(tail) > wanted.size - len(shown)
        edges += _older_edges(listing, snapshot, tail[: wanted.size - len(shown)])
    return _connection(listing, wanted, place, edges, more, snapshot)


async def _visible(
    ctx: Context,
    snapshot: Snapshot,
    wanted: PageRequest,
    place: Place | None,
    stands: ViewerRelations | None = None,
) -> list[tuple[int, Post]]:
    """Items from the cursor on that the viewer may see now, one more than the page asks for."""
    step = -1 if wanted.backward else 1
    outside = len(snapshot.items) if wanted.backward else -1
    start = (min(place.position, len(snapshot.items)) if place else outside) + step
    rest = list(range(start, -1 if wanted.backward else len(snapshot.items), step))
    found: list[tuple[int, Post]] = []
    while rest and len(found) <= wanted.size:
        length = wanted.size + 1 - len(found) + SLACK
        part, rest = rest[:length], rest[length:]
        items = [snapshot.items[index] for index in part]
        for index, post in zip(part, await seen(ctx, items, stands), strict=True):
            if post is not None:
                found.append((index, post))
    return found[: wanted.size + 1]


async def seen(
    ctx: Context, items: Sequence[Item], stands: ViewerRelations | None = None
) -> list[Post | None]:
    """Posts of these items, None for those no longer visible."""

    async def known() -> ViewerRelations:
        return stands or await viewer_relations.relations_to(ctx, items)

    posts, now, paid = await asyncio.gather(
        ctx.load_many(PostById, [item.post_id for item in items]), known(), _paid(ctx, items)
    )
    return [
        post
        if post and now.shows(post, item.why) and (item.why != FeedReason.SPONSORED or item.post_id in paid)
        else None
        for item, post in zip(items, posts, strict=True)
    ]


async def _paid(ctx: Context, items: Sequence[Item]) -> set[str]:
    """Ids of sponsored posts that still are: a contract may end before the snapshot does."""
    wanted = [item.post_id for item in items if item.why == FeedReason.SPONSORED]
    rows = await ctx.load_many(SponsorshipByPost, wanted) if wanted else []
    now = clock.now()
    return {row["_id"] for row in rows if row and row["starts_at"] <= now < row["ends_at"]}


async def _older(
    ctx: Context,
    listing: paging.Listing,
    wanted: PageRequest,
    place: Place | None,
    snapshot: Snapshot | None,
    *,
    degraded: bool = False,
) -> dict[str, Any]:
    """Page newest first: behind the end of a snapshot, or older than all that an expired one showed."""
    page = KeysetPage(wanted.size, wanted.backward, _beyond(place, gone=snapshot is None) if place else None)
    rows = await _tail(ctx, snapshot, page)
    more = len(rows) > wanted.size
    shown = rows[: wanted.size]
    if wanted.backward:
        shown.reverse()
    edges = _older_edges(listing, snapshot, shown, place)
    if wanted.backward and snapshot is not None and not more:
        rest = PageRequest(max(1, wanted.size - len(shown)), True, None)
        ranked = await _visible(ctx, snapshot, rest, None)
        room = wanted.size - len(shown)
        more = len(ranked) > room
        edges = [ranked_edge(listing, snapshot, *each) for each in ranked[:room][::-1]] + edges
    return _connection(listing, wanted, place, edges, more, snapshot, degraded=degraded)


def _beyond(place: Place, *, gone: bool) -> tuple[Any, ...]:
    """Position to read on from, newest first; behind everything shown if the snapshot is gone."""
    lowest = datetime.fromtimestamp(place.position / 1000, UTC) if place.position else None
    if gone and place.kind == OLDER and lowest is not None and place.at is not None and lowest < place.at:
        return lowest, ""
    return place.at, place.post_id


async def _tail(ctx: Context, snapshot: Snapshot | None, page: KeysetPage) -> list[tuple[Post, FeedReason]]:
    if snapshot is None:
        return await latest.page(ctx, page)
    without = [item.post_id for item in snapshot.items]
    return await latest.page(ctx, page, until=snapshot.generated_at, without=without)


def ranked_edge(listing: paging.Listing, snapshot: Snapshot, position: int, post: Post) -> dict[str, Any]:
    item = snapshot.items[position]
    place = [RANKED, snapshot.id, position, snapshot.lowest(position), ""]
    extra = {"reason": item.why, "score": item.score, "position": position}
    return paging.placed_edge(listing, place, post, **extra)


def _older_edges(
    listing: paging.Listing,
    snapshot: Snapshot | None,
    rows: Sequence[tuple[Post, FeedReason]],
    place: Place | None = None,
) -> list[dict[str, Any]]:
    id = snapshot.id if snapshot else place.snapshot_id if place else ""
    lowest = snapshot.lowest(SIZE) if snapshot else None
    floor = round(lowest.timestamp() * 1000) if lowest else 0
    first = len(snapshot.items) if snapshot else 0
    return [
        paging.placed_edge(
            listing,
            [OLDER, id, floor, post["created_at"], post["_id"]],
            post,
            reason=why,
            score=0.0,
            position=first + index,
        )
        for index, (post, why) in enumerate(rows)
    ]


def _connection(
    listing: paging.Listing,
    wanted: PageRequest,
    place: Place | None,
    edges: list[dict[str, Any]],
    more: bool,
    snapshot: Snapshot | None,
    *,
    degraded: bool = False,
) -> dict[str, Any]:
    return {
        "edges": edges,
        "page_info": {
            "has_next_page": place is not None if wanted.backward else more,
            "has_previous_page": more if wanted.backward else place is not None,
            "first_edge": edges[0] if edges else None,
            "last_edge": edges[-1] if edges else None,
        },
        **about(listing, snapshot, degraded=degraded),
    }


def about(listing: paging.Listing, snapshot: Snapshot | None, *, degraded: bool = False) -> dict[str, Any]:
    """Metadata of a feed."""
    now = snapshot.generated_at if snapshot else clock.now()
    id = snapshot.id if snapshot else ""
    return {
        "snapshot_id": id or f"latest_{round(now.timestamp() * 1000)}",
        "generated_at": now,
        "newer_token": paging.encode(f"{listing}+", [id, now]),
        "degraded": degraded or (snapshot is not None and snapshot.degraded),
        "variant": snapshot.variant if snapshot else None,
    }


async def _latest(ctx: Context, listing: paging.Listing, args: PageArgs) -> dict[str, Any]:
    page = paging.parse_page(listing, NEWEST, args, most=LARGEST_PAGE)
    fields = paging.projection(args, NEWEST, *latest.REASONED)
    rows = await latest.page(ctx, page, fields=fields)
    reasons = {post["_id"]: why for post, why in rows}
    shown = paging.connection(
        listing,
        NEWEST,
        page,
        [post for post, _ in rows],
        edge=lambda post: {"reason": reasons[post["_id"]], "score": 0.0},
    )
    for position, edge in enumerate(shown["edges"]):
        edge["position"] = position
    return {**shown, **about(listing, None)}


async def newer_token(ctx: Context) -> str:
    """Token of the newest snapshot, without building one."""
    try:
        snapshot, _ = await ctx.services.get(Snapshots).current(ctx.viewer_id)
    except LOST:
        snapshot = None
    return str(about(feed_listing(ctx), snapshot)["newer_token"])
