"""Row "Redis lost": streams go on from the log, messages are intact, everybody looks offline."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest

from core import live
from core.context import Services
from core.settings import Settings
from devstack.servers import EmbeddedRedis
from server import assembly, process
from tests.chat.steps import CHAT_EVENTS, history, say, talk, until
from tests.phone import Phone, make_user, sign_in_directly


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[EmbeddedRedis]:
    server = EmbeddedRedis(tmp_path / "redis", ephemeral=True)
    server.start()
    yield server
    server.kill()


@pytest.fixture
async def own(
    settings: Settings, redis_server: EmbeddedRedis, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Services]:
    monkeypatch.setattr(live, "SWEEP_SECONDS", 0.5)
    async with assembly.services(settings.model_copy(update={"redis_url": redis_server.url})) as services:
        yield services


@pytest.fixture
async def phones(own: Services, http: aiohttp.ClientSession) -> AsyncIterator[list[Phone]]:
    async with process.listening(own) as port:
        url = f"http://127.0.0.1:{port}/graphql"
        yield [
            await sign_in_directly(own, Phone(http, url), await make_user(own, name))
            for name in ("Ada", "Grace")
        ]


async def test_failure_redis_lost(phones: list[Phone], redis_server: EmbeddedRedis) -> None:
    ada, grace = phones
    chat_id, _ = await talk(ada, grace)
    await grace.do("heartbeat", "presence { state }", state="ONLINE")
    presence = "query($id: ID!) { user(id: $id) { presence { state } } }"
    assert (await ada.run(presence, id=grace.user_id))["user"]["presence"] == {"state": "ONLINE"}
    async with grace.watch(CHAT_EVENTS, id=chat_id) as stream:
        redis_server.kill()
        await say(ada, chat_id, "Without Redis")
        assert (await until(stream, "MessageCreated"))["message"]["text"] == "Without Redis"
    assert await history(grace, chat_id) == ["Message 1", "Without Redis"]
    assert (await ada.run(presence, id=grace.user_id))["user"]["presence"] == {"state": "OFFLINE"}
    done = await grace.do("heartbeat", "presence { state }", state="ONLINE")
    assert (done["errors"], done["presence"]) == ([], {"state": "OFFLINE"})
    done = await grace.do("setTyping", "__typename", chatId=chat_id, isTyping=True)
    assert done["errors"] == []
