"""Documents that clients name instead of sending them: persisted on the way, or trusted beforehand.

Automatic persisted queries are Apollo's protocol: a client sends the SHA-256 of its document, and the
document itself only when the server does not know it. Trusted documents were given to
`landfall operations add`; a client names them by `documentId`, as the GraphQL over HTTP draft has it, or by
the same hash.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from graphql import GraphQLError, OperationType, get_operation_ast, parse
from redis.asyncio import Redis
from redis.exceptions import RedisError

from core.errors import BadUserInput, Fault, Forbidden
from core.mongo import Database
from core.operations import operations
from core.settings import Settings

KEPT_HERE = 2_000
"""Documents remembered by this process."""

LONGEST = 100_000
KEPT_SECONDS = 30 * 86_400
KEY = "document:"

NAMES = frozenset({"persistedQuery", "documentId"})
"""Extensions of a request that may stand in for its document."""


class PersistedQueryNotFound(Fault):
    """Apollo's clients look for just this code and message, and send the document along."""

    code = "PERSISTED_QUERY_NOT_FOUND"

    def __init__(self) -> None:
        super().__init__("PersistedQueryNotFound")


class Documents:
    """Finds the document that a request means."""

    def __init__(self, db: Database, redis: "Redis", settings: Settings) -> None:
        self._db = db
        self._redis = redis
        self._mode = settings.trusted_documents
        self._known: OrderedDict[str, str] = OrderedDict()
        self._trusted: OrderedDict[str, str] = OrderedDict()

    @property
    def open(self) -> bool:
        """Whether documents run as they are sent, without having been registered."""
        return self._mode != "only"

    async def text(self, query: str | None, extensions: Mapping[str, Any] | None) -> str:
        """The document to run; PersistedQueryNotFound where a client must send it."""
        id, by_hash = named(extensions)
        if not query:
            if id is None:
                raise BadUserInput("The request must have a `query` or name a document.")
            return await self._found(id, persisted=by_hash)
        if by_hash and id != digest(query):
            raise BadUserInput("The document's SHA-256 is not the one in `persistedQuery`.")
        if self._mode == "only":
            return await self._found(digest(query), persisted=False)
        return query

    async def persist(self, query: str, extensions: Mapping[str, Any] | None) -> None:
        """Remember a sound document for those who will send its hash alone."""
        id, by_hash = named(extensions)
        if id is None or not by_hash or id in self._known or len(query) > LONGEST or self._mode == "only":
            return
        _remember(self._known, id, query)
        try:
            await self._redis.set(KEY + id, query, ex=KEPT_SECONDS)
        except (RedisError, OSError):
            # Others will be sent it again.
            return

    async def _found(self, id: str, *, persisted: bool) -> str:
        if self._mode != "off" and (trusted := await self._from_manifest(id)) is not None:
            return trusted
        if self._mode == "only":
            raise Forbidden("Only the operations that were registered run here.")
        found = self._known.get(id) or (await self._from_redis(id) if persisted else None)
        if found is None:
            raise PersistedQueryNotFound
        return found

    async def _from_manifest(self, id: str) -> str | None:
        if id in self._trusted:
            return self._trusted[id]
        row = await operations.by_id(self._db, id)
        if row is None:
            return None
        _remember(self._trusted, id, row["body"])
        return row["body"]

    async def _from_redis(self, id: str) -> str | None:
        try:
            found = await self._redis.getex(KEY + id, ex=KEPT_SECONDS)
        except (RedisError, OSError):
            return None
        if found is None:
            return None
        text = str(found, "utf-8") if isinstance(found, bytes) else found
        _remember(self._known, id, text)
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


def subscribes(query: str, operation_name: str | None, max_tokens: int | None = None) -> bool:
    """Whether the operation is a subscription; False for what does not parse."""
    if "subscription" not in query:
        return False
    try:
        operation = get_operation_ast(parse(query, max_tokens=max_tokens, no_location=True), operation_name)
    except (GraphQLError, RecursionError):
        return False
    return operation is not None and operation.operation is OperationType.SUBSCRIPTION


def digest(query: str) -> str:
    return hashlib.sha256(query.encode()).hexdigest()


def _remember(known: OrderedDict[str, str], id: str, text: str) -> None:
    known[id] = text
    if len(known) > KEPT_HERE:
        known.popitem(last=False)
