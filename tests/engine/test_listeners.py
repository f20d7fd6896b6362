"""Thundering herd: many subscribers of one event, whose shared read is done by the first of them."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import pytest

from core.context import Services
from core.sync import listeners, live
from stores.feed.scopes import post_scope
from tests.conftest import NewPhone
from tests.engine.steps import comment, post


@pytest.mark.parametrize("first", ["asks for it", "hangs up", "asks for nothing"])
async def test_of_a_crowd_one_is_woken_first_and_all_are_told(
    new_phone: NewPhone, services: Services, first: str
) -> None:
    """The shared read is done when the others wake, and they wake also where the first does not do it."""
    ada = await new_phone("Ada")
    id = await post(ada)
    came: list[bool] = []
    loaded = asyncio.Event()

    async def load() -> str:
        await asyncio.sleep(0.001)
        loaded.set()
        return "what all need"

    async def follow(follower: listeners.Subscriber) -> None:
        entry: Any = await follower.get()
        came.append(loaded.is_set())
        if len(came) > 1 or first == "asks for it":
            assert await services.live.shared(entry, "of a test", load) == "what all need"
        elif first == "hangs up":
            raise asyncio.CancelledError

    async with AsyncExitStack() as stack:
        crowd = [
            await stack.enter_async_context(services.live.listening(listeners.Subscriber(), [post_scope(id)]))
            for _ in range(live.CROWD + 10)
        ]
        following = [asyncio.create_task(follow(each)) for each in crowd]
        await asyncio.sleep(0)
        await comment(ada, id, "Hello")
        await asyncio.wait(following, timeout=2)
        assert [each.cancelled() for each in following].count(True) == (first == "hangs up")
        assert all(each.done() and (each.cancelled() or each.exception() is None) for each in following)
    if first == "asks for it":
        # The comment's entry woke one, the post's, of the same commit, another.
        assert came.count(False) <= 2
