"""Session revocation: effective on all processes within a second, whatever Redis has cached."""

import asyncio
import time
from datetime import timedelta

import aiohttp

from core import clock
from core.context import Services
from core.settings import Settings
from jobs.auth.sessions import purge_sessions
from server import lifespan, process
from stores import auth as store
from tests.conftest import NewPhone
from tests.phone import Phone, deleted_ids

USER = "{ viewer { user { id } } }"


async def test_an_emptied_redis_lets_nobody_in(services: Services, new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    await ada.do("signOut", "removedSessionId")
    await services.redis.flushall()
    answer = await ada.ask(USER)
    assert answer.errors[0]["extensions"] == {"code": "UNAUTHENTICATED", "reason": "SESSION_REVOKED"}


async def test_another_process_knows_within_a_second_and_from_its_start(
    settings: Settings, http: aiohttp.ClientSession, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    gone = await new_phone("Ada", user_id=ada.user_id)
    await gone.do("signOut", "removedSessionId")
    async with lifespan.services(settings) as other, process.listening(other) as port:
        url = f"http://127.0.0.1:{port}/graphql"
        assert (await Phone(http, url, token=gone.token).ask(USER)).code == "UNAUTHENTICATED"
        there = Phone(http, url, token=ada.token)
        assert (await there.ask(USER)).status == 200
        await ada.do("signOut", "removedSessionId")
        ended = time.monotonic()
        while (await there.ask(USER)).code != "UNAUTHENTICATED":
            assert time.monotonic() - ended < 1
            await asyncio.sleep(0.01)


async def test_a_stream_over_http_ends_with_its_session(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    body = {"query": "subscription { changeEvents { __typename } }"}
    headers = {"Accept": "text/event-stream", "Authorization": f"Bearer {ada.token}"}
    async with ada.http.post(ada.url, json=body, headers=headers) as response:
        assert response.status == 200
        await ada.do("signOut", "removedSessionId")
        async with asyncio.timeout(1):
            while await _read(response):
                continue


async def _read(response: aiohttp.ClientResponse) -> bytes:
    try:
        return await response.content.readany()
    except aiohttp.ClientPayloadError:
        # Cut off in the middle of the stream.
        return b""


async def test_sessions_of_long_ago_leave_the_devices(services: Services, new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    old = await new_phone("Ada", user_id=ada.user_id)
    await old.do("signOut", "removedSessionId")
    selection = "viewer { changes(since: $since, types: [SESSION]) { deleted { id } token } }"
    query = f"query($since: SyncToken) {{ {selection} }}"
    token = (await ada.run(query))["viewer"]["changes"]["token"]
    clock.shift(timedelta(days=91))
    await purge_sessions(services)
    clock.reset()
    assert await store.sessions.by_id(services.db, old.session_id) is None
    assert deleted_ids((await ada.run(query, since=token))["viewer"]["changes"]) == [old.session_id]
