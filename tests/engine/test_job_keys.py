"""Keys, retry plans and schedules of jobs."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, time, timedelta
from typing import Any

import pytest
from pymongo.errors import NotPrimaryError

from core import clock, jobs
from core.context import Context, Services
from core.jobs import Daily, running, tasks
from core.storage.unit import Unit
from tests.conftest import Commands
from tests.engine.job_steps import NAME, Notes, clear, waiting

HOUR = timedelta(hours=1)
PLAN = tuple(timedelta(seconds=each) for each in (10, 60, 600, 3_600, 21_600))


@pytest.fixture(autouse=True)
async def _nothing_left(services: Services) -> None:
    await clear(services)


async def within(services: Services, *steps: Callable[[Unit], Awaitable[None]]) -> None:
    ctx = Context(services)

    async def work() -> None:
        for step in steps:
            await step(ctx.tx)

    await ctx.unit(work)


def keyed(number: int, wait: timedelta = timedelta(), key: str = "a") -> Callable[[Unit], Awaitable[None]]:
    return lambda tx: jobs.enqueue(tx, NAME, key=key, due_at=tx.now + wait, number=number)


def cancelled(key: str = "a") -> Callable[[Unit], Awaitable[None]]:
    return lambda tx: jobs.cancel(tx, NAME, key=key)


async def test_a_key_has_one_pending_job_which_the_next_one_moves(services: Services, notes: Notes) -> None:
    await within(services, keyed(1, HOUR))
    await within(services, keyed(2, 2 * HOUR))
    [job] = await waiting(services)
    assert (job["key"], job["arguments"]) == ("a", {"number": 2})
    clock.shift(HOUR + timedelta(minutes=1))
    assert await jobs.run_due(services) == 0
    clock.shift(HOUR)
    assert await jobs.run_due(services) == 1
    assert (notes.done, await waiting(services)) == ([{"number": 2}], [])
    await within(services, keyed(3))
    assert await jobs.run_due(services) == 1


async def test_other_keys_and_jobs_without_one_stay(services: Services, notes: Notes) -> None:
    await within(services, keyed(1), keyed(2, key="b"), lambda tx: jobs.enqueue(tx, NAME, number=3))
    await within(services, cancelled(), cancelled("unknown"))
    assert await jobs.run_due(services) == 2
    assert sorted(each["number"] for each in notes.done) == [2, 3]


async def test_the_last_word_of_a_unit_counts(services: Services, notes: Notes) -> None:
    await within(services, keyed(1), keyed(2), cancelled(), keyed(3))
    await within(services, keyed(4, key="b"), cancelled("b"))
    assert await jobs.run_due(services) == 1
    assert notes.done == [{"number": 3}]


async def test_a_unit_that_is_undone_moves_and_cancels_nothing(services: Services, notes: Notes) -> None:
    await within(services, keyed(1), keyed(2, key="b"))

    async def fail(tx: Unit) -> None:
        raise RuntimeError("The unit is undone.")

    with pytest.raises(RuntimeError, match="undone"):
        await within(services, keyed(3, HOUR), cancelled("b"), fail)
    assert await jobs.run_due(services) == 2
    assert notes.done == [{"number": 1}, {"number": 2}]


async def test_many_keys_of_a_unit_are_one_command(
    services: Services, notes: Notes, commands: Commands
) -> None:
    await within(services, keyed(0), keyed(1, key="b"))
    commands.reset()
    many = [keyed(number, key=str(number)) for number in range(20)]
    await within(services, *many, cancelled(), cancelled("b"))
    assert commands.counts == {"delete": 1, "update": 1, "commitTransaction": 1}
    assert await jobs.run_due(services) == 20


async def test_two_units_at_once_leave_one_job(services: Services, notes: Notes) -> None:
    await asyncio.gather(*(within(services, keyed(number)) for number in range(8)))
    assert await jobs.run_due(services) == 1
    assert len(notes.done) == 1


@pytest.mark.parametrize("failing", [False, True])
async def test_one_that_runs_goes_on_and_leaves_alone_what_took_its_key(
    services: Services, notes: Notes, failing: bool
) -> None:
    await within(services, keyed(1))
    notes.seconds, notes.failure = 0.3, ValueError("no") if failing else None
    running = asyncio.create_task(jobs.run_due(services, limit=1))
    async with asyncio.timeout(5):
        await notes.began.wait()
    await within(services, keyed(2, HOUR))
    assert await running == 1
    [job] = await waiting(services)
    assert (job["arguments"], job["attempts"], job["error"]) == ({"number": 2}, 0, None)
    assert job["due_at"] > clock.now() + HOUR / 2


async def test_one_that_is_cancelled_while_it_fails_is_not_tried_again(
    services: Services, notes: Notes
) -> None:
    await within(services, keyed(1))
    notes.seconds, notes.failure = 0.3, ValueError("no")
    running = asyncio.create_task(jobs.run_due(services))
    async with asyncio.timeout(5):
        await notes.began.wait()
    await within(services, cancelled())
    await running
    assert await waiting(services) == []


async def test_a_dead_letter_makes_room_for_the_next_of_its_key(
    services: Services, notes: Notes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(tasks.PLANS, NAME, tasks.Plan(retries=()))
    notes.failure = ValueError("no")
    await within(services, keyed(1))
    await jobs.run_due(services)
    assert [row["state"] for row in await waiting(services)] == ["DEAD"]
    notes.failure = None
    await within(services, keyed(2))
    assert await jobs.run_due(services) == 1
    assert await waiting(services) == []


async def test_retries_follow_the_plan_of_the_task(
    services: Services, notes: Notes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(tasks.PLANS, NAME, tasks.Plan(retries=PLAN))
    notes.failure = ValueError("no")
    await within(services, keyed(1))
    for attempt, wait in enumerate(PLAN, start=1):
        assert await jobs.run_due(services) == 1
        [job] = await waiting(services)
        assert (job["state"], job["attempts"]) == ("WAITING", attempt)
        assert wait - timedelta(seconds=1) < job["due_at"] - clock.now() <= wait
        clock.shift(wait)
    assert await jobs.run_due(services) == 1
    assert [row["state"] for row in await waiting(services)] == ["DEAD"]


@pytest.mark.parametrize("dies", [False, True], ids=["failed", "killed"])
async def test_a_task_is_told_before_its_job_is_given_up(
    services: Services, notes: Notes, monkeypatch: pytest.MonkeyPatch, dies: bool
) -> None:
    told = Notes()
    told.failure = NotPrimaryError("an election")
    monkeypatch.setitem(tasks.PLANS, NAME, tasks.Plan(retries=(), given_up=told))
    notes.failure = ValueError("no")
    await within(services, keyed(1))
    if dies:
        await jobs.claim(services.db)
        clock.shift(running.LEASE)
    await jobs.run_due(services)
    # What could not be told is told by the next worker, and only then is the job a dead letter.
    assert (told.done, [row["state"] for row in await waiting(services)]) == ([{"number": 1}], ["WAITING"])
    told.failure = None
    clock.shift(running.LEASE)
    await jobs.run_due(services)
    assert (len(told.done), [row["state"] for row in await waiting(services)]) == (2, ["DEAD"])


def utc(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+00:00")


@pytest.mark.parametrize(
    ("zone", "at", "now", "due"),
    [
        ("Europe/Berlin", "08:00", "2026-07-01 05:59", "2026-07-01 06:00"),
        ("Europe/Berlin", "08:00", "2026-07-01 06:00", "2026-07-02 06:00"),
        # The night before clocks go forward, and that in which 02:30 does not exist.
        ("Europe/Berlin", "08:00", "2026-03-28 12:00", "2026-03-29 06:00"),
        ("Europe/Berlin", "02:30", "2026-03-28 12:00", "2026-03-29 01:00"),
        ("Europe/Berlin", "02:30", "2026-03-29 01:00", "2026-03-30 00:30"),
        # 01:30 comes twice: the second is not another turn.
        ("America/New_York", "01:30", "2026-10-31 12:00", "2026-11-01 05:30"),
        ("America/New_York", "01:30", "2026-11-01 05:30", "2026-11-02 06:30"),
        # It is tomorrow there.
        ("Pacific/Kiritimati", "09:00", "2026-06-01 18:00", "2026-06-01 19:00"),
    ],
)
def test_a_local_time_of_day_is_due_once_a_day(zone: str, at: str, now: str, due: str) -> None:
    assert Daily(time.fromisoformat(at), zone).following(utc(now)) == utc(due)


async def test_a_daily_task_waits_for_its_time_and_makes_up_for_one_that_was_missed(
    services: Services, notes: Notes, monkeypatch: pytest.MonkeyPatch
) -> None:
    await services.db.write({"delete": "schedules", "deletes": [{"q": {"_id": NAME}, "limit": 0}]})
    later = (clock.now() + HOUR).time().replace(second=0, microsecond=0)
    daily = Daily(later, "Etc/UTC")
    monkeypatch.setattr(tasks, "PERIODIC", [jobs.Periodic(NAME, daily)])
    turns = []
    for passed in (timedelta(), HOUR, HOUR, timedelta(days=2), HOUR):
        clock.shift(passed)
        turns.append(await jobs.enqueue_periodic(services.db))
        await jobs.run_due(services)
    assert turns == [0, 1, 0, 1, 0]
    assert notes.done == [{}, {}]


async def test_a_turn_passes_while_the_one_before_goes_on(
    services: Services, notes: Notes, monkeypatch: pytest.MonkeyPatch
) -> None:
    await services.db.write({"delete": "schedules", "deletes": [{"q": {"_id": NAME}, "limit": 0}]})
    monkeypatch.setattr(tasks, "PERIODIC", [jobs.Periodic(NAME, jobs.Every(HOUR))])
    notes.failure = ValueError("no")
    assert await jobs.enqueue_periodic(services.db) == 1
    await jobs.run_due(services)
    clock.shift(HOUR)
    assert await jobs.enqueue_periodic(services.db) == 1
    assert [row["attempts"] for row in await waiting(services)] == [1]
    # Dead letters do not keep a task from its turns.
    for _ in range(6):
        clock.shift(timedelta(minutes=5))
        await jobs.run_due(services)
    assert [row["state"] for row in await waiting(services)] == ["DEAD"]
    notes.failure = None
    clock.shift(HOUR)
    assert await jobs.enqueue_periodic(services.db) == 1
    await jobs.run_due(services)
    assert await waiting(services) == []


async def test_periodic_tasks_that_are_not_due_cost_a_read(services: Services, commands: Commands) -> None:
    clock.stop()
    await jobs.enqueue_periodic(services.db)
    await clear(services)
    commands.reset()
    assert await jobs.enqueue_periodic(services.db) == 0
    assert commands.counts == {"find": 1}


def test_a_task_declares_its_plan_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for registry in (tasks.TASKS, tasks.PLANS):
        monkeypatch.delitem(registry, "test.declared", raising=False)
    monkeypatch.setattr(tasks, "PERIODIC", [])

    async def work(services: Services) -> None: ...

    daily: Any = Daily(time(3), "Europe/Berlin")
    jobs.task("test.declared", lane=jobs.Lane.BULK, retries=PLAN, daily_at=daily)(work)
    assert tasks.plan_of("test.declared") == tasks.Plan(jobs.Lane.BULK, PLAN)
    assert [jobs.Periodic("test.declared", daily)] == tasks.PERIODIC
    with pytest.raises(ValueError, match="Two tasks"):
        jobs.task("test.declared")(work)
    del tasks.TASKS["test.declared"], tasks.PLANS["test.declared"]
    assert tasks.plan_of("test.unknown") == tasks.Plan(jobs.Lane.DEFAULT, jobs.RETRIES)


async def test_a_job_that_was_claimed_with_its_making_is_performed_by_who_made_it(
    services: Services, notes: Notes
) -> None:
    ctx, done = Context(services), list[str]()

    async def work() -> None:
        done.append("at hand")

    job = await ctx.unit(lambda: jobs.enqueue_claimed(ctx.tx, NAME, key="a", number=1))
    assert await jobs.run_due(services) == 0
    await jobs.perform(services, job, work)
    assert (done, notes.done, await waiting(services)) == (["at hand"], [], [])
    # Of another, whose worker dies, the lease ends.
    await ctx.unit(lambda: jobs.enqueue_claimed(ctx.tx, NAME, number=2))
    clock.shift(timedelta(seconds=61))
    assert await jobs.run_due(services) == 1
    assert (notes.done, await waiting(services)) == ([{"number": 2}], [])


async def test_a_job_ends_with_the_transaction_that_does_its_last_work(
    services: Services, commands: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[list[Any]] = []

    async def conclude(services: Services, *, fail: bool, **_: Any) -> None:
        ctx = Context(services)

        async def last() -> None:
            jobs.end(ctx.tx)
            if fail:
                raise RuntimeError("The unit is undone.")

        await ctx.unit(last)
        left.append(await waiting(services))

    monkeypatch.setitem(tasks.TASKS, NAME, conclude)
    await within(services, lambda tx: jobs.enqueue(tx, NAME, fail=False))
    commands.reset()
    assert await jobs.run_due(services, limit=1) == 1
    assert (left, commands.counts["delete"]) == ([[]], 1)
    await within(services, lambda tx: jobs.enqueue(tx, NAME, fail=True))
    await jobs.run_due(services)
    [job] = await waiting(services)
    assert (job["attempts"], job["error"]) == (1, "RuntimeError")


async def test_a_job_that_has_ended_leaves_the_one_that_took_its_key_alone(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def conclude(services: Services, **_: Any) -> None:
        await within(services, keyed(2, HOUR))
        ctx = Context(services)

        async def last() -> None:
            jobs.end(ctx.tx)

        await ctx.unit(last)

    monkeypatch.setitem(tasks.TASKS, NAME, conclude)
    await within(services, keyed(1))
    assert await jobs.run_due(services) == 1
    assert [job["arguments"] for job in await waiting(services)] == [{"number": 2}]
