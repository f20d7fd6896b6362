"""Servers and workers go away between the steps of the audit log's jobs: no entry is lost or doubled."""

import asyncio
import os
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Any

import pytest
from pymongo.errors import PyMongoError

from core import clock, ids, jobs
from core.audit import Act, record_apart
from core.context import Context, Services
from core.errors import TimedOut
from core.ledger import chain
from devstack.servers import embedded
from resolvers.audit import copying, sealing, sequencing, verifying
from resolvers.audit.waking import TASK
from server import lifespan
from stores import audit as store
from stores.audit import AuditEntryStatus, IntegrityCheckKind
from tests.audit.logs import links_of, statuses
from tests.faults.deployment import Deployment, Process, Saboteur
from tests.server.conftest import eventually

LONG = bool(os.environ.get("LANDFALL_LONG"))
ENTRIES = 12
ACTORS = 3
PAUSE = 0.02
"""Between two acts of somebody who writes all the time: each is a transaction."""
SECONDS = 90.0

Step = Callable[..., Awaitable[Any]]

STEPS: dict[str, tuple[ModuleType, str, bool]] = {
    "the sequencer has read what waits": (sequencing, "_accepted", True),
    "the sequencer has written and not committed": (sequencing, "_append", True),
    "the sealer has signed and not committed": (sealing, "next_checkpoint", True),
    "the copier is about to lock a copy away": (copying, "_put", False),
    "the copier has not said that it did": (copying, "_put", True),
}
"""Function of a step, and whether the fault comes after it."""


@dataclass
class Stage:
    """Services beside a deployment of which parts go away."""

    deployment: Deployment
    services: Services


@pytest.fixture(scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    with embedded(ephemeral=True, members=3) as servers:
        deployment = Deployment(servers, tmp_path_factory.mktemp("audit"))
        environment(deployment)
        settings = deployment.settings.model_copy(update={"data_dir": deployment.folder})
        async with lifespan.services(settings) as services:
            yield Stage(deployment, services)


def environment(deployment: Deployment) -> dict[str, str]:
    """Environment of a process that locks copies away where the test looks for them."""
    return deployment.environment(LANDFALL_DATA_DIR=str(deployment.folder))


async def persist(work: Callable[[], Awaitable[object]]) -> None:
    """Do it again while servers are away, as a caller does who was not answered."""
    while True:
        try:
            await work()
        except (PyMongoError, TimedOut, ConnectionError, TimeoutError):
            await asyncio.sleep(0.05)
        else:
            return


async def put(services: Services, org: str, number: int) -> None:
    """Put an act on record once, however often that has to be tried."""
    act = Act(
        "tested.done",
        details={"number": number},
        entry_key=f"{org}:{number}",
        actor_id=f"user_{number % ACTORS}",
        org_id=org,
    )
    await persist(lambda: record_apart(Context(services), act))


async def work_off(services: Services, org: str) -> None:
    """Run the jobs of the log until each entry is in a checkpoint, and each checkpoint in locked storage."""

    async def turn() -> None:
        # As after the minute in which a worker that died renews nothing.
        soon = {"q": {"state": "WAITING"}, "u": {"$set": {"due_at": clock.now()}}, "multi": True}
        await services.db.write({"update": jobs.queue.name, "updates": [soon]})
        for name, arguments in ((TASK, {}), ("audit.seal", {"org_id": org})):
            await jobs.enqueue_now(services.db, name, **arguments)
            await jobs.run_due(services)

    while not await is_done(services, org):
        with suppress(PyMongoError, TimedOut):
            await turn()
        await asyncio.sleep(0.1)


async def is_done(services: Services, org: str) -> bool:
    try:
        entries = await store.entries.find(services.db, {"org_id": org})
        rows = await store.checkpoints.find(services.db, {"org_id": org})
        sealed = await statuses(services, entries) == {AuditEntryStatus.SEALED}
    except (PyMongoError, TimedOut):
        return False
    return sealed and bool(rows) and all(row["copied_at"] is not None for row in rows)


async def check(services: Services, org: str, count: int) -> None:
    """Each entry is there once, in its chain and in the log, and the log is sound."""
    entries = await store.entries.find(services.db, {"org_id": org})
    assert Counter(entry["details"]["number"] for entry in entries) == Counter(range(count))
    chain_ids = {entry["chain_id"] for entry in entries}
    links = {chain_id: await links_of(services, chain_id) for chain_id in chain_ids}
    for own in links.values():
        assert [link["seq"] for link in own] == list(range(len(own)))
        before = [chain.EMPTY.current_hash, *(link["current_hash"] for link in own)]
        assert [link["previous_hash"] for link in own] == before[:-1]
    placed = [link["entry_id"] for own in links.values() for link in own]
    assert sorted(placed) == sorted(entry["_id"] for entry in entries)
    verdict = await verifying.verify_log(services, org, IntegrityCheckKind.WHOLE)
    assert (verdict["integrity_valid"], verdict["log_size"], verdict["damages"]) == (True, count, [])
    rows = await store.checkpoints.find(services.db, {"org_id": org}, sort=[("size", 1)])
    assert await copying.latest_copy(services, org) == (rows[-1]["size"], rows[-1]["note"])


def struck(step: Step, fault: Step, *, after: bool, faults: list[str]) -> Step:
    """The step, with a fault before or after the first time that it is taken."""

    async def strike() -> None:
        if not faults:
            faults.append(fault.__name__)
            await fault()

    async def taken(*given: Any, **named: Any) -> Any:
        if not after:
            await strike()
        done = await step(*given, **named)
        if after:
            await strike()
        return done

    return taken


@pytest.mark.faults
@pytest.mark.parametrize("fault", ["step_down", "stop_redis"] if LONG else ["step_down"])
@pytest.mark.parametrize("step", STEPS)
async def test_a_fault_between_two_steps_of_the_jobs_costs_no_entry(
    stage: Stage, monkeypatch: pytest.MonkeyPatch, step: str, fault: str
) -> None:
    org, services, faults = ids.new_id("org"), stage.services, list[str]()
    module, name, after = STEPS[step]
    strike = getattr(Saboteur(stage.deployment, random.Random(7)), fault)
    async with asyncio.timeout(SECONDS):
        for number in range(ENTRIES):
            await put(services, org, number)
        monkeypatch.setattr(module, name, struck(getattr(module, name), strike, after=after, faults=faults))
        await work_off(services, org)
        monkeypatch.undo()
        for number in range(ENTRIES, ENTRIES + ACTORS):
            await put(services, org, number)
        await work_off(services, org)
        await check(services, org, ENTRIES + ACTORS)
    assert faults == [fault]


@pytest.mark.faults
async def test_workers_that_are_killed_while_servers_come_and_go_lose_no_entry(stage: Stage) -> None:
    org, services = ids.new_id("org"), stage.services
    worker = Process(["worker"], environment(stage.deployment), stage.deployment.folder / "worker.log")
    saboteur = Saboteur(stage.deployment, random.Random(7))
    written, over = 0, asyncio.Event()

    async def write() -> None:
        nonlocal written
        while not over.is_set():
            await put(services, org, written)
            written += 1
            await asyncio.sleep(PAUSE)

    async def seals() -> bool:
        return bool(await store.checkpoints.find(services.db, {"org_id": org}, limit=1))

    async def goes_on(count: int) -> bool:
        return written >= count

    async def kill_worker() -> None:
        worker.kill()
        worker.start()

    worker.start()
    try:
        async with asyncio.timeout(SECONDS):
            writing = asyncio.create_task(write())
            # Begun once the worker works, so that each kill meets it.
            await eventually(seals, seconds=SECONDS)
            outages = (saboteur.stop_redis, saboteur.kill_member, kill_worker) if LONG else ()
            for fault in (kill_worker, saboteur.step_down, *outages):
                await fault()
                await eventually(partial(goes_on, written + ENTRIES), seconds=SECONDS)
            over.set()
            await writing
            worker.kill()
            await work_off(services, org)
    finally:
        over.set()
        worker.stop()
    await check(services, org, written)
