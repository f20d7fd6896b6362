"""Small worlds of data for generated documents, and both executors asked about them."""

import json
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from graphql import DocumentNode, GraphQLError
from strawberry.schema import schema as strawberry_schema
from strawberry.types.execution import ExecutionResult

from core import clock, ids
from core.context import Context, Services, Viewer
from core.errors import RequestError
from core.graphql.bindings import MutationField
from core.graphql.build import Schema
from core.security.limits import Limits
from core.settings import Settings
from core.storage import store
from core.storage.mongo import Database
from core.sync import changes, listeners
from core.sync.changes import Entry
from core.sync.live import Live
from core.sync.log_offset import LogOffset, Progress
from core.sync.single_flight import SingleFlight
from devstack import seed
from executor import Executor, engine, runtime
from resolvers.feed import home
from server import errors as server_errors
from server import streams
from stores import auth

MOST_EVENTS = 9
MOST_ENTRIES = 1_000
SAFE = "resolvers.feed."
"""Modules whose mutations may be run with whatever input."""


class Over(RequestError):
    """Ends a stream that would wait for what comes next."""

    code = "OVER"


@dataclass(frozen=True, slots=True)
class World:
    db: Database
    viewers: tuple[str, str]
    ids: Mapping[str, Sequence[str]]


async def tame(services: Services, settings: Settings) -> World:
    """As it should be."""
    db = Database(services.db.client, "tame")
    await services.db.client.drop_database("tame")
    await store.ensure_indexes(db)
    size = seed.Size(40, 120, 400, 60, 12, 120)
    await seed.seed(db, settings.media_dir, services.crypto, size=size)
    ada, grace = [await auth.user_by_email(db, f"{name}@example.com") for name in ("ada", "grace")]
    assert ada is not None
    assert grace is not None
    chats = await db.find("chat_members", {"user_id": ada["_id"]}, sort=[("_id", 1)])
    said = await db.find("messages", {"sender_id": ada["_id"]}, sort=[("_id", 1)], limit=40)
    ids = {
        "chat": [row["chat_id"] for row in chats],
        "message": [row["_id"] for row in said],
        "user": await _ids(db, "users"),
        "post": (await _ids(db, "posts"))[:40],
        "comment": (await _ids(db, "comments"))[:40],
        "media": await _ids(db, "media"),
        "product": await _ids(db, "products"),
        "category": await _ids(db, "categories"),
        "review": await _ids(db, "reviews"),
    }
    return World(db, (ada["_id"], grace["_id"]), ids)


async def holed(services: Services, whole: World) -> World:
    """The same with holes in it."""
    db = Database(services.db.client, "holed")
    await services.db.client.drop_database("holed")
    await store.ensure_indexes(db)
    names = await services.db.client["tame"].list_collection_names()
    for name in names:
        out = {"$out": {"db": "holed", "coll": name}}
        await services.db.client["tame"].command({"aggregate": name, "pipeline": [out], "cursor": {}})
    await _dig(db, whole.ids)
    return replace(whole, db=db)


async def _ids(db: Database, name: str) -> list[str]:
    return [row["_id"] for row in await db.find(name, {}, sort=[("_id", 1)], limit=400)]


async def _dig(db: Database, ids: Mapping[str, Sequence[str]]) -> None:
    """Corrupt some documents: people and pictures that are gone, values of another type or none at all."""
    users, posts, comments = ids["user"], ids["post"], ids["comment"]
    await db.write({"delete": "users", "deletes": [_one(id) for id in users[30:32]]})
    await db.write({"delete": "media", "deletes": [_one(ids["media"][0])]})
    changed = {
        "posts": [
            (posts[3], {"$set": {"visibility": "NOBODY"}}),
            (posts[4], {"$unset": {"comment_count": ""}}),
            (posts[6], {"$set": {"text": 7}}),
            (posts[8], {"$set": {"media_ids": 7}}),
        ],
        "comments": [
            (comments[5], {"$set": {"text": None}}),
            (comments[9], {"$set": {"reply_count": 2**40}}),
        ],
    }
    for name, rows in changed.items():
        updates = [{"q": {"_id": id}, "u": update} for id, update in rows]
        await db.write({"update": name, "updates": updates})


def _one(id: str) -> dict[str, Any]:
    return {"q": {"_id": id}, "limit": 1}


class Bench:
    """Runs a document on both executors."""

    def __init__(self, services: Services, schema: Schema) -> None:
        self._services = services
        self._schema = schema
        self.executor = Executor(schema, eager=True)

    def context(self, world: World, viewer: str | None) -> Context:
        own = replace(
            self._services,
            db=world.db,
            limits=Limits(self._services.redis, self._services.settings.rate_scale * 1e6),
        )
        signed_in = (
            Viewer(viewer, "session_00000000000000000000000000", "device_00000000000000000000000000")
            if viewer
            else None
        )
        return Context(own, viewer=signed_in, origin="http://127.0.0.1")

    async def compiled(
        self, world: World, viewer: str | None, text: str, variables: Any
    ) -> ExecutionResult | None:
        return await self.executor.run(text, variables, "Q", self.context(world, viewer))

    async def reference(self, world: World, viewer: str | None, text: str, variables: Any) -> ExecutionResult:
        return await self._schema.execute(
            text, variable_values=variables, operation_name="Q", context_value=self.context(world, viewer)
        )

    async def streamed(
        self, world: World, viewer: str | None, text: str, variables: Any, *, compiled: bool
    ) -> list[ExecutionResult]:
        """The first answers of a subscription."""
        ctx = self.context(world, viewer)
        running = self.executor.subscribe(text, variables, "Q", ctx) if compiled else None
        source: Any = (
            streams.public(running.answers(), ctx)
            if running is not None
            else await self._schema.stream(
                text, variable_values=variables, context_value=ctx, operation_name="Q"
            )
        )
        found = []
        async with aclosing(source) as answers:
            async for answer in answers:
                found.append(answer)
                if len(found) == MOST_EVENTS:
                    break
        return found

    def anomalies(self) -> dict[str, float]:
        """Why compiled runs were given up so far."""
        [metric] = runtime.FALLBACKS.collect()
        return {each.labels["reason"]: each.value for each in metric.samples if each.name.endswith("_total")}

    def compiles(self, text: str) -> bool:
        """True if a subscription is answered by compiled plans."""
        known = self.executor._document(text, eager=True)
        return known is not None and any(plan and plan.topic for plan in known.plans.values())

    def forget(self) -> None:
        """Worlds made alike have entries in the same places."""
        self._services.live._once = SingleFlight()


def validate_some(monkeypatch: pytest.MonkeyPatch, *, every: int) -> None:
    """Documents are valid as they are made, which is asserted of some: validation would be most of a run."""
    validate = engine.validate_document
    turn = count()

    def validated(schema: Any, document: DocumentNode, rules: Any) -> list[GraphQLError]:
        if next(turn) % every:
            return []
        errors = validate(schema, document, rules)
        assert errors == []
        return errors

    monkeypatch.setattr(engine, "validate_document", validated)
    monkeypatch.setattr(strawberry_schema, "validate_document", validated)


def freeze(monkeypatch: pytest.MonkeyPatch) -> None:
    """All runs at one moment: what shows the time would differ otherwise."""
    present = clock.now()

    async def database_time(db: Any) -> Any:
        return present

    # A ranked feed is a snapshot, and its cursors name it: this is the name of all.
    named = {**vars(ids), "new_id": lambda prefix: f"{prefix}_01h455vb4pex5vsknk084sn02q"}
    monkeypatch.setattr(home, "ids", SimpleNamespace(**named))
    monkeypatch.setattr(clock, "now", lambda: present)
    monkeypatch.setattr(changes, "database_time", database_time)


def replay(monkeypatch: pytest.MonkeyPatch, current: list[World]) -> None:
    """Streams tell what the log of the current world holds, and end."""

    async def follow(
        self: Live,
        scopes: Sequence[str],
        *,
        after: LogOffset | None = None,
        authorize: Any = None,
        idle_timeout: Any = None,
        further: Any = None,
    ) -> AsyncGenerator[Entry, None]:
        if authorize is not None:
            await authorize()
        floor = clock.now() - changes.KEPT
        for scope in scopes[:2]:
            entries = await changes.since(current[0].db, [scope], floor=floor, limit=MOST_ENTRIES)
            # In the order of their ids, being of one moment: some of the first kind and of the last.
            for entry in [*entries[:2], *entries[2:][-2:]]:
                yield entry
        raise Over("That was all.")

    async def news(self: listeners.Notifier) -> None:
        raise Over("That was all.")

    monkeypatch.setattr(Live, "follow", follow)
    monkeypatch.setattr(listeners.Notifier, "news", news)


def tokens(services: Services, world: World) -> list[str]:
    """Sync tokens of the first viewer: of now, of some time ago, and one that is too old."""
    ages = (timedelta(0), timedelta(hours=1), timedelta(days=2), changes.KEPT + timedelta(days=1))
    return [services.signer.token(Progress(world.viewers[0], since=clock.now() - age)) for age in ages]


def safe_mutations(schema: Schema) -> list[str]:
    root = schema._schema.mutation_type
    assert root is not None
    found = []
    for name, definition in root.fields.items():
        binding = definition.extensions["strawberry-definition"].binding
        if isinstance(binding, MutationField) and binding.mutation.resolver.__module__.startswith(SAFE):
            found.append(name)
    return found


def shown(result: ExecutionResult) -> str:
    """An answer as a client reads it, without what differs from run to run."""
    errors = [server_errors.public(error, "id") for error in result.errors or ()]
    listed = sorted(json.dumps([each.message, each.path, each.extensions], default=str) for each in errors)
    data = json.loads(orjson.dumps(result.data, default=str))
    return json.dumps({"data": data, "errors": listed}, default=str)
