"""The compiled executor and the reference give the same answers, key by key, over the whole schema."""

import json
import os
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from graphql import FieldNode, GraphQLError

from core.context import Services
from core.graphql.build import Schema
from core.settings import Settings
from core.sync.shared_context import AnonymousContext
from executor import runtime
from server import lifespan
from stores import feed
from tests.executor.fuzz import world as worlds
from tests.executor.fuzz.documents import Document, Maker
from tests.executor.fuzz.world import Bench, World

LONG = bool(os.environ.get("LANDFALL_LONG"))
DOCUMENTS = int(os.environ.get("LANDFALL_DOCUMENTS", 50_000 if LONG else 500))
SEED = int(os.environ.get("LANDFALL_SEED", "1"))
TOLD_EVERY = 1_000


@pytest.fixture(scope="module")
def schema(settings: Settings) -> Schema:
    return lifespan.make_schema(settings)


@pytest.fixture(scope="module")
async def tame(services: Services, settings: Settings) -> World:
    return await worlds.tame(services, settings)


@pytest.fixture(scope="module")
async def holed(services: Services, tame: World) -> World:
    return await worlds.holed(services, tame)


class Differs(AssertionError):
    pass


class Fuzz:
    """Generates documents and compares what comes of them."""

    def __init__(self, services: Services, schema: Schema, tame: World, holed: World) -> None:
        self.rng = random.Random(SEED)
        self.bench = Bench(services, schema)
        self.tame, self.holed = tame, holed
        self.current = [tame]
        every = [id for listed in tame.ids.values() for id in listed]
        self.maker = Maker(
            schema._schema,
            self.rng,
            {**tame.ids, "node": every},
            worlds.tokens(services, tame),
            worlds.safe_mutations(schema),
        )
        self.paths: Counter[str] = Counter()

    async def some(self, count: int) -> None:
        for number in range(1, count + 1):
            await self.one()
            if number % TOLD_EVERY == 0:
                print(f"\n{number:,} documents: {dict(self.paths)}", flush=True)

    async def one(self) -> None:
        roll = self.rng.random()
        wild = self.rng.random() < 0.06
        world = self.current[0] = self.holed if self.rng.random() < 0.08 else self.tame
        signed_in = self.rng.random() < 0.85
        if roll < 0.06:
            await self._mutate(world, self.maker.mutation(wild=wild))
        elif roll < 0.12:
            await self.subscribe(world, self.maker.subscription(wild=wild))
        else:
            document = self.maker.query(wild=wild, signed_in=signed_in)
            viewer = self.rng.choice(world.viewers) if signed_in else None
            await self._query(world, viewer, document, learn=world is self.tame and not wild)

    async def _query(self, world: World, viewer: str | None, document: Document, *, learn: bool) -> None:
        compiled = await self.bench.compiled(world, viewer, document.text, document.variables)
        reference = await self.bench.reference(world, viewer, document.text, document.variables)
        if compiled is None and not reference.errors:
            # MongoDB may have hesitated, on a machine with much to do.
            compiled = await self.bench.compiled(world, viewer, document.text, document.variables)
        if learn:
            self.maker.learn(document, _failed(reference.errors))
        if compiled is not None:
            _same(document, worlds.shown(compiled), worlds.shown(reference))
        self._count(document, compiled is not None, bool(reference.errors))

    async def _mutate(self, world: World, document: Document) -> None:
        """Done once; then both tell of it again, each of its selection afresh."""
        viewer = world.viewers[0]
        await self.bench.reference(world, viewer, document.text, document.variables)
        compiled = await self.bench.compiled(world, viewer, document.text, document.variables)
        reference = await self.bench.reference(world, viewer, document.text, document.variables)
        if compiled is not None:
            _same(document, worlds.shown(compiled), worlds.shown(reference))
        self._count(document, compiled is not None, bool(reference.errors))

    async def subscribe(self, world: World, document: Document) -> None:
        """For several viewers, who share what is the same for all of them."""
        self.bench.forget()
        for viewer in (*world.viewers, None, world.viewers[0]):
            mine, theirs = [
                await self.bench.streamed(world, viewer, document.text, document.variables, compiled=compiled)
                for compiled in (True, False)
            ]
            _same(document, *("\n".join(map(worlds.shown, answers)) for answers in (mine, theirs)))
            if world is self.tame:
                _no_bug(document, theirs)
            failed = any(answer.errors for answer in theirs[:-1])
            self._count(document, self.bench.compiles(document.text), failed)

    def _count(self, document: Document, compiled: bool, failed: bool) -> None:
        if not compiled and not failed:
            # The reference is for errors and introspection.
            why = self.bench.anomalies()
            raise Differs(f"Not compiled, {why}: {document.text}\n{json.dumps(document.variables)}")
        path = "compiled" if compiled else "errors"
        self.paths[path] += 1
        self.paths[f"{document.kind}, {path}"] += 1


def _failed(errors: list[GraphQLError] | None) -> Iterator[str]:
    """Names of the fields that errors are of."""
    for error in errors or ():
        yield from (node.name.value for node in error.nodes or () if isinstance(node, FieldNode))


def _no_bug(document: Document, answers: Sequence[Any]) -> None:
    """Both failing alike would compare nothing."""
    bugs = [error for each in answers for error in each.errors or () if _is_bug(error)]
    assert not bugs, f"{document.text}\n{bugs}"


def _is_bug(error: Any) -> bool:
    return (error.extensions or {}).get("code") == "INTERNAL"


def _same(document: Document, mine: str, theirs: str) -> None:
    if mine != theirs:
        given = json.dumps(document.variables)
        raise Differs(f"{document.text}\n{given}\ncompiled:  {mine}\nreference: {theirs}")


@pytest.fixture
def fuzz(
    services: Services,
    schema: Schema,
    tame: World,
    holed: World,
    monkeypatch: pytest.MonkeyPatch,
) -> Fuzz:
    worlds.freeze(monkeypatch)
    worlds.validate_some(monkeypatch, every=20)
    made = Fuzz(services, schema, tame, holed)
    worlds.replay(monkeypatch, made.current)
    return made


@pytest.mark.usefixtures("address")
async def test_generated_documents_have_equal_answers(fuzz: Fuzz) -> None:
    # It takes some until it is known what is mostly refused.
    await fuzz.some(DOCUMENTS // 3)
    at_first = fuzz.paths.copy()
    await fuzz.some(DOCUMENTS - DOCUMENTS // 3)
    print(f"\n{DOCUMENTS:,} documents: {dict(fuzz.paths)}, 0 differences")
    if DOCUMENTS >= 500:
        compiled, refused = (fuzz.paths[each] - at_first[each] for each in ("compiled", "errors"))
        assert compiled > 0.8 * (compiled + refused)


async def test_a_planted_bug_is_caught(fuzz: Fuzz, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        runtime, "regrouped", lambda lists, items: [list(items)[::-1], *([] for _ in lists[1:])]
    )
    with pytest.raises(Differs):
        await fuzz.some(300)


async def test_a_planted_leak_is_caught(fuzz: Fuzz, monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer of one viewer, given to all."""
    monkeypatch.setattr(AnonymousContext, "viewer", None)
    text = """subscription Q($id: ID!) { postEvents(postId: $id) {
      ... on CommentCreated { commentEdge { node { post { viewerCan { comment } } } } } } }"""
    query = {"visibility": "PUBLIC", "state": "PUBLISHED", "comment_count": {"$gt": 0}}
    [post] = await feed.posts.find(fuzz.tame.db, query, limit=1)
    document = Document(text, {"id": post["_id"]}, "subscription", frozenset())
    with pytest.raises(Differs, match="viewerCan"):
        await fuzz.subscribe(fuzz.tame, document)
