"""Erasure and export of a person's posts, comments and graph."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any

from core.context import Context, Services
from core.erasure import pages
from core.storage.batches import each_in_unit
from resolvers.feed import graph, groups, posts
from resolvers.feed.archiving import at_hand
from resolvers.feed.comments import blank
from resolvers.feed.counting import reacted
from stores import feed as store
from stores.feed import GroupRole

BATCH = 50

Rows = Sequence[Mapping[str, Any]]


async def erase(services: Services, user_id: str) -> None:
    """Erase a person's posts, comments and reactions, and end what ties them to others; safe to repeat."""
    work: Sequence[tuple[Any, Mapping[str, Any], Callable[[Context, Any], Awaitable[Any]]]] = (
        (store.archive, {"author_id": user_id}, _take_out),
        (store.posts, {"author_id": user_id}, posts.erase),
        (store.comments, {"author_id": user_id}, _blank),
        (store.reactions, {"user_id": user_id}, take_back),
        (store.follows, {"follower_id": user_id}, graph.end),
        (store.follows, {"followee_id": user_id}, graph.end),
        (store.members, {"user_id": user_id}, groups.leave),
        (store.reports, {"reporter_id": user_id}, _anonymise),
        (store.reports, {"subject_author_id": user_id}, _forget_author),
    )
    for collection, query, each in work:
        await each_in_unit(services, collection, query, each, size=BATCH)
    plainly: Sequence[tuple[Any, Mapping[str, Any]]] = (
        (store.blocks, {"$or": [{"user_id": user_id}, {"blocked_id": user_id}]}),
        (store.hides, {"user_id": user_id}),
        (store.inboxes, {"user_id": user_id}),
        (store.impressions, {"user_id": user_id}),
        (store.share_links, {"user_id": user_id}),
        (store.affinities, {"_id": user_id}),
    )
    for collection, query in plainly:
        await collection.delete_all(services.db, query)


async def _take_out(ctx: Context, post: store.Post) -> None:
    """Erase an archived post with everything attached to it."""
    await posts.erase(ctx, await at_hand(ctx, store.from_archive(post)))


async def _blank(ctx: Context, comment: store.Comment) -> None:
    # An earlier one of the batch may have been its parent.
    ctx.refresh()
    await blank(ctx, comment)


async def take_back(ctx: Context, reaction: store.Reaction) -> None:
    """Remove a reaction and its count."""
    await ctx.tx.delete(store.reactions, reaction["_id"])
    await reacted(ctx.tx, reaction["subject_id"], reaction["kind"], None)


async def _anonymise(ctx: Context, report: store.Report) -> None:
    """Remove the reporter from a report; the report itself stays, for the content was still wrong."""
    change = {"reporter_id": None, "day": report["_id"], "note": None}
    await ctx.tx.update(store.reports, report, set=change)


async def _forget_author(ctx: Context, report: store.Report) -> None:
    """Remove the author and their appeal from a report on erased content."""
    gone = await ctx.tx.update(store.reports, report, set={"subject_author_id": None, "appeal": None})
    if gone is not None:
        ctx.tx.skip_log(gone)


async def export(services: Services, user_id: str) -> AsyncIterator[tuple[str, Rows]]:
    """Export the person's own feed data, in batches."""
    own = {"user_id": user_id}
    for name, collection, query, without in (
        ("posts", store.posts, {"author_id": user_id}, POST),
        ("posts", store.archive, {"author_id": user_id}, POST),
        ("comments", store.comments, {"author_id": user_id}, ("weight", "gone", "claims")),
        ("reactions", store.reactions, own, ()),
        ("following", store.follows, {"follower_id": user_id}, ()),
        ("blocks", store.blocks, own, ()),
        ("hidden_posts", store.hides, own, ()),
        ("impressions", store.impressions, own, ()),
        ("share_links", store.share_links, own, ()),
        ("groups", store.members, own, ()),
        ("reports", store.reports, {"reporter_id": user_id}, ("subject_author_id", "appeal", "day")),
        ("appeals", store.reports, {"subject_author_id": user_id, "appeal": {"$ne": None}}, APPEAL),
        ("feed_inbox", store.inboxes, own, ()),
        ("tastes", store.affinities, {"_id": user_id}, ("inbox_maintained",)),
    ):
        async for rows in pages(services, collection, query, without=without):
            yield name, rows
    async for memberships in pages(services, store.members, {**own, "role": GroupRole.OWNER}):
        made = {"_id": {"$in": [each["group_id"] for each in memberships]}}
        async for rows in pages(services, store.groups, made):
            yield "groups_owned", rows


POST = ("pulled", "claims", "files")
APPEAL = ("reporter_id", "note", "reason", "day")
"""Fields left out of exports: internal bookkeeping, and the identity and words of reporters."""
