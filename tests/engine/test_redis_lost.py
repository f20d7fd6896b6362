"""Redis may go at any time: streams go on by reading the log, and quicken again when it is back."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest

from core import live
from core.context import Services
from core.settings import Settings
from devstack.servers import EmbeddedRedis
from server import assembly, process
from tests.engine.streams import POST_EVENTS
from tests.phone import Phone, make_user, sign_in_directly


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[EmbeddedRedis]:
    server = EmbeddedRedis(tmp_path / "redis", ephemeral=True)
    server.start()
    yield server
    server.kill()


@pytest.fixture
async def own(settings: Settings, redis_server: EmbeddedRedis) -> AsyncIterator[Services]:
    """A Landfall whose Redis the test may stop."""
    async with assembly.services(settings.model_copy(update={"redis_url": redis_server.url})) as services:
        yield services


@pytest.fixture
async def ada(own: Services, http: aiohttp.ClientSession) -> AsyncIterator[Phone]:
    async with process.listening(own) as port:
        phone = Phone(http, f"http://127.0.0.1:{port}/graphql")
        yield await sign_in_directly(own, phone, await make_user(own, "Ada"))


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
        assert (await before.next(timeout=1))["postEvents"]["comment"]["text"] == "With Redis"
        redis_server.kill()
        await comment(posts[0], "Without")
        # The sweep that was waiting when the test began still has its five seconds.
        assert (await before.next(timeout=6))["postEvents"]["comment"]["text"] == "Without"
        # One that comes while Redis is away is heard again, too.
        async with ada.watch(POST_EVENTS, id=posts[1]) as meanwhile:
            await comment(posts[1], "Still without")
            assert (await meanwhile.next(timeout=3))["postEvents"]["comment"]["text"] == "Still without"
            monkeypatch.setattr(live, "SWEEP_SECONDS", 60.0)
            redis_server.start()
            await asyncio.sleep(2.0)
            for stream, post_id in ((before, posts[0]), (meanwhile, posts[1])):
                started = time.monotonic()
                await comment(post_id, "Back")
                assert (await stream.next(timeout=2))["postEvents"]["comment"]["text"] == "Back"
                assert time.monotonic() - started < 0.5
