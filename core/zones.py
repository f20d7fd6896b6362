"""Time zones: the moments of wall times, by the pinned IANA database of the tzdata package.

The only place that makes a `ZoneInfo`. A machine's own database is never read: machines of one deployment may
have different ones, and what is due at 08:00 would depend on which of them asks.
"""

from bisect import bisect_left
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import cache
from importlib import resources
from typing import Literal, overload
from zoneinfo import ZoneInfo

DATABASE = resources.files("tzdata")
SECOND = timedelta(seconds=1)


class Gap(Enum):
    """Meanings of a wall time that does not exist, since clocks go forward past it."""

    SKIP = "There is no such moment."
    FIRST_VALID = "The moment when clocks go forward: 02:30 becomes 03:00."
    RFC5545 = "As far behind the last wall time before it: 02:30 becomes 03:30."


class UnknownZone(ValueError):
    """No zone of the IANA database has this name."""


@cache
def names() -> frozenset[str]:
    """All names of zones, links of former ones included."""
    return frozenset((DATABASE / "zones").read_text("ascii").split())


@cache
def zone(name: str) -> ZoneInfo:
    if name not in names():
        raise UnknownZone(name)
    with (DATABASE / "zoneinfo").joinpath(*name.split("/")).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def wall_time(name: str, moment: datetime) -> datetime:
    """Wall time in a zone at a moment, without an offset."""
    return moment.astimezone(zone(name)).replace(tzinfo=None, fold=0)


@overload
def instant(name: str, wall: datetime, gap: Literal[Gap.FIRST_VALID, Gap.RFC5545]) -> datetime: ...
@overload
def instant(name: str, wall: datetime, gap: Gap) -> datetime | None: ...
def instant(name: str, wall: datetime, gap: Gap) -> datetime | None:
    """The moment of a wall time, in UTC; the earlier one where clocks show it twice.

    `gap` says what one means that clocks never show; None for `Gap.SKIP`.
    """
    if wall.tzinfo is not None:
        raise ValueError("A wall time has no offset.")
    moment, other = (wall.replace(tzinfo=zone(name), fold=fold).astimezone(UTC) for fold in (0, 1))
    if gap is Gap.RFC5545 or wall_time(name, moment) == wall:
        return moment
    return None if gap is Gap.SKIP else _transition(name, other, moment)


def _transition(name: str, before: datetime, after: datetime) -> datetime:
    """The one change of the offset between two moments, to the second."""
    offset = after.astimezone(zone(name)).utcoffset()

    def changed(seconds: int) -> bool:
        return (before + seconds * SECOND).astimezone(zone(name)).utcoffset() == offset

    return before + bisect_left(range((after - before) // SECOND), True, key=changed) * SECOND
