"""Notifications: in a person's own stream, and by push when the app is away."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import partial
from typing import Any

from core import jobs, messages
from core.context import Context, Services, Viewer
from core.messages import gettext_noop
from core.sync.changes import MEMBERSHIP, NOTE, Entry, user_scope
from resolvers import notification
from resolvers.feed.access import visible_posts
from stores import auth as accounts
from stores import feed as store
from stores.auth import User
from stores.feed import Comment, Post
from stores.notification import NotificationChannel


class Notice(StrEnum):
    """Kind of a notice, in a person's own stream or pushed to their devices."""

    COMMENT = "COMMENT"
    REPLY = "REPLY"
    MENTION = "MENTION"
    FOLLOW = "FOLLOW"
    POST = "POST"
    RESET = "RESET"


PUSHED = {
    Notice.COMMENT: gettext_noop("{name} commented on your post"),
    Notice.REPLY: gettext_noop("{name} replied to you"),
    Notice.MENTION: gettext_noop("{name} mentioned you"),
    Notice.POST: gettext_noop("{name} posted something"),
}
SOMEBODY = gettext_noop("Somebody")
SOURCE = notification.notification_source(
    "FEED", "Comments, replies, mentions and friends' posts in the feed."
)
NOTICE = "feed.notice"
FRIENDS_TOLD = 500
"""Friends that one post is pushed to."""

Document = Mapping[str, Any]


def tell(ctx: Context, kind: Notice, subject_id: str, to: Iterable[str]) -> None:
    """Log a notification for people, each in their own scope."""
    for user_id in to:
        ctx.tx.notice(f"feed:{kind}:{subject_id}:{user_id}", scopes=[user_scope(user_id)])


def told(entry: Entry) -> tuple[Notice, str] | None:
    """Kind and subject of a notice's log entry; None for other entries, and kinds of earlier versions."""
    if entry["type"] != NOTE or not entry["_id"].startswith("feed:"):
        return None
    _, kind, subject_id, *_ = entry["_id"].split(":")
    return (Notice(kind), subject_id) if kind in tuple(Notice) else None


def block_changed(ctx: Context, user_id: str, other_id: str) -> None:
    """Log that a block between two people began or ended: their open streams check access again."""
    scopes = [user_scope(user_id), user_scope(other_id)]
    ctx.tx.notice(f"block:{store.pair(user_id, other_id)}", scopes=scopes)


def may_hide(entry: Entry) -> bool:
    """True if the entry may have hidden something from a person: a lost scope, or a block."""
    if entry["type"] == MEMBERSHIP:
        return bool((entry.get("detail") or {}).get("lost"))
    return entry["type"] == NOTE and entry["_id"].startswith("block:")


async def _push(ctx: Context, kind: Notice, subject: Document, to: Iterable[str]) -> None:
    """Push a notice to people's devices; its text is written when it is sent, and stays in the app."""
    post_id = subject.get("post_id") or subject["_id"]
    named = {"kind": kind, "subject_id": subject["_id"], "author_id": subject["author_id"]}
    await notification.notify(
        ctx,
        source=SOURCE,
        dedupe_key=f"{kind}:{subject['_id']}",
        template_key=NOTICE,
        variables=named,
        channels=[NotificationChannel.PUSH],
        user_ids=sorted(set(to)),
        inbox=False,
        push={
            "collapse_key": f"{kind}:{post_id}",
            "data": {"kind": kind, "postId": post_id, "subjectId": subject["_id"]},
        },
    )


async def commented(ctx: Context, comment: Comment, post: Post, parent: Comment | None) -> None:
    """Notify the author replied to, the post's author and people mentioned; each once, by the closest tie."""
    told = {comment["author_id"]}
    replied = [parent["author_id"]] if parent and parent["author_id"] else []
    for kind, people in (
        (Notice.REPLY, replied),
        (Notice.COMMENT, [post["author_id"]]),
        (Notice.MENTION, list(comment.get("mention_ids", ()))),
    ):
        to = [each for each in people if each not in told]
        told |= set(to)
        tell(ctx, kind, comment["_id"], to)
        await _push(ctx, kind, comment, to)


async def mentioned(ctx: Context, post: Post, people: Iterable[str]) -> None:
    to = [each for each in people if each != post["author_id"]]
    tell(ctx, Notice.MENTION, post["_id"], to)
    await _push(ctx, Notice.MENTION, post, to)


async def friends_learn(ctx: Context, post: Post) -> None:
    """Enqueue pushes to friends who asked for them; the job looks up who they are."""
    await jobs.enqueue(ctx.tx, "feed.push_to_friends", post_id=post["_id"], author_id=post["author_id"])


async def push_to_friends(services: Services, *, post_id: str, author_id: str) -> None:
    friends = await store.notified_friends(services.db, author_id, limit=FRIENDS_TOLD)
    await send(services, kind=Notice.POST, subject_id=post_id, author_id=author_id, to=friends)


async def send(services: Services, *, kind: str, subject_id: str, author_id: str, to: list[str]) -> None:
    """Push a notice from a job: to friends, and of the version before."""
    subject = await store.subject_by_id(services.db, subject_id)
    if subject is not None:
        ctx = Context(services)
        await ctx.unit(partial(_push, ctx, Notice(kind), subject, to))


@notification.rendered(NOTICE)
async def written(services: Services, user: User, variables: Document) -> tuple[str, str] | None:
    """Title of a notice for a person who may still see what it is about."""
    author = await accounts.users.by_id(services.db, variables["author_id"])
    subject = await store.subject_by_id(services.db, variables["subject_id"])
    if author is None or subject is None:
        return None
    if not await _may_see(services, user["_id"], subject.get("post_id") or subject["_id"]):
        return None
    language = messages.language(user["locale"])
    name = author["first_name"] or author["handle"] or messages.text(SOMEBODY, language=language)
    return messages.text(PUSHED[Notice(variables["kind"])], {"name": name}, language), ""


async def _may_see(services: Services, user_id: str, post_id: str) -> bool:
    ctx = Context(services, viewer=Viewer(user_id, "", ""))
    [post] = await visible_posts(ctx, [post_id])
    return post is not None
