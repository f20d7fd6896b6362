"""The compiled executor and the reference give the same answers, key by key, over the whole schema."""

import json
import os
import random
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from strawberry.types.execution import ExecutionResult

from core import changes, clock
from core.binding.build import Schema
from core.context import Context, Services, Viewer
from core.settings import Settings
from devstack import seed
from executor import Executor, runtime
from server import assembly, failures
from stores import auth, feed, media
from tests.executor.documents import Maker

DOCUMENTS = 50_000 if os.environ.get("LANDFALL_LONG") else 2_000
BATCH = 100
SEED = int(os.environ.get("LANDFALL_SEED", "1"))


@pytest.fixture(scope="module")
def schema(settings: Settings) -> Schema:
    return assembly.make_schema(settings)


@pytest.fixture(scope="module")
async def data(services: Services, settings: Settings) -> dict[str, Any]:
    """A small world in a database of its own, with holes: authors and media that are gone, odd values."""
    db = type(services.db)(services.db.client, "differential")
    await services.db.client.drop_database("differential")
    await seed.seed(db, settings.media_dir, size=seed.Size(40, 120, 400))
    posts = await feed.posts.find(db, {}, limit=120)
    comments = await feed.comments.find(db, {}, limit=400)
    users = await auth.users.find(db, {}, limit=40)
    pictures = await media.media.find(db, {}, limit=40)
    ada = await auth.user_by_email(db, "ada@example.com")
    assert ada is not None
    holes = [
        ("users", {"_id": {"$in": [user["_id"] for user in users[30:32]]}}, None),
        ("posts", {"_id": posts[3]["_id"]}, {"$set": {"visibility": "NOBODY"}}),
        ("posts", {"_id": posts[4]["_id"]}, {"$unset": {"comment_count": ""}}),
        ("comments", {"_id": comments[5]["_id"]}, {"$set": {"text": None}}),
        ("posts", {"_id": posts[6]["_id"]}, {"$set": {"text": 7}}),
        ("media", {"_id": pictures[0]["_id"]}, None),
    ]
    for name, query, change in holes:
        if change is None:
            await db.write({"delete": name, "deletes": [{"q": query, "limit": 0}]})
        else:
            await db.write({"update": name, "updates": [{"q": query, "u": change}]})
    ids = {
        "user": [row["_id"] for row in users],
        "post": [row["_id"] for row in posts[:40]],
        "comment": [row["_id"] for row in comments[:40]],
        "media": [row["_id"] for row in pictures],
    }
    every = [id for listed in ids.values() for id in listed]
    return {"db": db, "viewer": ada["_id"], "ids": {**ids, "node": every, "nodes": every}}


def context(services: Services, data: dict[str, Any], viewer: str | None) -> Context:
    own = replace(services, db=data["db"])
    signed_in = (
        Viewer(viewer, "session_00000000000000000000000000", "device_00000000000000000000000000")
        if viewer
        else None
    )
    return Context(own, viewer=signed_in, origin="http://127.0.0.1")


def shown(result: ExecutionResult) -> str:
    """An answer as a client reads it, without what differs from run to run."""
    errors = [failures.public(error, "id") for error in result.errors or ()]
    listed = sorted(json.dumps([each.message, each.path, each.extensions], default=str) for each in errors)
    return json.dumps({"data": result.data, "errors": listed}, default=str)


async def compare(
    executor: Executor,
    schema: Schema,
    services: Services,
    data: dict[str, Any],
    query: str,
    variables: Any,
    viewer: Any,
) -> tuple[str, str | None]:
    """How the compiled path did, and the first difference if there is one."""
    compiled = None
    for _ in range(2):
        compiled = await executor.run(query, variables, "Q", context(services, data, viewer))
    if compiled is None:
        return "reference", None
    reference = await schema.execute(
        query, variable_values=variables, operation_name="Q", context_value=context(services, data, viewer)
    )
    mine, theirs = shown(compiled), shown(reference)
    return "compiled", None if mine == theirs else f"{query}\n{json.dumps(variables)}\n{mine}\n{theirs}"


@pytest.mark.usefixtures("address")
async def test_generated_documents_have_equal_answers(
    services: Services, schema: Schema, data: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    _freeze(monkeypatch)
    maker = Maker(schema._schema, random.Random(SEED), data["ids"])
    executor = Executor(schema)
    paths: Counter[str] = Counter()
    for number in range(DOCUMENTS):
        query, variables = maker.query()
        viewer = data["viewer"] if number % 5 else None
        path, difference = await compare(executor, schema, services, data, query, variables, viewer)
        paths[path] += 1
        if difference is not None:
            pytest.fail(difference)
    print(f"\n{DOCUMENTS} documents: {dict(paths)}, 0 differences")
    assert paths["compiled"] > DOCUMENTS / 4


def _freeze(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two runs at one moment: what shows the time would differ otherwise."""
    present = clock.now()

    async def database_time(db: Any) -> Any:
        return present

    monkeypatch.setattr(clock, "now", lambda: present)
    monkeypatch.setattr(changes, "database_time", database_time)


async def test_a_planted_bug_is_caught(
    services: Services, schema: Schema, data: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        runtime, "regrouped", lambda lists, items: [list(items)[::-1], *([] for _ in lists[1:])]
    )
    query = "query Q { viewer { feed(first: 5) { edges { node { id } } } } }"
    _, difference = await compare(Executor(schema), schema, services, data, query, {}, data["viewer"])
    assert difference is not None
