"""graphql-transport-ws: signing in by `connection_init`, renewing by `ping`, ending with the right code.

The protocol itself is Strawberry's; sessions are ours: a socket lives no longer than the session that opened
it, and a minute longer than its access token.
"""

import asyncio
import contextlib
from collections.abc import Coroutine, Mapping
from contextlib import aclosing
from typing import Any

import orjson
import structlog
from aiohttp import ClientConnectionResetError, WSMsgType
from graphql import GraphQLError
from strawberry.aiohttp.views import AiohttpWebSocketAdapter
from strawberry.http.exceptions import WebSocketDisconnected
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import (
    BaseGraphQLTransportWSHandler,
    Operation,
)
from strawberry.subscriptions.protocols.graphql_transport_ws.types import (
    ConnectionInitMessage,
    PingMessage,
    SubscribeMessage,
)

from core import bearer_tokens
from core.context import Context
from core.errors import QueryTooComplex, RequestError, Unauthenticated
from core.sessions import Sessions
from server.connection_expiry import UNAUTHORIZED, ConnectionExpiry
from server.documents import with_document_id
from server.requests import misshapen

logger = structlog.get_logger(__name__)

RESTARTING = 1012
ALREADY_EXISTS = 4409
KEEP_ALIVE_SECONDS = 25
INIT_SECONDS = 10.0
"""Within which a new socket must say `connection_init`."""
LONGEST_REASON = 123
"""Bytes that a closing frame has room for (RFC 6455)."""


class OrjsonSocket(AiohttpWebSocketAdapter):
    """Sends what is JSON as it is, without making text of it first."""

    async def send_json(self, message: Mapping[str, object]) -> None:
        try:
            await self.ws.send_frame(orjson.dumps(message, default=str), WSMsgType.TEXT)
        except (RuntimeError, ClientConnectionResetError) as gone:
            raise WebSocketDisconnected from gone

    async def close(self, code: int, reason: str) -> None:
        # What is cut off may be half a letter.
        told = reason.encode()[:LONGEST_REASON].decode(errors="ignore")
        await super().close(code, told)


class SocketOperation(Operation[Context, None]):
    """An operation on a socket, which may be named instead of sent."""

    __slots__ = ("extensions",)

    def __init__(self, handler: "SocketHandler", id: str, asked: Mapping[str, Any]) -> None:
        # The library says that it is a string; whoever runs it here takes a document's name too.
        query: Any = asked.get("query")
        super().__init__(handler, id, query, asked.get("variables"), asked.get("operationName"))
        self.extensions: dict[str, Any] | None = asked.get("extensions")


class SocketHandler(BaseGraphQLTransportWSHandler[Context, None]):
    """Handler of one socket."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.schema = self.view.operations  # type: ignore[attr-defined]
        self._watch_over: ConnectionExpiry | None = None
        self._next_ping: asyncio.TimerHandle | None = None
        self._sending: set[asyncio.Task[None]] = set()
        self.task: asyncio.Task[Any] | None = None

    async def handle(self) -> None:
        sockets: set[SocketHandler] = self.view.sockets  # type: ignore[attr-defined]
        view: Any = self.view
        address = self.context.network
        sockets.add(self)
        view.held[address] += 1
        self.task = asyncio.current_task()
        try:
            await super().handle()
        finally:
            sockets.discard(self)
            view.let_go(address)

    async def shutdown(self) -> None:
        if self._watch_over is not None:
            self._watch_over.stop()
        if self._next_ping is not None:
            self._next_ping.cancel()
        await super().shutdown()

    async def handle_task_exception(self, error: Exception) -> None:
        # That a phone is gone when something is sent to it is no fault.
        if not isinstance(error, WebSocketDisconnected):
            await super().handle_task_exception(error)

    async def handle_message(self, message: Any) -> None:
        problem = _problem(message)
        if problem is None:
            await super().handle_message(message)
        else:
            await self.handle_invalid_message(problem)

    async def handle_subscribe(self, message: SubscribeMessage) -> None:
        id, most = message["id"], self.max_subscriptions_per_connection
        if not self.connection_acknowledged:
            await self.websocket.close(UNAUTHORIZED, "Unauthorized")
        elif id in self.operations:
            await self.websocket.close(ALREADY_EXISTS, f"Subscriber for {id} already exists")
        elif most is not None and len(self.operations) >= most:
            fault = QueryTooComplex(
                f"A socket has at most {most:,} operations at once.", limit="operations", allowed=most
            )
            await self._refuse(id, fault)
        else:
            operation = SocketOperation(self, id, with_document_id(message["payload"]))
            operation.task = asyncio.create_task(self.run_operation(operation))
            operation.task.add_done_callback(self._task_done)
            self.operations[id] = operation

    async def run_operation(self, operation: Any) -> None:
        """As the library does it, but that documents may be named."""
        try:
            answers = await self.schema.stream(
                operation.query,
                variable_values=operation.variables,
                context_value=self.context,
                operation_name=operation.operation_name,
                operation_extensions=operation.extensions,
            )
            async with aclosing(answers):
                await self._send_result_stream(operation, answers)
            await operation.send_operation_message({"id": operation.id, "type": "complete"})
        except Exception as error:
            self.operations.pop(operation.id, None)
            await self.handle_task_exception(error)

    async def _refuse(self, id: str, fault: RequestError) -> None:
        error = GraphQLError(fault.message, extensions=fault.extensions)
        await self.send_message({"id": id, "type": "error", "payload": [error.formatted]})

    async def handle_connection_init(self, message: ConnectionInitMessage) -> None:
        payload = message.get("payload") or {}
        token = payload.get("accessToken") if isinstance(payload, dict) else None
        if not self.connection_init_received:
            # Signing in is done here alone: nobody would watch over a header's token.
            self.context.viewer, self.context.refusal = None, "NO_TOKEN"
            self.context.bearers = bearer_tokens.of_parameters(payload)
            self._choose_language(payload)
        if token is not None and not self.connection_init_received:
            try:
                self._sign_in(str(token))
            except Unauthenticated as refusal:
                await self.websocket.close(UNAUTHORIZED, refusal.reason)
                return
        # The token is not kept with the socket.
        kept: Any = {} if isinstance(payload, dict) else payload
        await super().handle_connection_init({"type": "connection_init", "payload": kept})
        if self.connection_acknowledged:
            self.connection_init_timeout_task = None
            self._watch()

    async def handle_ping(self, message: PingMessage) -> None:
        """A ping may bring a newer token of the same session."""
        payload = message.get("payload") or {}
        token = payload.get("accessToken") if isinstance(payload, dict) else None
        if token is not None:
            try:
                self._renew(str(token))
            except Unauthenticated as refusal:
                await self.websocket.close(UNAUTHORIZED, refusal.reason)
                return
        await super().handle_ping(message)

    async def close(self, code: int, reason: str) -> None:
        with contextlib.suppress(WebSocketDisconnected, ConnectionError):
            await self.websocket.close(code, reason)

    def _choose_language(self, payload: Any) -> None:
        """Take `acceptLanguage`, for clients that cannot set the header of a socket."""
        accepted = payload.get("acceptLanguage") if isinstance(payload, dict) else None
        if isinstance(accepted, str):
            self.context.accept_language = accepted

    def _sign_in(self, token: str) -> None:
        self.context.viewer = self.context.services.get(Sessions).viewer(token)
        self._watch_over = ConnectionExpiry(
            self.context, self.context.services.get(Sessions).expires_at(token)
        )

    def _renew(self, token: str) -> None:
        if self._watch_over is None:
            raise Unauthenticated("TOKEN_INVALID")
        self._watch_over.renew(token)

    def _watch(self) -> None:
        self._ping_later()
        if self._watch_over is not None:
            self._watch_over.start(lambda code, reason: self._in_background(self.close(code, reason)))

    def _ping_later(self) -> None:
        """Mobile networks forget idle connections within a minute. A timer, no task: sockets are many."""
        loop = asyncio.get_running_loop()
        self._next_ping = loop.call_later(KEEP_ALIVE_SECONDS, self._ping)

    def _ping(self) -> None:
        self._in_background(self._send_ping())
        self._ping_later()

    async def _send_ping(self) -> None:
        with contextlib.suppress(WebSocketDisconnected):
            await self.send_message({"type": "ping"})

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    @staticmethod
    def _get_pre_execution_close_reason(error: GraphQLError) -> str | None:
        """A document that cannot be run is an `error` message of its operation, not the socket's end."""
        return None


def _problem(message: Any) -> str | None:
    """Problem with a message's shape; None if there is none."""
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        return "Failed to parse message"
    if message["type"] in ("connection_init", "ping", "pong"):
        sound = isinstance(message.get("payload"), dict | None)
        return None if sound else "The payload must be an object"
    if message["type"] not in ("subscribe", "complete"):
        return None
    if not isinstance(message.get("id"), str) or not message["id"]:
        return "A message must have the `id` of its operation"
    return misshapen(message.get("payload")) if message["type"] == "subscribe" else None


async def drain(sockets: set[SocketHandler], *, seconds: float = 5.0) -> None:
    """Close all sockets for a restart; clients resume elsewhere from their positions."""
    open_now = list(sockets)
    # Concurrently: closing waits for the other end, which may be a phone in a tunnel.
    closing = [asyncio.create_task(handler.close(RESTARTING, "Restarting")) for handler in open_now]
    ending = [handler.task for handler in open_now if handler.task is not None]
    if ending:
        await asyncio.wait(ending, timeout=seconds)
    for task in closing:
        task.cancel()
    await asyncio.gather(*closing, return_exceptions=True)
