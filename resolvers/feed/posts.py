"""Posts: publish, change and delete."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict, Unpack

from core import ids, jobs, uploads, viewers
from core.audit import Act, record
from core.context import Context
from core.errors import UserError
from core.hooks import on
from core.ids import Id
from core.security.limits import Rate
from core.uploads import finished
from resolvers.feed import (
    fanout,
    groups,
    home,
    links,
    moderating,
    notifications,
    pictures,
    reading,
    retelling,
)
from resolvers.feed.access import open_to_all, own_post_for_update
from resolvers.feed.content import checked_mentions, checked_text
from resolvers.feed.counting import PEOPLE, POSTS
from resolvers.feed.snapshots import stale
from stores import feed as store
from stores.feed import Post, PostStatus, Visibility
from stores.feed.kinds import SHOWN

LONGEST_TEXT = 5_000
MOST_MEDIA = 10
POST_RATE = Rate("posts", 30, 3600)
PURPOSE = "POST_MEDIA"

Document = Mapping[str, Any]


class Created(TypedDict):
    post: Post
    post_edge: dict[str, Any]
    feed_edge: dict[str, Any]
    group_post_edge: dict[str, Any] | None
    viewer: dict[str, Any]


class Changed(TypedDict):
    post: Post
    unpinned_post: Post | None


class Deleted(TypedDict):
    deleted_post_id: Id
    viewer: dict[str, Any]


async def create_post(
    ctx: Context,
    *,
    id: Id | None = None,
    text: str | None = None,
    upload_ids: Sequence[Id] = (),
    link_url: str | None = None,
    visibility: Visibility = Visibility.FRIENDS,
    group_id: Id | None = None,
    mentions: Sequence[Id] = (),
) -> Created:
    await moderating.limit(ctx, POST_RATE)
    body = checked_text(text, LONGEST_TEXT)
    await moderating.screen(ctx, body)
    link = links.checked_url(link_url)
    if not body and not upload_ids and not link:
        raise UserError("REQUIRED", "A post needs text, media or a link.", field=["text"])
    if (visibility == Visibility.GROUP) != (group_id is not None):
        raise UserError("INVALID_INPUT", "A post for a group names it, no other does.", field=["groupId"])
    if group_id is not None:
        await groups.check_member(ctx, group_id)
    post_id = ids.minted(id, "post")
    post = await publish(
        ctx,
        {
            "_id": post_id,
            "text": body,
            "visibility": visibility,
            **({"group_id": group_id} if group_id else {}),
            **({"link_url": link} if link else {}),
            **await _media(ctx, post_id, upload_ids),
        },
        mentions,
    )
    return {
        "post": post,
        "post_edge": reading.post_edge(post),
        "feed_edge": home.feed_edge(ctx, post),
        "group_post_edge": groups.post_edge(post) if group_id else None,
        "viewer": viewers.document(ctx),
    }


async def publish(ctx: Context, content: dict[str, Any], mentions: Sequence[str] = ()) -> Post:
    """Insert a post of the viewer's and publish it to its audience."""
    named = await checked_mentions(ctx, mentions)
    author = await count_posts(ctx, ctx.viewer_id, 1)
    wide = author is not None and author.get("follower_count", 0) > fanout.WIDE
    post = await ctx.tx.insert(
        store.posts,
        {
            "author_id": ctx.viewer_id,
            "media_ids": [],
            "state": PostStatus.PUBLISHED,
            "pinned": False,
            "comment_count": 0,
            "share_count": 0,
            "reactions": {},
            "edited_at": None,
            **({"pulled": True} if wide else {}),
            **({"mention_ids": named} if named else {}),
            **content,
        },
    )
    stale(ctx, ctx.viewer_id)
    if post.get("link_url"):
        await jobs.enqueue(ctx.tx, "feed.fetch_link", post_id=post["_id"])
    if post["state"] != PostStatus.PROCESSING:
        await _appear(ctx, post)
    return post


async def _appear(ctx: Context, post: Post) -> None:
    """Start a post's fan-out, now that all its attachments are ready: scan, deliver, notify."""
    await jobs.enqueue(ctx.tx, "feed.scan", subject_id=post["_id"])
    if post["visibility"] in (Visibility.PUBLIC, Visibility.FRIENDS):
        await fanout.send(ctx, post, created=True)
        await notifications.friends_learn(ctx, post)
    if open_to_all(post):
        await pictures.placed(ctx, post)
    await notifications.mentioned(ctx, post, post.get("mention_ids", ()))


async def _media(ctx: Context, post_id: str, upload_ids: Sequence[str]) -> dict[str, Any]:
    """Media fields of a post; it stays PROCESSING while an upload is not ready."""
    if len(upload_ids) > MOST_MEDIA:
        raise UserError("TOO_MANY", "At most {limit} media.", field=["uploadIds"], limit=MOST_MEDIA)
    if not upload_ids:
        return {}
    used = await uploads.use(ctx, upload_ids, purpose=PURPOSE, record_id=post_id, field=["uploadIds"])
    return _shown([{"upload_id": each["_id"], "media_id": each.get("media_id")} for each in used])


def _shown(files: list[dict[str, Any]]) -> dict[str, Any]:
    waiting = any(each["media_id"] is None for each in files)
    return {
        "files": files,
        "media_ids": [each["media_id"] for each in files if each["media_id"]],
        "state": PostStatus.PROCESSING if waiting else PostStatus.PUBLISHED,
    }


@on(finished(PURPOSE))
async def file_finished(ctx: Context, upload: Document) -> None:
    """Handle a finished or rejected file of a post; its author has to leave a rejected one out."""
    post = await store.posts.by_id(ctx.db, upload["record_id"])
    if post is None:
        return
    files = [
        {**each, "media_id": upload.get("media_id")} if each["upload_id"] == upload["_id"] else each
        for each in post.get("files", ())
    ]
    updated = await ctx.tx.edit(store.posts, post, _refiled(post, files))
    await _appeared(ctx, post, updated)
    await retelling.post_changed(ctx, post, updated)
    if upload["status"] == "READY" and post["state"] in SHOWN:
        # It was added to a post that everybody sees already.
        await pictures.placed(ctx, updated)
        await jobs.enqueue(ctx.tx, "feed.scan", subject_id=post["_id"])


def _refiled(post: Post, files: list[dict[str, Any]]) -> dict[str, Any]:
    """Fields of a post that shows these files from now on."""
    shown = _shown(files)
    if post["state"] != PostStatus.PROCESSING:
        shown.pop("state")
    return shown


async def _appeared(ctx: Context, post: Post, updated: Post) -> None:
    """Publish a post that waited for its files, once they are all ready."""
    if post["state"] == PostStatus.PROCESSING and updated["state"] != PostStatus.PROCESSING:
        await _appear(ctx, updated)
        stale(ctx, updated["author_id"])


class PostChanges(TypedDict, total=False):
    text: str | None
    visibility: Visibility
    pinned: bool
    upload_ids: Sequence[Id]
    mentions: Sequence[Id]


async def update_post(
    ctx: Context, *, post_id: Id, expected_version: int | None = None, **given: Unpack[PostChanges]
) -> Changed:
    """Change text, audience, files or place; people who lose sight of the post have it removed."""
    post = await own_post_for_update(ctx, post_id)
    changes = _changes(ctx, post, given)
    if "mentions" in given:
        changes["mention_ids"] = await checked_mentions(ctx, given["mentions"])
    if "text" in changes:
        await moderating.screen(ctx, changes["text"])
        await jobs.enqueue(ctx.tx, "feed.scan", subject_id=post_id)
    unpinned = await _unpin_others(ctx, post) if given.get("pinned") else None
    if "upload_ids" in given:
        changes |= _refiled(post, await _exchanged(ctx, post, given["upload_ids"]))
    updated = await ctx.tx.edit(store.posts, post, changes, expected_version=expected_version)
    await _appeared(ctx, post, updated)
    await _told_of_edit(ctx, post, updated)
    return {"post": updated, "unpinned_post": unpinned}


def _changes(ctx: Context, post: Post, given: PostChanges) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    if given.keys() & {"text", "upload_ids"}:
        body = checked_text(given["text"], LONGEST_TEXT) if "text" in given else post["text"]
        files = given.get("upload_ids", post["media_ids"])
        if not body and not files and not post.get("link_url") and not post.get("shared_post_id"):
            raise UserError("REQUIRED", "A post needs text, media or a link.", field=["text"])
        changes |= {"text": body, "edited_at": ctx.tx.now}
    if (visibility := given.get("visibility", post["visibility"])) != post["visibility"]:
        if Visibility.GROUP in (visibility, post["visibility"]):
            raise UserError("INVALID_INPUT", "Groups keep their posts.", field=["visibility"])
        changes["visibility"] = visibility
    if "pinned" in given:
        changes["pinned"] = given["pinned"]
    return changes


async def _unpin_others(ctx: Context, post: Post) -> Post | None:
    """Unpin the post that was pinned before: a timeline has one. None if there was none."""
    unpinned = None
    for other in await store.posts.find(ctx.db, {"author_id": post["author_id"], "pinned": True}, limit=10):
        if other["_id"] != post["_id"]:
            unpinned = await ctx.tx.update(store.posts, other["_id"], set={"pinned": False})
    return unpinned


async def _exchanged(ctx: Context, post: Post, upload_ids: Sequence[str]) -> list[dict[str, Any]]:
    """Files of a changed post, in order: kept and new ones; the others are released."""
    if len(upload_ids) > MOST_MEDIA:
        raise UserError("TOO_MANY", "At most {limit} media.", field=["uploadIds"], limit=MOST_MEDIA)
    kept = {each["upload_id"]: each for each in post.get("files", ())}
    gone = [id for id in kept if id not in upload_ids]
    if gone:
        media = [kept[id]["media_id"] for id in gone if kept[id]["media_id"]]
        await uploads.release(ctx, post["_id"], media_ids=media, upload_ids=gone)
    fresh = [id for id in dict.fromkeys(upload_ids) if id not in kept]
    if fresh:
        used = await uploads.use(ctx, fresh, purpose=PURPOSE, record_id=post["_id"], field=["uploadIds"])
        kept |= {each["_id"]: {"upload_id": each["_id"], "media_id": each.get("media_id")} for each in used}
    return [kept[id] for id in dict.fromkeys(upload_ids)]


async def _told_of_edit(ctx: Context, before: Post, after: Post) -> None:
    await retelling.post_changed(ctx, before, after)
    if after["visibility"] != before["visibility"]:
        details = {"before": before["visibility"], "after": after["visibility"]}
        act = Act("feed.visibility_set", "DATA_MODIFIED", "CONTENT", after["_id"], details=details)
        await record(ctx, act)
        await fanout.send(ctx, after)
    if open_to_all(after) != open_to_all(before) or after["media_ids"] != before["media_ids"]:
        await pictures.placed(ctx, after)
    new = [id for id in after.get("mention_ids", ()) if id not in before.get("mention_ids", ())]
    if new and after["state"] in SHOWN:
        await notifications.mentioned(ctx, after, new)


async def delete_post(ctx: Context, *, post_id: Id) -> Deleted:
    """Delete a post; its comments and reactions follow in the background."""
    post = await own_post_for_update(ctx, post_id)
    await erase(ctx, post)
    return {"deleted_post_id": post_id, "viewer": viewers.document(ctx)}


async def erase(ctx: Context, post: Post) -> None:
    """Erase a post with everything attached to it."""
    await ctx.tx.delete(store.posts, post["_id"])
    await count_posts(ctx, post["author_id"], -1)
    if post.get("shared_post_id"):
        await count_shares(ctx, post["shared_post_id"], -1)
    if post.get("files") or pictures.media_of(post):
        await uploads.release(ctx, post["_id"])
    await jobs.enqueue(ctx.tx, "feed.erase_comments", post_id=post["_id"])
    await fanout.send(ctx, post)
    stale(ctx, post["author_id"])


async def count_posts(ctx: Context, author_id: str, by: int) -> dict[str, Any] | None:
    return await ctx.tx.count(PEOPLE, author_id, {"post_count": by})


async def count_shares(ctx: Context, post_id: str, by: int) -> dict[str, Any] | None:
    return await ctx.tx.count(POSTS, post_id, {"share_count": by})
