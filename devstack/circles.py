"""Circles in the demo data: groups, posts that were passed on, and those that people pinned."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from stores import feed
from stores.feed import GroupPrivacy, GroupRole, Visibility

Document = dict[str, Any]

GROUPS = (
    ("Allotment neighbours", GroupPrivacy.OPEN),
    ("Sunday runners", GroupPrivacy.OPEN),
    ("Harbour photographers", GroupPrivacy.OPEN),
    ("Night shift", GroupPrivacy.CLOSED),
)
MEMBERS = 24
EVERY_SO_MANY = 20
"""One post in so many is a share, and one is for a group."""
PINNERS = 40


class Maker(Protocol):
    """Source of ids and stamps that depend on the seed alone."""

    def id(self, prefix: str, at: datetime) -> str: ...

    def stamps(self, at: datetime) -> Document: ...


def groups(maker: Maker, users: Sequence[Document], now: datetime) -> tuple[list[Document], list[Document]]:
    """Groups, and who is in them: Ada and her neighbours in the first, and so on."""
    made, members = [], []
    for number, (name, privacy) in enumerate(GROUPS):
        at = now - timedelta(days=200 + number)
        people = users[number :: len(GROUPS)][:MEMBERS]
        group = {
            "_id": maker.id("group", at),
            "name": name,
            "privacy": privacy,
            "member_count": len(people),
            **maker.stamps(at),
        }
        made.append(group)
        for place, user in enumerate(people):
            members.append(
                {
                    "_id": feed.pair(group["_id"], user["_id"]),
                    "group_id": group["_id"],
                    "user_id": user["_id"],
                    "role": GroupRole.OWNER if place == 0 else GroupRole.MEMBER,
                    "created_at": at + timedelta(hours=place),
                }
            )
    return made, members


def arrange(posts: Sequence[Document], members: Sequence[Document]) -> None:
    """Make some posts shares of older ones, some for a group of their author, and pin a few."""
    group_of = {row["user_id"]: row["group_id"] for row in members}
    for index in range(0, len(posts) - EVERY_SO_MANY, EVERY_SO_MANY):
        share, original, inside = posts[index], posts[index + EVERY_SO_MANY // 2], posts[index + 1]
        if original["visibility"] == share["visibility"] == Visibility.PUBLIC and not share["media_ids"]:
            share["shared_post_id"] = original["_id"]
            share["shared_author_id"] = original["author_id"]
            original["share_count"] += 1
        group = group_of.get(inside["author_id"])
        if group is not None:
            inside |= {"visibility": Visibility.GROUP, "group_id": group}
    pinned: set[str] = set()
    for post in posts[EVERY_SO_MANY * 2 :]:
        if len(pinned) == PINNERS:
            break
        if post["visibility"] == Visibility.PUBLIC and post["author_id"] not in pinned:
            pinned.add(post["author_id"])
            post["pinned"] = True
