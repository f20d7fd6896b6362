"""Answers of MongoDB on a connection that a transaction holds, read as they come.

The driver's protocol reads the head and the body of a message apart, and stops reading after each, because it
may have asked for none: two turns of the event loop and four system calls an answer. A transaction waits for
every answer, so that it reads whatever is there, and wakes once for all it asked.
"""

import asyncio
import struct
from typing import Any, NamedTuple

HEADER = struct.Struct("<iiii")
"""Of a message: its length, its id, the id that it answers, and its kind."""


class Answer(NamedTuple):
    """Answer to one message, as it came."""

    request_id: int
    kind: int
    body: bytes


class Answers(asyncio.Protocol):
    """Protocol of a connection in the place of the driver's, until it is given back."""

    def __init__(self, driver: Any, longest: int) -> None:
        self._driver = driver
        self._transport = driver.transport
        self._longest = longest
        self._begun = bytearray()
        """Beginning of an answer whose rest has not come."""
        self._needed = 0
        self._arrived: list[Answer] = []
        self._wanted = 0
        self._waiting: asyncio.Future[None] | None = None
        self._transport.set_protocol(self)
        self._transport.resume_reading()

    def give_back(self) -> None:
        """Leave the connection to the driver's protocol, which reads when it is asked to."""
        if not self._transport.is_closing():
            self._transport.pause_reading()
            self._transport.set_protocol(self._driver)

    async def to(self, messages: bytes, request_ids: list[int]) -> list[Answer]:
        """Answers to messages, in their order; OSError if the connection ends before all are there."""
        if self._transport.is_closing():
            raise OSError("connection is closed")
        self._wanted = len(request_ids)
        self._waiting = asyncio.get_running_loop().create_future()
        self._transport.write(messages)
        await self._waiting
        answers, self._arrived = self._arrived, []
        if [each.request_id for each in answers] != request_ids:
            raise OSError("answers to something else")
        return answers

    def data_received(self, data: bytes) -> None:
        if self._begun:
            self._begun += data
            if len(self._begun) < self._needed:
                return
            data = bytes(self._begun)
            self._begun.clear()
        at, end = 0, len(data)
        while at < end:
            if end - at < HEADER.size:
                self._keep(data[at:], HEADER.size)
                break
            length, _, request_id, kind = HEADER.unpack_from(data, at)
            if not HEADER.size < length <= self._longest:
                self._transport.abort()
                return
            if end - at < length:
                self._keep(data[at:], length)
                break
            self._arrived.append(Answer(request_id, kind, data[at + HEADER.size : at + length]))
            at += length
        if len(self._arrived) >= self._wanted and self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def _keep(self, begun: bytes, needed: int) -> None:
        self._begun += begun
        self._needed = needed

    def connection_lost(self, exc: Exception | None) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(exc or OSError("connection closed"))
        self._driver.connection_lost(exc)
