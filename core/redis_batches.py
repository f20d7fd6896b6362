"""Batches of Redis commands: all that are sent in one turn of the loop share a round trip.

What a small command costs is the client's part, more than Redis's: taking a connection, packing, waiting.
"""

import asyncio
from typing import Any

from redis.asyncio import Redis

from core import cancellation

Command = tuple[Any, ...]
"""A command and its arguments: `("SET", key, value)`."""


class RedisBatches:
    """Sender of commands whose results nobody needs."""

    def __init__(self, redis: "Redis") -> None:
        self._redis = redis
        self._commands: list[Command] = []
        self._sent: asyncio.Future[None] | None = None
        """Done when the commands that wait have been sent."""
        self._sending: asyncio.Task[None] | None = None

    async def send(self, *commands: Command) -> None:
        """Send commands along with those of others; RedisError or OSError if they are lost."""
        if self._sent is None:
            self._sent = asyncio.get_running_loop().create_future()
            self._sent.add_done_callback(_seen)
        self._commands += commands
        if self._sending is None:
            self._sending = asyncio.create_task(self._send_all(), name="redis-batches")
        # Whoever gives up waiting takes nothing from the others.
        await asyncio.shield(self._sent)

    async def stop(self) -> None:
        await cancellation.end([self._sending])

    async def _send_all(self) -> None:
        try:
            # Those who have something to say in this turn come along.
            await asyncio.sleep(0)
            while self._sent is not None:
                commands, sent = self._commands, self._sent
                self._commands, self._sent = [], None
                await self._send(commands, sent)
        finally:
            self._sending = None
            if self._sent is not None:
                self._sent.cancel()

    async def _send(self, commands: list[Command], sent: "asyncio.Future[None]") -> None:
        pipeline = self._redis.pipeline(transaction=False)
        for command in commands:
            pipeline.execute_command(*command)
        try:
            await pipeline.execute()
            sent.set_result(None)
        except Exception as error:  # Whoever sent the commands hears of it.
            sent.set_exception(error)
        finally:
            # Stopped meanwhile.
            sent.cancel()


def _seen(sent: "asyncio.Future[None]") -> None:
    """All who waited may have given up: nobody else is to hear of it."""
    if not sent.cancelled():
        sent.exception()
