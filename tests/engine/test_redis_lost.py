"""Redis may go at any time: streams go on by reading the log, and quicken again when it is back."""

import asyncio
import time
from collections.abc import AsyncIterator

import aiohttp
import pytest

from core import jobs
from core.context import Context, Services
from core.sync import live
from devstack.servers import EmbeddedRedis
from server import process, worker
from tests.engine.streams import POST_EVENTS
from tests.phone import Phone, Stream, make_user, sign_in_directly


@pytest.fixture
async def ada(frail: Services, http: aiohttp.ClientSession) -> AsyncIterator[Phone]:
    async with process.listening(frail) as port:
        phone = Phone(http, f"http://127.0.0.1:{port}/graphql")
        yield await sign_in_directly(frail, phone, await make_user(frail, "Ada"))


async def text_of(stream: Stream, seconds: float) -> str:
    """Text of the comment that the next event brings."""
    event = (await stream.next(timeout=seconds))["postEvents"]
    return str(event["commentEdge"]["node"]["text"])


async def test_streams_go_on_without_redis_and_recover(
    ada: Phone, redis_server: EmbeddedRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "SWEEP_SECONDS", 1.0)
    posts = [(await ada.do("createPost", "post { id }", text="Hello"))["post"]["id"] for _ in range(2)]

    async def comment(post_id: str, text: str) -> None:
        payload = await ada.do("createComment", "comment { id }", postId=post_id, text=text)
        assert payload["errors"] == []

    async with ada.watch(POST_EVENTS, id=posts[0]) as before:
        await comment(posts[0], "With Redis")
        assert await text_of(before, 1) == "With Redis"
        redis_server.kill()
        await comment(posts[0], "Without")
        # The sweep that was waiting when the test began still has its five seconds.
        assert await text_of(before, 6) == "Without"
        # One that comes while Redis is away is heard again, too.
        async with ada.watch(POST_EVENTS, id=posts[1]) as meanwhile:
            await comment(posts[1], "Still without")
            assert await text_of(meanwhile, 3) == "Still without"
            monkeypatch.setattr(live, "SWEEP_SECONDS", 60.0)
            redis_server.start()
            await asyncio.sleep(2.0)
            for stream, post_id in ((before, posts[0]), (meanwhile, posts[1])):
                started = time.monotonic()
                await comment(post_id, "Back")
                assert await text_of(stream, 2) == "Back"
                assert time.monotonic() - started < 0.5


async def test_workers_go_on_without_redis_and_are_woken_again(
    frail: Services, redis_server: EmbeddedRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What others left to be done would be done first.
    await frail.db.write({"delete": jobs.queue.name, "deletes": [{"q": {}, "limit": 0}]})
    came = asyncio.Queue[float]()

    async def note(services: Services) -> None:
        came.put_nowait(time.monotonic())

    monkeypatch.setitem(jobs.TASKS, "test.note", note)
    monkeypatch.setattr(jobs.tasks, "PERIODIC", [])
    monkeypatch.setattr(worker, "SWEEP_SECONDS", 0.5)

    async def seconds_until_done() -> float:
        ctx, started = Context(frail), time.monotonic()
        await ctx.unit(lambda: jobs.enqueue(ctx.tx, "test.note"))
        async with asyncio.timeout(3):
            return await came.get() - started

    async with worker.working(frail):
        redis_server.kill()
        assert await seconds_until_done() < 2
        redis_server.start()
        await asyncio.sleep(1.2)
        # The sweep that is under way is the last for a while: what is done now was announced.
        monkeypatch.setattr(worker, "SWEEP_SECONDS", 60.0)
        await asyncio.sleep(0.6)
        assert await seconds_until_done() < 0.3
