"""Mail for development: kept in Redis and shown on `/dev/outbox`."""

from typing import TypedDict

import orjson
import structlog
from redis.asyncio import Redis

from core import clock

logger = structlog.get_logger(__name__)

KEY = "dev:outbox"
KEPT = 100
SECONDS = 86_400


class Letter(TypedDict):
    to: str
    subject: str
    text: str
    at: str


class Outbox:
    """Implements `core.ports.Mailer`."""

    def __init__(self, redis: "Redis") -> None:
        self._redis = redis

    async def send(self, *, to: str, subject: str, text: str) -> None:
        letter = {"to": to, "subject": subject, "text": text, "at": clock.now()}
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.lpush(KEY, orjson.dumps(letter))
        pipeline.ltrim(KEY, 0, KEPT - 1)
        pipeline.expire(KEY, SECONDS)
        await pipeline.execute()
        logger.info("mail kept in the outbox", subject=subject)

    async def letters(self) -> list[Letter]:
        """Latest first."""
        return [orjson.loads(raw) for raw in await self._redis.lrange(KEY, 0, KEPT - 1)]
