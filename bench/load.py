"""The load generator, a process of its own: takes jobs as JSON lines, answers each with what it saw.

A job is `{port, connections, seconds, requests}`. Each connection is kept alive, begins with another of the
requests, and sends the next one when the last was answered; none is sent after `seconds`, and all are waited
for, so that CPU counted around a job is that of exactly so many requests. What stands for something minted
in a request is replaced each time it is sent.
"""

import asyncio
import sys
import time
from collections.abc import Iterator
from itertools import cycle
from typing import Any, cast

import orjson
import uvloop
from typeid import TypeID

PATIENCE = 20.0
END_OF_CHUNKS = b"\r\n0\r\n\r\n"

MINTED_POST = f"post_{'0' * 26}"
MINTED_KEY = f"key_{'0' * 26}"
"""Stand for a fresh id, and for a fresh key of a mutation, of the same length."""


def minted(request: str) -> str:
    """A request as it is sent this time."""
    if MINTED_KEY not in request:
        return request
    return request.replace(MINTED_KEY, str(TypeID("key"))).replace(MINTED_POST, str(TypeID("post")))


class Connection(asyncio.Protocol):
    """Closed loop over one socket; speaks just enough HTTP to know where an answer ends."""

    def __init__(self, requests: Iterator[str], until: float, done: "asyncio.Future[None]") -> None:
        self.requests, self.until, self.done = requests, until, done
        self.seconds: list[float] = []
        self.received = bytearray()
        self.sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's are transports by behaviour, not by class.
        self.transport = cast("asyncio.Transport", transport)
        self.send()

    def send(self) -> None:
        self.sent = time.perf_counter()
        self.transport.write(minted(next(self.requests)).encode())

    def data_received(self, data: bytes) -> None:
        self.received += data
        if not complete(self.received):
            return
        now = time.perf_counter()
        self.seconds.append(now - self.sent)
        if not self.received.startswith(b"HTTP/1.1 200"):
            self.fail(RuntimeError(bytes(self.received[:500]).decode(errors="replace")))
            return
        self.received.clear()
        if now < self.until:
            self.send()
        else:
            self.transport.close()
            self.finish()

    def connection_lost(self, error: Exception | None) -> None:
        self.fail(error or ConnectionError("the server closed a connection"))

    def finish(self) -> None:
        if not self.done.done():
            self.done.set_result(None)

    def fail(self, error: Exception) -> None:
        if not self.done.done():
            self.done.set_exception(error)


def complete(received: bytearray) -> bool:
    """True if this is a whole answer."""
    end = received.find(b"\r\n\r\n")
    if end < 0:
        return False
    head = bytes(received[:end]).lower()
    start = head.find(b"\r\ncontent-length:")
    if start < 0:
        return received.endswith(END_OF_CHUNKS)
    length = head[start + len(b"\r\ncontent-length:") :].partition(b"\r\n")[0]
    return len(received) >= end + 4 + int(length)


async def run(job: dict[str, Any]) -> dict[str, Any]:
    loop = asyncio.get_running_loop()
    requests = job["requests"]
    started = time.perf_counter()
    connections = []
    for number in range(job["connections"]):
        first = number * len(requests) // job["connections"]
        turns = cycle([*requests[first:], *requests[:first]])
        connection = Connection(turns, started + job["seconds"], loop.create_future())
        await loop.create_connection(lambda made=connection: made, "127.0.0.1", job["port"])
        connections.append(connection)
    async with asyncio.timeout(job["seconds"] + PATIENCE):
        await asyncio.gather(*(each.done for each in connections))
    latencies = [seconds for each in connections for seconds in each.seconds]
    return {
        "requests": len(latencies),
        "seconds": time.perf_counter() - started,
        "microseconds": [round(each * 1e6) for each in latencies],
    }


def main() -> None:
    for line in sys.stdin.buffer:
        try:
            answer = uvloop.run(run(orjson.loads(line)))
        except (OSError, RuntimeError) as error:
            answer = {"error": f"{type(error).__name__}: {error}"}
        sys.stdout.buffer.write(orjson.dumps(answer) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
