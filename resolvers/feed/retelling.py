"""Derived changes: posts and comments that read differently though they did not change are published again.

A share shows another post, one's own comment stays while its post is hidden. Both are published by jobs, as
many people may keep them.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from core import jobs, paging, uploads
from core.context import Context, Services
from core.hooks import on
from core.paging import NEWEST
from core.storage.batches import each_in_unit
from core.storage.store import Collection
from stores import feed as store
from stores.feed import Post, Visibility
from stores.feed.kinds import SHOWN
from stores.feed.scopes import post_scopes

BATCH = 200
MOST_COMMENTERS = 10_000
"""Latest posts and comments considered in one job."""
KEPT: Sequence[Collection[Post]] = (store.posts, store.archive)
"""Collections of posts: devices keep old ones as well."""


async def post_changed(ctx: Context, before: Post, after: Post) -> None:
    """Publish the shares and comments of a changed post again, for they show it.

    Its counters do not say that there are none: what is made at this moment may wait to be folded in.
    """
    await jobs.enqueue(ctx.tx, "feed.tell_shares", post_id=after["_id"])
    if _audience(before) != _audience(after):
        await jobs.enqueue(ctx.tx, "feed.tell_commenters", post_id=after["_id"])


def _audience(post: Post) -> tuple[Visibility, bool]:
    return post["visibility"], post["state"] in SHOWN


async def relation_changed(ctx: Context, one: str, other: str) -> None:
    """Publish again after two people's relation changed: friends, no longer friends, blocked."""
    await jobs.enqueue(ctx.tx, "feed.tell_of_relation", user_id=one, other_id=other)


async def group_changed(ctx: Context, user_id: str, group_id: str) -> None:
    """Publish again after a person joined or left a group."""
    await jobs.enqueue(ctx.tx, "feed.tell_of_group", user_id=user_id, group_id=group_id)


async def group_gone(ctx: Context, group_id: str) -> None:
    """Publish the posts of a group that was deleted again: their authors keep them, and they show it."""
    await jobs.enqueue(ctx.tx, "feed.tell_of_lost_group", group_id=group_id)


async def shares(services: Services, post_id: str) -> None:
    """Publish the shares of a post again."""

    async def tell(ctx: Context, share: Post) -> None:
        ctx.tx.changed(share, aspect="shared", scopes=post_scopes(share))

    for collection in KEPT:
        await each_in_unit(services, collection, {"shared_post_id": post_id}, tell)


async def commenters(services: Services, post_id: str) -> None:
    """Publish commenters' own comments again: each shows its post only while its author sees that."""
    rows = await store.comments.find(
        services.db,
        {"post_id": post_id},
        sort=[("updated_at", -1), ("_id", -1)],
        limit=MOST_COMMENTERS,
        fields=("author_id", "post_author_id"),
    )
    theirs = [row for row in rows if row["author_id"] not in (None, row["post_author_id"])]
    await _reshown(services, [(row["_id"], str(row["author_id"])) for row in theirs])


async def relation(services: Services, user_id: str, other_id: str) -> None:
    """Publish each other's posts again to two people, where they keep them."""
    for reader, author in ((user_id, other_id), (other_id, user_id)):
        ids = await _shares_kept(services, reader, author)
        ids += await _posts_in_common_groups(services, reader, author)
        ids += await _comments_on(services, reader, author)
        await _reshown(services, [(id, reader) for id in ids])


async def group(services: Services, user_id: str, group_id: str) -> None:
    """Publish a person's comments in a group again, after they joined or left."""
    rows = await store.comments.find(
        services.db, {"author_id": user_id}, sort=[("created_at", -1)], limit=MOST_COMMENTERS
    )
    posts = await store.posts_by_ids(services.db, list({row["post_id"] for row in rows}))
    inside = {post["_id"] for post in posts if post.get("group_id") == group_id}
    await _reshown(services, [(row["_id"], user_id) for row in rows if row["post_id"] in inside])


async def lost_group(services: Services, group_id: str) -> None:
    """Publish the posts of a deleted group again, each to its author, who alone sees it still."""
    for collection in KEPT:
        posts = collection.batches_in_order(
            services.db, {"group_id": group_id}, NEWEST, size=BATCH, fields=("author_id",)
        )
        async for rows in posts:
            await _reshown(services, [(row["_id"], row["author_id"]) for row in rows])


async def _shares_kept(services: Services, reader: str, author: str) -> list[str]:
    """Shares of the author's posts that the reader keeps: their own, and of people they follow."""
    followed = [edge["followee_id"] for edge in await store.follows_of(services.db, reader)]
    query = {"shared_author_id": author, "author_id": {"$in": [reader, *followed]}}
    return await _ids_of(services, query)


async def _posts_in_common_groups(services: Services, reader: str, author: str) -> list[str]:
    """The author's posts in common groups: blocked members stay in them without each other's posts."""
    common = [
        {each["group_id"] for each in await store.memberships(services.db, id)} for id in (reader, author)
    ]
    groups = sorted(common[0] & common[1])
    query = {"author_id": author, "group_id": {"$in": groups}}
    return await _ids_of(services, query, sort=NEWEST) if groups else []


async def _ids_of(services: Services, query: Mapping[str, Any], *, sort: paging.Sort = ()) -> list[str]:
    """Ids of the posts of a query, archived or not."""
    found: list[str] = []
    for collection in KEPT:
        if left := MOST_COMMENTERS - len(found):
            rows = await collection.find(services.db, query, sort=sort, limit=left, fields=("_id",))
            found += [row["_id"] for row in rows]
    return found


async def _comments_on(services: Services, reader: str, author: str) -> list[str]:
    """The reader's comments on the author's posts."""
    query, order = {"author_id": reader, "post_author_id": author}, [("created_at", -1)]
    rows = await store.comments.find(services.db, query, sort=order, limit=MOST_COMMENTERS, fields=("_id",))
    return [row["_id"] for row in rows]


async def _reshown(services: Services, told: Sequence[tuple[str, str]]) -> None:
    """Publish these again, each to its one reader."""
    for start in range(0, len(told), BATCH):
        ctx = Context(services)

        async def tell(
            some: Sequence[tuple[str, str]] = told[start : start + BATCH], ctx: Context = ctx
        ) -> None:
            for id, reader in some:
                ctx.tx.reshown(id, to=[reader])

        await ctx.unit(tell)


@on(uploads.relocated)
async def relocated(ctx: Context, record_id: str) -> None:
    """Publish a post again when its pictures have new URLs."""
    found = await store.posts_by_ids(ctx.db, [record_id]) if record_id.startswith("post_") else []
    for post in found:
        ctx.tx.changed(post, aspect="media", scopes=post_scopes(post))
