"""Baseline, "Floor" in tables: Landfall's database commands, orjson, aiohttp. `python -m bench.floor`.

No GraphQL: which operation is wanted is found by looking for `feed` in the request. Commands go through
Landfall's own stores, so that they are the same commands; `make bench` counts them on both sides.
"""

import argparse
import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from aiohttp import web

from bench.common import Gate, Settings, from_environment, serve
from core import paging
from core.paging import NEWEST
from core.security.crypto import Cipher, keyring
from core.storage import mongo
from core.storage.mongo import Database
from devstack.shop import category_id
from stores import auth, chat, feed, media
from stores.catalog import products
from stores.catalog.kinds import ProductSort
from stores.feed import FeedReason, FollowStatus, PostStatus, ReactionKind, Visibility

Document = Mapping[str, Any]

PAGE = 20
COMMENTS = 2
CATEGORY = category_id(0)
MESSAGES = 50
SHOWN = [PostStatus.PUBLISHED, PostStatus.LIMITED]

# What Landfall's plan of the operation reads of each.
POST_FIELDS = (
    *("author_id", "comment_count", "created_at", "group_id", "media_ids", "pinned"),
    *("reactions", "shared_post_id", "text", "visibility"),
)
NAME_FIELDS = ("first_name", "handle", "last_name")
USER_FIELDS = ("avatar_id", *NAME_FIELDS)
LABEL_FIELDS = ("folder", "thumb")
MEDIA_FIELDS = ("folder", "height", "kind", "main", "mime", "thumb", "width")
PRODUCT_FIELDS = (
    *("availability", "brand", "currency", "form", "label_image_id", "max_price", "min_price", "name"),
    *("rating_summary", "servings_per_container"),
)
COMMENT_FIELDS = ("author_id", "created_at", "text")
MESSAGE_FIELDS = ("chat_id", "delivered_at", "edited_at", "sealed_text", "sender_id", "sent_at", "sequence")


class Floor:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.gate = Gate(settings)
        client = mongo.connect(settings.mongo_url, settings.mongo_driver)
        self.db = Database(client, settings.mongo_database)
        self.crypto = keyring(f"bench:{settings.field_key}", "")

    async def answer(self, request: web.Request) -> web.Response:
        body = orjson.loads(await request.read())
        viewer_id = await self.gate.viewer(request)
        if viewer_id is None:
            raise web.HTTPUnauthorized
        query = body["query"]
        if "searchProducts" in query:
            data = {"searchProducts": await self.products()}
        elif "feed" in query:
            data = {"viewer": await self.feed(viewer_id)}
        elif "chats" in query:
            data = {"viewer": await self.latest_chat(viewer_id)}
        else:
            data = {"viewer": await self.user(viewer_id)}
        return web.Response(body=orjson.dumps({"data": data}), content_type="application/json")

    async def products(self) -> dict[str, Any]:
        filters = {"category_id": CATEGORY}
        rows = await products.page(
            self.db,
            *(ProductSort.RELEVANCE, filters, {}, products.SORTS[ProductSort.RELEVANCE], PAGE + 1),
            fields=PRODUCT_FIELDS,
        )
        page = rows[:PAGE]
        labels = [row["label_image_id"] for row in page if row["label_image_id"]]
        found = await media.media.by_ids(self.db, labels, fields=LABEL_FIELDS)
        pictures = {each["_id"]: each for each in found}
        edges = [{"node": self.product(row, pictures)} for row in page]
        return {"edges": edges, "pageInfo": {"hasNextPage": len(rows) > PAGE}}

    def product(self, row: Document, pictures: Mapping[str, Document]) -> dict[str, Any]:
        label = pictures.get(row["label_image_id"])
        rating = row["rating_summary"]
        thumbnail = label and label["thumb"] and self.settings.media_url(label["folder"], label["thumb"])
        return {
            "id": row["_id"],
            "name": row["name"],
            "brand": row["brand"],
            "form": row["form"],
            "servingsPerContainer": row["servings_per_container"],
            "availability": {name: row["availability"][name] for name in ("status", "remaining")},
            "priceRange": {
                "min": {"amount": _amount(row["min_price"]), "currencyCode": row["currency"]},
                "max": {"amount": _amount(row["max_price"])},
            },
            "labelImage": {"thumbnailUrl": thumbnail} if label else None,
            "ratingSummary": {"average": rating["average"], "count": rating["count"]},
        }

    async def user(self, viewer_id: str) -> dict[str, Any]:
        users = await auth.users.by_ids(self.db, [viewer_id], fields=NAME_FIELDS)
        return {"user": {"id": users[0]["_id"], "name": _name(users[0])}}

    async def latest_chat(self, viewer_id: str) -> dict[str, Any]:
        db = self.db
        listed = {"user_id": viewer_id, "started": True, "archived": False}
        rows = await chat.members.find(db, {"$and": [listed, {}]}, sort=chat.LATEST, limit=2)
        return {"chats": {"edges": [{"node": await self._chat(row, viewer_id)} for row in rows[:1]]}}

    async def _chat(self, row: Document, viewer_id: str) -> dict[str, Any]:
        wanted = {"$and": [{"chat_id": row["chat_id"]}, {"hidden_for": {"$ne": viewer_id}}, {}]}
        newest = [("sequence", -1)]
        said = await chat.messages.find(
            self.db, wanted, sort=newest, limit=MESSAGES + 1, fields=MESSAGE_FIELDS
        )
        page = said[:MESSAGES][::-1]
        people = {each["sender_id"] for each in page}
        users = await auth.users.by_ids(self.db, people, fields=(*NAME_FIELDS, "status"))
        senders = {user["_id"]: {"id": user["_id"], "name": _name(user)} for user in users}
        cipher = self.crypto.cipher(row["data_key"], place=f"chats/{row['chat_id']}")
        edges = [{"node": _message(each, cipher, senders)} for each in page]
        info = {"hasPreviousPage": len(said) > MESSAGES}
        unread = row["unread_count"]
        return {
            "id": row["chat_id"],
            "unreadCount": unread,
            "messages": {"edges": edges, "pageInfo": info},
        }

    async def feed(self, viewer_id: str) -> dict[str, Any]:
        db = self.db
        edges, hides, blocks, member = await asyncio.gather(
            feed.follows_of(db, viewer_id),
            feed.hidden_by(db, viewer_id),
            feed.blocks_about(db, viewer_id),
            feed.memberships(db, viewer_id),
        )
        barred = {row["user_id"] for row in blocks} | {row["blocked_id"] for row in blocks}
        shown = [edge for edge in edges if edge["state"] == FollowStatus.FOLLOWING]
        groups = [row["group_id"] for row in member]
        parts: list[Document] = [_audience(viewer_id, shown, groups), {}]
        if hides:
            parts.append({"_id": {"$nin": [hide["post_id"] for hide in hides]}})
        posts = await feed.posts.find(db, {"$and": parts}, sort=NEWEST, limit=PAGE + 1, fields=POST_FIELDS)
        page = posts[:PAGE]
        ids = [post["_id"] for post in page]
        without = {"author_id": {"$nin": sorted(barred - {viewer_id})}} if blocks else {}
        authors, pictures, reactions, threads = await asyncio.gather(
            auth.users.by_ids(db, [post["author_id"] for post in page], fields=USER_FIELDS),
            media.media.by_ids(
                db, [each for post in page for each in post["media_ids"]], fields=MEDIA_FIELDS
            ),
            feed.reactions_by(db, viewer_id, ids),
            feed.comments.per_parent(
                db,
                "post_id",
                ids,
                sort=NEWEST,
                limit=COMMENTS + 1,
                where={"parent_id": None, **without, "gone": {"$ne": True}},
                fields=COMMENT_FIELDS,
            ),
        )
        users: dict[str, Document] = {user["_id"]: user for user in authors}
        missing = {
            comment["author_id"] for comments in threads.values() for comment in comments[:COMMENTS]
        } - users.keys()
        avatars, commenters = await asyncio.gather(
            media.media.by_ids(
                db,
                [user["avatar_id"] for user in authors if user.get("avatar_id")],
                fields=MEDIA_FIELDS,
            ),
            auth.users.by_ids(db, missing, fields=USER_FIELDS),
        )
        users |= {user["_id"]: user for user in commenters}
        followed = {edge["followee_id"]: edge for edge in shown}
        screen = _Screen(
            self.settings,
            users,
            {each["_id"]: each for each in [*pictures, *avatars]},
            {row["subject_id"]: row["kind"] for row in reactions},
            threads,
        )
        listing = self.settings.feed_listings[viewer_id]
        cursors = [paging.encode(listing, [p["created_at"], p["_id"]]) for p in page]
        nodes = [
            {"cursor": cursor, "reason": _reason(viewer_id, followed, post), "node": node}
            for cursor, post, node in zip(cursors, page, map(screen.post, page), strict=True)
        ]
        info = {"hasNextPage": len(posts) > PAGE, "endCursor": cursors[-1] if cursors else None}
        return {"feed": {"edges": nodes, "pageInfo": info}}


def _message(message: Document, cipher: Cipher, senders: Mapping[str, Document]) -> dict[str, Any]:
    id, sealed = message["_id"], message["sealed_text"]
    delivered, edited = message["delivered_at"], message["edited_at"]
    return {
        "id": id,
        "text": sealed and cipher.open(sealed, place=f"messages/{id}/text"),
        "sequence": message["sequence"],
        "sentAt": _time(message["sent_at"]),
        "deliveredAt": delivered and _time(delivered),
        "editedAt": edited and _time(edited),
        "sender": senders[message["sender_id"]],
    }


class _Screen:
    """The rows of one page, made into what the phone shows."""

    def __init__(
        self,
        settings: Settings,
        users: Mapping[str, Document],
        pictures: Mapping[str, Document],
        reactions: Mapping[str, str],
        threads: Mapping[str, Sequence[Document]],
    ) -> None:
        self.url = settings.media_url
        self.users, self.pictures, self.reactions, self.threads = users, pictures, reactions, threads

    def post(self, post: Document) -> dict[str, Any]:
        return {
            "id": post["_id"],
            "author": self.author(self.users[post["author_id"]]),
            "text": post["text"],
            "createdAt": _time(post["created_at"]),
            "visibility": post["visibility"],
            "reactionSummary": self.summary(post),
            "commentCount": post["comment_count"],
            "media": [self.picture(self.pictures[id]) for id in post["media_ids"] if id in self.pictures],
            "comments": self.thread(self.threads.get(post["_id"], ())),
        }

    def author(self, user: Document) -> dict[str, Any]:
        picture = self.pictures.get(user.get("avatar_id"))  # type: ignore[arg-type]
        thumbnail = picture and picture.get("thumb")
        avatar = (
            {"thumbnailUrl": self.url(picture["folder"], thumbnail) if thumbnail else None}
            if picture
            else None
        )
        return {"id": user["_id"], "name": _name(user), "avatar": avatar}

    def summary(self, post: Document) -> dict[str, Any]:
        counts = post["reactions"]
        return {
            "total": sum(max(0, counts.get(kind.value, 0)) for kind in ReactionKind),
            "like": max(0, counts.get("LIKE", 0)),
            "love": max(0, counts.get("LOVE", 0)),
            "viewerReaction": self.reactions.get(post["_id"]),
        }

    def picture(self, each: Document) -> dict[str, Any]:
        return {
            "url": self.url(each["folder"], each["main"]),
            "width": each["width"],
            "height": each["height"],
            "mimeType": each["mime"],
        }

    def thread(self, comments: Sequence[Document]) -> dict[str, Any]:
        return {
            "edges": [{"node": self.comment(each)} for each in comments[:COMMENTS]],
            "pageInfo": {"hasNextPage": len(comments) > COMMENTS},
        }

    def comment(self, comment: Document) -> dict[str, Any]:
        author = self.users[comment["author_id"]]
        return {
            "id": comment["_id"],
            "text": comment["text"],
            "createdAt": _time(comment["created_at"]),
            "author": {"id": author["_id"], "name": _name(author)},
        }


def _audience(viewer_id: str, edges: Sequence[Document], groups: Sequence[str]) -> dict[str, Any]:
    friends = [edge["followee_id"] for edge in edges if edge["mutual"]]
    shown = {"state": {"$in": SHOWN}}
    followed = [edge["followee_id"] for edge in edges]
    branches: list[dict[str, Any]] = [
        {"author_id": viewer_id},
        {"author_id": {"$in": followed}, "visibility": Visibility.PUBLIC, **shown},
    ]
    if friends:
        branches.append({"author_id": {"$in": friends}, "visibility": Visibility.FRIENDS, **shown})
    if groups:
        branches.append({"group_id": {"$in": groups}, **shown})
    return {"$or": branches}


def _reason(viewer_id: str, followed: dict[str, Document], post: Document) -> FeedReason:
    if post["author_id"] == viewer_id:
        return FeedReason.FOLLOW
    if post.get("group_id"):
        return FeedReason.GROUP
    edge = followed.get(post["author_id"])
    if edge is None:
        return FeedReason.SUGGESTED
    if post.get("shared_post_id"):
        return FeedReason.SHARED_BY_FOLLOW
    if post.get("pinned"):
        return FeedReason.PINNED
    return FeedReason.FRIEND if edge["mutual"] else FeedReason.FOLLOW


def _name(user: Document) -> str:
    names = " ".join(filter(None, (user.get("first_name"), user.get("last_name"))))
    return names or user.get("handle") or "Somebody"


def _amount(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02d}"


def _time(value: Any) -> str:
    # MongoDB keeps whole milliseconds, in UTC.
    return f"{value.isoformat(timespec='milliseconds')[:23]}Z"


async def make_app(settings: Settings) -> web.Application:
    app = web.Application()
    app.router.add_post("/graphql", Floor(settings).answer)
    return app


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int)
    serve(make_app, from_environment(parser.parse_args().port))
