"""Delta sync: one person's changes, read from the log page by page; nothing is skipped, even late commits.

1. A round starts: the database's time is stored as `started`, and the scopes the reader has now are read.
2. Entries of these scopes are read in log order from `since`, which is `started` of the last round less the
   overlap: a change can be committed up to the overlap after its `at`. Entries that the device is known to
   have (`covered`) are left out; a first sync also leaves out tombstones and aspects.
3. Each entry becomes a changed or a deleted id, by the scopes the reader has now; the latest entry of an id
   wins. A membership entry (type MEMBERSHIP) is expanded in its place: into all that the gained or lost scope
   holds, over several pages if need be (`expanding`).
4. A full page ends with `more`, and the next goes on past `position`. When no entry is left, the round ends:
   `since` moves to `started` less the overlap, and the entries passed within the overlap become `covered`.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from dataclasses import dataclass, field
from datetime import timedelta

from core.storage.mongo import Database
from core.sync import changes
from core.sync.changes import MEMBERSHIP, Entry
from core.sync.log_offset import Expansion, LogOffset, Progress, fingerprint

REMEMBERED = 2_000
"""Most fingerprints in a token; entries beyond them are sent again, which is harmless."""

ScopesNow = Callable[[], Awaitable[Collection[str]]]


@dataclass(slots=True)
class Delta:
    """Page of changes: ids to show as they are now and ids to forget, with their places in the log."""

    changed: dict[str, LogOffset] = field(default_factory=dict)
    deleted: dict[str, LogOffset] = field(default_factory=dict)
    more: bool = False

    def tell(self, entry: Entry, *, visible: bool) -> None:
        """Add an entry: the latest of an id wins, and each id is sent once."""
        id = entry["node"]
        self.changed.pop(id, None)
        self.deleted.pop(id, None)
        (self.changed if visible else self.deleted)[id] = changes.place(entry)

    def __len__(self) -> int:
        return len(self.changed) + len(self.deleted)


class Reading:
    """Reads one page for one reader, and moves the reader's progress past it."""

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
            self._advance_past(entry)
        self._end_round()
        return self._delta

    @property
    def _first_sync(self) -> bool:
        return self._progress.since is None

    async def _entries(self) -> AsyncIterator[Entry]:
        """Yield the entries from the progress on, in log order (step 2)."""
        while True:
            position = self._progress.position
            rows = await changes.since(
                self._db,
                sorted(self._scopes),
                after=position,
                floor=None if position else self._progress.since,
                limit=self._limit + 1,
                # A first sync forgets nothing but what it has shown itself, on an earlier page.
                former_scopes=not (self._first_sync and self._first_page),
                archived=not self._first_sync,
            )
            for row in rows:
                yield row
            if len(rows) <= self._limit:
                return

    async def _take(self, entry: Entry) -> bool:
        """Add the entry to the page (step 3); False when the page is full."""
        if len(self._delta) >= self._limit:
            return False
        name = fingerprint(changes.place(entry))
        expansion = self._progress.expanding
        if name in self._covered and not (expansion and expansion.grant == name):
            return True
        if entry["type"] == MEMBERSHIP:
            return self._grant_already_covered(entry) or await self._expand(entry, name)
        visible = not entry["deleted"] and self._sees(entry)
        if entry["type"] in self._types and not self._skip_in_first_sync(entry, visible=visible):
            self._delta.tell(entry, visible=visible)
        return True

    def _skip_in_first_sync(self, entry: Entry, *, visible: bool) -> bool:
        """True for an entry that a first sync leaves out: an aspect (its node is sent), or a tombstone.

        Entries that may be later than the first page are sent all the same.
        """
        aspect = entry["node"] != entry["_id"]
        return self._first_sync and (aspect or not visible) and not self._may_be_after_first_page(entry)

    def _grant_already_covered(self, grant: Entry) -> bool:
        """True if a first sync has covered this membership from its beginning."""
        if not self._first_sync or self._may_be_after_first_page(grant):
            return False
        if _again(grant):
            return True
        return not self._first_page or _lost(grant) != (grant.get("scope") in self._scopes_read)

    def _may_be_after_first_page(self, entry: Entry) -> bool:
        """True if the entry may be later than the first page of this round."""
        started = self._progress.started
        assert started is not None
        return not self._first_page and entry["at"] >= started - self._overlap

    def _sees(self, entry: Entry) -> bool:
        return not self._scopes.isdisjoint(entry["scopes"])

    async def _expand(self, grant: Entry, name: str) -> bool:
        """Expand a membership: add everything the gained or lost scope holds; False when the page is full."""
        progress = self._progress
        scope = grant.get("scope") or ""
        lost, again = _lost(grant), _again(grant)
        if not again and lost == (scope in self._scopes):
            # The log and the memberships were read at different moments: read the memberships again.
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
                self._db, [scope], after=after, limit=self._limit + 1, former_scopes=lost, archived=not again
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
        # An entity lost through one scope may still be visible through another: then it did not change.
        if visible != lost:
            self._delta.tell(entry, visible=visible)

    def _advance_past(self, entry: Entry) -> None:
        progress = self._progress
        assert progress.started is not None
        progress.position = changes.place(entry)
        if entry["at"] >= progress.started - self._overlap and len(progress.passed) < REMEMBERED:
            progress.passed.append(fingerprint(changes.place(entry)))

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
