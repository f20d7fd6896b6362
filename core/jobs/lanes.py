"""Lanes: priority classes of jobs, and the places of a worker in which each of them may run.

A rush in one lane stops no other: each has a place of its own, so none starves, and there are shared places
for the higher lanes alone.
"""

from collections.abc import Collection, Container, Iterator
from enum import IntEnum


class Lane(IntEnum):
    """Priority of a job; the lower number comes first."""

    CRITICAL = 0
    DEFAULT = 1
    TIMED = 2
    """Rushes by the clock, such as reminders at 08:00."""
    BULK = 3
    """Rebuilds, retention, imports and mass sends."""


EVERY = tuple(Lane)
PLACES = (
    EVERY,
    EVERY,
    EVERY,
    (Lane.CRITICAL, Lane.DEFAULT),
    (Lane.CRITICAL, Lane.DEFAULT),
    (Lane.CRITICAL,),
    (Lane.DEFAULT,),
    (Lane.TIMED,),
    (Lane.BULK,),
)
"""Lanes of each of a worker's places, the higher before the lower; each runs one job at a time."""


def places_for(wanted: Collection[Lane], busy: Container[int]) -> Iterator[int]:
    """The fewest idle places that serve the lanes in which there may be work."""
    left = set(wanted)
    for place, lanes in enumerate(PLACES):
        if place not in busy and not left.isdisjoint(lanes):
            left.difference_update(lanes)
            yield place
