"""Hints and ephemeral signals over Redis: one connection per process, one channel per scope.

Nothing here is relied upon for correctness: a lost message delays, because the log is read again anyway.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

import orjson
import structlog
from redis.asyncio import Redis
from redis.exceptions import RedisError

logger = structlog.get_logger(__name__)

CHANNEL = "landfall:scope:"
RECONNECT_SECONDS = 0.5

Receiver = Callable[[str, Any], Awaitable[None]]


class Bus:
    """Publishes to scopes and tells one receiver what arrives for the scopes it listens to."""

    def __init__(self, redis: "Redis", receiver: Receiver) -> None:
        self._redis = redis
        self._receiver = receiver
        self._wanted: set[str] = set()
        self._pubsub = redis.pubsub(ignore_subscribe_messages=True)
        self._task: asyncio.Task[None] | None = None
        self._listening = asyncio.Event()

    async def start(self) -> None:
        self._task = asyncio.create_task(self._listen(), name="bus")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        with contextlib.suppress(RedisError, OSError):
            await self._pubsub.aclose()  # type: ignore[no-untyped-call]

    async def publish(self, messages: dict[str, Any]) -> None:
        """Send one message per scope in one round trip."""
        if not messages:
            return
        try:
            pipeline = self._redis.pipeline(transaction=False)
            for scope, message in messages.items():
                pipeline.publish(CHANNEL + scope, orjson.dumps(message))
            await pipeline.execute()
        except (RedisError, OSError) as error:
            logger.warning("hint lost", error=type(error).__name__)

    async def listen(self, scope: str) -> None:
        self._wanted.add(scope)
        await self._tell(self._pubsub.subscribe, scope)
        self._listening.set()

    async def ignore(self, scope: str) -> None:
        self._wanted.discard(scope)
        await self._tell(self._pubsub.unsubscribe, scope)

    async def _tell(self, action: Callable[..., Awaitable[Any]], scope: str) -> None:
        # While Redis is down the wish is kept in `_wanted`, and taken up again by `_reconnect`.
        with contextlib.suppress(RedisError, OSError):
            await action(CHANNEL + scope)

    async def _listen(self) -> None:
        while True:
            await self._listening.wait()
            try:
                message = await self._pubsub.get_message(timeout=30.0)
            except (RedisError, OSError) as error:
                logger.warning("bus lost", error=type(error).__name__)
                await self._reconnect()
                continue
            except RuntimeError:
                # No subscription is left on the connection: wait for the next `listen`.
                self._listening.clear()
                continue
            if message is not None:
                scope = message["channel"].decode().removeprefix(CHANNEL)
                await self._receiver(scope, orjson.loads(message["data"]))

    async def _reconnect(self) -> None:
        await asyncio.sleep(RECONNECT_SECONDS)
        with contextlib.suppress(RedisError, OSError):
            await self._pubsub.aclose()  # type: ignore[no-untyped-call]
        self._pubsub = self._redis.pubsub(ignore_subscribe_messages=True)
        if self._wanted:
            with contextlib.suppress(RedisError, OSError):
                await self._pubsub.subscribe(*(CHANNEL + scope for scope in self._wanted))
