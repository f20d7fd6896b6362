"""One person's changes, read from the log page by page: nothing skipped, whatever commits late.

A change can be committed up to the overlap after its `at`, so each round begins an overlap before the last
one began, and leaves out what the device is known to have.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from dataclasses import dataclass, field
from datetime import timedelta

from core import changes
from core.changes import GRANT, Entry
from core.mongo import Database
from core.position import Expansion, Position, Progress, mark

REMEMBERED = 2_000
"""Marks a token holds; what is beyond them is told again, which is harmless."""

ScopesNow = Callable[[], Awaitable[Collection[str]]]


@dataclass(slots=True)
class Delta:
    """Page of changes: ids to show as they are now and ids to forget, with their places in the log."""

    changed: dict[str, Position] = field(default_factory=dict)
    deleted: dict[str, Position] = field(default_factory=dict)
    more: bool = False

    def tell(self, entry: Entry, *, visible: bool) -> None:
        """The latest word on an id wins; each is told once."""
        id = entry["node"]
        self.changed.pop(id, None)
        self.deleted.pop(id, None)
        (self.changed if visible else self.deleted)[id] = changes.place(entry)

    def __len__(self) -> int:
        return len(self.changed) + len(self.deleted)


class Reading:
    """One page for one reader; moves the reader's progress past it."""

    def __init__(
        self,
        db: Database,
        progress: Progress,
        scopes_now: ScopesNow,
        *,
        types: Collection[str],
        limit: int,
        overlap: timedelta,
    ) -> None:
        self._db = db
        self._progress = progress
        self._scopes_now = scopes_now
        self._types = types
        self._limit = limit
        self._overlap = overlap
        self._delta = Delta()
        self._scopes: set[str] = set()
        self._scopes_read: frozenset[str] = frozenset()
        self._first_page = progress.started is None
        self._covered = set(progress.covered)

    async def page(self) -> Delta:
        progress = self._progress
        if progress.started is None:
            progress.started = await changes.database_time(self._db)
        self._scopes = set(await self._scopes_now())
        self._scopes_read = frozenset(self._scopes)
        async for entry in self._entries():
            if not await self._take(entry):
                self._delta.more = True
                return self._delta
            self._pass(entry)
        self._end_round()
        return self._delta

    @property
    def _first_sync(self) -> bool:
        return self._progress.since is None

    async def _entries(self) -> AsyncIterator[Entry]:
        """Entries from the progress on, in log order."""
        while True:
            position = self._progress.position
            rows = await changes.since(
                self._db,
                sorted(self._scopes),
                after=position,
                floor=None if position else self._progress.since,
                limit=self._limit + 1,
                # A first sync forgets nothing but what it has shown itself, on an earlier page.
                former=not (self._first_sync and self._first_page),
                aged=not self._first_sync,
            )
            for row in rows:
                yield row
            if len(rows) <= self._limit:
                return

    async def _take(self, entry: Entry) -> bool:
        """Tell what the entry means to this reader; False when the page is full."""
        if len(self._delta) >= self._limit:
            return False
        name = mark(changes.place(entry))
        expansion = self._progress.expanding
        if name in self._covered and not (expansion and expansion.grant == name):
            return True
        if entry["type"] == GRANT:
            return self._settled(entry) or await self._expand(entry, name)
        visible = not entry["deleted"] and self._sees(entry)
        if entry["type"] in self._types and not self._needless(entry, visible=visible):
            self._delta.tell(entry, visible=visible)
        return True

    def _needless(self, entry: Entry, *, visible: bool) -> bool:
        """In a first sync: an aspect, shown with its node, or what was gone before any page was given."""
        aspect = entry["node"] != entry["_id"]
        return self._first_sync and (aspect or not visible) and not self._during(entry)

    def _settled(self, grant: Entry) -> bool:
        """True if a first sync has covered this membership from its beginning."""
        if not self._first_sync or self._during(grant):
            return False
        if _again(grant):
            return True
        return not self._first_page or _lost(grant) != (grant.get("scope") in self._scopes_read)

    def _during(self, entry: Entry) -> bool:
        """True if the entry may be later than the first page of this round."""
        started = self._progress.started
        assert started is not None
        return not self._first_page and entry["at"] >= started - self._overlap

    def _sees(self, entry: Entry) -> bool:
        return not self._scopes.isdisjoint(entry["scopes"])

    async def _expand(self, grant: Entry, name: str) -> bool:
        """Tell everything a gained or lost scope holds."""
        progress = self._progress
        scope = grant.get("scope") or ""
        lost, again = _lost(grant), _again(grant)
        if not again and lost == (scope in self._scopes):
            # What the log says and what we read of memberships are of different moments: look again.
            self._scopes = set(await self._scopes_now())
        if not again and lost == (scope in self._scopes):
            # It has changed since, and a later entry says so.
            return True
        if progress.expanding is not None and progress.expanding.grant != name:
            # That membership has changed since, and a later entry says so.
            progress.expanding = None
        while True:
            after = progress.expanding.position if progress.expanding else None
            rows = await changes.since(
                self._db, [scope], after=after, limit=self._limit + 1, former=lost, aged=not again
            )
            for row in rows:
                if len(self._delta) >= self._limit:
                    return False
                if row["type"] in self._types and row["node"] == row["_id"]:
                    self._tell_expanded(row, lost=lost)
                progress.expanding = Expansion(name, changes.place(row))
            if len(rows) <= self._limit:
                progress.expanding = None
                return True

    def _tell_expanded(self, entry: Entry, *, lost: bool) -> None:
        visible = not entry["deleted"] and self._sees(entry)
        # What is lost through one scope may still be seen through another: then nothing happened to it.
        if visible != lost:
            self._delta.tell(entry, visible=visible)

    def _pass(self, entry: Entry) -> None:
        progress = self._progress
        assert progress.started is not None
        progress.position = changes.place(entry)
        if entry["at"] >= progress.started - self._overlap and len(progress.passed) < REMEMBERED:
            progress.passed.append(mark(changes.place(entry)))

    def _end_round(self) -> None:
        progress = self._progress
        assert progress.started is not None
        progress.since = progress.started - self._overlap
        progress.covered = progress.passed
        progress.position = progress.started = progress.expanding = None
        progress.passed = []


def _lost(grant: Entry) -> bool:
    return bool((grant.get("detail") or {}).get("lost"))


def _again(grant: Entry) -> bool:
    """True if the scope is neither gained nor lost, but reads differently."""
    return bool((grant.get("detail") or {}).get("again"))
