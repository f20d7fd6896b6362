"""Devices that keep what `viewer.changes` tells them, and people who write at random."""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from core.binding.build import Schema
from core.context import Context, Services, Viewer
from tests.phone import key

TYPES = ("USER", "SESSION", "POST", "COMMENT", "FOLLOW")

NODE = """
  __typename id
  ... on User { version updatedAt firstName followerCount followingCount postCount }
  ... on Session { version updatedAt status }
  ... on Post { version updatedAt text visibility commentCount author { id }
    reactionSummary { total like love wow sad angry viewerReaction } }
  ... on Comment { version updatedAt body: text replyCount reactions { total like viewerReaction } }
  ... on Follow { version updatedAt state user { id } }
"""

CHANGES = f"""
query Changes($since: SyncToken, $types: [SyncType!], $first: Int) {{
  viewer {{ changes(since: $since, types: $types, first: $first) {{
    nodes {{ {NODE} }} deletedIds token hasMore reset
  }} }}
}}
"""

EVENTS = f"""
subscription Events($since: SyncToken) {{
  changeEvents(since: $since) {{
    __typename
    ... on NodeChanged {{ eventId token node {{ {NODE} }} }}
    ... on NodeRemoved {{ eventId token removedId }}
    ... on ResyncRequired {{ eventId token }}
  }}
}}
"""


@dataclass
class World:
    """One Landfall, asked without a network between."""

    services: Services
    schema: Schema

    async def ask(self, viewer: Viewer, query: str, **variables: Any) -> dict[str, Any]:
        ctx = Context(self.services, viewer=viewer)
        result = await self.schema.execute(query, variable_values=variables, context_value=ctx)
        if result.errors:
            raise AssertionError(result.errors)
        assert result.data is not None
        return result.data


@dataclass
class Replica:
    """What a device knows, and where it reads on."""

    world: World
    viewer: Viewer
    types: list[str] | None = None
    nodes: dict[str, dict[str, Any]] = field(default_factory=dict)
    token: str | None = None
    more: bool = False

    async def page(self, first: int, *, lost: bool = False) -> None:
        """Read a page; `lost`: the answer never arrives."""
        variables = {"since": self.token, "types": self.types, "first": first}
        data = await self.world.ask(self.viewer, CHANGES, **variables)
        if not lost:
            self.take(data["viewer"]["changes"])

    def take(self, changes: dict[str, Any]) -> None:
        if changes["reset"]:
            self.nodes.clear()
        for node in changes["nodes"]:
            self.keep(node)
        for id in changes["deletedIds"]:
            self.nodes.pop(id, None)
        self.token, self.more = changes["token"], changes["hasMore"]

    def keep(self, node: dict[str, Any]) -> None:
        known = self.nodes.get(node["id"])
        if known is None or known["version"] <= node["version"]:
            self.nodes[node["id"]] = node

    async def round(self, first: int) -> int:
        """Pages until there is no more; how many."""
        for count in range(1, 10_000):
            await self.page(first)
            if not self.more:
                return count
        raise AssertionError("The round never ended.")

    async def catch_up(self, first: int) -> int:
        """A round that began in the middle of writing, and one that began after it."""
        return await self.round(first) + await self.round(first)

    async def fresh(self) -> dict[str, dict[str, Any]]:
        """What a new device gets."""
        other = Replica(self.world, self.viewer, self.types)
        await other.round(1_000)
        return other.nodes

    def forget(self) -> None:
        self.nodes, self.token, self.more = {}, None, False

    def backup(self) -> "tuple[dict[str, dict[str, Any]], str | None]":
        return dict(self.nodes), self.token

    def restore(self, backup: "tuple[dict[str, dict[str, Any]], str | None]") -> None:
        self.nodes, self.token = dict(backup[0]), backup[1]
        self.more = True


@dataclass
class LiveReplica(Replica):
    """A device that follows `changeEvents`, and loses the connection now and then."""

    task: asyncio.Task[None] | None = None
    events: int = 0

    async def connect(self) -> None:
        if self.token is None:
            await self.round(100)
        self.task = asyncio.create_task(self._follow())

    async def disconnect(self) -> None:
        if self.task is not None:
            self.task.cancel()
            [outcome] = await asyncio.gather(self.task, return_exceptions=True)
            self.task = None
            assert outcome is None or isinstance(outcome, asyncio.CancelledError), outcome

    async def _follow(self) -> None:
        ctx = Context(self.world.services, viewer=self.viewer)
        stream = await self.world.schema.stream(
            EVENTS, variable_values={"since": self.token}, context_value=ctx
        )
        async for result in stream:
            assert not result.errors, result.errors
            self._apply(result.data["changeEvents"])

    def _apply(self, event: dict[str, Any]) -> None:
        self.events += 1
        if event["__typename"] == "NodeChanged":
            self.keep(event["node"])
        elif event["__typename"] == "NodeRemoved":
            self.nodes.pop(event["removedId"], None)
        else:
            raise AssertionError("No position in this history is too old.")
        self.token = event["token"]


MUTATIONS = {
    "createPost": "CreatePostInput",
    "updatePost": "UpdatePostInput",
    "deletePost": "DeletePostInput",
    "createComment": "CreateCommentInput",
    "updateComment": "UpdateCommentInput",
    "deleteComment": "DeleteCommentInput",
    "setReaction": "SetReactionInput",
    "followUser": "FollowUserInput",
    "unfollowUser": "UnfollowUserInput",
    "muteUser": "MuteUserInput",
    "blockUser": "BlockUserInput",
    "unblockUser": "UnblockUserInput",
}
WEIGHTS = (10, 8, 4, 8, 3, 4, 8, 12, 4, 2, 3, 4)

CREATED = {"createPost": "post { id }", "createComment": "comment { id }"}


@dataclass
class Crowd:
    """People who do at random what people do."""

    world: World
    dice: random.Random
    people: list[Viewer]
    posts: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    authors: dict[str, Viewer] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)

    async def act(self) -> None:
        """One mutation of somebody; refusals are part of life."""
        viewer = self.dice.choice(self.people)
        [name] = self.dice.choices(list(MUTATIONS), WEIGHTS)
        given = self._input(name, viewer)
        if given is None:
            return
        if "id" in given and self.dice.random() < 0.8:
            viewer = self.authors[given["id"]]
        document = (
            f"mutation($input: {MUTATIONS[name]}!) {{ {name}(input: $input) "
            f"{{ errors {{ code }} {CREATED.get(name, '')} }} }}"
        )
        data = await self.world.ask(viewer, document, input={"clientMutationId": key(), **given})
        payload = data[name]
        refused = payload["errors"]
        self.done[refused[0]["code"] if refused else name] += 1
        if name == "createPost" and not refused:
            self._wrote(self.posts, payload["post"]["id"], viewer)
        elif name == "createComment" and not refused:
            self._wrote(self.comments, payload["comment"]["id"], viewer)

    def _wrote(self, ids: list[str], id: str, viewer: Viewer) -> None:
        ids.append(id)
        self.authors[id] = viewer

    def _input(self, name: str, viewer: Viewer) -> dict[str, Any] | None:
        dice = self.dice
        visibility = dice.choice(["PUBLIC", "FRIENDS", "PRIVATE"])
        text = f"{dice.randrange(10_000)}"
        if name == "createPost":
            return {"text": text, "visibility": visibility}
        if name.endswith("User"):
            return {"userId": dice.choice([each for each in self.people if each != viewer]).user_id}
        if name in ("updateComment", "deleteComment"):
            id = self._recent(self.comments)
            return id and ({"id": id, "text": text} if name == "updateComment" else {"id": id})
        if name == "setReaction":
            id = self._recent(self.posts + self.comments)
            return id and {"subjectId": id, "kind": dice.choice(["LIKE", "LOVE", None])}
        id = self._recent(self.posts)
        if id is None:
            return None
        if name == "createComment":
            parent = self._recent(self.comments) if dice.random() < 0.2 else None
            return {"postId": id, "text": text, **({"parentId": parent} if parent else {})}
        changes = dice.choice([{"text": text}, {"visibility": visibility}])
        return {"id": id, **changes} if name == "updatePost" else {"id": id}

    def _recent(self, ids: list[str]) -> Any:
        return self.dice.choice(ids[-30:]) if ids else None
