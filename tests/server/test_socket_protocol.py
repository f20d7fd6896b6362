"""graphql-transport-ws to the letter, by raw sockets: every closing code, both directions, and limits."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import WSMsgType

from server import sockets
from tests.conftest import NewPhone
from tests.engine.streams import POST_EVENTS
from tests.feed.steps import publish
from tests.phone import SUBPROTOCOL, Phone
from tests.server.conftest import Configured

Connection = aiohttp.ClientWebSocketResponse
INIT = {"type": "connection_init"}
TYPENAME = "{ __typename }"
ACK = {"type": "connection_ack"}


def subscribe(query: Any = TYPENAME, id: Any = "1", **payload: Any) -> dict[str, Any]:
    return {"id": id, "type": "subscribe", "payload": {"query": query, **payload}}


@asynccontextmanager
async def raw(phone: Phone, *protocols: str, **headers: str) -> AsyncIterator[Connection]:
    offered = protocols or (SUBPROTOCOL,)
    async with phone.http.ws_connect(phone.url, protocols=offered, headers=headers) as socket:
        yield socket


async def closing(connection: Connection) -> tuple[int | None, str]:
    """The code and reason that end it; what comes before is passed over."""
    async with asyncio.timeout(5):
        while True:
            frame = await connection.receive()
            if frame.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED):
                return connection.close_code, str(frame.extra or "")


async def said(connection: Connection) -> dict[str, Any]:
    frame = await connection.receive(timeout=5)
    assert frame.type is WSMsgType.TEXT, frame
    message: dict[str, Any] = json.loads(frame.data)
    return message


async def ended_by(phone: Phone, *frames: Any, ack: bool = True) -> tuple[int | None, str]:
    """Close code and reason of a socket after these frames: text, bytes, or anything sent as JSON."""
    async with raw(phone) as connection:
        if ack:
            await connection.send_json(INIT)
            assert await said(connection) == ACK
        for frame in frames:
            if isinstance(frame, bytes):
                await connection.send_bytes(frame)
            else:
                await connection.send_str(frame if isinstance(frame, str) else json.dumps(frame))
        return await closing(connection)


INVALID: dict[str, Any] = {
    "no JSON": "{",
    "nothing": "",
    "deep JSON": "[" * 5_000,
    "a number": 5,
    "null": "null",
    "a list": [INIT],
    "a string": '"connection_init"',
    "no type": {"id": "1"},
    "a type that is a number": {"type": 1},
    "an unknown type": {"type": "start", "id": "1"},
    "an unknown type of many letters": {"type": "\N{SAILBOAT}" * 500},
    "a message of the server": {"type": "connection_ack"},
    "binary": json.dumps(INIT).encode(),
    "subscribe without id": {"type": "subscribe", "payload": {"query": TYPENAME}},
    "subscribe with an empty id": subscribe(id=""),
    "subscribe with a number as id": subscribe(id=1),
    "subscribe without payload": {"type": "subscribe", "id": "1"},
    "subscribe with a list as payload": {"type": "subscribe", "id": "1", "payload": []},
    "subscribe without query": {"type": "subscribe", "id": "1", "payload": {}},
    "a query that is a number": subscribe(5),
    "variables that are a list": subscribe(variables=[]),
    "an operation name that is a number": subscribe(operationName=1),
    "extensions that are a string": subscribe(extensions="x"),
    "complete without id": {"type": "complete"},
    "complete with a list as id": {"type": "complete", "id": ["1"]},
}


@pytest.mark.parametrize("what", INVALID)
async def test_4400_for_an_invalid_message(anonymous: Phone, what: str) -> None:
    code, reason = await ended_by(anonymous, INVALID[what])
    assert code == 4400
    assert 0 < len(reason.encode()) <= 123


@pytest.mark.parametrize("payload", [[], "x", 5, True])
async def test_4400_for_an_init_whose_payload_is_no_object(anonymous: Phone, payload: Any) -> None:
    code, _ = await ended_by(anonymous, {"type": "connection_init", "payload": payload}, ack=False)
    assert code == 4400


@pytest.mark.parametrize("init", [INIT, {**INIT, "payload": None}, {**INIT, "payload": {"other": 1}}])
async def test_an_init_needs_no_payload(anonymous: Phone, init: Any) -> None:
    async with raw(anonymous) as connection:
        await connection.send_json(init)
        assert await said(connection) == ACK


async def test_4401_for_subscribing_before_the_ack(anonymous: Phone) -> None:
    assert await ended_by(anonymous, subscribe(), ack=False) == (4401, "Unauthorized")


@pytest.mark.parametrize("token", ["nonsense", "", 5, ["x"]])
async def test_4401_for_a_bad_token(anonymous: Phone, token: Any) -> None:
    init = {"type": "connection_init", "payload": {"accessToken": token}}
    assert await ended_by(anonymous, init, ack=False) == (4401, "TOKEN_INVALID")


async def test_4403_for_a_session_that_ends(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    async with raw(ada) as connection:
        await connection.send_json({**INIT, "payload": {"accessToken": ada.token}})
        assert await said(connection) == ACK
        await ada.do("signOut", "removedSessionId")
        assert await closing(connection) == (4403, "SESSION_REVOKED")


async def test_4406_for_another_subprotocol(anonymous: Phone) -> None:
    for offered in (("graphql-ws",), ("soap", "mqtt")):
        async with raw(anonymous, *offered) as connection:
            assert connection.protocol is None
            assert await closing(connection) == (4406, "Subprotocol not acceptable")
    async with anonymous.http.ws_connect(anonymous.url) as connection:
        assert (await closing(connection))[0] == 4406


async def test_ours_is_chosen_among_several(anonymous: Phone) -> None:
    async with raw(anonymous, "graphql-ws", SUBPROTOCOL) as connection:
        assert connection.protocol == SUBPROTOCOL
        await connection.send_json(INIT)
        assert await said(connection) == ACK


async def test_4408_for_an_init_that_does_not_come(
    configured: Configured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "INIT_SECONDS", 0.2)
    async with configured() as phone:
        async with raw(phone) as connection:
            assert await closing(connection) == (4408, "Connection initialisation timeout")
        async with raw(phone) as connection:
            await connection.send_json(INIT)
            assert await said(connection) == ACK
            # Whoever came in time stays.
            await asyncio.sleep(0.4)
            await connection.send_json({"type": "ping"})
            assert await said(connection) == {"type": "pong"}


async def test_4409_for_the_id_of_an_operation_under_way(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    post = await publish(ada)
    for id in ("1", "\N{SAILBOAT}" * 200):
        asked = subscribe(POST_EVENTS, id, variables={"id": post})
        code, reason = await ended_by(ada, asked, asked)
        assert code == 4409
        assert reason.startswith(f"Subscriber for {id[:20]}")


async def test_an_id_is_free_again_when_its_operation_is_over(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    post = await publish(ada)
    async with raw(ada) as connection:
        await connection.send_json(INIT)
        assert await said(connection) == ACK
        for _ in range(3):
            await connection.send_json(subscribe())
            assert (await said(connection))["type"] == "next"
            assert await said(connection) == {"id": "1", "type": "complete"}
        for _ in range(3):
            await connection.send_json(subscribe(POST_EVENTS, variables={"id": post}))
            await connection.send_json({"id": "1", "type": "complete"})
        await connection.send_json(subscribe("{ nonsense }"))
        assert (await said(connection))["type"] == "error"
        await connection.send_json(subscribe())
        assert (await said(connection))["type"] == "next"


async def test_4429_for_a_second_init(anonymous: Phone) -> None:
    assert await ended_by(anonymous, INIT) == (4429, "Too many initialisation requests")
    code, _ = await ended_by(anonymous, INIT, INIT, ack=False)
    assert code == 4429


async def test_1009_for_a_message_that_is_too_large(configured: Configured) -> None:
    async with configured(max_body_bytes=1_000) as phone:
        code, _ = await ended_by(phone, subscribe(variables={"text": "x" * 1_000}))
        assert code == 1009


async def test_403_for_a_page_of_another_origin(configured: Configured) -> None:
    """A browser's page elsewhere; phones send no origin."""
    async with configured(allowed_origins=("https://app.example",)) as phone:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            async with raw(phone, Origin="https://evil.example"):
                pass
        assert refused.value.status == 403
        async with raw(phone, Origin="https://app.example") as connection:
            await connection.send_json(INIT)
            assert await said(connection) == ACK


async def test_a_ping_is_answered_at_any_time(anonymous: Phone) -> None:
    async with raw(anonymous) as connection:
        for payload in ({}, {"payload": {"at": 1}}, {"payload": None}):
            await connection.send_json({"type": "ping", **payload})
            assert await said(connection) == {"type": "pong"}
        await connection.send_json({"type": "pong"})
        await connection.send_json({"type": "pong", "payload": {"unasked": True}})
        await connection.send_json(INIT)
        assert await said(connection) == ACK
        await connection.send_json({"type": "ping"})
        assert await said(connection) == {"type": "pong"}


async def test_the_server_pings_too(anonymous: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "KEEP_ALIVE_SECONDS", 0.05)
    async with raw(anonymous) as connection:
        await connection.send_json(INIT)
        assert await said(connection) == ACK
        for _ in range(3):
            assert await said(connection) == {"type": "ping"}
            await connection.send_json({"type": "pong"})
