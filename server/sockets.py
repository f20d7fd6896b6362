"""graphql-transport-ws: signing in by `connection_init`, renewing by `ping`, ending with the right code.

The protocol itself is Strawberry's; sessions are ours: a socket lives no longer than the session that opened
it, and a minute longer than its access token.
"""

import asyncio
import contextlib
import time
from typing import Any

import structlog
from graphql import GraphQLError
from strawberry.http.exceptions import WebSocketDisconnected
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler

from core import clock
from core.changes import user_scope
from core.context import Context
from core.errors import Unauthenticated
from core.live import Signal
from resolvers.auth.tokens import Tokens
from server import signin

logger = structlog.get_logger(__name__)

UNAUTHORIZED = 4401
FORBIDDEN = 4403
RESTARTING = 1012
GRACE_SECONDS = 60
KEEP_ALIVE_SECONDS = 25


class SocketHandler(BaseGraphQLTransportWSHandler[Context, None]):
    """One socket."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._expires_at: float | None = None
        self._renewed = asyncio.Event()
        self._watchers: list[asyncio.Task[None]] = []

    async def handle(self) -> None:
        sockets: set[SocketHandler] = self.view.sockets  # type: ignore[attr-defined]
        sockets.add(self)
        try:
            await super().handle()
        finally:
            sockets.discard(self)

    async def shutdown(self) -> None:
        for task in self._watchers:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await super().shutdown()

    async def handle_connection_init(self, message: Any) -> None:
        payload = message.get("payload") or {}
        token = payload.get("accessToken") if isinstance(payload, dict) else None
        if token is not None and not self.connection_init_received:
            try:
                await self._sign_in(str(token))
            except Unauthenticated as refusal:
                await self.websocket.close(UNAUTHORIZED, refusal.reason)
                return
        await super().handle_connection_init({**message, "payload": message.get("payload") or {}})
        if self.connection_acknowledged:
            self._watch()

    async def handle_ping(self, message: Any) -> None:
        """A ping may bring a newer token of the same session."""
        payload = message.get("payload") or {}
        token = payload.get("accessToken") if isinstance(payload, dict) else None
        if token is not None:
            try:
                await self._renew(str(token))
            except Unauthenticated as refusal:
                await self.websocket.close(UNAUTHORIZED, refusal.reason)
                return
        await super().handle_ping(message)

    async def close(self, code: int, reason: str) -> None:
        with contextlib.suppress(WebSocketDisconnected, ConnectionError):
            await self.websocket.close(code, reason)

    async def _sign_in(self, token: str) -> None:
        self.context.viewer = await signin.verified(self.context, token)
        self._expires_at = self.context.services.get(Tokens).expires_at(token)

    async def _renew(self, token: str) -> None:
        before = self.context.viewer
        viewer = await signin.verified(self.context, token)
        if before is None or viewer.session_id != before.session_id:
            raise Unauthenticated("TOKEN_INVALID")
        self.context.viewer = viewer
        self._expires_at = self.context.services.get(Tokens).expires_at(token)
        self._renewed.set()

    def _watch(self) -> None:
        self._watchers.append(asyncio.create_task(self._keep_alive()))
        if self.context.viewer is not None:
            self._watchers.append(asyncio.create_task(self._until_expired()))
            self._watchers.append(asyncio.create_task(self._until_revoked()))

    async def _keep_alive(self) -> None:
        """Mobile networks forget idle connections within a minute."""
        while True:
            await asyncio.sleep(KEEP_ALIVE_SECONDS)
            with contextlib.suppress(WebSocketDisconnected):
                await self.send_message({"type": "ping"})

    async def _until_expired(self) -> None:
        while self._expires_at is not None:
            left = self._expires_at + GRACE_SECONDS - clock.timestamp()
            if left <= 0:
                await self.close(UNAUTHORIZED, "TOKEN_EXPIRED")
                return
            self._renewed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(left, 30.0)):
                    await self._renewed.wait()

    async def _until_revoked(self) -> None:
        """Told by the log of the user's own scope, as everything else is."""
        viewer = self.context.signed_in
        async for entry in self.context.services.live.follow([user_scope(viewer.user_id)]):
            if isinstance(entry, Signal) or entry["node"] != viewer.session_id:
                continue
            try:
                await signin.auth.check(self.context, viewer.session_id)
            except Unauthenticated as refusal:
                await self.close(FORBIDDEN, refusal.reason)
                return

    @staticmethod
    def _get_pre_execution_close_reason(error: GraphQLError) -> str | None:
        """A document that cannot be run is an `error` message of its operation, not the socket's end."""
        return None


async def drain(sockets: set[SocketHandler], *, seconds: float = 5.0) -> None:
    """Close all sockets for a restart; clients resume elsewhere from their positions."""
    deadline = time.monotonic() + seconds
    for handler in list(sockets):
        await handler.close(RESTARTING, "Restarting")
    while sockets and time.monotonic() < deadline:
        await asyncio.sleep(0.02)
