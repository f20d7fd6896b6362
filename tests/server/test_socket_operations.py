"""Operations on graphql-transport-ws: what runs there, how it ends from either side, and how much may run."""

import asyncio
from typing import Any

import pytest

from core.context import Services
from core.storage.mongo import Database
from tests.conftest import NewPhone
from tests.engine.streams import POST_EVENTS
from tests.feed.steps import publish
from tests.phone import Phone, key
from tests.server.conftest import Configured, eventually
from tests.server.test_named_documents import persisted
from tests.server.test_socket_protocol import ACK, INIT, raw, said, subscribe


async def test_queries_and_mutations_run_over_a_socket(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    once = key()
    document = """mutation($input: CreatePostInput!) { createPost(input: $input) {
      replayed post { text } errors { code } } }"""
    variables = {"input": {"idempotencyKey": once, "text": "By socket"}}
    async with ada.socket() as socket:
        for replayed in (False, True):
            await socket.send(subscribe(document, "m", variables=variables, operationName=None))
            created = {"replayed": replayed, "post": {"text": "By socket"}, "errors": []}
            assert await socket.receive() == {
                "id": "m",
                "type": "next",
                "payload": {"data": {"createPost": created}},
            }
            assert await socket.receive() == {"id": "m", "type": "complete"}
        two = "query A { __typename } query B { b: __typename }"
        await socket.send(subscribe(two, "q", operationName="B"))
        assert (await socket.receive())["payload"] == {"data": {"b": "Query"}}
        assert await socket.receive() == {"id": "q", "type": "complete"}


async def test_a_document_that_cannot_run_is_an_error_of_its_operation(anonymous: Phone) -> None:
    async with anonymous.socket() as socket:
        for query in ("{", "{ nonsense }", "query A { __typename } query B { __typename }"):
            await socket.send(subscribe(query, "e"))
            message = await socket.receive()
            assert (message["id"], message["type"]) == ("e", "error")
            assert {error["extensions"]["code"] for error in message["payload"]} == {"BAD_USER_INPUT"}
        await socket.send(subscribe("{ __typename }", "e", operationName="Nobody"))
        assert (await socket.receive())["type"] == "error"
        # The socket lives on, and nothing comes after an error.
        await socket.send({"type": "ping"})
        assert await socket.receive() == {"type": "pong"}


async def test_a_document_may_be_named_on_a_socket(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    query = f"query Me{key()} {{ viewer {{ user {{ id }} }} }}"
    async with ada.socket() as socket:
        named = {"id": "1", "type": "subscribe", "payload": {"extensions": persisted(query)}}
        await socket.send(named)
        [error] = (await socket.receive())["payload"]
        assert error["extensions"]["code"] == "PERSISTED_QUERY_NOT_FOUND"
        for asked in (subscribe(query, extensions=persisted(query)), named):
            await socket.send(asked)
            assert (await socket.receive())["payload"] == {"data": {"viewer": {"user": {"id": ada.user_id}}}}
            assert (await socket.receive())["type"] == "complete"


def listeners(services: Services, scope: str) -> int:
    return len(services.live._subscribers.get(scope, ()))


async def until(wanted: int, services: Services, scope: str) -> None:
    async def listening() -> bool:
        return listeners(services, scope) == wanted

    await eventually(listening)


@pytest.mark.parametrize("how", ["complete", "close", "cut"])
async def test_a_client_that_completes_stops_the_server_s_work(
    new_phone: NewPhone, services: Services, how: str
) -> None:
    ada = await new_phone("Ada")
    post = await publish(ada)
    scopes = set(services.live._subscribers)
    async with raw(ada) as connection:
        await connection.send_json(INIT)
        assert await said(connection) == ACK
        await connection.send_json(subscribe(POST_EVENTS, variables={"id": post}))

        async def listened() -> bool:
            return set(services.live._subscribers) != scopes

        await eventually(listened)
        [scope] = set(services.live._subscribers) - scopes
        if how == "complete":
            await connection.send_json({"id": "1", "type": "complete"})
            await connection.send_json({"id": "unknown", "type": "complete"})
        elif how == "close":
            await connection.close(code=1000)
        else:
            # As a phone that is switched off: nothing is said.
            connection._writer.transport.abort()
        await until(0, services, scope)
        if how == "complete":
            await ada.do("createComment", "comment { id }", postId=post, text="Nobody listens")
            await connection.send_json({"type": "ping"})
            # Nothing comes of a completed operation, not even a `complete`.
            assert await said(connection) == {"type": "pong"}


async def test_a_client_that_completes_a_query_stops_it(
    new_phone: NewPhone, monkeypatch: pytest.MonkeyPatch
) -> None:
    ended: list[bool] = []
    started = asyncio.Event()

    async def never(self: Database, command: dict[str, Any]) -> list[dict[str, Any]]:
        started.set()
        try:
            await asyncio.sleep(30)
        except asyncio.CancelledError:
            ended.append(True)
            raise
        return []

    ada = await new_phone("Ada")
    query = "{ viewer { posts: user { posts(first: 1) { edges { cursor } } } } }"
    async with ada.socket() as socket:
        monkeypatch.setattr(Database, "read", never)
        await socket.send(subscribe(query))
        async with asyncio.timeout(5):
            await started.wait()
        await socket.send({"id": "1", "type": "complete"})
        await socket.send({"type": "ping"})
        assert await socket.receive() == {"type": "pong"}
        monkeypatch.undo()
        await socket.send(subscribe(id="1"))
        assert (await socket.receive())["type"] == "next"


async def test_the_server_completes_when_there_is_no_more(new_phone: NewPhone) -> None:
    """The post is gone for good: its deletion is told, then the stream is over."""
    ada = await new_phone("Ada")
    post = await publish(ada)
    async with ada.watch(POST_EVENTS, id=post) as stream:
        await ada.do("deletePost", "deletedPostId", postId=post)
        types = [await stream.socket.receive()]
        while types[-1]["type"] == "next":
            types.append(await stream.socket.receive())
        assert types[-1] == {"id": stream.id, "type": "complete"}


async def test_a_socket_has_so_many_operations_at_once(configured: Configured, new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    post = await publish(ada)
    async with configured(max_subscriptions=2) as other:
        phone = Phone(other.http, other.url, token=ada.token)
        async with phone.socket() as socket:
            for id in ("1", "2"):
                await socket.send(subscribe(POST_EVENTS, id, variables={"id": post}))
            await socket.send(subscribe(id="3"))
            message = await socket.receive()
            assert message == {
                "id": "3",
                "type": "error",
                "payload": [
                    {
                        "message": "A socket has at most 2 operations at once.",
                        "extensions": {"code": "QUERY_TOO_COMPLEX", "limit": "operations", "allowed": 2},
                    }
                ],
            }
            await socket.send({"id": "1", "type": "complete"})
            await socket.send(subscribe(id="3"))
            assert (await socket.receive())["type"] == "next"


async def test_operations_of_a_socket_are_weighed(anonymous: Phone) -> None:
    async with anonymous.socket() as socket:
        await socket.send(subscribe("{ " + " ".join(f"a{n}: __typename" for n in range(101)) + " }"))
        [error] = (await socket.receive())["payload"]
        assert (error["extensions"]["code"], error["extensions"]["limit"]) == ("QUERY_TOO_COMPLEX", "aliases")
