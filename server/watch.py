"""How long a socket or stream may last: as long as its session, and a minute longer than its token."""

import asyncio
import contextlib
from dataclasses import dataclass, field

from core import clock
from core.context import Context
from core.errors import Unauthenticated
from resolvers.auth.revocations import Revocations
from resolvers.auth.tokens import Tokens
from server import signin

UNAUTHORIZED = 4401
FORBIDDEN = 4403
GRACE_SECONDS = 60
LONGEST_NAP = 30.0
"""Seconds after which the clock is looked at again, which may be set meanwhile."""


@dataclass
class Watch:
    """Watches over one signed-in connection."""

    ctx: Context
    expires_at: float
    _renewed: asyncio.Event = field(default_factory=asyncio.Event)

    def renew(self, token: str) -> None:
        """A newer token of the same session extends the connection; UNAUTHENTICATED for any other."""
        viewer = signin.verified(self.ctx, token)
        if viewer.session_id != self.ctx.signed_in.session_id:
            raise Unauthenticated("TOKEN_INVALID")
        self.ctx.viewer = viewer
        self.expires_at = self.ctx.services.get(Tokens).expires_at(token)
        self._renewed.set()

    async def over(self) -> tuple[int, str]:
        """Close code and reason, once the connection must end."""
        ended = asyncio.create_task(self._until_ended())
        expired = asyncio.create_task(self._until_expired())
        try:
            done, _ = await asyncio.wait({ended, expired}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended.cancel()
            expired.cancel()
        return (FORBIDDEN, "SESSION_REVOKED") if ended in done else (UNAUTHORIZED, "TOKEN_EXPIRED")

    async def _until_ended(self) -> None:
        await self.ctx.services.get(Revocations).until_ended(self.ctx.signed_in.session_id)

    async def _until_expired(self) -> None:
        while (left := self.expires_at + GRACE_SECONDS - clock.timestamp()) > 0:
            self._renewed.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(left, LONGEST_NAP)):
                    await self._renewed.wait()
