"""Row "Redis lost": streams go on from the log, messages are intact, everybody looks offline."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from core import jobs as job_queue
from core.context import Services
from core.ports import Sent
from core.sync import live
from devstack.servers import EmbeddedRedis
from resolvers.chat import announcing
from server import process
from tests.chat.steps import CHAT_EVENTS, history, registered, say, talk, until
from tests.phone import Phone, make_user, sign_in_directly


@pytest.fixture
def _swept_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "SWEEP_SECONDS", 0.5)


@pytest.fixture
async def phones(
    _swept_often: None, frail: Services, http: aiohttp.ClientSession
) -> AsyncIterator[list[Phone]]:
    async with process.listening(frail) as port:
        url = f"http://127.0.0.1:{port}/graphql"
        yield [
            await sign_in_directly(frail, Phone(http, url), await make_user(frail, name))
            for name in ("Ada", "Grace")
        ]


async def test_failure_redis_lost_pushes_go_on(
    frail: Services, phones: list[Phone], redis_server: EmbeddedRedis
) -> None:
    """Row "Redis lost": a phone that sleeps is woken all the same."""
    ada, grace = phones
    token = await registered(grace)
    _, [id] = await talk(ada, grace)
    sent: list[tuple[str, str]] = []

    class Provider:
        """One that needs no Redis, as the outbox page of development does."""

        async def send(self, *, token: str, text: str, **_: Any) -> Sent:
            sent.append((token, text))
            return Sent()

    frail.pusher = Provider()
    redis_server.kill()
    await announcing.announce(frail, message_id=id)
    await job_queue.run_due(frail)
    assert sent == [(token, "Message 1")]


async def test_failure_redis_lost(phones: list[Phone], redis_server: EmbeddedRedis) -> None:
    ada, grace = phones
    chat_id, _ = await talk(ada, grace)
    await grace.do("recordHeartbeat", "presence { status }", status="ONLINE")
    presence = "query($id: ID!) { user(id: $id) { presence { status } } }"
    assert (await ada.run(presence, id=grace.user_id))["user"]["presence"] == {"status": "ONLINE"}
    async with grace.watch(CHAT_EVENTS, id=chat_id) as stream:
        redis_server.kill()
        await say(ada, chat_id, "Without Redis")
        assert (await until(stream, "MessageCreated"))["messageEdge"]["node"]["text"] == "Without Redis"
    assert await history(grace, chat_id) == ["Message 1", "Without Redis"]
    assert (await ada.run(presence, id=grace.user_id))["user"]["presence"] == {"status": "OFFLINE"}
    done = await grace.do("recordHeartbeat", "presence { status }", status="ONLINE")
    assert (done["errors"], done["presence"]) == ([], {"status": "OFFLINE"})
    done = await grace.do("setChatTyping", "__typename", chatId=chat_id, typing=True)
    assert done["errors"] == []
