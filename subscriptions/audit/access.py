"""Access of streams of the audit log, looked at again when it may have changed or ended."""

from collections.abc import Awaitable, Callable
from math import inf

from core import clock
from core.context import Context
from core.sync.changes import NOTE, Entry
from resolvers.audit.access import next_end
from resolvers.audit.granting import access_scope
from resolvers.auth import grants_scope

SOON = 1.0
"""Seconds after a change of roles in which every process, this one too, has learned of it."""


class StreamAccess:
    """Access of one stream; `check` raises FORBIDDEN once it is gone."""

    def __init__(self, ctx: Context, check: Callable[[], Awaitable[object]]) -> None:
        self._ctx, self._check = ctx, check
        self._until = 0.0
        viewer_id = ctx.viewer_id
        self.scopes = [access_scope(viewer_id), grants_scope(viewer_id)]
        """Scopes of the change log that tell of changed access: the stream follows them too."""

    async def check(self) -> None:
        self._ctx.refresh()
        await self._check()
        self._until = await next_end(self._ctx)

    async def check_entry(self, entry: Entry) -> bool:
        """Check what an entry may have changed; True for one that tells of nothing else."""
        if entry["type"] == NOTE:
            await self.check()
            self._until = min(self._until, clock.timestamp() + SOON)
            return True
        if self._until <= clock.timestamp():
            await self.check()
        return False

    def left(self) -> float | None:
        """Seconds until access has to be looked at again."""
        return None if self._until == inf else max(self._until - clock.timestamp(), 0.0)
