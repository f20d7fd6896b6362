"""The database handle: bounded reads sent as one command, sessions, and the errors that may be retried.

Cursor machinery costs more CPU than most of our reads, and every page and batch is bounded, so reads are sent
as plain commands whose first batch is the whole answer.
"""

import asyncio
import inspect
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar, cast
from urllib.parse import parse_qsl, urlsplit

import bson
import pymongo
from bson import tz_util
from pymongo import errors

from core import deadline
from core.errors import RequestError, TimedOut, Unavailable
from core.storage.reads import ReadBatcher
from core.storage.wire import Transaction
from core.storage.writes_ahead import Refusal as Refusal
from core.storage.writes_ahead import WritesAhead

T = TypeVar("T")
Document = Mapping[str, Any]

MAX_ROWS = 10_000
READ_TIMEOUT_MS = 10_000
ZONE = tz_util.utc
"""The time zone of every moment that is read: one object, and UTC."""
CODEC: bson.CodecOptions[dict[str, Any]] = bson.CodecOptions(tz_aware=True)
WRITER = "_writer"
"""Attribute of a Motor client that holds the one that runs its transactions."""
DOWN = (errors.ConnectionFailure, errors.ServerSelectionTimeoutError, errors.WaitQueueTimeoutError)
"""Errors that say MongoDB cannot be reached, as opposed to refusing."""

RETRYABLE_READ_CODES = frozenset({6, 7, 89, 91, 134, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436})


def connect(
    url: str,
    driver: str,
    *,
    timeout: float = 5.0,
    listeners: Sequence[Any] = (),
    member: str | None = None,
) -> Any:
    """A client of the chosen driver, `motor` or `pymongo`; of one `member` alone, whatever set it belongs to.

    An address that cannot be right raises PyMongoError, ValueError, or OSError for a file it names.
    """
    options: dict[str, Any] = {
        "serverSelectionTimeoutMS": int(timeout * 1000),
        "connectTimeoutMS": int(timeout * 1000),
        "event_listeners": list(listeners),
        "maxPoolSize": 100,
        "waitQueueTimeoutMS": int(timeout * 1000),
        "tz_aware": True,
        "appname": "landfall",
    }
    # What the address says itself is meant.
    said = {name.lower() for name, _ in parse_qsl(urlsplit(url).query)}
    options = {name: value for name, value in options.items() if name.lower() not in said}
    if member is not None:
        url = url.replace(",".join(hosts(url)), member, 1)
        options |= {
            "directConnection": True,
            "replicaSet": None,
            "serverSelectionTimeoutMS": int(timeout * 1000),
        }
    client: Any = pymongo.AsyncMongoClient(url, **options)
    if driver == "pymongo":
        return client
    from motor.motor_asyncio import AsyncIOMotorClient

    reader: Any = AsyncIOMotorClient(url, **options)
    # It connects with the first transaction.
    vars(reader)[WRITER] = client
    return reader


def writer_of(client: Any) -> Any:
    """The client that runs transactions; PyMongo's is its own."""
    return vars(client).get(WRITER, client)


async def close(client: Any) -> None:
    """Close a client, and the one that runs its transactions."""
    await writer_of(client).close()
    await _awaited(client.close())


def check(url: str) -> None:
    """Raise what `connect` would, without a client that is kept."""
    pymongo.MongoClient[dict[str, Any]](url, connect=False).close()


def hosts(url: str) -> list[str]:
    """The members an address names; the first are enough to find the others."""
    return urlsplit(url).netloc.rpartition("@")[2].split(",")


INSERT_ONLY: set[str] = set()
"""Collections whose documents are never changed, as they are declared."""


class InsertOnly(RuntimeError):
    """A document of a collection that takes none but new ones was to be changed or deleted: a bug."""


def _check_insert_only(command: Mapping[str, Any]) -> None:
    verb, name = next(iter(command.items()))
    if name in INSERT_ONLY and verb != "insert":
        raise InsertOnly(f"{verb} of {name}")


class Database:
    """Reads and writes of one database; inside a transaction, one command at a time on its session."""

    def __init__(self, client: Any, name: str, session: Transaction | None = None) -> None:
        self.client = client
        self.name = name
        self.session = session
        self._database = client[name]
        self.last_write: dict[str, Any] = {}
        """The transaction's latest write, or the one that failed."""
        self._ahead = WritesAhead()
        self._turn = ReadBatcher(self.read, {"cursor": {"batchSize": MAX_ROWS}, "maxTimeMS": READ_TIMEOUT_MS})

    def within(self, session: Transaction) -> "Database":
        return Database(self.client, self.name, session)

    async def command(self, command: dict[str, Any]) -> dict[str, Any]:
        if self.session is None:
            answer: dict[str, Any] = await self._database.command(command, codec_options=CODEC)
            return answer
        [outcome] = await self._together(self.session, [command])
        if isinstance(outcome, errors.PyMongoError):
            raise outcome
        return outcome

    async def read(self, command: dict[str, Any]) -> list[dict[str, Any]]:
        """All rows of a `find` or `aggregate`, tried twice outside a transaction as the driver would.

        Only what a majority has is shown: what a failover could take back must never reach a phone, because
        no later change would correct it.
        """
        if self.session is None:
            command["readConcern"] = {"level": "majority"}
        command["maxTimeMS"] = deadline.within(command.get("maxTimeMS", READ_TIMEOUT_MS))
        try:
            return await self._rows(command)
        except (errors.AutoReconnect, errors.OperationFailure) as error:
            code = getattr(error, "code", None)
            retryable = isinstance(error, errors.AutoReconnect) or code in RETRYABLE_READ_CODES
            # One that waited in vain for a server is not retried: the client has waited already.
            waited = isinstance(error, errors.ServerSelectionTimeoutError)
            if self.session is not None or waited or not retryable:
                raise
            return await self._rows(command)

    async def _rows(self, command: dict[str, Any]) -> list[dict[str, Any]]:
        answer = await self.command(command)
        if answer["cursor"]["id"] and self.session is None:
            # More than a message holds: the rest is given only to the session that began.
            return await self._rows_in_session(command)
        return await _all_rows(command, answer, self.command)

    async def _rows_in_session(self, command: dict[str, Any]) -> list[dict[str, Any]]:
        session = await _awaited(self.client.start_session())

        async def send(command: dict[str, Any]) -> dict[str, Any]:
            answer = await self._database.command(command, codec_options=CODEC, session=session)
            return cast("dict[str, Any]", answer)

        try:
            return await _all_rows(command, await send(command), send)
        finally:
            await session.end_session()

    async def find(
        self,
        collection: str,
        query: Document,
        *,
        sort: Sequence[tuple[str, int]] = (),
        limit: int = MAX_ROWS,
        fields: Sequence[str] = (),
        batch: bool = False,
        hint: str | None = None,
    ) -> list[dict[str, Any]]:
        """Rows of a query; `batch` for small indexed ones, which may travel with others.

        `hint` names the index to read, where the planner might rather sort in memory.
        """
        command: dict[str, Any] = {"find": collection, "filter": query}
        if hint:
            command["hint"] = hint
        if sort:
            command["sort"] = dict(sort)
        if fields:
            command["projection"] = dict.fromkeys(fields, 1)
        # One more than the limit, or the server keeps the cursor open to say later that there is no more.
        command |= {"limit": limit, "batchSize": limit + 1, "maxTimeMS": READ_TIMEOUT_MS}
        if not batch or self.session is not None:
            return await self.read(command)
        stages: list[Document] = [{"$match": query}]
        if sort:
            stages.append({"$sort": dict(sort)})
        stages.append({"$limit": limit})
        if fields:
            stages.append({"$project": dict.fromkeys(fields, 1)})
        return await self._turn.rows(collection, command, stages)

    async def by_ids(
        self, collection: str, ids: Sequence[str], *, fields: Sequence[str] = ()
    ) -> list[dict[str, Any]]:
        """Documents by distinct ids, in any order; read together with all that others want now."""
        if not ids:
            return []
        command: dict[str, Any] = {"find": collection, "filter": {"_id": {"$in": ids}}}
        if fields:
            command["projection"] = dict.fromkeys(fields, 1)
        command |= {"limit": len(ids), "batchSize": len(ids) + 1, "maxTimeMS": READ_TIMEOUT_MS}
        if self.session is not None:
            return await self.read(command)
        return await self._turn.by_ids(collection, command, ids, fields)

    async def aggregate(
        self,
        collection: str | int,
        pipeline: Sequence[Document],
        *,
        limit: int = MAX_ROWS,
        batch: bool = False,
    ) -> list[dict[str, Any]]:
        """Rows of a pipeline; `collection` 1 runs one that begins with `$documents`."""
        command: dict[str, Any] = {
            "aggregate": collection,
            "pipeline": list(pipeline),
            "cursor": {"batchSize": limit},
            "maxTimeMS": READ_TIMEOUT_MS,
        }
        if not batch or self.session is not None:
            return await self.read(command)
        return await self._turn.rows(None if collection == 1 else str(collection), command, pipeline)

    async def write(self, command: dict[str, Any]) -> dict[str, Any]:
        """One `insert`, `update`, `delete` or `findAndModify`; raises what the server says of a row."""
        _check_insert_only(command)
        if self.session is None:
            command = {**command, "writeConcern": {"w": "majority"}}
        else:
            self.last_write = command
        return _checked(await self.command(command))

    async def write_ahead(self, command: dict[str, Any], refused: Refusal) -> None:
        """Send a write with the next command, which raises what `refused` makes of what the server says.

        Outside a transaction it is sent at once.
        """
        if self.session is not None:
            _check_insert_only(command)
            self._ahead.add(command, refused)
            return
        try:
            await self.write(command)
        except errors.PyMongoError as error:
            raise refused(error) from None

    async def write_together(self, commands: Sequence[dict[str, Any]]) -> None:
        """Writes of a transaction in one round trip; raises what the server says of the first that fails."""
        if self.session is None:
            raise errors.InvalidOperation("Only a transaction writes all or nothing.")
        for command in commands:
            _check_insert_only(command)
        for command, outcome in zip(commands, await self._together(self.session, commands), strict=True):
            self.last_write = command
            if isinstance(outcome, errors.PyMongoError):
                raise outcome
            _checked(outcome)

    async def _together(
        self, session: Transaction, commands: Sequence[dict[str, Any]]
    ) -> list[dict[str, Any] | errors.PyMongoError]:
        """Outcomes of commands that follow the writes ahead in one round trip."""
        ahead, self._ahead = list(self._ahead), WritesAhead()
        together = [*(write.command for write in ahead), *commands]
        outcomes = await session.commands(self.name, together) if together else []
        for write, outcome in zip(ahead, outcomes, strict=False):
            try:
                if isinstance(outcome, errors.PyMongoError):
                    raise outcome
                _checked(outcome)
            except errors.PyMongoError as error:
                self.last_write = write.command
                raise write.refused(error) from None
        return outcomes[len(ahead) :]

    @property
    def last_written(self) -> list[str]:
        """The documents that a transaction's latest write named: in a conflict, what others write too."""
        name, *_ = self.last_write.values() or ("",)
        rows = [*self.last_write.get("updates", ()), *self.last_write.get("deletes", ())]
        queries = [row["q"] for row in rows] + [self.last_write.get("query", {})]
        return [f"{name}|{query['_id']}" for query in queries if isinstance(query.get("_id"), str)]


def _checked(answer: dict[str, Any]) -> dict[str, Any]:
    for failure in answer.get("writeErrors", ()):
        kind = errors.DuplicateKeyError if failure["code"] == 11000 else errors.WriteError
        raise kind(failure["errmsg"], failure["code"], failure)
    return answer


async def _all_rows(
    command: Mapping[str, Any],
    answer: Mapping[str, Any],
    send: Callable[[dict[str, Any]], Awaitable[dict[str, Any]]],
) -> list[dict[str, Any]]:
    cursor = answer["cursor"]
    rows: list[dict[str, Any]] = cursor["firstBatch"]
    collection = command.get("find") or command.get("aggregate")
    while cursor["id"]:
        more = {"getMore": bson.Int64(cursor["id"]), "collection": collection}
        cursor = (await send(more))["cursor"]
        rows.extend(cursor["nextBatch"])
    return rows


def transient(error: BaseException) -> bool:
    """True if the whole transaction may be retried."""
    return isinstance(error, errors.PyMongoError) and error.has_error_label("TransientTransactionError")


def run_again(error: errors.PyMongoError) -> errors.PyMongoError:
    """The error as one after which the whole transaction is run again: it will see what was in its way."""
    error._add_error_label("TransientTransactionError")
    return error


def commit_unknown(error: BaseException) -> bool:
    return isinstance(error, errors.PyMongoError) and error.has_error_label("UnknownTransactionCommitResult")


@asynccontextmanager
async def transaction(database: Database) -> AsyncIterator[Database]:
    """A handle inside one transaction: committed at the end of the block, aborted on any exception."""
    running = Transaction(writer_of(database.client), CODEC)
    try:
        try:
            yield database.within(running)
        except BaseException:
            await running.abort()
            raise
        await _commit(running)
    finally:
        await running.close()


async def _commit(running: Transaction) -> None:
    for attempt in range(5):
        try:
            await running.commit(again=attempt > 0)
            return
        except errors.PyMongoError as error:
            # A commit may be repeated: the server knows whether it happened.
            if not commit_unknown(error) or attempt == 4:
                raise
            await asyncio.sleep(backoff(attempt))


def backoff(attempt: int, *, longest: float = 0.25) -> float:
    """Seconds to wait before trying again: doubling from 5 ms, jittered so that rivals part."""
    return float(min(longest, 0.005 * 2**attempt) * random.uniform(0.5, 1.5))


async def _awaited(value: Any) -> Any:
    """Return the value, awaited if need be: Motor and PyMongo Async differ in their coroutines."""
    return await value if inspect.isawaitable(value) else value


def holds(document: Document) -> bool:
    """True if the database can store a document from outside: names without zero bytes, numbers it knows."""
    try:
        bson.encode(document)
    except (bson.errors.BSONError, TypeError, ValueError, OverflowError, RecursionError):
        return False
    return True


def fault(error: BaseException) -> RequestError | None:
    """Return the client error for a MongoDB that cannot be reached or was too slow; None for a bug."""
    if isinstance(error, DOWN):
        return Unavailable()
    return TimedOut() if isinstance(error, errors.ExecutionTimeout) else None
