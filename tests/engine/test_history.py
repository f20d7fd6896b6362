"""Stateful property test (Hypothesis): whatever people and devices do, all devices converge."""

import asyncio
import os
import random
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar

import pytest
from aiohttp import ClientSession
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from core import clock, jobs
from core.context import Context, Services
from core.settings import Settings
from resolvers.auth.tokens import Tokens
from resolvers.catalog import imports
from server import lifespan
from tests.barcode.steps import new_code
from tests.catalog.steps import row
from tests.engine.crowd import Crowd
from tests.engine.replicas import TYPES, LiveReplica, Replica, World
from tests.order.steps import till
from tests.phone import Phone, make_user, sign_in_directly

LONG = os.environ.get("LANDFALL_LONG") == "1"
HISTORIES = int(os.environ.get("LANDFALL_HISTORIES", 135 if LONG else 3))
LEAST_STEPS = HISTORIES * (500 if LONG else 120)
"""A busy machine answers fewer acts before the phone gives up; a long run has some 100,000 on a quiet one.

Processes may share it, each with its part of `LANDFALL_HISTORIES`."""
RULES = 200 if LONG else 100
"""Of a history; each lets several people and devices act at once."""
PEOPLE = 5
PRODUCTS = 4
RATE_SCALE = 0.5
"""Rate limits are halved, so that flushes meet them."""
JUMP_SECONDS = 1_800.0
ARRIVAL_SECONDS = 7.0
LONGEST_RULE_SECONDS = 600.0 if LONG else 120.0
"""A long history ends with thousands of queued acts, on a machine that may be busy."""


@pytest.fixture(scope="module")
async def world(settings: Settings, http: ClientSession) -> AsyncIterator[World]:
    """A Landfall of its own, whose limits are met, and whose overlap is short: histories outgrow it."""
    own = settings.model_copy(update={"mongo_database": "history", "rate_scale": RATE_SCALE})
    async with lifespan.services(own) as services:
        # No transaction here takes a second.
        services.live.overlap = timedelta(seconds=2)
        codes = [new_code() for _ in range(PRODUCTS)]
        products = await _products(services, codes)
        async with till(services, http, "") as at:
            yield World(services, lifespan.make_schema(own), products, [*codes, new_code()], at.gateway)


async def _products(services: Services, codes: list[str]) -> list[str]:
    """A shop of a few products, each with a code."""
    ctx = Context(services)
    raw = [row(barcodes=code) for code in codes]
    given = [{name: text for name, text in each.items() if name != "rowIndex"} for each in raw]
    rows = [{**each, "row_index": number} for number, each in enumerate(given)]
    saved = await ctx.unit(lambda: imports.save_rows(ctx.tx, rows, publish=True))
    return [each["product"]["_id"] for each in saved]


@dataclass
class Tally:
    """Counts over all histories."""

    histories: int = 0
    steps: int = 0
    syncs: int = 0
    events: int = 0
    checks: int = 0
    fields: int = 0
    flushes: int = 0
    hottest: int = 0
    done: Counter[str] = field(default_factory=Counter)
    told: Counter[str] = field(default_factory=Counter)


class History(RuleBasedStateMachine):
    """Five people, each with three devices that ask, two of them with one that listens."""

    world: ClassVar[World]
    loop: ClassVar[asyncio.AbstractEventLoop]
    window_counter: ClassVar[Tally]

    def wait(self, work: Coroutine[Any, Any, Any]) -> None:
        working = asyncio.run_coroutine_threadsafe(work, self.loop)
        try:
            working.result(LONGEST_RULE_SECONDS)
        except TimeoutError:
            for each in asyncio.all_tasks(self.loop):
                each.print_stack()
            raise

    @initialize(dice=st.randoms(use_true_random=True))
    def begin(self, dice: random.Random) -> None:
        self.crowd, self.devices, self.live = None, [], []
        self.wait(self._begin(dice))
        self.window_counter.histories += 1

    async def _begin(self, dice: random.Random) -> None:
        people = []
        for number in range(PEOPLE):
            phone = Phone(None, "")  # type: ignore[arg-type]
            user_id = await make_user(self.world.services, f"Person {number}")
            await sign_in_directly(self.world.services, phone, user_id)
            people.append(self.world.services.get(Tokens).verify(phone.token or ""))
        self.crowd = Crowd(self.world, dice, people)
        self.devices = [
            Replica(self.world, person, types)
            for person in people
            for types in (None, None, dice.sample(TYPES, dice.randint(1, 4)))
        ]
        self.live = [LiveReplica(self.world, person) for person in people[:2]]
        for listener in self.live:
            await listener.connect()

    @rule(dice=st.randoms(use_true_random=True), writers=st.integers(0, 4), readers=st.integers(0, 4))
    def people_write_while_devices_read(self, dice: random.Random, writers: int, readers: int) -> None:
        self.crowd.dice = dice
        acts = [self.crowd.act() for _ in range(writers)]
        reads = [_read(dice, device) for device in dice.sample(self.devices, readers)]
        self.window_counter.steps += writers + readers
        self.window_counter.syncs += readers
        self.wait(_together([*acts, *reads]))

    @rule(dice=st.randoms(use_true_random=True), first=st.integers(1, 5), writers=st.integers(0, 3))
    def a_device_is_restored_from_a_backup(self, dice: random.Random, first: int, writers: int) -> None:
        """An old replica goes with its old token."""
        self.crowd.dice = dice
        device = dice.choice(self.devices)
        backup = device.backup()
        self.wait(_together([device.page(first), *(self.crowd.act() for _ in range(writers))]))
        device.restore(backup)
        self.window_counter.steps += 1 + writers

    @rule(number=st.integers(0, 3 * PEOPLE - 1))
    def a_device_is_set_up_anew(self, number: int) -> None:
        self.devices[number].forget()
        self.window_counter.steps += 1

    @rule(dice=st.randoms(use_true_random=True), number=st.integers(0, 1), writers=st.integers(0, 3))
    def a_listener_reconnects(self, dice: random.Random, number: int, writers: int) -> None:
        self.crowd.dice = dice
        self.wait(_together([_reconnect(self.live[number]), *(self.crowd.act() for _ in range(writers))]))
        self.window_counter.steps += 1 + writers

    @rule()
    def jobs_are_done(self) -> None:
        self.wait(jobs.run_due(self.world.services, limit=3))
        self.window_counter.steps += 1

    @rule(seconds=st.floats(-JUMP_SECONDS, JUMP_SECONDS))
    def a_clock_is_set(self, seconds: float) -> None:
        """A server's own: only MongoDB's decides what is news."""
        clock.reset()
        clock.shift(timedelta(seconds=seconds))
        self.window_counter.steps += 1

    @rule(number=st.integers(0, 3 * PEOPLE - 1), first=st.sampled_from([1, 3, 50, 1_000]))
    def a_device_has_everything(self, number: int, first: int) -> None:
        self.window_counter.steps += 1
        self.wait(self._everything(self.devices[number], first))

    async def _everything(self, device: Replica, first: int) -> None:
        await _quiet(self.world.services)
        await self._check(device, first)

    async def _check(self, device: Replica, first: int) -> None:
        self.window_counter.syncs += await device.catch_up(first)
        await self._compare(device)

    async def _compare(self, device: Replica) -> None:
        self.window_counter.checks += 1
        stale, fields = await device.stale()
        self.window_counter.fields += fields
        assert not stale, (
            f"{type(device).__name__} of {device.viewer.user_id}, types {device.types}, "
            f"as it is kept and as it is: {stale}"
        )

    def teardown(self) -> None:
        if getattr(self, "crowd", None) is not None:
            self.wait(self._end())

    async def _end(self) -> None:
        """Convergence: no device lacks anything, and none keeps anything that is gone."""
        await self.crowd.drain()
        await _quiet(self.world.services, drained_at=clock.moved())
        try:
            await self.crowd.check()
            for device in self.devices:
                await self._check(device, 50)
            for listener in self.live:
                await _arrived(listener)
                await self._compare(listener)
        finally:
            for listener in self.live:
                await listener.disconnect()
        self.window_counter.events += sum(listener.events for listener in self.live)
        self.window_counter.flushes += self.crowd.flushes
        self.window_counter.hottest = max(self.window_counter.hottest, self.crowd.hottest)
        self.window_counter.done += self.crowd.done
        # Acts of a flush are steps of their own.
        self.window_counter.steps += self.crowd.done.total()
        self.window_counter.told += self.crowd.told


async def test_every_device_ends_with_what_a_new_device_gets(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    History.world, History.loop, History.window_counter = world, asyncio.get_running_loop(), Tally()
    started = time.monotonic()
    await asyncio.to_thread(
        run_state_machine_as_test,
        History,
        settings=settings(
            max_examples=HISTORIES,
            stateful_step_count=RULES,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    tally = History.window_counter
    with capsys.disabled():
        sys.stdout.write(
            f"\nhistory: {tally.histories} histories, {tally.steps:,} steps, "
            f"{sum(tally.done.values()):,} mutations in {tally.flushes:,} flushes, come again "
            f"{dict(tally.told)}, {tally.syncs:,} syncs, {tally.events:,} live events, "
            f"{tally.hottest} comments and reactions on the hottest post, "
            f"{tally.checks:,} comparisons of {tally.fields:,} fields, 0 stale, 0 losses, "
            f"{time.monotonic() - started:.0f} s\n"
        )
    assert tally.steps >= LEAST_STEPS
    # The limits were met, and what followed waited.
    assert tally.told["RATE_LIMITED"] > 0
    assert tally.told["DEFERRED"] > 0


async def _quiet(services: Services, *, drained_at: float = 0.0) -> None:
    """Run all jobs that are due: the comments of a deleted post, for one, are erased by a job."""
    # Jobs may be due by a clock that was ahead.
    clock.reset()
    clock.shift(timedelta(seconds=max(0.0, drained_at) + JUMP_SECONDS + 1))
    while await jobs.run_due(services):
        continue
    # What was moved by deltas is added up.
    while await services.counters.fold_left():
        continue
    clock.reset()


async def _together(work: list[Coroutine[Any, Any, Any]]) -> None:
    await asyncio.gather(*work)


async def _read(dice: random.Random, device: Replica) -> None:
    await device.page(dice.choice([1, 2, 3, 7, 50]), lost=dice.randint(1, 10) == 1)


async def _reconnect(listener: LiveReplica) -> None:
    await listener.disconnect()
    await listener.connect()


async def _arrived(listener: LiveReplica) -> None:
    """Wait for what is on its way: a hint may be late, and is made good by the next sweep."""
    for _ in range(round(ARRIVAL_SECONDS / 0.1)):
        if listener.nodes == await listener.fresh():
            return
        await asyncio.sleep(0.1)
