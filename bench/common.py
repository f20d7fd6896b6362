"""Shared by the Python servers beside Landfall: their settings, and verification of access tokens."""

import os
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import orjson
import uvloop
from aiohttp import web
from jose import JWTError, jwk, jwt
from redis.asyncio import Redis

REMEMBERED = 10_000
CLOCK_SKEW = 30


@dataclass(frozen=True)
class Settings:
    """The same `BENCH_...` variables as the Node servers read."""

    port: int
    mongo_url: str
    mongo_database: str
    mongo_driver: str
    redis_url: str
    revocations: str
    """Lookup of ended sessions: `memory`, as Landfall's, or `redis`, one EXISTS per request."""
    public_url: str
    jwks_file: Path
    token_issuer: str
    token_audience: str
    field_key: str
    """In base64: wraps the keys of chats."""
    feed_listings: dict[str, str]
    """By viewer, the hash that begins cursors of their feed; computed once, by the benchmark."""

    def media_url(self, folder: str, name: str) -> str:
        return f"{self.public_url}/media/{folder}/{name}"


def from_environment(port: int | None) -> Settings:
    def given(name: str) -> str:
        return os.environ[f"BENCH_{name}"]

    return Settings(
        port=port or int(given("PORT")),
        mongo_url=given("MONGO_URL"),
        mongo_database=given("MONGO_DATABASE"),
        mongo_driver=os.environ.get("BENCH_MONGO_DRIVER", "motor"),
        redis_url=given("REDIS_URL"),
        revocations=given("REVOCATIONS"),
        public_url=given("PUBLIC_URL"),
        jwks_file=Path(given("JWKS_FILE")),
        token_issuer=given("TOKEN_ISSUER"),
        token_audience=given("TOKEN_AUDIENCE"),
        field_key=given("FIELD_KEY"),
        feed_listings=orjson.loads(Path(given("FEED_LISTINGS_FILE")).read_bytes()),
    )


class Gate:
    """Access tokens, verified once and remembered; sessions, looked up for each request."""

    def __init__(self, settings: Settings) -> None:
        [key] = orjson.loads(settings.jwks_file.read_bytes())["keys"]
        self._key = jwk.construct(key, "ES256")
        self._settings = settings
        asks_redis = settings.revocations == "redis"
        self._redis = Redis.from_url(settings.redis_url, max_connections=200) if asks_redis else None
        # A server in use would be told of ended sessions; the benchmark ends none.
        self._ended: set[str] = set()
        self._verified: OrderedDict[str, tuple[float, str, str]] = OrderedDict()

    async def viewer(self, request: web.Request) -> str | None:
        """The id of who asks; None for a missing, bad, expired or revoked token."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer":
            return None
        remembered = self._verified.get(token)
        if remembered is None or remembered[0] <= time.time():
            remembered = self._verify(token)
        if remembered is None or remembered[2] in self._ended:
            return None
        if self._redis is not None and await self._redis.exists(f"sess:revoked:{remembered[2]}"):
            return None
        return remembered[1]

    def _verify(self, token: str) -> tuple[float, str, str] | None:
        try:
            claims = jwt.decode(
                token,
                self._key,
                algorithms=["ES256"],
                issuer=self._settings.token_issuer,
                audience=self._settings.token_audience,
                options={"leeway": CLOCK_SKEW},
            )
        except JWTError:
            return None
        found = (float(claims["exp"]), str(claims["sub"]), str(claims["sid"]))
        self._verified[token] = found
        if len(self._verified) > REMEMBERED:
            self._verified.popitem(last=False)
        return found


def serve(make_app: Callable[[Settings], Awaitable[web.Application]], settings: Settings) -> None:
    """Run an application until it is stopped, on uvloop as Landfall does."""
    loop = uvloop.new_event_loop()
    web.run_app(
        make_app(settings), host="127.0.0.1", port=settings.port, access_log=None, print=None, loop=loop
    )
