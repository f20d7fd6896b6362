"""A transaction on one connection of the driver, its commands sent without the driver's layers.

For each command the driver looks for the primary, takes a connection, and waits for the answer with two tasks
and a timer: three times what writing the message and reading the answer cost. A transaction holds one
connection instead and sends its commands straight over it. Who is primary, how one connects and signs in,
pools, sessions, and what a failure says of a server stay the driver's: PyMongo Async, whichever reads.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

from bson import CodecOptions
from pymongo import AsyncMongoClient, helpers_shared, message
from pymongo._telemetry import _CommandTelemetry
from pymongo.client_session_shared import _UNKNOWN_COMMIT_ERROR_CODES
from pymongo.errors import (
    ConnectionFailure,
    InvalidOperation,
    NetworkTimeout,
    NotPrimaryError,
    OperationFailure,
    PyMongoError,
    WTimeoutError,
)
from pymongo.message import _UNPACK_REPLY, _convert_exception
from pymongo.monitoring import ConnectionClosedReason

from core.storage.answers import Answer, Answers

Document = dict[str, Any]

COMMIT_TIMEOUT_MS = 10_000
PATIENCE = 5.0
"""Seconds beyond what a last command may take, until its connection is given up."""
SNAPSHOT = {"level": "snapshot"}
LASTING = {"w": "majority"}
LASTING_AGAIN = {"w": "majority", "wtimeout": COMMIT_TIMEOUT_MS}
"""Of a commit that is repeated: it must not wait for a majority for ever."""
TRANSIENT, UNKNOWN = "TransientTransactionError", "UnknownTransactionCommitResult"


class Transaction:
    """One transaction of a client: begins with its first command, and takes its connection then.

    Its commands follow one another, whoever sends them. What is still waiting when it ends is refused: sent
    then, it would take a connection that nobody gives back.
    """

    def __init__(self, client: "AsyncMongoClient[Document]", codec: CodecOptions[Document]) -> None:
        self._client: Any = client
        self._codec = codec
        self._checkout: Any = None
        self._connection: Any = None
        self._answers: Answers | None = None
        self._session: Any = None
        self._begun = self._over = False
        self._one_at_a_time = asyncio.Lock()
        self._failure: PyMongoError | None = None
        """Why a command failed last: what that says of the server is the driver's to know."""
        self._recovery: Document = {}

    async def command(self, database: str, command: Document) -> Document:
        """The answer to a command; an error after which all may be run again is labelled TRANSIENT."""
        [outcome] = await self.commands(database, [command])
        if isinstance(outcome, PyMongoError):
            raise outcome
        return outcome

    async def commands(self, database: str, commands: Sequence[Document]) -> list[Document | PyMongoError]:
        """Outcomes of commands that are sent in one round trip: of each its answer, or an error.

        An error ends the transaction: the server refuses what comes after.
        """
        async with self._one_at_a_time:
            if self._over:
                raise InvalidOperation("the transaction is over")
            try:
                if self._connection is None:
                    await self._connect()
                outcomes = await self._sent(database, [{**each, **self._fields()} for each in commands])
            except ConnectionFailure as error:
                error._add_error_label(TRANSIENT)
                raise
        for each in outcomes:
            if not isinstance(each, PyMongoError) and (token := each.get("recoveryToken")) is not None:
                # With it any router can end what this one began.
                self._recovery = {"recoveryToken": token}
        return outcomes

    async def commit(self, *, again: bool = False) -> None:
        """Commit, `again` where one may have been; an error that does not say whether is labelled UNKNOWN."""
        concern = LASTING_AGAIN if again else LASTING
        try:
            await self._end({"commitTransaction": 1, "maxTimeMS": COMMIT_TIMEOUT_MS, "writeConcern": concern})
        except (ConnectionFailure, WTimeoutError) as error:
            error._remove_error_label(TRANSIENT)
            error._add_error_label(UNKNOWN)
            raise
        except OperationFailure as error:
            if error.code in _UNKNOWN_COMMIT_ERROR_CODES:
                error._add_error_label(UNKNOWN)
            raise

    async def abort(self) -> None:
        """Undo all of it. Where that fails, the server does so at transactionLifetimeLimitSeconds."""
        try:
            await self._end({"abortTransaction": 1, "writeConcern": LASTING})
        except PyMongoError:
            return

    async def close(self) -> None:
        """Give back its connection and its session."""
        self._over = True
        if self._one_at_a_time.locked() and self._connection is not None:
            # A command that could not be waited for is under way: nobody else may have its connection.
            await self._connection.close_conn(ConnectionClosedReason.ERROR)
            self._session.mark_dirty()
        await self._disconnect()
        if self._session is not None:
            self._client._return_server_session(self._session)
            self._session = None

    async def _end(self, command: Document) -> None:
        self._over = True
        try:
            # A command that is under way, as a loader's, is waited for: two at once confuse the connection.
            async with asyncio.timeout(COMMIT_TIMEOUT_MS / 1000 + PATIENCE), self._one_at_a_time:
                if not self._begun:
                    return
                if self._lost():
                    await self._disconnect()
                    await self._connect()
                [outcome] = await self._sent("admin", [{**command, **self._recovery, **self._fields()}])
                if isinstance(outcome, PyMongoError):
                    raise outcome
                await self._client._topology.receive_cluster_time(outcome.get("$clusterTime"))
        except TimeoutError:
            raise NetworkTimeout("no answer to the end of a transaction") from None

    def _lost(self) -> bool:
        """True if the transaction must be ended over another connection."""
        gone = self._connection is None or self._connection.closed
        return gone or isinstance(self._failure, ConnectionFailure)

    def _fields(self) -> Document:
        """Fields of a command that name its transaction."""
        if self._begun:
            return self._labels
        topology = self._client._topology
        self._session = topology.get_server_session(topology.description.logical_session_timeout_minutes)
        self._session.inc_transaction_id()
        self._labels: Document = {
            "lsid": self._session.session_id,
            "txnNumber": self._session.transaction_id,
            "autocommit": False,
        }
        self._begun = True
        first: Document = {**self._labels, "startTransaction": True, "readConcern": SNAPSHOT}
        if (moment := topology.max_cluster_time()) is not None:
            first["$clusterTime"] = moment
        return first

    async def _connect(self) -> None:
        self._checkout = await self._client._conn_for_writes(None, "transaction")
        connection = self._connection = await self._checkout.__aenter__()
        self._answers = Answers(connection.conn.get_conn, connection.max_message_size)

    async def _disconnect(self) -> None:
        """Give the connection back, and tell the driver how it failed."""
        checkout, self._checkout, self._connection = self._checkout, None, None
        failure, self._failure = self._failure, None
        if self._answers is not None:
            self._answers.give_back()
            self._answers = None
        if checkout is not None:
            await checkout.__aexit__(type(failure) if failure else None, failure, None)

    async def _sent(self, database: str, commands: Sequence[Document]) -> list[Document | PyMongoError]:
        messages = [message._op_msg(0, command, database, None, self._codec) for command in commands]
        told = [
            self._telemetry(database, command, request_id)
            for command, (request_id, *_) in zip(commands, messages, strict=True)
        ]
        sent = b"".join(each for _, each, *_ in messages)
        try:
            answers = await self._answered(sent, [request_id for request_id, *_ in messages])
        except PyMongoError as error:
            self._failure = error
            self._session.mark_dirty()
            for command, each in zip(commands, told, strict=True):
                _tell(each, command, error)
            raise
        outcomes = [self._outcome(answer) for answer in answers]
        for command, each, outcome in zip(commands, told, outcomes, strict=True):
            _tell(each, command, outcome)
        self._failure = next((each for each in outcomes if isinstance(each, PyMongoError)), self._failure)
        return outcomes

    async def _answered(self, sent: bytes, request_ids: list[int]) -> list[Answer]:
        answers: Any = self._answers
        try:
            return await answers.to(sent, request_ids)  # type: ignore[no-any-return]
        except BaseException as error:
            # Its answer may still come: nobody else may have the connection.
            self._session.mark_dirty()
            await self._connection._raise_connection_failure(error)
            raise

    def _outcome(self, answer: Answer) -> Document | PyMongoError:
        [document] = _UNPACK_REPLY[answer.kind](answer.body).unpack_response(codec_options=self._codec)
        try:
            helpers_shared._check_command_response(
                document, self._connection.max_wire_version, parse_write_concern_error=True
            )
        except PyMongoError as error:
            return error
        return document

    def _telemetry(self, database: str, command: Document, request_id: int) -> "_CommandTelemetry | None":
        """Notify the client's command listeners."""
        listeners = self._connection.listeners
        if listeners is None or not listeners.enabled_for_commands:
            return None
        telemetry = _CommandTelemetry(None, self._connection, listeners, command, database, request_id, None)
        telemetry.started(command, False)
        return telemetry


def _tell(telemetry: "_CommandTelemetry | None", command: Document, outcome: Document | PyMongoError) -> None:
    name = next(iter(command))
    if telemetry is None:
        return
    if not isinstance(outcome, PyMongoError):
        telemetry.succeeded(outcome, name, False)
        return
    answered = isinstance(outcome, (OperationFailure, NotPrimaryError))
    failure: Any = outcome.details if answered else _convert_exception(outcome)  # type: ignore[attr-defined]
    telemetry.failed(failure, name, isinstance(outcome, OperationFailure))
