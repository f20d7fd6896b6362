"""Sessions that ended while their access tokens may still be good, known to every process.

They are told by the change log, in the transaction that ends them, so that neither a lost message nor an
empty Redis lets anyone in; and a request is judged without asking anybody.
"""

import asyncio
import contextlib
from collections.abc import Callable
from datetime import timedelta

import structlog
from pymongo.errors import PyMongoError

from core import clock
from core.live import Live, SlowConsumer
from core.mongo import Database
from resolvers.auth.tokens import ACCESS_LIFE, CLOCK_SKEW
from stores import auth as store

logger = structlog.get_logger(__name__)

SCOPE = "sessions:ended"
KEPT = ACCESS_LIFE + timedelta(seconds=CLOCK_SKEW + 30)
RETRY_SECONDS = 1.0


def note(session_id: str) -> str:
    """The log entry that says a session ended."""
    return f"ended:{session_id}"


class Revocations:
    """The ended sessions of the last quarter of an hour."""

    def __init__(self, db: Database, live: Live) -> None:
        self._db = db
        self._live = live
        self._ended: dict[str, float] = {}
        self._watched: dict[str, set[Callable[[], None]]] = {}
        self._known = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def __contains__(self, session_id: str) -> bool:
        return session_id in self._ended

    def watch(self, session_id: str, ended: Callable[[], None]) -> None:
        """Call `ended` when the session is over: sockets and streams outlive the request's check."""
        if session_id in self._ended:
            ended()
        else:
            self._watched.setdefault(session_id, set()).add(ended)

    def forget(self, session_id: str, ended: Callable[[], None]) -> None:
        watchers = self._watched.get(session_id, set())
        watchers.discard(ended)
        if not watchers:
            self._watched.pop(session_id, None)

    async def start(self) -> None:
        """Listen, and wait until what ended before is known."""
        self._task = asyncio.create_task(self._follow(), name="revocations")
        await self._known.wait()

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def add(self, session_id: str) -> None:
        now = clock.timestamp()
        self._ended[session_id] = now + KEPT.total_seconds()
        for ended in self._watched.pop(session_id, ()):
            ended()
        while self._ended and next(iter(self._ended.values())) < now:
            del self._ended[next(iter(self._ended))]

    async def _follow(self) -> None:
        while True:
            try:
                async for entry in self._live.follow([SCOPE], check=self._load):
                    self.add(entry["_id"].partition(":")[2])
            except SlowConsumer:
                # More ended at once than are kept for us: what ended is read anew.
                continue
            except PyMongoError as error:
                logger.warning("revocations not read", error=type(error).__name__)
                await asyncio.sleep(RETRY_SECONDS)

    async def _load(self) -> None:
        for session in await store.ended_since(self._db, clock.now() - KEPT):
            self.add(session["_id"])
        self._known.set()
