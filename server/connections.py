"""Connection limits: how many one address may hold open, and how long one may be silent before its request.

aiohttp bounds what a request may be, not how slowly it may come: half a request line is waited for as long as
an idle connection between two requests. Behind our own proxies all connections come from them, and they
are who bounds their clients.
"""

import asyncio
import contextlib
import socket
from collections import Counter
from typing import Any

from aiohttp import web
from prometheus_client import Counter as Metric

from core.security.networks import network_of
from core.settings import Settings

KEEP_ALIVE_SECONDS = 75.0
"""An idle connection between two requests is kept so long: longer than most clients keep it themselves."""

UNSENT_SECONDS = 60
"""A client that takes nothing of what we send for so long is gone, or wants us to think that it reads."""

TIMES_SLOWER = 4
"""Number of read timeouts that a whole body may take which never pauses for one."""

REFUSED = Metric("landfall_connections_refused_total", "Connections closed by us before a request.", ["why"])
TOO_MANY, SILENT = REFUSED.labels("too many"), REFUSED.labels("silent")


class Connections:
    """Watches over the connections of one server."""

    def __init__(self, settings: Settings) -> None:
        self._most = 0 if settings.trust_proxy else settings.max_connections
        self._patience = settings.read_timeout
        self._held: Counter[str] = Counter()
        self._waiting: dict[Any, asyncio.TimerHandle] = {}
        """Those whose first request has not arrived yet."""

    def install(self, server: web.Server) -> None:
        """Look at every connection that the server accepts, from now on."""
        made, lost = server.connection_made, server.connection_lost

        def connection_made(handler: Any, transport: Any) -> None:
            made(handler, transport)
            self._opened(handler, transport)

        def connection_lost(handler: Any, exc: BaseException | None = None) -> None:
            self._closed(handler)
            lost(handler, exc)

        server.connection_made = connection_made  # type: ignore[method-assign]
        server.connection_lost = connection_lost  # type: ignore[method-assign]

    def arrived(self, request: web.Request) -> None:
        """A connection's request is here, its head at least."""
        timer = self._waiting.pop(request.protocol, None)
        if timer is not None:
            timer.cancel()

    def _opened(self, handler: Any, transport: Any) -> None:
        address = _address(handler)
        self._held[address] += 1
        if self._most and self._held[address] > self._most:
            TOO_MANY.inc()
            transport.abort()
            return
        _end_when_unread(transport)
        loop = asyncio.get_running_loop()
        self._waiting[handler] = loop.call_later(self._patience, self._silent, handler, transport)

    def _silent(self, handler: Any, transport: Any) -> None:
        self._waiting.pop(handler, None)
        SILENT.inc()
        transport.abort()

    def _closed(self, handler: Any) -> None:
        timer = self._waiting.pop(handler, None)
        if timer is not None:
            timer.cancel()
        address = _address(handler)
        self._held[address] -= 1
        if self._held[address] <= 0:
            del self._held[address]


def _address(handler: Any) -> str:
    """Kept by the connection, so that it is the same when it is closed."""
    peer = handler.peername
    return network_of(str(peer[0])) if isinstance(peer, tuple) else ""


def _end_when_unread(transport: Any) -> None:
    """Let the system close a connection whose other end acknowledges nothing."""
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    raw = transport.get_extra_info("socket")
    if option is not None and raw is not None:
        with contextlib.suppress(OSError):
            raw.setsockopt(socket.IPPROTO_TCP, option, UNSENT_SECONDS * 1000)


class SlowSender(Exception):
    """A request's body paused, or took too long in all."""


async def body_of(request: web.Request, patience: float) -> None:
    """Wait for the request's body, which is kept in it."""
    if not request.can_read_body or request.content.is_eof():
        return
    try:
        async with asyncio.timeout(patience * TIMES_SLOWER):
            await _read(request, patience)
    except TimeoutError:
        raise SlowSender from None


async def _read(request: web.Request, patience: float) -> None:
    reading = asyncio.ensure_future(request.read())
    seen = -1
    try:
        while not reading.done():
            if seen == request.content.total_bytes:
                raise TimeoutError
            seen = request.content.total_bytes
            await asyncio.wait({reading}, timeout=patience)
        await reading
    finally:
        reading.cancel()
