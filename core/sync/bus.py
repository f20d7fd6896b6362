"""Hints and ephemeral signals over Redis: one connection per process, one channel per scope.

Nothing here is relied upon for correctness: a lost message delays, because the log is read again anyway.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import orjson
import structlog
from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from core import cancellation
from core.redis_batches import RedisBatches

logger = structlog.get_logger(__name__)

CHANNEL = "landfall:scope:"
RECONNECT_SECONDS = 0.5
SILENCE_SECONDS = 30.0

Receiver = Callable[[str, Any], Awaitable[None]]


class Bus:
    """Publish and subscribe by scope, for one receiver."""

    def __init__(self, redis: "Redis", batches: RedisBatches, receiver: Receiver) -> None:
        self._redis = redis
        self._batches = batches
        self._receiver = receiver
        self._wanted: set[str] = set()
        self._pubsub: PubSub | None = None
        # Its connection takes one command at a time.
        self._one_at_a_time = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    @property
    def connected(self) -> bool:
        return self._pubsub is not None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._listen(), name="bus")

    async def stop(self) -> None:
        await cancellation.end([self._task])
        await self._disconnect()

    async def publish(self, messages: dict[str, Any]) -> None:
        """Send one message per scope, with all that others send meanwhile in one round trip."""
        published = [
            ("PUBLISH", CHANNEL + scope, orjson.dumps(message)) for scope, message in messages.items()
        ]
        try:
            await self._batches.send(*published)
        except (RedisError, OSError) as error:
            logger.warning("hint lost", error=type(error).__name__)

    async def listen(self, scopes: Sequence[str]) -> None:
        self._wanted.update(scopes)
        await self._tell(scopes)

    async def ignore(self, scopes: Sequence[str]) -> None:
        self._wanted.difference_update(scopes)
        await self._tell(scopes)

    async def _tell(self, scopes: Sequence[str]) -> None:
        """Say what is wanted by now, in a task of its own.

        A stream that is cancelled meanwhile must not leave half a command on the connection; and redis-py
        sends by `asyncio.wait_for`, which before Python 3.12 swallows a cancellation that comes as it ends.
        """
        if scopes:
            telling = asyncio.create_task(self._tell_now(scopes), name="bus-tell")
            await asyncio.shield(telling)

    async def _tell_now(self, scopes: Sequence[str]) -> None:
        """Subscribe to those that are wanted by now and unsubscribe from the others."""
        async with self._one_at_a_time:
            wanted = [CHANNEL + scope for scope in scopes if scope in self._wanted]
            others = [CHANNEL + scope for scope in scopes if scope not in self._wanted]
            # While Redis is down the wish is kept in `_wanted`, and taken up again by `_connect`.
            with contextlib.suppress(RedisError, OSError):
                if self._pubsub is not None and wanted:
                    await self._pubsub.subscribe(*wanted)
                if self._pubsub is not None and others:
                    await self._pubsub.unsubscribe(*others)

    async def _listen(self) -> None:
        while True:
            try:
                pubsub = await self._connect()
                while True:
                    await self._pass_on(await pubsub.get_message(timeout=SILENCE_SECONDS))
            except (RedisError, OSError) as error:
                logger.warning("bus lost", error=type(error).__name__)
                await self._disconnect()
                await asyncio.sleep(RECONNECT_SECONDS)

    async def _pass_on(self, message: dict[str, Any] | None) -> None:
        if message is None:
            return
        scope = message["channel"].decode().removeprefix(CHANNEL)
        try:
            await self._receiver(scope, orjson.loads(message["data"]))
        except (ValueError, KeyError, TypeError) as error:
            # A message of another application: it must not stop ours.
            logger.warning("hint not understood", scope=scope, error=type(error).__name__)

    async def _connect(self) -> PubSub:
        async with self._one_at_a_time:
            pubsub = self._redis.pubsub(ignore_subscribe_messages=True)
            # The bare channel keeps the connection while no scope is wanted.
            await pubsub.subscribe(CHANNEL, *(CHANNEL + scope for scope in self._wanted))
            self._pubsub = pubsub
            return pubsub

    async def _disconnect(self) -> None:
        async with self._one_at_a_time:
            pubsub, self._pubsub = self._pubsub, None
            if pubsub is not None:
                with contextlib.suppress(RedisError, OSError):
                    await pubsub.aclose()  # type: ignore[no-untyped-call]
