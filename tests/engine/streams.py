"""The three transports of a live stream, read in the same way."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from tests import listening
from tests.phone import Failed, Phone

TRANSPORTS = ["socket", "sse", "multipart"]

ACCEPT = {
    "sse": "text/event-stream",
    "multipart": "multipart/mixed;subscriptionSpec=1.0, application/json",
}

APOLLO_WEB = "multipart/mixed;boundary=graphql;subscriptionSpec=1.0,application/json"
"""As Apollo Client asks for the multipart protocol."""
LIKE_A_DELIMITER = "Hello, --graphql\n{}"
"""A text that looks like a delimiter and a heartbeat."""

POST_EVENTS = """
subscription Watch($id: ID!, $after: String) {
  postEvents(postId: $id, after: $after) {
    __typename
    ... on CommentCreated { eventId commentEdge { node { id text } } }
    ... on CommentUpdated { eventId comment { id text } }
    ... on CommentDeleted { eventId deletedCommentId }
    ... on ReactionsUpdated { eventId subject { ... on Post { id reactionSummary { count } } } }
    ... on PostUpdated { eventId post { id version visibility } }
    ... on PostDeleted { eventId deletedPostId }
    ... on ResyncRequired { eventId token }
  }
}
"""


class HttpStream:
    """A subscription as one HTTP answer that does not end."""

    def __init__(self, response: Any, transport: str) -> None:
        self._response = response
        self._transport = transport
        self._buffer = ""

    async def next(self, *, timeout: float = 10.0) -> Any:
        """The data of the next event."""
        while True:
            payload = self._payload()
            if payload is None:
                await self._more(timeout)
                continue
            if payload.get("errors"):
                raise Failed(payload)
            if "data" in payload:
                return payload["data"]

    async def _more(self, timeout: float) -> None:
        async with asyncio.timeout(timeout):
            chunk = await self._response.content.readany()
        if not chunk:
            raise StopAsyncIteration
        self._buffer += chunk.decode()

    def _payload(self) -> dict[str, Any] | None:
        """The next whole event of what has come; heartbeats are empty."""
        if self._transport == "sse":
            event, end, rest = self._buffer.partition("\r\n\r\n")
            if not end:
                return None
            self._buffer = rest
            lines = [line.removeprefix("data:") for line in event.splitlines() if line.startswith("data:")]
            if "event: complete" in event:
                raise StopAsyncIteration
            return json.loads("".join(lines)) if "".join(lines).strip() else {}
        part, end, rest = self._buffer.partition("--graphql")
        if not end:
            return None
        self._buffer = rest
        body = part[part.find("{") :].strip() if "{" in part else ""
        return (json.loads(body).get("payload") or {}) if body else {}


async def begin(phone: Phone, accept: str, query: str, /, **variables: Any) -> aiohttp.ClientResponse:
    """The answer to an operation over HTTP that does not end, as it begins."""
    headers = {"Accept": accept, "Authorization": f"Bearer {phone.token}"}
    body = {"query": query, "variables": variables}
    return await phone.http.post(phone.url, json=body, headers=headers)


@asynccontextmanager
async def attached(
    phone: Phone, accept: str, query: str, /, **variables: Any
) -> AsyncIterator[aiohttp.ClientResponse]:
    """The same, listening once entered: its first part is sent before that."""
    async with await begin(phone, accept, query, **variables) as response:
        assert response.status == 200
        await listening.begun(response.headers["X-Request-Id"])
        yield response


async def parts(response: aiohttp.ClientResponse, what: str) -> str:
    """All parts of a multipart answer up to the one that holds it."""
    said = ""
    async with asyncio.timeout(30):
        while what not in said or not said.endswith("--graphql"):
            chunk = await response.content.readany()
            assert chunk, said
            said += chunk.decode()
    return said


@asynccontextmanager
async def opened(phone: Phone, transport: str, query: str, /, **variables: Any) -> AsyncIterator[Any]:
    """A subscription over one of the three transports, listening once entered."""
    if transport == "socket":
        async with phone.watch(query, **variables) as stream:
            yield stream
        return
    async with attached(phone, ACCEPT[transport], query, **variables) as response:
        assert response.content_type == ACCEPT[transport].partition(";")[0]
        yield HttpStream(response, transport)
