"""Messages for development: kept in Redis and shown on `/dev/outbox`."""

from typing import Any, Literal, TypedDict

import orjson
import structlog
from redis.asyncio import Redis

from core import clock
from core.ports import Sent

logger = structlog.get_logger(__name__)

KEY = "dev:outbox"
KEPT = 200
SECONDS = 86_400

Channel = Literal["email", "sms", "push", "voice", "slack", "teams"]


class Letter(TypedDict):
    channel: Channel
    to: str
    subject: str
    text: str
    at: str


class Outbox:
    """Implements `core.ports.Mailer`; the others put theirs beside."""

    def __init__(self, redis: "Redis") -> None:
        self._redis = redis

    async def send(self, *, to: str, subject: str, text: str, **_: Any) -> Sent:
        return await self.put("email", to=to, subject=subject, text=text)

    async def put(self, channel: Channel, *, to: str, subject: str, text: str) -> Sent:
        letter = {"channel": channel, "to": to, "subject": subject, "text": text, "at": clock.now()}
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.lpush(KEY, orjson.dumps(letter))
        pipeline.ltrim(KEY, 0, KEPT - 1)
        pipeline.expire(KEY, SECONDS)
        await pipeline.execute()
        logger.info("kept in the outbox", channel=channel)
        return Sent()

    async def letters(self) -> list[Letter]:
        """Latest first."""
        return [orjson.loads(raw) for raw in await self._redis.lrange(KEY, 0, KEPT - 1)]


class OutboxSmsSender:
    """Implements `core.ports.SmsSender`."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    async def send(self, *, to: str, text: str) -> Sent:
        return await self._outbox.put("sms", to=to, subject="Text message", text=text)


class OutboxPusher:
    """Implements `core.ports.Pusher`."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    async def send(self, *, token: str, title: str, text: str, **_: Any) -> Sent:
        return await self._outbox.put("push", to=token, subject=title, text=text)


class OutboxVoiceCaller:
    """Implements `core.ports.VoiceCaller`."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    async def send(self, *, to: str, text: str, **_: Any) -> Sent:
        return await self._outbox.put("voice", to=to, subject="Call", text=text)


class OutboxPoster:
    """Implements `core.ports.SlackPoster` and `TeamsPoster`."""

    def __init__(self, outbox: Outbox, channel: Channel) -> None:
        self._outbox, self._channel = outbox, channel

    async def send(self, *, to: str, title: str, text: str, **_: Any) -> Sent:
        return await self._outbox.put(self._channel, to=to, subject=title, text=text)
