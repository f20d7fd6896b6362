"""Persisted and trusted documents: clients send an id instead of the text.

Automatic persisted queries are Apollo's protocol: a client sends the SHA-256 of its document, and the
document itself only when the server does not know it. Trusted documents were given to
`landfall operations add`; a client names them by `documentId`, as the GraphQL over HTTP draft has it, or by
the same hash.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from core import clock
from core.errors import BadUserInput, Forbidden, RequestError
from core.lru_cache import LruCache
from core.operations import operations
from core.security.limits import Limits, Rate
from core.settings import Settings
from core.storage.mongo import Database

KEPT_HERE = 2_000
LETTERS_HERE = 10_000_000
"""Documents cached by this process, and their letters together."""

LOOK_UP = 10
"""Cost of a look-up of a document that this process does not have in its cache."""

LONGEST = 100_000
KEPT_SECONDS = 30 * 86_400
KEY = "document:"
LAST_USES, SIZES = "documents:used", "documents:sizes"
MOST_BYTES = 64 * 1024 * 1024
MOST_DOCUMENTS = 20_000
"""Of all persisted documents together: those unused for longest go first."""
PERSISTED = Rate("persisted-bytes", 1_000_000, 86_400)
"""Daily quota of registered text for one address, in bytes: more than all documents of an app."""

# Keeps a document, its last use and its size; those unused for longest go while there is too much.
SCRIPT = """
local now, id, seconds = tonumber(redis.call('TIME')[1]), ARGV[1], tonumber(ARGV[4])
local most_bytes, most = tonumber(ARGV[5]), tonumber(ARGV[6])
local function total(change) return redis.call('HINCRBY', KEYS[3], 'total', change) end
local function forget(old)
  redis.call('DEL', 'document:' .. old)
  redis.call('ZREM', KEYS[2], old)
  total(-tonumber(redis.call('HGET', KEYS[3], old) or 0))
  redis.call('HDEL', KEYS[3], old)
end
if redis.call('HEXISTS', KEYS[3], id) == 1 then forget(id) end
for _, old in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now - seconds, 'LIMIT', 0, 100)) do
  forget(old)
end
local size = tonumber(ARGV[3])
while redis.call('ZCARD', KEYS[2]) > 0
  and (total(0) + size > most_bytes or redis.call('ZCARD', KEYS[2]) >= most) do
  forget(redis.call('ZRANGE', KEYS[2], 0, 0)[1])
end
redis.call('SET', KEYS[1], ARGV[2], 'EX', seconds)
redis.call('ZADD', KEYS[2], now, id)
redis.call('HSET', KEYS[3], id, size)
return total(size)
"""

NAMES = frozenset({"persistedQuery", "documentId"})
"""Extensions of a request that may stand in for its document."""


class PersistedQueryNotFound(RequestError):
    """Apollo's clients look for just this code and message, and send the document along.

    Until then nothing is known of the operation: mutations behind it in an array may depend on it, and wait.
    """

    code = "PERSISTED_QUERY_NOT_FOUND"
    transient = True

    def __init__(self) -> None:
        super().__init__("PersistedQueryNotFound")


class Documents:
    """Finds the document that a request means."""

    def __init__(self, db: Database, redis: "Redis", settings: Settings) -> None:
        self._db = db
        self._redis = redis
        self._mode = settings.trusted_documents
        self._limits = Limits(redis, settings.rate_scale)
        self._keep = redis.register_script(SCRIPT)
        self._known: LruCache[str] = LruCache(most=KEPT_HERE, size=LETTERS_HERE)
        self._trusted: LruCache[str] = LruCache(most=KEPT_HERE, size=LETTERS_HERE)

    @property
    def open(self) -> bool:
        """True if documents run as they are sent, without having been registered."""
        return self._mode != "only"

    async def text(
        self, query: str | None, extensions: Mapping[str, Any] | None, charge: Callable[[int], Awaitable[Any]]
    ) -> str:
        """The document to run; PersistedQueryNotFound where a client must send it.

        `charge` takes what a look-up costs before anything is read, whatever is found.
        """
        id, by_hash = named(extensions)
        if not query:
            if id is None:
                raise BadUserInput("The request must have a `query` or name a document.")
            return await self._found(id, by_hash, charge)
        if by_hash and id != digest(query):
            raise BadUserInput("The document's SHA-256 is not the one in `persistedQuery`.")
        if self._mode == "only":
            return await self._found(digest(query), False, charge)
        return query

    async def persist(self, query: str, extensions: Mapping[str, Any] | None, address: str) -> None:
        """Store a valid document for clients that will send only its hash.

        Where its sender, or all clients together, have reached the quota, it is not stored.
        """
        id, by_hash = named(extensions)
        if id is None or not by_hash or id in self._known or len(query) > LONGEST or self._mode == "only":
            return
        size = len(query.encode())
        verdict = await self._limits.take(PERSISTED, f"ip:{address}", count=size)
        if not verdict.allowed:
            return
        self._known.put(id, query, len(query))
        try:
            arguments: list[str | int] = [id, query, size, KEPT_SECONDS, MOST_BYTES, MOST_DOCUMENTS]
            await self._keep(keys=[KEY + id, LAST_USES, SIZES], args=arguments)
        except (RedisError, OSError):
            # Others will be sent it again.
            return

    async def _found(self, id: str, persisted: bool, charge: Callable[[int], Awaitable[Any]]) -> str:
        found = self._trusted.get(id)
        if found is None and self._mode != "only":
            found = self._known.get(id)
        if found is None:
            await charge(LOOK_UP)
            found = await self._looked_up(id, persisted)
        return found

    async def _looked_up(self, id: str, persisted: bool) -> str:
        if self._mode != "off" and (trusted := await self._from_manifest(id)) is not None:
            return trusted
        if self._mode == "only":
            raise Forbidden("Only the operations that were registered run here.")
        found = await self._from_redis(id) if persisted else None
        if found is None:
            raise PersistedQueryNotFound
        return found

    async def _from_manifest(self, id: str) -> str | None:
        row = await operations.by_id(self._db, id)
        if row is None:
            return None
        self._trusted.put(id, row["body"], len(row["body"]))
        return row["body"]

    async def _from_redis(self, id: str) -> str | None:
        try:
            async with self._redis.pipeline(transaction=False) as pipe:
                pipe.getex(KEY + id, ex=KEPT_SECONDS)
                pipe.zadd(LAST_USES, {id: clock.timestamp()}, xx=True)
                found = (await pipe.execute())[0]
        except (RedisError, OSError):
            return None
        if found is None:
            return None
        text = str(found, "utf-8") if isinstance(found, bytes) else found
        self._known.put(id, text, len(text))
        return text


def named(extensions: Mapping[str, Any] | None) -> tuple[str | None, bool]:
    """The document's id in a request, and whether it is the hash of a persisted query."""
    if not extensions:
        return None, False
    persisted = extensions.get("persistedQuery")
    if persisted is not None:
        hash = persisted.get("sha256Hash") if isinstance(persisted, dict) else None
        if not isinstance(persisted, dict) or persisted.get("version") != 1 or not isinstance(hash, str):
            raise BadUserInput("`persistedQuery` must have version 1 and a `sha256Hash`.")
        return hash.lower(), True
    id = extensions.get("documentId")
    if id is None:
        return None, False
    if not isinstance(id, str):
        raise BadUserInput("`documentId` must be a string.")
    return id.removeprefix("sha256:"), False


def with_document_id(request: Any) -> Any:
    """The request with its `documentId` among its extensions, where all transports pass it on."""
    if isinstance(request, dict) and "documentId" in request:
        extensions = request.get("extensions") or {}
        if isinstance(extensions, dict):
            return {**request, "extensions": {**extensions, "documentId": request["documentId"]}}
    return request


def digest(query: str) -> str:
    return hashlib.sha256(query.encode()).hexdigest()
