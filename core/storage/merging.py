"""K-way merge of sorted reads: the first rows of many reads, without all that each of them has.

MongoDB merges the index scans of a sorted `$in` by itself, but only up to 200 of them; beyond, it reads every
match and sorts them. So long lists of keys are read in groups below that, each by a sorted read of its own.
"""

from asyncio import gather
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

Row = dict[str, Any]
Read = Callable[[Row | None, int], Awaitable[list[Row]]]
"""Reads so many rows past one that it gave before, in order; from the beginning, when that is None."""

SCANS = 200
"""Keys of one read: MongoDB's `internalQueryMaxScansToExplode`."""


def groups(keys: Sequence[str]) -> Iterator[list[str]]:
    for start in range(0, len(keys), SCANS):
        yield list(keys[start : start + SCANS])


@dataclass(slots=True)
class _Source:
    read: Read
    rows: list[Row] = field(default_factory=list)
    more: bool = True

    async def refill(self, count: int) -> None:
        found = await self.read(self.rows[-1] if self.rows else None, count)
        self.rows += found
        self.more = len(found) >= count


async def first_of(
    reads: Sequence[Read], place: Callable[[Row], Any], limit: int, *, descending: bool = False
) -> list[Row]:
    """The first rows of all reads together, by `place`; one that several have is given once.

    At most about three times as many are read: first a share of each, then more of those that may still have
    some before the last.
    """
    if len(reads) == 1:
        return await reads[0](None, limit)
    sources = [_Source(read) for read in reads]
    behind = sources
    share = limit if len(reads) == 2 else -(-limit // len(reads))
    while True:
        await gather(*(source.refill(share) for source in behind))
        rows = _ordered(sources, place, descending)
        last = place(rows[limit - 1]) if len(rows) >= limit else None
        behind = [each for each in sources if each.more and _before(each, last, place, descending)]
        if not behind:
            return rows[:limit]
        share = _share(limit - _certain(rows, behind, place, descending), len(behind))


def _share(missing: int, sources: int) -> int:
    """Rows to read of each source; of many sources fewer than may be needed: one row each is many."""
    return -(-missing // sources) if missing >= 4 * sources else max(1, missing // (2 * sources))


def _ordered(sources: Sequence[_Source], place: Callable[[Row], Any], descending: bool) -> list[Row]:
    found = {row["_id"]: row for source in sources for row in source.rows}
    return sorted(found.values(), key=place, reverse=descending)


def _before(source: _Source, last: Any, place: Callable[[Row], Any], descending: bool) -> bool:
    """True if the source's unread rows may come before the last row that is wanted."""
    reached = place(source.rows[-1])
    return last is None or (reached > last if descending else reached < last)


def _certain(
    rows: Sequence[Row], behind: Sequence[_Source], place: Callable[[Row], Any], descending: bool
) -> int:
    """Number of first rows that no unread row can precede any more."""
    reached = [place(source.rows[-1]) for source in behind]
    nearest = max(reached) if descending else min(reached)
    return sum(1 for row in rows if (place(row) >= nearest if descending else place(row) <= nearest))
