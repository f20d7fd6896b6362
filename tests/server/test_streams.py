"""Answers that last: server-sent events and Apollo's multipart protocol, byte by byte."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest

from server import streaming
from tests.conftest import NewPhone
from tests.engine.streams import ACCEPT, POST_EVENTS
from tests.feed.steps import publish
from tests.phone import Phone, key
from tests.server.conftest import Configured

SSE = "text/event-stream"


@asynccontextmanager
async def streamed(
    phone: Phone, accept: str, query: str, /, method: str = "POST", **variables: Any
) -> AsyncIterator[aiohttp.ClientResponse]:
    headers = {"Accept": accept, **phone._authorization}
    body: dict[str, Any] = {"json": {"query": query, "variables": variables}}
    if method == "GET":
        body = {"params": {"query": query, "variables": json.dumps(variables)}}
    async with phone.http.request(method, phone.url, headers=headers, **body) as response:
        yield response


async def until(response: aiohttp.ClientResponse, ending: str, times: int = 1) -> str:
    """Text received so far, once it holds `ending` so many times."""
    found = ""
    async with asyncio.timeout(10):
        while found.count(ending) < times:
            chunk = await response.content.readany()
            assert chunk, found
            found += chunk.decode()
    return found


async def test_silence_on_a_stream_of_events_is_broken_by_comments(
    configured: Configured, new_phone: NewPhone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "SSE_SECONDS", 0.1)
    ada = await new_phone("Ada")
    post = await publish(ada)
    async with configured() as other:
        phone = Phone(other.http, other.url, token=ada.token)
        async with streamed(phone, SSE, POST_EVENTS, id=post) as response:
            assert response.headers["Content-Type"] == SSE
            assert response.headers["Cache-Control"] == "no-cache, no-transform"
            # Proxies must pass each event on at once.
            assert response.headers["X-Accel-Buffering"] == "no"
            assert "Content-Encoding" not in response.headers
            assert await until(response, ": ping\r\n\r\n", 3) == ": ping\r\n\r\n" * 3
            await ada.do("createComment", "comment { id }", postId=post, text="Hello")
            said = await until(response, "event: next")
            assert said.replace(": ping\r\n\r\n", "").startswith("event: next\r\ndata: {")


async def test_silence_between_parts_is_broken_by_empty_ones(
    configured: Configured, new_phone: NewPhone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "MULTIPART_SECONDS", 0.1)
    ada = await new_phone("Ada")
    post = await publish(ada)
    async with configured() as other:
        phone = Phone(other.http, other.url, token=ada.token)
        async with streamed(phone, ACCEPT["multipart"], POST_EVENTS, id=post) as response:
            assert response.headers["Content-Type"] == (
                'multipart/mixed;boundary="graphql";subscriptionSpec=1.0'
            )
            said = await until(response, "--graphql", 4)
            bodies = [part.partition("\r\n\r\n")[2].strip() for part in said.split("--graphql")]
            assert {body for body in bodies if body} == {"{}"}
            await ada.do("createComment", "comment { id }", postId=post, text="Hello")
            assert "CommentCreated" in await until(response, "Hello")


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_a_query_is_one_event_and_the_end(new_phone: NewPhone, method: str) -> None:
    ada = await new_phone("Ada")
    query = f"query Q{key()} {{ viewer {{ user {{ name }} }} }}"
    # On the reference, then compiled.
    for _ in range(2):
        async with streamed(ada, SSE, query, method=method) as response:
            assert (response.status, await response.text()) == (
                200,
                'event: next\r\ndata: {"data":{"viewer":{"user":{"name":"Ada"}}}}\r\n\r\n'
                "event: complete\r\ndata: \r\n\r\n",
            )


async def test_a_mutation_may_be_streamed_too(new_phone: NewPhone) -> None:
    ada, once = await new_phone("Ada"), key()
    document = (
        """mutation($input: CreatePostInput!) { createPost(input: $input) { post { text } replayed } }"""
    )
    for replayed in ("false", "true"):
        given = {"idempotencyKey": once, "text": "Streamed"}
        async with streamed(ada, SSE, document, input=given) as response:
            assert f'"replayed":{replayed}' in await response.text()


async def test_what_is_refused_is_an_event_of_its_own(anonymous: Phone) -> None:
    """As graphql-sse has it: the stream is accepted, and its only event holds the errors."""
    for query, code in (
        ("{ nonsense }", "BAD_USER_INPUT"),
        ("{", "BAD_USER_INPUT"),
        ("{ " + "a: __typename " * 102 + "}", "QUERY_TOO_COMPLEX"),
        ("{ inventoryLevels { edges { cursor } } }", "UNAUTHENTICATED"),
    ):
        async with streamed(anonymous, SSE, query) as response:
            said = await response.text()
        event, end, _ = said.split("\r\n\r\n")
        assert event.startswith("event: next\r\ndata: {")
        errors = json.loads(event.partition("data: ")[2])["errors"]
        assert errors[0]["extensions"]["code"] == code
        assert end == "event: complete\r\ndata: "


async def test_a_batch_is_no_stream(anonymous: Phone) -> None:
    headers = {"Accept": SSE}
    async with anonymous.http.post(
        anonymous.url, json=[{"query": "{ __typename }"}], headers=headers
    ) as response:
        assert response.status == 400
        assert (await response.json())["errors"][0]["extensions"] == {"code": "BAD_USER_INPUT"}
