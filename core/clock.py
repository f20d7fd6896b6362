"""The one clock of the process, so that tests can move time."""

import time
from datetime import UTC, datetime, timedelta

_offset = timedelta()
_offset_seconds = 0.0
_stopped: float | None = None


def now() -> datetime:
    """The present in UTC, cut to milliseconds: what MongoDB keeps and clients see."""
    return cut((datetime.now(UTC) if _stopped is None else datetime.fromtimestamp(_stopped, UTC)) + _offset)


def cut(moment: datetime) -> datetime:
    """The moment to the millisecond, as it is when it is read again."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def timestamp() -> float:
    """Seconds since the epoch, moved as `now` is."""
    return (time.time() if _stopped is None else _stopped) + _offset_seconds


def moved() -> float:
    """By how many seconds the clock was moved: for who takes the time from elsewhere."""
    return _offset_seconds


def earlier(than: datetime, by: timedelta) -> datetime:
    """The moment before a given one, or the first there is: clients say "ever since" by the year 1."""
    first = datetime.min.replace(tzinfo=UTC)
    return than - by if than - first > by else first


def shift(by: timedelta) -> None:
    """Move the clock of this process (tests only)."""
    global _offset, _offset_seconds
    _offset += by
    _offset_seconds = _offset.total_seconds()


def stop() -> None:
    """Let time pass only as it is moved (tests only): a busy machine's own seconds do not count."""
    global _stopped
    _stopped = time.time()


def reset() -> None:
    global _offset, _offset_seconds, _stopped
    _offset, _offset_seconds, _stopped = timedelta(), 0.0, None


def moment(value: datetime | str) -> datetime:
    """A moment that may have travelled as JSON."""
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)
