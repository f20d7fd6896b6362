"""Phones that hang up while they act on one thing: every turn is given back, and the counts are exact."""

import asyncio
import contextlib
import random
from collections.abc import Awaitable

import aiohttp
import pytest

from core.context import Services
from core.storage.counters import deltas
from tests.chat.steps import open_chat
from tests.engine.steps import post
from tests.phone import Phone, make_user, sign_in_directly

MANY = 40


async def phones_of(services: Services, http: aiohttp.ClientSession, address: str) -> list[Phone]:
    phones = [Phone(http, f"{address}/graphql") for _ in range(MANY)]
    for number, phone in enumerate(phones):
        await sign_in_directly(services, phone, await make_user(services, f"Person {number}"))
    return phones


async def cut_off(act: Awaitable[object], seconds: float) -> None:
    """The connection is gone after so long, whatever has become of it."""
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(act, seconds)


async def quiet(services: Services) -> None:
    """Wait until no request holds, or waits for, a turn."""
    async with asyncio.timeout(20):
        while services.counters.contention._queues or await services.db.find(deltas.name, {}):
            await services.counters.fold_left()
            await asyncio.sleep(0.05)


async def test_phones_that_hang_up_leave_no_turn_taken_and_no_count_wrong(
    services: Services,
    http: aiohttp.ClientSession,
    address: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(services.limits, "scale", 1000.0)
    crowd = await phones_of(services, http, address)
    hot, chance = await post(crowd[0]), random.Random(14)
    chat_id = await open_chat(crowd[0], crowd[1])
    acts = [
        *(phone.do("createComment", "post { commentCount }", postId=hot, text="Hi") for phone in crowd),
        *(phone.do("setReaction", "subject { __typename }", subjectId=hot, kind="LIKE") for phone in crowd),
        *(
            crowd[at % 2].do("sendMessage", "message { sequence }", chatId=chat_id, text="Hi")
            for at in range(MANY)
        ),
    ]
    await asyncio.gather(*(cut_off(act, chance.uniform(0.02, 2.0)) for act in acts))
    await quiet(services)
    written = await services.db.find("comments", {"post_id": hot})
    liked = await services.db.find("reactions", {"subject_id": hot})
    [counted] = await services.db.find("posts", {"_id": hot})
    assert counted["comment_count"] == len(written)
    assert counted["reactions"].get("LIKE", 0) == len(liked)
    said = await services.db.find("messages", {"chat_id": chat_id}, sort=[("sequence", 1)])
    assert [row["sequence"] for row in said] == list(range(1, len(said) + 1))
