"""Sockets live as long as their session, and end with a code that says why."""

import asyncio
import json
import time
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from core import clock
from core.context import Services
from server import connection_expiry, lifespan, process, sockets
from server.app import VIEW, make_app
from tests.conftest import NewPhone
from tests.engine.streams import POST_EVENTS
from tests.phone import SUBPROTOCOL, Phone, Socket

VIEWER = "{ viewer { user { id } } }"


async def closed_after(phone: Phone, *messages: dict[str, Any], **headers: str) -> int | None:
    """The code with which a new connection is closed after the messages."""
    async with phone.http.ws_connect(phone.url, protocols=[SUBPROTOCOL], headers=headers) as connection:
        socket = Socket(connection)
        for message in messages:
            await socket.send(message)
        return await socket.closed(timeout=5)


def init(token: str) -> dict[str, Any]:
    return {"type": "connection_init", "payload": {"accessToken": token}}


async def ask(socket: Socket, query: str) -> Any:
    await socket.send({"id": "ask", "type": "subscribe", "payload": {"query": query}})
    answer = (await socket.receive())["payload"]
    assert (await socket.receive())["type"] == "complete"
    return answer


async def refreshed(phone: Phone) -> str:
    given = {"refreshToken": phone.refresh_token, "deviceId": phone.device_id}
    payload = await phone.do("refreshSession", "tokens { accessToken refreshToken }", **given)
    phone.refresh_token = payload["tokens"]["refreshToken"]
    return str(payload["tokens"]["accessToken"])


@pytest.mark.parametrize("token", ["nonsense", "", "a.b.c"])
async def test_a_bad_token_is_not_let_in(new_phone: NewPhone, token: str) -> None:
    assert await closed_after(await new_phone("Ada"), init(token)) == 4401


async def test_an_expired_token_is_not_let_in(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    clock.shift(timedelta(minutes=17))
    assert await closed_after(ada, init(ada.token or "")) == 4401


async def test_the_token_of_an_ended_session_is_not_let_in(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    await ada.do("signOut", "removedSessionId")
    assert await closed_after(ada, init(ada.token or "")) == 4401


async def test_subscribing_before_init_is_refused(new_phone: NewPhone) -> None:
    subscribe = {"id": "1", "type": "subscribe", "payload": {"query": VIEWER}}
    assert await closed_after(await new_phone("Ada"), subscribe) == 4401


async def test_a_second_init_is_refused(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    assert await closed_after(ada, init(ada.token or ""), init(ada.token or "")) == 4429


async def test_a_socket_signs_in_by_init_alone(new_phone: NewPhone) -> None:
    """A header's token would be watched by nobody."""
    ada = await new_phone("Ada")
    headers = {"Authorization": f"Bearer {ada.token}"}
    async with ada.http.ws_connect(ada.url, protocols=[SUBPROTOCOL], headers=headers) as connection:
        socket = Socket(connection)
        await socket.send({"type": "connection_init"})
        assert await socket.receive() == {"type": "connection_ack"}
        answer = await ask(socket, VIEWER)
    assert answer == {"data": {"viewer": None}}
    async with ada.socket() as socket:
        assert await ask(socket, VIEWER) == {"data": {"viewer": {"user": {"id": ada.user_id}}}}


async def test_a_ping_with_a_newer_token_extends(
    new_phone: NewPhone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_expiry, "LONGEST_NAP", 0.05)
    ada = await new_phone("Ada")
    async with ada.socket() as renewed, ada.socket() as forgotten:
        clock.shift(timedelta(minutes=10))
        token = await refreshed(ada)
        await renewed.send({"type": "ping", "payload": {"accessToken": token}})
        assert await renewed.receive() == {"type": "pong"}
        # Half a minute past the first token's end: both live on.
        clock.shift(timedelta(minutes=5, seconds=30))
        await asyncio.sleep(0.15)
        for socket in (renewed, forgotten):
            await socket.send({"type": "ping"})
            assert await socket.receive() == {"type": "pong"}
        clock.shift(timedelta(seconds=31))
        assert await forgotten.closed(timeout=2) == 4401
        assert await ask(renewed, VIEWER) == {"data": {"viewer": {"user": {"id": ada.user_id}}}}
        clock.shift(timedelta(minutes=10))
        assert await renewed.closed(timeout=2) == 4401


async def test_a_ping_with_a_bad_token_or_anothers_ends_it(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    tablet = await new_phone(user_id=ada.user_id)
    for token in ("nonsense", grace.token, tablet.token):
        async with ada.socket() as socket:
            await socket.send({"type": "ping", "payload": {"accessToken": token}})
            assert await socket.closed(timeout=2) == 4401


@pytest.mark.parametrize("how", ["revoked", "signed out"])
async def test_a_revoked_session_ends_within_a_second(new_phone: NewPhone, how: str) -> None:
    ada = await new_phone("Ada")
    tablet = await new_phone(user_id=ada.user_id)
    async with ada.socket() as kept, tablet.socket() as first, tablet.socket() as second:
        started = time.monotonic()
        if how == "revoked":
            await ada.do("revokeSession", "session { id }", sessionId=tablet.session_id)
        else:
            await tablet.do("signOut", "removedSessionId")
        assert await first.closed(timeout=2) == 4403
        assert await second.closed(timeout=2) == 4403
        assert time.monotonic() - started < 1
        assert await ask(kept, VIEWER) == {"data": {"viewer": {"user": {"id": ada.user_id}}}}


async def test_a_session_that_ends_while_a_socket_opens(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the check of its token and the watch over its session."""
    ada = await new_phone("Ada")
    connection_expiry = sockets.SocketHandler._watch
    waiting: list[sockets.SocketHandler] = []
    monkeypatch.setattr(sockets.SocketHandler, "_watch", lambda self: waiting.append(self))
    async with ada.socket() as socket:
        await ada.do("signOut", "removedSessionId")
        await asyncio.sleep(0.1)
        connection_expiry(waiting[0])
        assert await socket.closed(timeout=1) == 4403


async def test_a_restart_closes_sockets_and_loses_nothing(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    here = ada.url
    id = (await ada.do("createPost", "post { id }", text="Hello"))["post"]["id"]

    async def comment(text: str) -> None:
        await ada.do("createComment", "comment { id }", postId=id, text=text)

    async with process.listening(services) as port:
        elsewhere = Phone(ada.http, f"http://127.0.0.1:{port}/graphql", token=ada.token)
        connection = await ada.http.ws_connect(elsewhere.url, protocols=[SUBPROTOCOL])
        socket = Socket(connection)
        await socket.send(init(ada.token or ""))
        await socket.receive()
        stream = await socket.subscribe(POST_EVENTS, id=id)
        await comment("Before")
        after = (await stream.next())["postEvents"]["eventId"]
        ending = asyncio.create_task(socket.closed(timeout=5))
        started = time.monotonic()
    assert await ending == 1012
    assert time.monotonic() - started < 3
    await connection.close()
    with pytest.raises(aiohttp.ClientConnectionError):
        await elsewhere.ask(VIEWER)
    await comment("Meanwhile")
    assert ada.url == here
    async with ada.watch(POST_EVENTS, id=id, after=after) as resumed:
        texts = set()
        while "Meanwhile" not in texts:
            event = (await resumed.next())["postEvents"]
            if event["__typename"] == "CommentCreated":
                texts.add(event["commentEdge"]["node"]["text"])


async def test_draining_does_not_wait_for_silent_sockets(
    new_phone: NewPhone, services: Services, http: aiohttp.ClientSession
) -> None:
    """A phone in a tunnel does not answer the closing; all of them together cost the time of one."""
    ada = await new_phone("Ada")
    application = make_app(services, lifespan.make_schema(services.settings))
    runner = web.AppRunner(application, shutdown_timeout=1.0, handler_cancellation=True)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/graphql"
    silent = [await http.ws_connect(url, protocols=[SUBPROTOCOL], autoclose=False) for _ in range(5)]
    for connection in silent:
        await connection.send_json(init(ada.token or ""))
        assert json.loads((await connection.receive()).data) == {"type": "connection_ack"}
    open_now = set(application[VIEW].sockets)
    assert len(open_now) == 5
    started = time.monotonic()
    await sockets.drain(open_now, seconds=0.5)
    assert time.monotonic() - started < 1
    frames = [await connection.receive(timeout=1) for connection in silent]
    assert [(frame.type, frame.data) for frame in frames] == [(aiohttp.WSMsgType.CLOSE, 1012)] * 5
    for connection in silent:
        await connection.close()
    await runner.cleanup()
