"""Twenty phones write while processes die, primaries step down, Redis forgets: nothing is lost or doubled."""

import asyncio
import os
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from core.context import Services
from core.storage import counters
from core.sync import changes
from devstack.servers import embedded
from server import lifespan
from stores import chat
from stores import feed as store
from tests.faults.deployment import Deployment, Saboteur
from tests.faults.queue_phone import QueuePhone

SECONDS = 60.0 if os.environ.get("LANDFALL_LONG") else 12.0
PHONES = 20
DRAIN_SECONDS = 120.0
QUIET_SECONDS = 30.0
WRITES = ("createPost", "createComment")
"""Acts whose texts are looked for; messages are by their order."""


@pytest.fixture
async def deployment(tmp_path: Path) -> AsyncIterator[Deployment]:
    with embedded(ephemeral=True, members=3) as servers:
        running = Deployment(servers, tmp_path)
        running.environment()
        running.start()
        try:
            yield running
        finally:
            running.stop()


async def test_no_acknowledged_mutation_is_lost_or_doubled(deployment: Deployment) -> None:
    rng = random.Random(7)
    timeout = aiohttp.ClientTimeout(total=20)
    async with aiohttp.ClientSession(timeout=timeout) as http:
        await deployment.ready(http)
        phones = await _phones(deployment, http, rng)
        for phone in phones:
            phone.open_chat()
        # Alone, while nothing slows it down: it meets its limit on any machine.
        await phones[0].say_too_much()
        saboteur = Saboteur(deployment, rng)
        until = time.monotonic() + SECONDS
        await asyncio.gather(saboteur.work(until), *(phone.live(until) for phone in phones))
        await deployment.ready(http)
        await asyncio.gather(*(phone.drain(time.monotonic() + DRAIN_SECONDS) for phone in phones))
        async with lifespan.services(deployment.settings) as services:
            await _quiet(services)
            hot = await store.posts.by_id(services.db, phones[0].subjects[0])
            losses, doubles = await _compare(services, phones)
            overtaken = await _overtaken(services, phones)
            stale = await _check_replicas(services, phones)
            replays = await _check_replays(services, phones)
    assert hot is not None
    actions = sum(len(phone.done) for phone in phones)
    retries = sum(action.attempts - 1 for phone in phones for action in phone.done)
    cuts, flushes = sum(phone.cuts for phone in phones), sum(phone.flushes for phone in phones)
    told = _told(phones)
    refused = sum(bool(action.result["errors"]) for phone in phones for action in phone.done)
    print(
        f"\n{actions} mutations of {PHONES} phones in {SECONDS:.0f} s, {flushes} flushes, {retries} retries, "
        f"{cuts} cuts, come again {dict(told)}, faults {saboteur.done}; "
        f"losses {losses}, duplicates {doubles}, out of order {overtaken}, refused {refused}, stale {stale}, "
        f"{replays} replays without effect, {hot['comment_count']} comments on the hot post"
    )
    assert (losses, doubles, overtaken, refused, stale) == ({}, 0, 0, 0, 0)
    assert told["RATE_LIMITED"] > 0
    assert told["DEFERRED"] > 0
    assert actions > PHONES * SECONDS / 2


def _told(phones: list[QueuePhone]) -> Counter[str]:
    """Counts of retries that phones were told of, by the reason."""
    return sum((phone.queue.told for phone in phones), Counter[str]())


async def _phones(
    deployment: Deployment, http: aiohttp.ClientSession, rng: random.Random
) -> list[QueuePhone]:
    async with lifespan.services(deployment.settings) as services:
        signed_in = await deployment.phones(services, http, PHONES)
    subjects: list[str] = []
    return [
        QueuePhone(
            deployment,
            http,
            phone.user_id,
            phone.token or "",
            random.Random(rng.random()),
            [other.user_id for other in signed_in if other is not phone],
            subjects,
        )
        for phone in signed_in
    ]


async def _quiet(services: Services) -> None:
    """Wait until the changes of counters that killed processes left are folded into their documents."""
    async with asyncio.timeout(QUIET_SECONDS):
        while await counters.deltas.find(services.db, {}, limit=1):
            await services.counters.fold_left()
            await asyncio.sleep(0.1)


async def _compare(services: Services, phones: list[QueuePhone]) -> tuple[dict[str, int], int]:
    """Number of acknowledged writes that are missing, and of those that are there twice."""
    posts = Counter(row["text"] for row in await store.posts.find(services.db, {}, limit=100_000))
    comments = Counter(row["text"] for row in await store.comments.find(services.db, {}, limit=100_000))
    there = posts + comments
    losses = sum(
        1
        for phone in phones
        for action in phone.done
        if action.mutation in WRITES and not action.result["errors"] and not there[action.input["text"]]  # type: ignore[index]
    )
    doubles = sum(count - 1 for count in there.values())
    found = {
        "writes": losses,
        "counters": await _wrong_counters(services),
        "reactions": await _wrong_reactions(services, phones),
    }
    return {name: count for name, count in found.items() if count}, doubles


async def _overtaken(services: Services, phones: list[QueuePhone]) -> int:
    """Phones whose messages are not all there in the order in which they were queued."""
    rows = await chat.messages.find(services.db, {}, sort=[("chat_id", 1), ("sequence", 1)], limit=100_000)
    sent: dict[str, list[str]] = {}
    for row in rows:
        sent.setdefault(row["sender_id"], []).append(row["_id"])
    return sum(sent.get(phone.user_id, []) != phone.said for phone in phones)


async def _wrong_counters(services: Services) -> int:
    rows = await store.comments.find(services.db, {}, limit=100_000)
    comments = Counter(row["post_id"] for row in rows)
    rows_of_reactions = await store.reactions.find(services.db, {}, limit=100_000)
    reactions = Counter(row["subject_id"] for row in rows_of_reactions)
    posts = await store.posts.find(services.db, {}, limit=100_000)
    return sum(
        post["comment_count"] != comments[post["_id"]]
        or sum(post["reactions"].values()) != reactions[post["_id"]]
        for post in posts
    )


async def _wrong_reactions(services: Services, phones: list[QueuePhone]) -> int:
    """The last reaction a phone set is the one that is kept."""
    rows = await store.reactions.find(services.db, {}, limit=100_000)
    kept = {row["_id"]: row["kind"] for row in rows}
    wrong = 0
    for phone in phones:
        last: dict[str, Any] = {}
        for action in phone.done:
            if action.mutation == "setReaction" and action.result and not action.result["errors"]:
                last[action.input["subjectId"]] = action.input["kind"]
        wrong += sum(kept.get(store.pair(subject, phone.user_id)) != kind for subject, kind in last.items())
    return wrong


async def _check_replicas(services: Services, phones: list[QueuePhone]) -> int:
    """Phones whose synced copy differs from a fresh first sync."""
    stale = 0
    for phone in phones:
        before = phone.since
        assert await phone.sync(200), phone.problem
        synced = dict(phone.replica)
        phone.since, phone.replica = None, {}
        assert await phone.sync(500)
        if synced != phone.replica:
            stale += 1
            print(phone.user_id, before and services.signer.progress(before))
            print(await _difference(services, synced, phone.replica))
    return stale


async def _difference(services: Services, synced: dict[str, Any], fresh: dict[str, Any]) -> str:
    """Differences of a stale replica, each with its entries in the change log."""
    ids = [id for id in {*synced, *fresh} if synced.get(id) != fresh.get(id)][:5]
    logged = {entry["_id"]: entry for entry in await changes.named(services.db, ids)}
    return "\n".join(
        f"{id}: synced {synced.get(id)}, fresh {fresh.get(id)}, log {logged.get(id)}" for id in ids
    )


async def _check_replays(services: Services, phones: list[QueuePhone]) -> int:
    """Everything sent again answers as a replay and writes nothing."""
    before = await _totals(services)
    count = 0
    for phone in phones[:5]:
        payloads = await phone.replay()
        assert all(payload["replayed"] for payload in payloads)
        count += len(payloads)
    assert await _totals(services) == before
    return count


async def _totals(services: Services) -> list[int]:
    collections = (store.posts, store.comments, store.reactions, store.follows)
    return [len(await each.find(services.db, {}, limit=100_000)) for each in collections]
