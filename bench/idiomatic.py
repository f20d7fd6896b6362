"""The same operations in idiomatic Strawberry, Motor and aiohttp. `python -m bench.idiomatic`.

Written as their documentation shows: dataclass types made from documents, resolvers as methods, Strawberry's
dataloaders, cursors of Motor, parse and validation caches on.
"""

import argparse
import base64
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from typing import Any

import strawberry
from aiohttp import web
from graphql import GraphQLError
from motor.motor_asyncio import AsyncIOMotorClient, AsyncIOMotorDatabase
from strawberry.aiohttp.views import GraphQLView
from strawberry.dataloader import DataLoader
from strawberry.extensions import ParserCache, ValidationCache
from strawberry.schema.config import StrawberryConfig

from bench.common import Gate, Settings, from_environment, serve
from bench.idiomatic_chat import ChatConnection, Texts, User, latest_chats
from bench.idiomatic_shop import URL, Document, Media, PageInfo, Shop

MOST_FOLLOWED = 5_000
MOST_HIDDEN = 1_000
MOST_GROUPS = 1_000
LATEST = [("created_at", -1), ("_id", -1)]
SHOWN = ["PUBLISHED", "LIMITED"]
KINDS = ("LIKE", "LOVE", "WOW", "SAD", "ANGRY")

Database = AsyncIOMotorDatabase[Document]


def _rfc3339(value: datetime) -> str:
    return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{value.microsecond // 1000:03d}Z"


@strawberry.enum
class Visibility(Enum):
    PUBLIC = "PUBLIC"
    FRIENDS = "FRIENDS"
    PRIVATE = "PRIVATE"
    GROUP = "GROUP"


@strawberry.enum
class ReactionKind(Enum):
    LIKE = "LIKE"
    LOVE = "LOVE"
    WOW = "WOW"
    SAD = "SAD"
    ANGRY = "ANGRY"


@strawberry.enum
class FeedReason(Enum):
    FOLLOW = "FOLLOW"
    FRIEND = "FRIEND"
    GROUP = "GROUP"
    PINNED = "PINNED"
    SHARED_BY_FOLLOW = "SHARED_BY_FOLLOW"
    SUGGESTED = "SUGGESTED"


class Context:
    """One request: its viewer and its dataloaders."""

    def __init__(self, settings: Settings, db: Database, texts: Texts, viewer_id: str | None) -> None:
        self.settings = settings
        self.db = db
        self.viewer_id = viewer_id
        self.texts = texts
        self.users: DataLoader[str, User | None] = self._by_id("users", User.from_document)
        self.media: DataLoader[str, Media | None] = self._by_id(
            "media", lambda row: Media.from_document(row, settings)
        )
        self.reactions: DataLoader[str, ReactionKind | None] = DataLoader(load_fn=self._load_reactions)
        self.comments: DataLoader[tuple[str, int], list[Comment]] = DataLoader(load_fn=self._load_comments)
        self._barred: list[str] | None = None

    def _by_id(self, name: str, made: Callable[[Document], Any]) -> DataLoader[str, Any]:
        async def load(keys: list[str]) -> list[Any]:
            rows = await self.db[name].find({"_id": {"$in": keys}}).to_list(len(keys))
            found = {row["_id"]: made(row) for row in rows}
            return [found.get(key) for key in keys]

        return DataLoader(load_fn=load)

    async def barred(self) -> list[str]:
        """Ids of people whom the viewer blocked or is blocked by."""
        if self._barred is None:
            query = {"$or": [{"user_id": self.viewer_id}, {"blocked_id": self.viewer_id}]}
            rows = await self.db.blocks.find(query).to_list(None)
            people = {row["user_id"] for row in rows} | {row["blocked_id"] for row in rows}
            self._barred = sorted(people - {self.viewer_id})
        return self._barred

    async def _load_reactions(self, subjects: list[str]) -> list[ReactionKind | None]:
        ids = [f"{subject}|{self.viewer_id}" for subject in subjects]
        rows = await self.db.reactions.find({"_id": {"$in": ids}}).to_list(len(ids))
        kinds = {row["subject_id"]: ReactionKind(row["kind"]) for row in rows}
        return [kinds.get(subject) for subject in subjects]

    async def _load_comments(self, keys: list[tuple[str, int]]) -> list[list["Comment"]]:
        """One command for all posts; `count` is the same for all of a level."""
        barred = await self.barred()
        where = {
            "parent_id": None,
            "gone": {"$ne": True},
            **({"author_id": {"$nin": barred}} if barred else {}),
        }
        found: dict[str, list[Comment]] = {}
        for count in {count for _, count in keys}:
            pipeline = [
                {"$documents": [{"_id": id} for id, each in keys if each == count]},
                {
                    "$lookup": {
                        "from": "comments",
                        "localField": "_id",
                        "foreignField": "post_id",
                        "pipeline": [{"$match": where}, {"$sort": dict(LATEST)}, {"$limit": count}],
                        "as": "comments",
                    }
                },
            ]
            async for row in self.db.aggregate(pipeline):
                found[row["_id"]] = [Comment.from_document(each) for each in row["comments"]]
        return [found.get(id, []) for id, _ in keys]


Info = strawberry.Info[Context, None]


@strawberry.enum
class FeedSort(Enum):
    NEWEST = "NEWEST"


@strawberry.type
class Reactions:
    subject_id: strawberry.Private[str]
    total: int
    like: int
    love: int
    wow: int
    sad: int
    angry: int

    @classmethod
    def from_document(cls, row: Document) -> "Reactions":
        counts = {kind.lower(): max(0, row["reactions"].get(kind, 0)) for kind in KINDS}
        return cls(subject_id=row["_id"], total=sum(counts.values()), **counts)

    @strawberry.field
    async def viewer_reaction(self, info: Info) -> ReactionKind | None:
        return await info.context.reactions.load(self.subject_id)


@strawberry.type
class Comment:
    id: strawberry.ID
    created_at: datetime
    text: str
    author_id: strawberry.Private[str]

    @classmethod
    def from_document(cls, row: Document) -> "Comment":
        return cls(id=row["_id"], created_at=row["created_at"], text=row["text"], author_id=row["author_id"])

    @strawberry.field
    async def author(self, info: Info) -> User:
        return await info.context.users.load(self.author_id)  # type: ignore[return-value]


@strawberry.type
class CommentEdge:
    node: Comment


@strawberry.type
class CommentConnection:
    page_info: PageInfo
    edges: list[CommentEdge]


@strawberry.type
class Post:
    id: strawberry.ID
    created_at: datetime
    text: str | None
    visibility: Visibility
    reaction_summary: Reactions
    comment_count: int
    author_id: strawberry.Private[str]
    media_ids: strawberry.Private[list[str]]

    @classmethod
    def from_document(cls, row: Document) -> "Post":
        return cls(
            id=row["_id"],
            created_at=row["created_at"],
            text=row["text"],
            visibility=Visibility(row["visibility"]),
            reaction_summary=Reactions.from_document(row),
            comment_count=row["comment_count"],
            author_id=row["author_id"],
            media_ids=row["media_ids"],
        )

    @strawberry.field
    async def author(self, info: Info) -> User:
        return await info.context.users.load(self.author_id)  # type: ignore[return-value]

    @strawberry.field
    async def media(self, info: Info) -> list[Media]:
        return [each for each in await info.context.media.load_many(self.media_ids) if each]

    @strawberry.field
    async def comments(self, info: Info, first: int = 20) -> CommentConnection:
        found = await info.context.comments.load((self.id, first + 1))
        return CommentConnection(
            # No operation asks for the cursors of comments.
            page_info=PageInfo(has_next_page=len(found) > first, end_cursor=None),
            edges=[CommentEdge(node=comment) for comment in found[:first]],
        )


@strawberry.type
class FeedEdge:
    cursor: str
    node: Post
    reason: FeedReason


@strawberry.type
class FeedConnection:
    page_info: PageInfo
    edges: list[FeedEdge]


@strawberry.type
class Viewer:
    @strawberry.field
    async def user(self, info: Info) -> User:
        return await info.context.users.load(info.context.viewer_id or "")  # type: ignore[return-value]

    @strawberry.field
    async def chats(self, info: Info, first: int = 15) -> ChatConnection:
        return await latest_chats(info.context, first)

    @strawberry.field
    async def feed(self, info: Info, first: int = 20, sort: FeedSort = FeedSort.NEWEST) -> FeedConnection:
        ctx = info.context
        viewer_id = ctx.viewer_id or ""
        edges = await ctx.db.follows.find({"follower_id": viewer_id}).to_list(MOST_FOLLOWED)
        hides = await ctx.db.hides.find({"user_id": viewer_id}).sort("created_at", -1).to_list(MOST_HIDDEN)
        member = await ctx.db.group_members.find({"user_id": viewer_id}).to_list(MOST_GROUPS)
        groups = [row["group_id"] for row in member]
        shown = [edge for edge in edges if edge["state"] == "FOLLOWING"]
        query = (
            _audience(viewer_id, shown, groups)
            if shown or groups
            else _suggested(viewer_id, await ctx.barred())
        )
        if hides:
            query["_id"] = {"$nin": [hide["post_id"] for hide in hides]}
        rows = await ctx.db.posts.find(query).sort(LATEST).limit(first + 1).to_list(first + 1)
        followed = {edge["followee_id"]: edge for edge in shown}
        made = [
            FeedEdge(
                cursor=_cursor(ctx.settings.feed_listings[viewer_id], row),
                node=Post.from_document(row),
                reason=_reason(viewer_id, followed, row),
            )
            for row in rows[:first]
        ]
        end = made[-1].cursor if made else None
        return FeedConnection(page_info=PageInfo(has_next_page=len(rows) > first, end_cursor=end), edges=made)


def _reason(viewer_id: str, followed: Mapping[str, Document], post: Document) -> FeedReason:
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


def _audience(viewer_id: str, edges: Sequence[Document], groups: Sequence[str]) -> Document:
    shown = {"state": {"$in": SHOWN}}
    friends = [edge["followee_id"] for edge in edges if edge["mutual"]]
    followed = [edge["followee_id"] for edge in edges]
    branches: list[Document] = [
        {"author_id": viewer_id},
        {"author_id": {"$in": followed}, "visibility": "PUBLIC", **shown},
    ]
    if friends:
        branches.append({"author_id": {"$in": friends}, "visibility": "FRIENDS", **shown})
    if groups:
        branches.append({"group_id": {"$in": groups}, **shown})
    return {"$or": branches}


def _suggested(viewer_id: str, barred: list[str]) -> Document:
    public: Document = {"visibility": "PUBLIC", "state": "PUBLISHED"}
    if barred:
        public["author_id"] = {"$nin": barred}
    return {"$or": [{"author_id": viewer_id}, public]}


def _cursor(listing: str, row: Document) -> str:
    place = [listing, {"t": round(row["created_at"].timestamp() * 1000)}, row["_id"]]
    return base64.urlsafe_b64encode(json.dumps(place, separators=(",", ":")).encode()).decode().rstrip("=")


@strawberry.type
class Query(Shop):
    @strawberry.field
    async def viewer(self, info: Info) -> Viewer:
        if info.context.viewer_id is None:
            raise GraphQLError("Sign in first.", extensions={"code": "UNAUTHENTICATED"})
        return Viewer()


schema = strawberry.Schema(
    Query,
    extensions=[ParserCache(maxsize=100), ValidationCache(maxsize=100)],
    config=StrawberryConfig(
        scalar_map={
            datetime: strawberry.scalar(
                name="DateTime", serialize=_rfc3339, parse_value=datetime.fromisoformat
            ),
            URL: strawberry.scalar(name="URL", serialize=str, parse_value=str),
        }
    ),
)


class View(GraphQLView[Context, None]):
    def __init__(self, settings: Settings, db: Database) -> None:
        super().__init__(schema=schema, graphql_ide=None)
        self.settings, self.db, self.gate = settings, db, Gate(settings)
        self.texts = Texts(settings.field_key)

    async def get_context(self, request: web.Request, response: Any) -> Context:
        return Context(self.settings, self.db, self.texts, await self.gate.viewer(request))


async def make_app(settings: Settings) -> web.Application:
    client: AsyncIOMotorClient[Document] = AsyncIOMotorClient(
        settings.mongo_url, tz_aware=True, readConcernLevel="majority"
    )
    app = web.Application()
    app.router.add_route("*", "/graphql", View(settings, client[settings.mongo_database]))
    return app


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int)
    serve(make_app, from_environment(parser.parse_args().port))
