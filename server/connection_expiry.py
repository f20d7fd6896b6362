"""Connection expiry: a socket or stream lasts as long as its session, and a minute longer than its token."""

import asyncio
from collections.abc import Callable

from core import clock
from core.context import Context
from core.errors import Unauthenticated
from core.sessions import Sessions

UNAUTHORIZED = 4401
FORBIDDEN = 4403
GRACE_SECONDS = 60
LONGEST_NAP = 30.0
"""Seconds after which the clock is looked at again, which may be set meanwhile."""

Over = Callable[[int, str], None]
"""Called once, with close code and reason, when the connection must end."""


class ConnectionExpiry:
    """Watches over one signed-in connection, of which there are thousands: by a timer, without a task."""

    __slots__ = ("_ctx", "_expires_at", "_over", "_session_id", "_timer")

    def __init__(self, ctx: Context, expires_at: float) -> None:
        self._ctx = ctx
        self._expires_at = expires_at
        self._session_id = ctx.signed_in.session_id
        self._over: Over | None = None
        self._timer: asyncio.TimerHandle | None = None

    def start(self, over: Over) -> None:
        self._over = over
        self._ctx.services.get(Sessions).watch(self._session_id, self._revoked)
        self._look()

    def stop(self) -> None:
        self._over = None
        self._ctx.services.get(Sessions).forget(self._session_id, self._revoked)
        if self._timer is not None:
            self._timer.cancel()

    def renew(self, token: str) -> None:
        """A newer token of the same session extends the connection; UNAUTHENTICATED for any other."""
        viewer = self._ctx.services.get(Sessions).viewer(token)
        if viewer.session_id != self._session_id:
            raise Unauthenticated("TOKEN_INVALID")
        self._ctx.viewer = viewer
        self._expires_at = self._ctx.services.get(Sessions).expires_at(token)

    async def over(self) -> tuple[int, str]:
        """Close code and reason, once the connection must end: for who waits for it in a task anyway."""
        ended: asyncio.Future[tuple[int, str]] = asyncio.get_running_loop().create_future()
        self.start(lambda code, reason: None if ended.done() else ended.set_result((code, reason)))
        try:
            return await ended
        finally:
            self.stop()

    def _look(self) -> None:
        left = self._expires_at + GRACE_SECONDS - clock.timestamp()
        if left <= 0:
            self._end(UNAUTHORIZED, "TOKEN_EXPIRED")
        elif self._over is not None:
            self._timer = asyncio.get_running_loop().call_later(min(left, LONGEST_NAP), self._look)

    def _revoked(self) -> None:
        self._end(FORBIDDEN, "SESSION_REVOKED")

    def _end(self, code: int, reason: str) -> None:
        over, self._over = self._over, None
        if over is not None:
            over(code, reason)
