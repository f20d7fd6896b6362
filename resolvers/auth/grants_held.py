"""Grants in this process: an LRU cache of people's grants, which the change log keeps true.

A grant and its entry in the log commit together, and every process drops what it knows of the person when it
reads the entry: within a second, as with ended sessions. So a check reads nothing but for the first time.
"""

import asyncio
from collections.abc import Sequence
from math import inf

from core import cancellation
from core.context import Context
from core.grants import Held
from core.lru_cache import LruCache
from core.storage.mongo import Database
from core.storage.unit import Unit
from core.sync.changes import Entry
from core.sync.live import Live
from resolvers.auth.keeping_up import keep_up
from stores import auth as store
from stores.auth import Grant

SCOPE = "grants:changed"
PEOPLE = 20_000
"""People whose grants are cached, most of them without any."""
GRANTS = 200_000


def scope_of(user_id: str) -> str:
    """Scope of the change log that tells of changed grants of a person: streams look again."""
    return f"grants:{user_id}"


class GrantsHeld:
    """Implements `core.grants.GrantsOfPeople`."""

    def __init__(self, db: Database, live: Live) -> None:
        self._db = db
        self._live = live
        self._following = False
        self._changes = 0
        self._task: asyncio.Task[None] | None = None
        self._forget_all()

    def start(self) -> None:
        """Listen to the log; until it is heard, grants are read each time."""
        followed = keep_up(
            self._live, SCOPE, read=self._listening, learn=self._learn, lost=self._not_listening
        )
        self._task = asyncio.create_task(followed, name="grants")

    async def stop(self) -> None:
        await cancellation.end([self._task])

    async def of(self, user_id: str) -> Sequence[Held]:
        """Grants of a person, which may have expired."""
        known = self._known.get(user_id)
        if known is not None:
            return known
        changes = self._changes
        found = tuple(map(held, await store.grants_of(self._db, user_id)))
        # What changed meanwhile may not be among what was read.
        if self._following and changes == self._changes:
            self._known.put(user_id, found, 1 + len(found))
        return found

    def forget(self, user_id: str) -> None:
        """Read the person's grants anew when they are asked for."""
        self._changes += 1
        self._known.drop(user_id)

    def _learn(self, entry: Entry) -> None:
        self.forget(entry["_id"].rpartition(":")[2])

    async def _listening(self) -> None:
        self._forget_all()
        self._following = True

    def _not_listening(self) -> None:
        self._following = False
        self._forget_all()

    def _forget_all(self) -> None:
        self._changes += 1
        self._known = LruCache[tuple[Held, ...]](most=PEOPLE, size=GRANTS)


def held(grant: Grant) -> Held:
    expires = grant["expires_at"]
    return Held(grant["role"], grant["scope_id"], inf if expires is None else expires.timestamp())


def note(tx: Unit, user_id: str) -> None:
    """Log that a person's grants changed: in force in every process when the log is read."""
    tx.notice(scope_of(user_id), scopes=[SCOPE, scope_of(user_id)])


def tell(ctx: Context, user_id: str) -> None:
    """Log that a person's grants changed, with the unit's writes; in force here after the commit."""
    note(ctx.tx, user_id)

    async def forget() -> None:
        ctx.services.get(GrantsHeld).forget(user_id)

    ctx.tx.after_commit(forget)
