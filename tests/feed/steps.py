"""Steps shared by the tests of the feed: people, posts, pages."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from core import clock, ids
from core.context import Context, Services
from stores import feed as store
from stores.feed import PostStatus, Visibility
from tests.phone import Phone
from tests.phone import refusal as refusal

ERRORS = "errors { kind code message field limit retryable retryAfterSeconds }"


async def publish(phone: Phone, text: str = "Hello", visibility: str = "PUBLIC", **input: Any) -> str:
    """A new post's id."""
    made = await phone.do("createPost", "post { id }", text=text, visibility=visibility, **input)
    assert made["errors"] == []
    return str(made["post"]["id"])


async def comment(phone: Phone, post_id: str, text: str = "Well said", **input: Any) -> str:
    """A new comment's id."""
    made = await phone.do("createComment", "comment { id }", postId=post_id, text=text, **input)
    assert made["errors"] == []
    return str(made["comment"]["id"])


async def follow(follower: Phone, followee: Phone) -> None:
    done = await follower.do("followUser", "user { id }", userId=followee.user_id)
    assert done["errors"] == []


async def befriend(one: Phone, other: Phone) -> None:
    await follow(one, other)
    await follow(other, one)


async def counts(phone: Phone) -> tuple[int, int, int]:
    """Followers, people followed and posts of the phone's person."""
    found = await phone.run("{ viewer { user { followerCount followingCount postCount } } }")
    user = found["viewer"]["user"]
    return user["followerCount"], user["followingCount"], user["postCount"]


async def feed_of(phone: Phone) -> list[str]:
    found = await phone.run("{ viewer { feed(sort: NEWEST, first: 50) { edges { node { id } } } } }")
    return [edge["node"]["id"] for edge in found["viewer"]["feed"]["edges"]]


async def written(services: Services, collection: str, query: Mapping[str, Any] | None = None) -> int:
    return len(await services.db.find(collection, query or {}))


async def insert_posts(
    services: Services, author_id: str, moments: Sequence[datetime | None], **fields: Any
) -> list[str]:
    """Posts as if made at these moments (now, for None): quicker than asking, and past the rate limit."""
    made = [ids.new_id("post") for _ in moments]
    ctx = Context(services)

    async def insert() -> None:
        for id, at in zip(made, moments, strict=True):
            row: dict[str, Any] = {
                "_id": id,
                "author_id": author_id,
                "text": "A post",
                "media_ids": [],
                "visibility": Visibility.PUBLIC,
                "state": PostStatus.PUBLISHED,
                "pinned": False,
                "comment_count": 0,
                "share_count": 0,
                "reactions": {},
                "edited_at": None,
                "created_at": at or clock.now(),
                **fields,
            }
            ctx.tx.skip_log(await ctx.tx.insert(store.posts, row))

    await ctx.unit(insert)
    return made


async def insert_comments(
    services: Services, post_id: str, authors: Sequence[str], moments: Sequence[datetime], **fields: Any
) -> list[str]:
    """Comments as if made at these moments."""
    made = [ids.new_id("comment") for _ in moments]
    ctx = Context(services)

    async def insert() -> None:
        for index, (id, at) in enumerate(zip(made, moments, strict=True)):
            row: dict[str, Any] = {
                "_id": id,
                "post_id": post_id,
                "post_author_id": authors[0],
                "parent_id": None,
                "author_id": authors[index % len(authors)],
                "text": "A comment",
                "reply_count": 0,
                "reactions": {},
                "state": PostStatus.PUBLISHED,
                "edited_at": None,
                "created_at": at,
                **fields,
            }
            ctx.tx.skip_log(await ctx.tx.insert(store.comments, row))

    await ctx.unit(insert)
    return made
