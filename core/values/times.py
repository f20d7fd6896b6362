"""Times of day without a date, as people set them: `HH:MM`."""

import re
from typing import NewType

LocalTime = NewType("LocalTime", str)
"""A wall time of an hour and a minute, `08:30`; it means something in a time zone alone."""

_LOCAL_TIME = re.compile(r"(?:[01]\d|2[0-3]):[0-5]\d", re.ASCII)


def local_time(written: object) -> LocalTime:
    """The time of day that a client wrote; ValueError where it is none."""
    if not isinstance(written, str) or not _LOCAL_TIME.fullmatch(written):
        raise ValueError(f'Expected a time of day such as "08:30", not {str(written)[:60]!r}.')
    return LocalTime(written)
