"""Jobs: enqueued in the transaction that wants them, run by any worker, retried, never lost."""

import asyncio
import time
from datetime import timedelta

import pytest
from pymongo.errors import NotPrimaryError
from redis.exceptions import ConnectionError as RedisDown
from structlog.testing import capture_logs

from core import clock, jobs
from core.context import Context, Services
from server import worker
from tests.conftest import NewPhone
from tests.engine.job_steps import NAME, Notes, ask_for, clear, waiting

ATTEMPTS = len(jobs.RETRIES) + 1


@pytest.fixture(autouse=True)
async def _nothing_left(services: Services) -> None:
    """Run the jobs that other tests left, and delete their dead letters."""
    await clear(services)


async def test_done_once_after_the_commit(services: Services, notes: Notes) -> None:
    await ask_for(services)
    assert notes.done == []
    assert await jobs.run_due(services) == 1
    assert notes.done == [{"number": 0}]
    assert await waiting(services) == []
    assert await jobs.run_due(services) == 0


async def test_what_is_not_committed_is_not_done(services: Services, notes: Notes) -> None:
    with pytest.raises(RuntimeError, match="undone"):
        await ask_for(services, fail=True)
    assert await jobs.run_due(services) == 0
    assert (notes.done, await waiting(services)) == ([], [])


async def test_a_failure_is_tried_again_after_longer_and_longer(services: Services, notes: Notes) -> None:
    notes.failure = ValueError("no")
    await ask_for(services)
    for attempt, wait in enumerate((2, 6, 18, 54), start=1):
        assert await jobs.run_due(services) == 1
        [job] = await waiting(services)
        assert (job["state"], job["attempts"], job["error"]) == ("WAITING", attempt, "ValueError")
        left = (job["due_at"] - clock.now()).total_seconds()
        assert wait - 1 < left <= wait
        assert await jobs.run_due(services) == 0
        clock.shift(timedelta(seconds=wait))
    notes.failure = None
    assert await jobs.run_due(services) == 1
    assert (len(notes.done), await waiting(services)) == (5, [])


@pytest.mark.parametrize(
    ("failure", "level"),
    [
        (ValueError("no"), "error"),
        (NotPrimaryError("an election"), "warning"),
        (RedisDown(), "warning"),
        (TimeoutError(), "warning"),
    ],
)
async def test_a_failure_that_an_outage_explains_is_a_warning_until_it_is_given_up(
    services: Services, notes: Notes, failure: Exception, level: str
) -> None:
    notes.failure = failure
    await ask_for(services)
    for _ in range(ATTEMPTS):
        with capture_logs() as logs:
            assert await jobs.run_due(services) == 1
        assert logs[0]["log_level"] == level
        clock.shift(timedelta(minutes=5))
    assert (logs[-1]["event"], logs[-1]["log_level"]) == ("job given up", "error")


async def test_a_dead_letter_is_listed_and_can_be_revived(services: Services, notes: Notes) -> None:
    notes.failure = ValueError("no")
    await ask_for(services)
    for _ in range(ATTEMPTS):
        assert await jobs.run_due(services) == 1
        clock.shift(timedelta(minutes=5))
    assert await jobs.run_due(services) == 0
    [dead] = await jobs.dead_letters(services.db)
    assert (dead["task"], dead["state"], dead["error"]) == (NAME, "DEAD", "ValueError")
    assert (dead["arguments"], dead["attempts"]) == ({"number": 0}, 5)
    # Somebody has a month to look at it.
    assert timedelta(days=29, hours=23) < dead["expires_at"] - clock.now() <= timedelta(days=30)
    assert await jobs.retry(services.db, "job_unknown") is False
    assert await jobs.retry(services.db, dead["_id"]) is True
    [revived] = await waiting(services)
    assert (revived["state"], revived["attempts"], revived["expires_at"]) == ("WAITING", 0, None)
    notes.failure = None
    assert await jobs.run_due(services) == 1
    assert (await jobs.dead_letters(services.db), await waiting(services)) == ([], [])


async def test_a_job_waits_until_it_is_due(services: Services, notes: Notes) -> None:
    await ask_for(services, due_at=clock.now() + timedelta(hours=1))
    clock.shift(timedelta(minutes=59))
    assert await jobs.run_due(services) == 0
    clock.shift(timedelta(minutes=1, seconds=1))
    assert await jobs.run_due(services) == 1
    assert notes.done == [{"number": 0}]


async def test_the_most_overdue_comes_first(services: Services, notes: Notes) -> None:
    now = clock.now()
    for minutes in (2, 3, 1):
        ctx = Context(services)
        due = now - timedelta(minutes=minutes)
        await ctx.unit(lambda ctx=ctx, due=due, n=minutes: jobs.enqueue(ctx.tx, NAME, due_at=due, number=n))
    await jobs.run_due(services)
    assert notes.done == [{"number": 3}, {"number": 2}, {"number": 1}]


async def test_two_workers_never_both_win_one(services: Services, notes: Notes) -> None:
    notes.seconds = 0.005
    await ask_for(services, times=50)
    claimed = await asyncio.gather(*(jobs.run_due(services) for _ in range(4)))
    assert sum(claimed) == 50
    assert all(claimed)
    assert sorted(each["number"] for each in notes.done) == list(range(50))
    assert await waiting(services) == []


async def test_a_worker_that_died_is_replaced(services: Services, notes: Notes) -> None:
    await ask_for(services)
    taken, _ = await jobs.claim(services.db)
    assert taken is not None
    # Nobody hears of that worker again.
    assert await jobs.run_due(services) == 0
    clock.shift(jobs.running.LEASE + timedelta(seconds=1))
    assert await jobs.run_due(services) == 1
    assert (notes.done, await waiting(services)) == ([{"number": 0}], [])


async def test_a_job_that_kills_workers_is_given_up(services: Services, notes: Notes) -> None:
    await ask_for(services)
    for _ in range(ATTEMPTS):
        taken, _ = await jobs.claim(services.db)
        assert taken is not None
        clock.shift(jobs.running.LEASE + timedelta(seconds=1))
    assert await jobs.run_due(services) == 1
    [dead] = await jobs.dead_letters(services.db)
    assert (dead["error"], notes.done) == ("WorkerDied", [])


async def test_an_unknown_task_is_kept_as_a_failure(services: Services) -> None:
    """A worker of an older version does not lose what a newer one wants."""
    await ask_for(services)
    assert NAME not in jobs.TASKS
    await jobs.run_due(services)
    [job] = await waiting(services)
    assert (job["state"], job["error"], job["attempts"]) == ("WAITING", "KeyError", 1)


async def test_a_periodic_task_runs_once_over_all_workers(
    services: Services, notes: Notes, monkeypatch: pytest.MonkeyPatch
) -> None:
    await services.db.write({"delete": "schedules", "deletes": [{"q": {"_id": NAME}, "limit": 0}]})
    monkeypatch.setattr(jobs.tasks, "PERIODIC", [jobs.Periodic(NAME, jobs.Every(timedelta(hours=1)))])

    async def all_workers() -> int:
        await asyncio.gather(*(jobs.enqueue_periodic(services.db) for _ in range(4)))
        await jobs.run_due(services)
        return len(notes.done)

    assert await all_workers() == 1
    clock.shift(timedelta(minutes=59))
    assert await all_workers() == 1
    clock.shift(timedelta(minutes=1, seconds=1))
    assert await all_workers() == 2


async def test_a_periodic_task_that_fails_stops_no_other(
    services: Services, notes: Notes, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = Notes()
    broken.failure = KeyError("bug")
    monkeypatch.setitem(jobs.TASKS, "test.broken", broken)
    names = ("test.broken", NAME)
    for name in names:
        await services.db.write({"delete": "schedules", "deletes": [{"q": {"_id": name}, "limit": 0}]})
    monkeypatch.setattr(
        jobs.tasks, "PERIODIC", [jobs.Periodic(name, jobs.Every(timedelta(hours=1))) for name in names]
    )
    assert await jobs.enqueue_periodic(services.db) == 2
    await jobs.run_due(services)
    assert (len(broken.done), len(notes.done)) == (1, 1)


async def test_a_worker_is_woken_at_once(
    services: Services, notes: Notes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By the queue: the next sweep is far away."""
    monkeypatch.setattr(worker, "SWEEP_SECONDS", 60.0)
    monkeypatch.setattr(jobs.tasks, "PERIODIC", [])
    async with worker.working(services):
        await asyncio.sleep(0.3)
        for number in range(1, 4):
            notes.came.clear()
            started = time.monotonic()
            await ask_for(services)
            async with asyncio.timeout(2):
                await notes.came.wait()
            assert time.monotonic() - started < 0.3
            assert len(notes.done) == number


async def test_a_worker_sweeps_what_nobody_announced(
    services: Services, notes: Notes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs.tasks, "PERIODIC", [])
    async with worker.working(services):
        await asyncio.sleep(0.1)
        with monkeypatch.context() as patched:
            patched.setattr(services, "wake", lambda: None)
            await ask_for(services)
        async with asyncio.timeout(worker.SWEEP_SECONDS + 1):
            await notes.came.wait()


@pytest.mark.parametrize("found_by", ["a sweep", "the queue"])
async def test_a_worker_told_to_stop_gives_its_job_back_and_spends_no_attempt(
    services: Services, notes: Notes, monkeypatch: pytest.MonkeyPatch, found_by: str
) -> None:
    """A deployment stops every worker: five of them in a row made dead letters of long work."""
    monkeypatch.setattr(jobs.tasks, "PERIODIC", [])
    monkeypatch.setattr(worker, "SWEEP_SECONDS", 0.1 if found_by == "a sweep" else 60.0)
    notes.seconds = 60.0
    async with worker.working(services):
        await asyncio.sleep(0.3)
        with monkeypatch.context() as patched:
            if found_by == "a sweep":
                patched.setattr(services, "wake", lambda: None)
            await ask_for(services)
        async with asyncio.timeout(5):
            await notes.began.wait()
        [taken] = await waiting(services)
        assert taken["attempts"] == 1
    [given_back] = await waiting(services)
    assert (given_back["state"], given_back["attempts"], given_back["error"]) == ("WAITING", 0, None)
    assert given_back["due_at"] <= clock.now()
    notes.seconds = 0.0
    assert await jobs.run_due(services) == 1
    assert await waiting(services) == []


async def test_a_periodic_task_that_is_cut_off_has_its_turn_again(
    services: Services, notes: Notes, monkeypatch: pytest.MonkeyPatch
) -> None:
    await services.db.write({"delete": "schedules", "deletes": [{"q": {"_id": NAME}, "limit": 0}]})
    monkeypatch.setattr(jobs.tasks, "PERIODIC", [jobs.Periodic(NAME, jobs.Every(timedelta(days=1)))])
    notes.seconds = 60.0
    async with worker.working(services), asyncio.timeout(5):
        await notes.began.wait()
    notes.seconds = 0.0
    assert await jobs.enqueue_periodic(services.db) == 0
    await jobs.run_due(services)
    assert len(notes.done) == 2


async def test_comments_of_a_deleted_post_are_erased(new_phone: NewPhone, services: Services) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    created = await ada.do("createPost", "post { id }", text="Hello", visibility="PUBLIC")
    post_id = created["post"]["id"]
    ids = []
    for text in ("One", "Two"):
        wrote = await grace.do("createComment", "comment { id }", postId=post_id, text=text)
        ids.append(wrote["comment"]["id"])
    reply = await ada.do("createComment", "comment { id }", postId=post_id, text="Reply", parentId=ids[0])
    ids.append(reply["comment"]["id"])
    await ada.do("setReaction", "subject { __typename }", subjectId=ids[0], kind="LIKE")
    await grace.do("setReaction", "subject { __typename }", subjectId=post_id, kind="LOVE")
    await ada.do("deletePost", "deletedPostId", postId=post_id)
    await jobs.run_due(services)
    assert await services.db.find("comments", {"post_id": post_id}) == []
    assert await services.db.find("reactions", {"subject_id": {"$in": [post_id, *ids]}}) == []
    entries = await services.db.find("changes", {"node": {"$in": [post_id, *ids]}})
    assert {entry["node"] for entry in entries} == {post_id, *ids}
    assert all(entry["deleted"] and entry["scopes"] == [] for entry in entries)
    own = {entry["_id"]: entry["former_scopes"] for entry in entries}
    assert all(f"user:{grace.user_id}" in own[id] for id in ids[:2])
    assert f"user:{ada.user_id}" in own[ids[2]]


async def test_work_that_takes_longer_than_the_lease_is_not_taken_over(
    services: Services, notes: Notes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A film takes minutes: whoever works on it renews the lease."""
    monkeypatch.setattr(jobs.running, "LEASE", timedelta(seconds=0.6))
    notes.seconds = 1.5
    await ask_for(services)
    working = asyncio.create_task(jobs.run_due(services))
    await asyncio.sleep(1.1)
    assert await jobs.run_due(services) == 0
    assert await working == 1
    assert notes.done == [{"number": 0}]


async def test_a_long_job_does_not_hold_up_the_others(services: Services, notes: Notes) -> None:
    notes.seconds = 4.0
    await ask_for(services)
    async with worker.working(services):
        await asyncio.wait_for(notes.began.wait(), 10)
        notes.seconds = 0.0
        await ask_for(services, times=3)
        await asyncio.wait_for(notes.came.wait(), 3.5)
    assert len(notes.done) >= 2
