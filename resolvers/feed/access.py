"""Access guards of posts, comments and follows, and the scopes that their changes are logged for."""

from asyncio import gather
from collections.abc import Mapping, Sequence
from typing import Any

from core import ids, nodes
from core.context import Context
from core.errors import UserError
from core.hooks import on
from core.nodes import guard, reader_scopes
from loaders.feed import (
    BlockedEitherWayByUser,
    CommentById,
    FollowOfViewer,
    FollowsByFollower,
    GroupsByUser,
    MembershipOfViewer,
    PostById,
)
from resolvers import auth
from resolvers.feed.archiving import at_hand
from stores import feed as store
from stores.feed import Comment, Post, PostStatus, Visibility
from stores.feed.kinds import SHOWN
from stores.feed.scopes import followers_scope, friends_scope, group_scope

Document = Mapping[str, Any]


@on(reader_scopes)
async def audience_scopes(ctx: Context) -> list[str]:
    """Scopes of the posts for the viewer: of people they follow, and of friends those for friends."""
    edges, groups = await gather(
        ctx.load(FollowsByFollower, ctx.viewer_id), ctx.load(GroupsByUser, ctx.viewer_id)
    )
    followed = [followers_scope(edge["followee_id"]) for edge in edges]
    friends = [friends_scope(edge["followee_id"]) for edge in edges if edge["mutual"]]
    return [*followed, *friends, *map(group_scope, groups)]


async def blocked_either_way(ctx: Context, wanted: Sequence[str] = ()) -> frozenset[str]:
    """Ids of people blocked either way."""
    viewer = ctx.viewer_id_or_none
    return await ctx.load(BlockedEitherWayByUser, viewer) if viewer else frozenset()


on(auth.hidden)(blocked_either_way)


@guard("post", sync="POST", owner="author_id", collection="posts")
async def visible_posts(ctx: Context, wanted: Sequence[str]) -> Sequence[Post | None]:
    return await only_visible(ctx, await ctx.load_many(PostById, wanted))


async def only_visible(ctx: Context, found: Sequence[Post | None]) -> list[Post | None]:
    """The posts with those the viewer may not see replaced by None."""
    hidden = await blocked_either_way(ctx)
    viewer = ctx.viewer_id_or_none
    friends_only = [
        post["author_id"]
        for post in found
        if post and post["visibility"] == Visibility.FRIENDS and post["author_id"] != viewer
    ]
    edges = await ctx.load_many(FollowOfViewer, friends_only) if viewer and friends_only else []
    friends = {edge["followee_id"] for edge in edges if edge and edge["mutual"]}
    groups = await _groups_among(ctx, found)
    return [post if post and _visible(post, viewer, hidden, friends, groups) else None for post in found]


async def _groups_among(ctx: Context, found: Sequence[Post | None]) -> set[str]:
    """The groups of the posts that the viewer is a member of."""
    wanted = [post["group_id"] for post in found if post and post["visibility"] == Visibility.GROUP]
    rows = await ctx.load_many(MembershipOfViewer, wanted) if wanted and ctx.viewer else []
    return {row["group_id"] for row in rows if row}


def _visible(
    post: Post, viewer: str | None, hidden: frozenset[str], friends: set[str], groups: set[str]
) -> bool:
    author = post["author_id"]
    if author == viewer:
        return True
    if author in hidden or post["state"] not in SHOWN:
        return False
    if post["visibility"] == Visibility.GROUP:
        return post["group_id"] in groups
    return open_to_all(post) or (post["visibility"] == Visibility.FRIENDS and author in friends)


def open_to_all(post: Post) -> bool:
    """True if everybody may see it except those its author has blocked."""
    return post["state"] in SHOWN and post["visibility"] == Visibility.PUBLIC


@guard("comment", sync="COMMENT", owner="author_id", collection="comments")
async def visible_comments(ctx: Context, wanted: Sequence[str]) -> Sequence[Comment | None]:
    """Comments of visible posts, and the viewer's own while the post exists."""
    found = await ctx.load_many(CommentById, wanted)
    post_ids = [comment["post_id"] for comment in found if comment]
    existing = {post["_id"] for post in await ctx.load_many(PostById, post_ids) if post}
    visible = {post["_id"] for post in await visible_posts(ctx, post_ids) if post}
    hidden = await blocked_either_way(ctx)
    viewer = ctx.viewer_id_or_none
    return [
        comment
        if comment
        and not comment.get("gone")
        and (
            (comment["author_id"] == viewer and comment["post_id"] in existing)
            or (comment["post_id"] in visible and comment["author_id"] not in hidden)
        )
        else None
        for comment in found
    ]


own_follows = nodes.owned(store.follows)


async def subject_for_update(ctx: Context, id: str) -> Any:
    """Visible post or comment to act upon."""
    found: Any = (await nodes.visible(ctx, [ids.checked(id, "post", "comment")])).get(id)
    if found is None:
        raise UserError("NOT_FOUND", "It is gone, or hidden from you.")
    return await at_hand(ctx, found)


def need_files(post: Document, *, field: str) -> None:
    """Raise UPLOAD_NOT_READY while the author's post waits for its files: queued actions on it wait too."""
    if post["state"] == PostStatus.PROCESSING:
        raise UserError("UPLOAD_NOT_READY", "The post's files are still on their way.", field=[field])


async def post_for_update(ctx: Context, id: str) -> Post:
    """Visible post to act upon, moved out of the archive."""
    [post] = await visible_posts(ctx, [ids.checked(id, "post")])
    if post is None:
        raise UserError("NOT_FOUND", "The post is gone, or hidden from you.", field=["postId"])
    return await at_hand(ctx, post)


async def own_post_for_update(ctx: Context, id: str, *, field: str = "postId") -> Post:
    """The viewer's own post in any state, moved out of the archive."""
    post = await ctx.load(PostById, ids.checked(id, "post"))
    if post is None or post["author_id"] != ctx.viewer_id:
        raise UserError("NOT_FOUND", "You have no such post.", field=[field])
    return await at_hand(ctx, post)


async def own_comment_for_update(ctx: Context, id: str, *, field: str = "commentId") -> Comment:
    """The viewer's own comment in any state."""
    comment = await ctx.load(CommentById, ids.checked(id, "comment"))
    if comment is None or comment["author_id"] != ctx.viewer_id:
        raise UserError("NOT_FOUND", "You have no such comment.", field=[field])
    return comment
