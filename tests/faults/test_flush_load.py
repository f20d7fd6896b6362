"""Fifty phones reach shore at once with fifty acts each, on one process; light requests go on beside them."""

import asyncio
import os
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from core import ids
from devstack.process import free_port
from devstack.servers import embedded
from server import lifespan
from stores import feed as store
from tests.engine.flushes import Act, Queue, document
from tests.faults.deployment import Deployment, Process
from tests.phone import Phone, key

LONG = bool(os.environ.get("LANDFALL_LONG"))
PHONES, ACTS = (50, 50) if LONG else (12, 20)
MOST_SECONDS, MOST_TRIES, LIGHT_P99 = 120.0, 3, 0.5
LIGHT_EVERY = 0.05
LIGHT = "{ viewer { user { name } feed(sort: NEWEST, first: 5) { edges { node { id text } } } } }"
LIKES = "subject { ... on Post { reactionSummary { like } } }"


@pytest.fixture
async def deployment(tmp_path: Path) -> AsyncIterator[Deployment]:
    with embedded(ephemeral=True) as servers:
        running = Deployment(servers, tmp_path)
        port = free_port()
        environment = running.environment(LANDFALL_PORT=str(port), LANDFALL_RATE_SCALE="10000")
        running.ports.append(port)
        running.webs.append(Process(["serve"], environment, tmp_path / "web.log"))
        running.webs[0].start()
        try:
            yield running
        finally:
            running.stop()


@dataclass
class Flusher:
    """A phone that sends its queue until it is empty, and comes back when it is told to."""

    phone: Phone
    queue: Queue
    tries: int = 0
    busy: int = 0

    async def flush(self) -> None:
        while self.queue.waiting:
            batch = self.queue.head(ACTS)
            query, variables = document(batch)
            self.tries += 1
            answer = await self.phone.ask(query, **variables)
            self.busy += answer.status == 503
            wait = self.queue.settle(batch, answer.body)
            if self.queue.waiting:
                await asyncio.sleep(max(wait, int(answer.headers.get("Retry-After", 0))))


@dataclass
class Light:
    """Somebody who reads a little, again and again."""

    phone: Phone
    took: list[float] = field(default_factory=list)

    async def read(self) -> None:
        while True:
            began = time.perf_counter()
            answer = await self.phone.ask(LIGHT)
            self.took.append(time.perf_counter() - began)
            assert answer.errors == []
            await asyncio.sleep(LIGHT_EVERY)

    def at(self, part: float) -> float:
        return sorted(self.took)[min(len(self.took) - 1, int(len(self.took) * part))]


def acts(rng: random.Random) -> list[Act]:
    """Posts with what is done to each, in a mix of its own: no two documents are alike."""
    found: list[Act] = []
    while len(found) < ACTS:
        post_id = ids.new_id("post")
        found.append(Act("createPost", {"id": post_id, "text": key()}, "post { id }"))
        for _ in range(rng.randint(1, 4)):
            if rng.random() < 0.6:
                found.append(Act("createComment", {"postId": post_id, "text": key()}, "comment { id }"))
            else:
                found.append(Act("setReaction", {"subjectId": post_id, "kind": "LIKE"}, LIKES))
    return found[:ACTS]


async def test_fifty_phones_flush_fifty_acts_at_once(deployment: Deployment) -> None:
    rng = random.Random(7)
    timeout = aiohttp.ClientTimeout(total=60)
    async with (
        aiohttp.ClientSession(timeout=timeout) as http,
        lifespan.services(deployment.settings) as services,
    ):
        await deployment.ready(http)
        light, *phones = await deployment.phones(services, http, PHONES + 1)
        flushers = [Flusher(phone, Queue()) for phone in phones]
        for flusher in flushers:
            flusher.queue.waiting.extend(acts(rng))
        reader = Light(light)
        reading = asyncio.create_task(reader.read())
        began = time.perf_counter()
        async with asyncio.timeout(2 * MOST_SECONDS):
            await asyncio.gather(*(flusher.flush() for flusher in flushers))
        took = time.perf_counter() - began
        reading.cancel()
        [ended] = await asyncio.gather(reading, return_exceptions=True)
        assert isinstance(ended, asyncio.CancelledError)
        texts: Counter[Any] = Counter()
        for collection in (store.posts, store.comments):
            texts.update(row["text"] for row in await collection.find(services.db, {}))
    tries = Counter(flusher.tries for flusher in flushers)
    print(
        f"\n{PHONES} flushes of {ACTS} in {took:.1f} s, {PHONES * ACTS / took:.0f} mutations a second; tries "
        f"{dict(sorted(tries.items()))}, sent away {sum(flusher.busy for flusher in flushers)} times; light "
        f"requests beside them {len(reader.took)}: p50 {reader.at(0.5):.3f} s, p99 {reader.at(0.99):.3f} s"
    )
    for flusher in flushers:
        assert [payload["errors"] for _, payload in flusher.queue.done] == [[]] * ACTS
    # Everything is there, once.
    wanted = [
        act.input["text"] for flusher in flushers for act, _ in flusher.queue.done if "text" in act.input
    ]
    assert texts == Counter(wanted)
    if LONG:
        assert took < MOST_SECONDS
        assert max(tries) <= MOST_TRIES
        assert reader.at(0.99) < LIGHT_P99
