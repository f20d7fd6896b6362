"""Scopes of the feed: audiences that changes of posts, comments, groups and reports are logged for."""

from collections.abc import Mapping
from typing import Any

from core.hooks import on
from core.sync.changes import user_scope
from stores.auth import keepers
from stores.feed.kinds import SHOWN, Visibility

Document = Mapping[str, Any]


def post_scope(post_id: str) -> str:
    return f"post:{post_id}"


@on(keepers)
def followers_scope(user_id: str) -> str:
    return f"followers:{user_id}"


def friends_scope(user_id: str) -> str:
    return f"friends:{user_id}"


def group_scope(group_id: str) -> str:
    return f"group:{group_id}"


def post_scopes(post: Document) -> list[str]:
    """The author, those watching the post, and its audience among followers."""
    scopes = [user_scope(post["author_id"]), post_scope(post["_id"])]
    if post["state"] not in SHOWN:
        return scopes
    if post["visibility"] == Visibility.PUBLIC:
        return [*scopes, followers_scope(post["author_id"])]
    if post["visibility"] == Visibility.FRIENDS:
        return [*scopes, friends_scope(post["author_id"])]
    if post["visibility"] == Visibility.GROUP:
        return [*scopes, group_scope(post["group_id"])]
    return scopes


def comment_scopes(comment: Document) -> list[str]:
    """The author, and those watching the post; nobody, once it has left the thread."""
    if comment.get("gone"):
        return []
    watching = [post_scope(comment["post_id"])]
    return [user_scope(comment["author_id"]), *watching] if comment["author_id"] else watching


def group_scopes(group: Document) -> list[str]:
    return [group_scope(group["_id"])]


def report_scopes(report: Document) -> list[str]:
    """Scope of a report: its reporter; nobody is notified of automatic reports."""
    return [user_scope(report["reporter_id"])] if report["reporter_id"] else []
