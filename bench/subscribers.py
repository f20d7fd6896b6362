"""Many graphql-transport-ws sockets in one process: takes jobs as JSON lines, answers each with what it saw.

`{"open": {port, tokens}}` opens and signs in a socket for each token. `{"subscribe": payload}` subscribes on
those that do not watch yet. `{"arm": true}` forgets what came. `{"collect": {seconds}}` waits until each was
told something, and answers with the moments, by the machine's monotonic clock, at which each was told first.
`{"close": true}` closes all. It knows just enough of WebSocket to be light: it shares the machine with what
it measures.
"""

import asyncio
import base64
import os
import struct
import sys
import time
from typing import Any, cast

import orjson
import uvloop

PATIENCE = 30.0
AT_ONCE = 100
TEXT, CLOSE, PING, PONG = 1, 8, 9, 10


class Socket(asyncio.Protocol):
    """One client's end: its handshake, its sign-in, its subscription."""

    def __init__(self, port: int, token: str) -> None:
        self._port, self._token = port, token
        self.watches = False
        self._received = bytearray()
        self._upgraded = False
        loop = asyncio.get_running_loop()
        self.ready: asyncio.Future[None] = loop.create_future()
        self.told: asyncio.Future[None] = loop.create_future()
        self.first = 0.0
        self.payload = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        lines = (
            "GET /graphql HTTP/1.1",
            f"Host: 127.0.0.1:{self._port}",
            "Upgrade: websocket",
            "Connection: Upgrade",
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}",
            "Sec-WebSocket-Version: 13",
            "Sec-WebSocket-Protocol: graphql-transport-ws",
        )
        self._transport.write(("\r\n".join(lines) + "\r\n\r\n").encode())

    def data_received(self, data: bytes) -> None:
        self._received += data
        if not self._upgraded:
            head, end, rest = bytes(self._received).partition(b"\r\n\r\n")
            if not end:
                return
            if b" 101 " not in head[:20]:
                self._fail(f"refused: {head[:200].decode(errors='replace')}")
                return
            self._upgraded, self._received = True, bytearray(rest)
            self._send(orjson.dumps({"type": "connection_init", "payload": {"accessToken": self._token}}))
        while (frame := self._frame()) is not None:
            self._took(*frame)

    def _frame(self) -> tuple[int, bytes] | None:
        """The next whole frame; servers send theirs unmasked and, these here, unfragmented."""
        received = self._received
        if len(received) < 2:
            return None
        length, start = received[1], 2
        if length == 126:
            if len(received) < 4:
                return None
            length, start = struct.unpack_from("!H", received, 2)[0], 4
        if len(received) < start + length:
            return None
        kind, body = received[0] & 15, bytes(received[start : start + length])
        del received[: start + length]
        return kind, body

    def _took(self, kind: int, body: bytes) -> None:
        if kind == PING:
            self._send(body, PONG)
        elif kind == CLOSE:
            self._fail(f"closed: {body[2:].decode(errors='replace')}")
        elif b'"next"' in body[:80]:
            if not self.told.done():
                self.first, self.payload = time.monotonic(), body
                self.told.set_result(None)
        elif b'"connection_ack"' in body:
            self.ready.set_result(None)
        elif b'"ping"' not in body:
            self._fail(body[:500].decode(errors="replace"))

    def _send(self, body: bytes, kind: int = TEXT) -> None:
        mask = b"\0\0\0\0"
        size = len(body)
        head = (
            struct.pack("!BB", 128 | kind, 128 | size)
            if size < 126
            else struct.pack("!BBH", 128 | kind, 254, size)
        )
        self._transport.write(head + mask + body)

    def subscribe(self, payload: dict[str, Any]) -> None:
        self.watches = True
        self._send(orjson.dumps({"id": "1", "type": "subscribe", "payload": payload}))

    def arm(self) -> None:
        self.told = asyncio.get_running_loop().create_future()

    def connection_lost(self, error: Exception | None) -> None:
        self._fail("lost")

    def _fail(self, reason: str) -> None:
        for waiting in (self.ready, self.told):
            if not waiting.done():
                waiting.set_exception(ConnectionError(reason))
                # Whether anybody waits for it is another matter.
                waiting.exception()

    def close(self) -> None:
        self._transport.close()


class Subscribers:
    def __init__(self) -> None:
        self._sockets: list[Socket] = []

    async def open(self, port: int, tokens: list[str]) -> dict[str, Any]:
        loop = asyncio.get_running_loop()
        for start in range(0, len(tokens), AT_ONCE):
            made = [Socket(port, token) for token in tokens[start : start + AT_ONCE]]
            for each in made:
                await loop.create_connection(lambda each=each: each, "127.0.0.1", port)  # type: ignore[misc]
            async with asyncio.timeout(PATIENCE):
                await asyncio.gather(*(each.ready for each in made))
            self._sockets += made
        return {"open": len(self._sockets)}

    async def subscribe(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Not all at once: the server checks for each whether it may."""
        for number, each in enumerate(self._sockets):
            if not each.watches:
                each.subscribe(payload)
                if number % AT_ONCE == 0:
                    await asyncio.sleep(0.05)
        return {}

    def arm(self) -> dict[str, Any]:
        for each in self._sockets:
            each.arm()
        return {}

    async def collect(self, seconds: float) -> dict[str, Any]:
        await asyncio.wait([each.told for each in self._sockets], timeout=seconds)
        told = [each for each in self._sockets if each.told.done()]
        for each in told:
            each.told.result()
        payloads = {each.payload for each in told}
        return {
            "moments": [each.first for each in told],
            "payloads": [payload.decode() for payload in list(payloads)[:3]],
        }

    def close(self) -> dict[str, Any]:
        for each in self._sockets:
            each.close()
        self._sockets.clear()
        return {}


async def main() -> None:
    subscribers = Subscribers()
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.buffer.readline):
        job = orjson.loads(line)
        try:
            if "open" in job:
                answer = await subscribers.open(**job["open"])
            elif "subscribe" in job:
                answer = await subscribers.subscribe(job["subscribe"])
            elif "collect" in job:
                answer = await subscribers.collect(**job["collect"])
            else:
                answer = subscribers.arm() if "arm" in job else subscribers.close()
        except (OSError, TimeoutError) as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        sys.stdout.buffer.write(orjson.dumps(answer) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    uvloop.run(main())
