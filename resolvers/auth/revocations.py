"""Revocation list: ended sessions whose access tokens have not expired, known to every process.

They are told by the change log, in the transaction that ends them, so that neither a lost message nor an
empty Redis lets anyone in; and a request is judged without asking anybody.
"""

import asyncio
from collections.abc import Callable
from datetime import timedelta

from core import cancellation, clock
from core.context import Context, Viewer
from core.errors import Unauthenticated
from core.storage.mongo import Database
from core.sync import changes
from core.sync.live import Live
from resolvers.auth.keeping_up import keep_up
from resolvers.auth.tokens import ACCESS_LIFE, CLOCK_SKEW

SCOPE = "sessions:ended"
KEPT = ACCESS_LIFE + timedelta(seconds=CLOCK_SKEW + 30)
PAGE = 1_000


def note(session_id: str) -> str:
    """Id of the log entry for an ended session."""
    return f"ended:{session_id}"


def stale(user_id: str) -> str:
    """Id of the log entry for a person whose tokens are outdated: roles or organisation changed."""
    return f"stale:{user_id}:{_milliseconds()}"


def everybody(but: str) -> str:
    """Id of the log entry for a bulk revocation of all sessions but one, ahead of ending each."""
    return f"everybody:{_milliseconds()}:{but}"


def _milliseconds() -> int:
    return round(clock.timestamp() * 1000)


class Revocations:
    """Revocation list: sessions ended or changed within the last 15 minutes, an access token's lifetime."""

    def __init__(self, db: Database, live: Live) -> None:
        self._db = db
        self._live = live
        self._ended: dict[str, float] = {}
        self._stale: dict[str, float] = {}
        self._everybody: list[tuple[float, str]] = []
        self._watched: dict[str, set[Callable[[], None]]] = {}
        self._known = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def __contains__(self, session_id: str) -> bool:
        return session_id in self._ended

    def check(self, viewer: Viewer) -> None:
        """Raise UNAUTHENTICATED for a revoked session or an outdated token."""
        if viewer.session_id in self._ended or self.swept(viewer.session_id, viewer.issued_at):
            raise Unauthenticated("SESSION_REVOKED")
        if viewer.issued_at < self._stale.get(viewer.user_id, 0.0):
            raise Unauthenticated("TOKEN_EXPIRED")

    def swept(self, session_id: str, since: float) -> bool:
        """True if a bulk revocation after `since`, the session's last renewal, ended this session."""
        return any(since < moment and session_id != kept for moment, kept in self._everybody)

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
        """Listen to the log, and wait until the earlier revocations are loaded."""
        followed = keep_up(self._live, SCOPE, read=self._load, learn=lambda entry: self.learn(entry["_id"]))
        self._task = asyncio.create_task(followed, name="revocations")
        await self._known.wait()

    async def stop(self) -> None:
        await cancellation.end([self._task])

    def add(self, session_id: str) -> None:
        now = clock.timestamp()
        self._ended[session_id] = now + KEPT.total_seconds()
        for ended in self._watched.pop(session_id, ()):
            ended()
        while self._ended and next(iter(self._ended.values())) < now:
            del self._ended[next(iter(self._ended))]

    def learn(self, entry: str) -> None:
        """Apply a log entry of `SCOPE`."""
        kind, _, rest = entry.partition(":")
        if kind == "ended":
            self.add(rest)
            return
        oldest = clock.timestamp() - KEPT.total_seconds()
        if kind == "stale":
            user_id, _, moment = rest.rpartition(":")
            # Older tokens are refused for their age.
            self._stale = {name: at for name, at in self._stale.items() if at > oldest}
            self._stale[user_id] = max(int(moment) / 1000, self._stale.get(user_id, 0.0))
        elif kind == "everybody":
            moment, _, kept = rest.partition(":")
            self._everybody = [each for each in self._everybody if each[0] > oldest]
            self._everybody.append((int(moment) / 1000, kept))
            for session_id in [each for each in self._watched if each != kept]:
                for ended in self._watched.pop(session_id):
                    ended()

    async def _load(self) -> None:
        """Read the whole window from the log, page by page."""
        floor = await changes.database_time(self._db) - KEPT - self._live.overlap
        after = None
        while True:
            page = await changes.since(
                self._db, [SCOPE], floor=floor, after=after, limit=PAGE, former_scopes=False
            )
            for entry in page:
                self.learn(entry["_id"])
            if len(page) < PAGE:
                break
            after = changes.place(page[-1])
        self._known.set()


def tell(ctx: Context, entry: str) -> None:
    """Log a revocation with the unit's writes: effective here at once, elsewhere when the log is read."""
    ctx.tx.notice(entry, scopes=[SCOPE])

    async def learn() -> None:
        ctx.services.get(Revocations).learn(entry)

    ctx.tx.after_commit(learn)
