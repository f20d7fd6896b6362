"""Counters of posts, comments, people and groups, moved by deltas, and the follow-up when they are folded.

A delta conflicts with nothing, so what is written beside a deletion is put right when it is folded: comments
of a post that is gone are erased, a deleted comment that was replied to meanwhile is a stub again.
"""

from datetime import timedelta
from typing import Any

from core import jobs
from core.ids import prefix_of
from core.storage.counters import counters
from core.storage.unit import Unit
from stores import auth as accounts
from stores import feed as store
from stores.auth import AccountStatus
from stores.feed import Comment, Group, Post, ReactionKind
from stores.feed.scopes import comment_scopes, group_scope

KEPT = timedelta(days=90)
"""Retention of a deleted comment without replies, so that reads by `updatedFrom` tell of its removal."""
LEFT = 100
"""Members removed in one fold, who joined a group while it was being deleted."""


async def _settle_post(tx: Unit, id: str, post: Post | None) -> None:
    if post is None:
        await jobs.enqueue(tx, "feed.erase_comments", post_id=id)


async def _settle_comment(tx: Unit, id: str, comment: Comment | None) -> None:
    if comment is None:
        await jobs.enqueue(tx, "feed.erase_reactions", subject_ids=[id])
    elif comment.get("gone") and comment["reply_count"] > 0:
        stub: Any = await tx.update(store.comments, id, unset=["gone", "purge_at"])
        tx.changed(stub, aspect="counts", scopes=comment_scopes(stub), audience_never_shrinks=True)
    else:
        await sweep(tx, id)


async def sweep(tx: Unit, stub_id: str) -> None:
    """Delete a stub with the last of its replies."""
    change = {"gone": True, "purge_at": tx.now + KEPT}
    where = {"reply_count": {"$lte": 0}, "author_id": None, "gone": {"$ne": True}}
    await tx.update(store.comments, stub_id, set=change, where=where)


async def _settle_group(tx: Unit, id: str, group: Group | None) -> None:
    if group is not None:
        return
    for row in await store.members.find(tx.db, {"group_id": id}, limit=LEFT):
        await tx.delete(store.members, row)
        tx.revoked(row["user_id"], group_scope(id))


async def commented(
    tx: Unit, comment: Comment, by: int
) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    """Move the counters of a comment's thread and post; return the top comment and the post."""
    thread = None
    if comment["parent_id"]:
        thread = await tx.count(COMMENTS, comment["parent_id"], {"reply_count": by, "weight": by})
    return thread, await tx.count(POSTS, comment["post_id"], {"comment_count": by})


async def reacted(
    tx: Unit, subject_id: str, before: ReactionKind | None, after: ReactionKind | None
) -> dict[str, Any] | None:
    """Move the counters of a post or comment from one reaction of a person to another."""
    moved = {f"reactions.{kind}": by for kind, by in ((before, -1), (after, 1)) if kind is not None}
    if prefix_of(subject_id) == "post":
        return await tx.count(POSTS, subject_id, moved, aspect="reactions")
    if before is None or after is None:
        moved["weight"] = 1 if before is None else -1
    return await tx.count(COMMENTS, subject_id, moved, aspect="reactions")


POSTS = counters(store.posts, settle=_settle_post, archive=store.archive)
COMMENTS = counters(store.comments, settle=_settle_comment)
# Who keeps a person sees them as long as they are active.
PEOPLE = counters(accounts.users, audience_never_shrinks=lambda user: user["status"] == AccountStatus.ACTIVE)
GROUPS = counters(
    store.groups, audience_never_shrinks=lambda group: False, version=True, settle=_settle_group
)
