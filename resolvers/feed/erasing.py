"""What becomes of somebody's posts, comments and graph when they leave; and what they may take along."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any

from core.context import Context, Services
from core.store import Collection
from resolvers.feed import graph, groups, posts
from resolvers.feed.archiving import at_hand
from resolvers.feed.comments import blank
from resolvers.feed.counting import COMMENTS, POSTS
from stores import feed as store

BATCH = 50
EXPORTED = 500

Rows = Sequence[Mapping[str, Any]]


async def erase(services: Services, user_id: str) -> None:
    """Erase a person's posts, comments and reactions, and end what ties them to others; safe to repeat."""
    await _each(services, store.archive, {"author_id": user_id}, _take_out)
    await _each(services, store.posts, {"author_id": user_id}, posts.erase)
    await _each(services, store.comments, {"author_id": user_id}, _blank)
    await _each(services, store.reactions, {"user_id": user_id}, take_back)
    either = {"$or": [{"follower_id": user_id}, {"followee_id": user_id}]}
    await _each(services, store.follows, either, graph.end)
    await _each(services, store.members, {"user_id": user_id}, groups.leave)
    await _each(services, store.reports, {"reporter_id": user_id}, _anonymise)
    plainly: Sequence[tuple[Any, Mapping[str, Any]]] = (
        (store.blocks, {"$or": [{"user_id": user_id}, {"blocked_id": user_id}]}),
        (store.hides, {"user_id": user_id}),
        (store.inboxes, {"user_id": user_id}),
        (store.impressions, {"user_id": user_id}),
        (store.share_links, {"user_id": user_id}),
        (store.tastes, {"_id": user_id}),
    )
    for collection, query in plainly:
        await services.db.write({"delete": collection.name, "deletes": [{"q": query, "limit": 0}]})


async def _each(
    services: Services,
    collection: Collection[Any],
    query: Mapping[str, Any],
    work: Callable[[Context, Any], Awaitable[Any]],
) -> None:
    """Do it with every row, some to a transaction, until none is left."""
    while rows := await collection.find(services.db, query, limit=BATCH):
        ctx = Context(services)

        async def batch(rows: Sequence[Any] = rows, ctx: Context = ctx) -> None:
            for row in rows:
                await work(ctx, row)

        await ctx.unit(batch)


async def _take_out(ctx: Context, post: store.Post) -> None:
    """An archived post goes with all that hangs on it, like any other."""
    await posts.erase(ctx, await at_hand(ctx, post))


async def _blank(ctx: Context, comment: store.Comment) -> None:
    # An earlier one of the batch may have been its parent.
    ctx.refresh()
    await blank(ctx, comment)


async def take_back(ctx: Context, reaction: store.Reaction) -> None:
    """A reaction is gone, and counts no more."""
    await ctx.tx.delete(store.reactions, reaction["_id"])
    subject = reaction["subject_id"]
    is_post = subject.startswith("post_")
    moved = {f"reactions.{reaction['kind']}": -1, **({} if is_post else {"weight": -1})}
    await ctx.tx.count(POSTS if is_post else COMMENTS, subject, moved, aspect="reactions")


async def _anonymise(ctx: Context, report: store.Report) -> None:
    """What was wrong stays wrong; who said so is nobody's business any more."""
    gone = await ctx.tx.update(
        store.reports, report["_id"], set={"reporter_id": None, "day": report["_id"], "note": None}
    )
    if gone is not None:
        ctx.tx.removed(gone)


async def export(services: Services, user_id: str) -> AsyncIterator[tuple[str, Rows]]:
    """Everything of the feed that is a person's own, in batches."""
    for name, collection, query, fields in (
        ("posts", store.posts, {"author_id": user_id}, POST),
        ("posts", store.archive, {"author_id": user_id}, POST),
        ("comments", store.comments, {"author_id": user_id}, ("post_id", "parent_id", "text", "created_at")),
        ("reactions", store.reactions, {"user_id": user_id}, ("subject_id", "kind", "created_at")),
        ("following", store.follows, {"follower_id": user_id}, ("followee_id", "state", "created_at")),
        ("groups", store.members, {"user_id": user_id}, ("group_id", "role", "created_at")),
        ("reports", store.reports, {"reporter_id": user_id}, ("subject_id", "reason", "note", "created_at")),
    ):
        async for rows in _batches(services, collection, query, fields):
            yield name, rows


POST = (
    "text",
    "visibility",
    "group_id",
    "shared_post_id",
    "link_url",
    "media_ids",
    "created_at",
    "edited_at",
)


async def _batches(
    services: Services, collection: Any, query: Mapping[str, Any], fields: Sequence[str]
) -> AsyncIterator[Rows]:
    after = ""
    while True:
        rows = await collection.find(
            services.db,
            {**query, "_id": {"$gt": after}},
            sort=[("_id", 1)],
            limit=EXPORTED,
            fields=fields,
        )
        if not rows:
            return
        yield [{"id": row["_id"], **{each: row[each] for each in fields if each in row}} for row in rows]
        after = rows[-1]["_id"]
