"""The three transports of a live stream, read in the same way."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.phone import Failed, Phone

TRANSPORTS = ["socket", "sse", "multipart"]

ACCEPT = {
    "sse": "text/event-stream",
    "multipart": "multipart/mixed;subscriptionSpec=1.0, application/json",
}

POST_EVENTS = """
subscription Watch($id: ID!, $after: String) {
  postEvents(postId: $id, after: $after) {
    __typename
    ... on CommentCreated { eventId comment { id text } }
    ... on CommentUpdated { eventId comment { id text } }
    ... on CommentDeleted { eventId deletedCommentId }
    ... on ReactionsUpdated { eventId subjectId summary { total } }
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


@asynccontextmanager
async def opened(phone: Phone, transport: str, query: str, /, **variables: Any) -> AsyncIterator[Any]:
    """A subscription over one of the three transports, listening once entered."""
    if transport == "socket":
        async with phone.watch(query, **variables) as stream:
            yield stream
        return
    headers = {"Accept": ACCEPT[transport], "Authorization": f"Bearer {phone.token}"}
    body = {"query": query, "variables": variables}
    async with phone.http.post(phone.url, json=body, headers=headers) as response:
        assert response.status == 200
        assert response.content_type == ACCEPT[transport].partition(";")[0]
        await asyncio.sleep(0.15)
        yield HttpStream(response, transport)
