"""graphql-transport-ws: signing in by `connection_init`, renewing by `ping`, ending with the right code.

The protocol itself is Strawberry's; sessions are ours: a socket lives no longer than the session that opened
it, and a minute longer than its access token.
"""

import asyncio
import contextlib
from typing import Any

import structlog
from graphql import GraphQLError
from pymongo.errors import PyMongoError
from strawberry.http.exceptions import WebSocketDisconnected
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler
from strawberry.subscriptions.protocols.graphql_transport_ws.types import ConnectionInitMessage, PingMessage

from core import clock
from core.changes import Entry, user_scope
from core.context import Context
from core.errors import Unauthenticated
from core.live import QUEUE, Signal
from resolvers import auth
from resolvers.auth.tokens import Tokens
from server import signin

logger = structlog.get_logger(__name__)

UNAUTHORIZED = 4401
FORBIDDEN = 4403
RESTARTING = 1012
GRACE_SECONDS = 60
KEEP_ALIVE_SECONDS = 25
LONGEST_NAP = 30.0
"""Seconds after which a socket looks at the clock again, which may be set meanwhile."""


class SocketHandler(BaseGraphQLTransportWSHandler[Context, None]):
    """One socket."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._expires_at: float | None = None
        self._renewed = asyncio.Event()
        self.ended = asyncio.Event()
        self._watchers: list[asyncio.Task[None]] = []

    async def handle(self) -> None:
        sockets: set[SocketHandler] = self.view.sockets  # type: ignore[attr-defined]
        sockets.add(self)
        try:
            await super().handle()
        finally:
            sockets.discard(self)
            self.ended.set()

    async def shutdown(self) -> None:
        for task in self._watchers:
            task.cancel()
        for outcome in await asyncio.gather(*self._watchers, return_exceptions=True):
            if isinstance(outcome, Exception):
                logger.error("socket not watched", exc_info=outcome)
        await super().shutdown()

    async def handle_connection_init(self, message: ConnectionInitMessage) -> None:
        payload = message.get("payload") or {}
        token = payload.get("accessToken") if isinstance(payload, dict) else None
        if not self.connection_init_received:
            # Signing in is done here alone: nobody would watch over a header's token.
            self.context.viewer, self.context.refusal = None, "NO_TOKEN"
        if token is not None and not self.connection_init_received:
            try:
                await self._sign_in(str(token))
            except Unauthenticated as refusal:
                await self.websocket.close(UNAUTHORIZED, refusal.reason)
                return
        await super().handle_connection_init({"type": "connection_init", "payload": payload})
        if self.connection_acknowledged:
            self._watch()

    async def handle_ping(self, message: PingMessage) -> None:
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
                async with asyncio.timeout(min(left, LONGEST_NAP)):
                    await self._renewed.wait()

    async def _until_revoked(self) -> None:
        """Told by the log of the user's own scope, as everything else is."""
        viewer = self.context.signed_in
        async with self.context.services.live.subscribed([user_scope(viewer.user_id)]) as subscriber:
            while await self._session_lives(viewer.session_id):
                # Checked first: the session may have ended between its check and our listening.
                while not _tells_of(await subscriber.news(), viewer.session_id):
                    continue
        await self.close(FORBIDDEN, "SESSION_REVOKED")

    async def _session_lives(self, session_id: str) -> bool:
        while True:
            try:
                await auth.check(self.context, session_id)
            except Unauthenticated:
                return False
            except PyMongoError as error:
                logger.warning("session not checked", error=type(error).__name__)
                await asyncio.sleep(1)
            else:
                return True

    @staticmethod
    def _get_pre_execution_close_reason(error: GraphQLError) -> str | None:
        """A document that cannot be run is an `error` message of its operation, not the socket's end."""
        return None


def _tells_of(news: list[Entry | Signal], session_id: str) -> bool:
    # A full queue may have left it out.
    return len(news) >= QUEUE or any(each.get("node") == session_id for each in news)


async def drain(sockets: set[SocketHandler], *, seconds: float = 5.0) -> None:
    """Close all sockets for a restart; clients resume elsewhere from their positions."""
    open_now = list(sockets)
    # Side by side: closing waits for the other end, which may be a phone in a tunnel.
    closing = [asyncio.create_task(handler.close(RESTARTING, "Restarting")) for handler in open_now]
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            for handler in open_now:
                await handler.ended.wait()
    for task in closing:
        task.cancel()
    await asyncio.gather(*closing, return_exceptions=True)
