"""Task registry: background work by name, with its lane, its retries and, if periodic, its schedule."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Protocol

from core import zones
from core.jobs.lanes import Lane
from core.zones import Gap

RETRIES = tuple(timedelta(seconds=2 * 3**attempt) for attempt in range(4))
"""Waits before the second and each further attempt, of tasks that declare none."""

Task = Callable[..., Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Plan:
    """Lane of a task's jobs, the waits before each retry of one that failed, and who is told of the end."""

    lane: Lane = Lane.DEFAULT
    retries: tuple[timedelta, ...] = RETRIES
    given_up: Task | None = None

    @property
    def attempts(self) -> int:
        return len(self.retries) + 1


class Schedule(Protocol):
    """When a periodic task is due."""

    def first(self, now: datetime) -> datetime:
        """Due time in a database that has never run it."""
        ...

    def following(self, now: datetime) -> datetime:
        """Due time after the one that has come."""
        ...


@dataclass(frozen=True, slots=True)
class Every:
    """Schedule of a fixed interval, from the first start on."""

    interval: timedelta

    def first(self, now: datetime) -> datetime:
        return now

    def following(self, now: datetime) -> datetime:
        return now + self.interval


@dataclass(frozen=True, slots=True)
class Daily:
    """Schedule of a local time of day; where clocks skip it, of the moment when they go forward."""

    at: time
    zone: str

    def first(self, now: datetime) -> datetime:
        return self.following(now)

    def following(self, now: datetime) -> datetime:
        today = zones.wall_time(self.zone, now).date()
        moment = self._on(today)
        return moment if moment > now else self._on(today + timedelta(days=1))

    def _on(self, day: date) -> datetime:
        return zones.instant(self.zone, datetime.combine(day, self.at), Gap.FIRST_VALID)


@dataclass(frozen=True, slots=True)
class Periodic:
    task: str
    schedule: Schedule


TASKS: dict[str, Task] = {}
PLANS: dict[str, Plan] = {}
PERIODIC: list[Periodic] = []


def task(
    name: str,
    *,
    lane: Lane = Lane.DEFAULT,
    retries: Sequence[timedelta] = RETRIES,
    every: timedelta | None = None,
    daily_at: Daily | None = None,
    given_up: Task | None = None,
) -> Callable[[Task], Task]:
    """Register a task, `system.verb`; `every` and `daily_at` also run it so, once over all workers.

    `given_up` is called with a job's arguments before it becomes a dead letter, also where each worker that
    took it died: what waits for the job is told so. It is safe to repeat.
    """

    def register(function: Task) -> Task:
        if name in TASKS:
            raise ValueError(f"Two tasks are named {name!r}.")
        TASKS[name] = function
        PLANS[name] = Plan(lane, tuple(retries), given_up)
        if every is not None:
            PERIODIC.append(Periodic(name, Every(every)))
        if daily_at is not None:
            PERIODIC.append(Periodic(name, daily_at))
        return function

    return register


def plan_of(name: str) -> Plan:
    """Plan of a task; the default for one that only a newer version knows."""
    return PLANS.get(name, Plan())
