"""Lanes of jobs: what is urgent starts at once beside any rush, and no lane starves."""

import asyncio
import statistics
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from core import clock, ids, jobs
from core.context import Services
from core.jobs import Lane, lanes
from core.storage.migrations import MIGRATIONS
from server import worker
from tests.conftest import Commands
from tests.engine.job_steps import ask_for, clear, waiting

SOON = 0.2
"""Seconds after which a critical job has begun."""


class Rush:
    """One task for each lane, which records when its jobs begin."""

    def __init__(self) -> None:
        self.began: list[Lane] = []
        self.seconds: dict[Lane, float] = dict.fromkeys(Lane, 0.0)
        self.running: Counter[Lane] = Counter()
        self._moved = asyncio.Event()

    def task(self, lane: Lane) -> Any:
        async def run(services: Services, *, number: int = 0) -> None:
            self.began.append(lane)
            self.running[lane] += 1
            self._moved.set()
            await asyncio.sleep(self.seconds[lane])
            self.running[lane] -= 1

        return run

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait until it holds, after the beginning of some job."""
        async with asyncio.timeout(10):
            while not condition():
                self._moved.clear()
                await self._moved.wait()


@pytest.fixture
async def rush(services: Services, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Rush]:
    await clear(services)
    taken = Rush()
    for lane in Lane:
        monkeypatch.setitem(jobs.TASKS, name(lane), taken.task(lane))
        monkeypatch.setitem(jobs.tasks.PLANS, name(lane), jobs.tasks.Plan(lane))
    monkeypatch.setattr(jobs.tasks, "PERIODIC", [])
    yield taken
    await services.db.write({"delete": "jobs", "deletes": [{"q": {}, "limit": 0}]})


def name(lane: Lane) -> str:
    return f"test.{lane.name.lower()}"


async def pile_up(services: Services, lane: Lane, number: int) -> None:
    """Many jobs at once, as they are stored."""
    await ask_for(services, name(lane))
    [one] = [row for row in await waiting(services) if row["lane"] == lane]
    rows = [{**one, "_id": (id := ids.new_id("job")), "token": id} for _ in range(number - 1)]
    await services.db.write({"insert": "jobs", "documents": rows})


def test_every_lane_has_places_of_its_own_and_higher_ones_have_more() -> None:
    for lane in Lane:
        assert (lane,) in lanes.PLACES
        # Were all places that lower lanes may take busy with them, some would be left.
        lower = {other for other in Lane if other > lane}
        assert any(lane in place and lower.isdisjoint(place) for place in lanes.PLACES)
    shares = [sum(lane in place for place in lanes.PLACES) for lane in Lane]
    assert shares[0] >= shares[1] > shares[2] >= shares[3]


def test_the_fewest_idle_places_look_for_work() -> None:
    assert list(lanes.places_for(lanes.EVERY, ())) == [0]
    assert list(lanes.places_for((Lane.BULK,), ())) == [0]
    assert list(lanes.places_for(lanes.EVERY, (0, 1, 2))) == [3, 7, 8]
    assert list(lanes.places_for((Lane.BULK,), (0, 1, 2))) == [8]
    assert list(lanes.places_for((Lane.BULK,), (0, 1, 2, 8))) == []
    assert list(lanes.places_for((Lane.CRITICAL,), (0, 1, 2, 3, 4, 8))) == [5]


async def test_a_higher_lane_comes_first_and_within_it_the_most_overdue(
    services: Services, rush: Rush
) -> None:
    for lane in (Lane.BULK, Lane.DEFAULT, Lane.TIMED, Lane.CRITICAL, Lane.BULK):
        await ask_for(services, name(lane))
    assert await jobs.run_due(services) == 5
    assert rush.began == [Lane.CRITICAL, Lane.DEFAULT, Lane.TIMED, Lane.BULK, Lane.BULK]


async def test_a_place_takes_from_its_lanes_alone(services: Services, rush: Rush) -> None:
    for lane in Lane:
        await ask_for(services, name(lane))
    assert await jobs.run_due(services, (Lane.CRITICAL, Lane.DEFAULT)) == 2
    assert rush.began == [Lane.CRITICAL, Lane.DEFAULT]
    assert {row["lane"] for row in await waiting(services)} == {Lane.TIMED, Lane.BULK}


async def test_a_job_may_have_another_lane_than_its_task(services: Services, rush: Rush) -> None:
    await ask_for(services, name(Lane.BULK), lane=Lane.CRITICAL)
    assert await jobs.run_due(services, (Lane.CRITICAL,)) == 1


async def test_a_claim_costs_a_read_and_a_write_whatever_waits(
    services: Services, rush: Rush, commands: Commands
) -> None:
    await pile_up(services, Lane.BULK, 2_000)
    await ask_for(services, name(Lane.CRITICAL))
    commands.reset()
    job, behind = await jobs.claim(services.db)
    assert job is not None
    assert (job["lane"], {row["lane"] for row in behind}) == (Lane.CRITICAL, {Lane.BULK})
    assert commands.counts == {"find": 1, "findAndModify": 1}
    commands.reset()
    assert await jobs.claim(services.db, (Lane.TIMED,)) == (None, [])
    assert commands.counts == {"find": 1}


@pytest.mark.parametrize("bulk_seconds", [0.0, 30.0], ids=["ten thousand wait", "all their places run"])
async def test_a_critical_job_starts_at_once_beside_ten_thousand_of_bulk(
    services: Services, rush: Rush, bulk_seconds: float
) -> None:
    rush.seconds[Lane.BULK] = bulk_seconds
    await pile_up(services, Lane.BULK, 10_000)
    shares = sum(Lane.BULK in place for place in lanes.PLACES)
    waits = []
    async with worker.working(services):
        await rush.until(lambda: len(rush.began) >= shares)
        for number in range(1, 6):
            began = time.perf_counter()
            await ask_for(services, name(Lane.CRITICAL))
            await rush.until(lambda number=number: rush.began.count(Lane.CRITICAL) == number)
            waits.append(time.perf_counter() - began)
        if bulk_seconds:
            assert rush.running[Lane.BULK] == shares
    print(f"\ncritical jobs began after {', '.join(f'{each * 1000:.0f}' for each in waits)} ms")
    # Of what waits behind BULK all would come late; one may on a machine with much to do.
    assert statistics.median(waits) < SOON


async def test_many_at_once_start_at_once_though_others_of_their_lane_take_long(
    services: Services, rush: Rush
) -> None:
    """No sweep comes within so long: who takes a job lets idle places look for those behind it."""
    rush.seconds[Lane.CRITICAL] = 30.0
    shares = sum(Lane.CRITICAL in place for place in lanes.PLACES)
    async with worker.working(services):
        await asyncio.sleep(0.1)
        began = time.perf_counter()
        await ask_for(services, name(Lane.CRITICAL), times=shares)
        await rush.until(lambda: rush.running[Lane.CRITICAL] == shares)
    assert time.perf_counter() - began < worker.SWEEP_SECONDS


@pytest.mark.parametrize("starved", [Lane.BULK, Lane.TIMED, Lane.DEFAULT])
async def test_no_lane_starves_while_all_others_rush(services: Services, rush: Rush, starved: Lane) -> None:
    for lane in set(Lane) - {starved}:
        rush.seconds[lane] = 30.0
        await pile_up(services, lane, 50)
    await ask_for(services, name(starved), times=20)
    async with worker.working(services):
        await rush.until(lambda: rush.began.count(starved) == 20)
        busy = sum(rush.running.values())
    assert busy >= len(lanes.PLACES) - 1


async def test_jobs_of_the_version_before_lanes_are_default_ones(services: Services, rush: Rush) -> None:
    former = {
        "_id": "job_former",
        "task": name(Lane.DEFAULT),
        "arguments": {"number": 1},
        "state": "WAITING",
        "due_at": clock.now(),
        "attempts": 0,
        "error": None,
        "created_at": clock.now(),
        "expires_at": None,
    }
    old = {"key": {"state": 1, "due_at": 1}, "name": "state_1_due_at_1"}
    await services.db.command({"createIndexes": "jobs", "indexes": [old]})
    await services.db.write({"insert": "jobs", "documents": [former]})
    assert await MIGRATIONS["core.job-lanes"](services.db) == 1
    assert await MIGRATIONS["core.job-lanes"](services.db) == 0
    answer = await services.db.command({"listIndexes": "jobs", "cursor": {}})
    assert old["name"] not in {each["name"] for each in answer["cursor"]["firstBatch"]}
    assert await jobs.run_due(services) == 1
    assert (rush.began, await waiting(services)) == ([Lane.DEFAULT], [])


async def test_places_share_what_one_look_found(rush: Rush, services: Services, commands: Commands) -> None:
    await ask_for(services, name(Lane.BULK), times=9)
    found = jobs.Found()
    commands.reset()
    places = [jobs.run_due(services, found=found, limit=3) for _ in range(3)]
    assert await asyncio.gather(*places) == [3, 3, 3]
    assert rush.began == [Lane.BULK] * 9
    assert (await waiting(services), commands.counts["find"] <= 5) == ([], True)


async def test_what_was_found_hides_nothing_more_urgent_for_long(
    rush: Rush, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ask_for(services, name(Lane.BULK), times=4)
    found = jobs.Found()
    assert await jobs.run_due(services, found=found, limit=1) == 1
    await ask_for(services, name(Lane.CRITICAL))
    # Places of that lane alone look at once, and all others when what was found is old.
    assert await jobs.run_due(services, (Lane.CRITICAL,), found=found) == 1
    await ask_for(services, name(Lane.CRITICAL))
    monkeypatch.setattr(jobs.running, "FOUND_SECONDS", -1.0)
    found.note(found.jobs)
    assert await jobs.run_due(services, found=found) == 4
    assert rush.began == [Lane.BULK, Lane.CRITICAL, Lane.CRITICAL, *[Lane.BULK] * 3]
