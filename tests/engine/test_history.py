"""Random histories: whatever people do and however devices read, each ends with what a new device gets."""

import asyncio
import os
import random
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta

import pytest

from core import clock, jobs
from core.context import Services
from core.settings import Settings
from server import assembly
from tests.engine.replicas import TYPES, Crowd, LiveReplica, Replica, World
from tests.phone import Phone, make_user, sign_in_directly

LONG = os.environ.get("LANDFALL_LONG") == "1"
STEPS = 2_500
HISTORIES = 40 if LONG else 1
"""Each begins anew: another seed, other people, and devices that have little to compare."""
LONGEST_SECONDS = 120.0 if LONG else 45.0
SEED = int(os.environ.get("LANDFALL_SEED", "20260731"))
PEOPLE = 5
BETWEEN_CHECKS = 400
JUMP_SECONDS = 1_800.0
ARRIVAL_SECONDS = 7.0


@pytest.fixture(scope="module")
async def world(settings: Settings) -> AsyncIterator[World]:
    """A Landfall of its own, without rate limits, whose overlap is short so that histories outgrow it."""
    own = settings.model_copy(update={"mongo_database": "history", "rate_scale": 1_000_000.0})
    async with assembly.services(own) as services:
        # No transaction here takes a second.
        services.live.overlap = timedelta(seconds=2)
        yield World(services, assembly.make_schema(own))


@dataclass
class Tally:
    steps: int = 0
    syncs: int = 0
    checks: int = 0
    losses: int = 0
    how: Counter[str] = field(default_factory=Counter)


@pytest.mark.parametrize("number", range(HISTORIES))
async def test_every_device_ends_with_what_a_new_device_gets(
    world: World, capsys: pytest.CaptureFixture[str], number: int
) -> None:
    dice = random.Random(SEED + number)
    crowd, devices, live = await _settled(world, dice)
    tally = Tally()
    started = time.monotonic()
    while tally.steps < STEPS and time.monotonic() - started < LONGEST_SECONDS:
        until = tally.steps + BETWEEN_CHECKS
        while tally.steps < until:
            await _tick(world, dice, crowd, devices, live, tally)
        await _quiet(world.services)
        for device in devices:
            await _check(dice, device, tally)
        for listener in live:
            await _arrived(listener)
            await _compare(listener, tally)
    for listener in live:
        await listener.disconnect()
    events = sum(listener.events for listener in live)
    with capsys.disabled():
        sys.stdout.write(
            f"\nhistory: {tally.steps:,} steps, {sum(crowd.done.values()):,} mutations, "
            f"{tally.syncs:,} syncs, {events:,} live events, {tally.checks:,} comparisons, "
            f"{tally.losses} losses, seed {SEED + number}, {time.monotonic() - started:.0f} s\n"
        )
    assert tally.losses == 0
    assert tally.steps >= 2_000


async def _settled(world: World, dice: random.Random) -> tuple[Crowd, list[Replica], list[LiveReplica]]:
    people = []
    for number in range(PEOPLE):
        phone = Phone(None, "")  # type: ignore[arg-type]
        await sign_in_directly(world.services, phone, await make_user(world.services, f"Person {number}"))
        people.append(world.services.get(assembly.Tokens).verify(phone.token or ""))
    devices = [
        Replica(world, person, types)
        for person in people
        for types in (None, None, dice.sample(TYPES, dice.randint(1, 4)))
    ]
    live = [LiveReplica(world, person) for person in people[:2]]
    return Crowd(world, dice, people), devices, live


async def _tick(
    world: World,
    dice: random.Random,
    crowd: Crowd,
    devices: list[Replica],
    live: list[LiveReplica],
    tally: Tally,
) -> None:
    """Some people write while some devices read."""
    writers = [crowd.act() for _ in range(dice.randint(0, 3))]
    readers = [_read(dice, device, tally) for device in dice.sample(devices, dice.randint(0, 3))]
    if dice.random() < 0.05:
        readers.append(_reconnect(dice.choice(live)))
    if dice.random() < 0.03:
        writers.append(_errands(world.services))
    if dice.random() < 0.02:
        # A server whose clock is set: only MongoDB's decides what is news.
        clock.reset()
        clock.shift(timedelta(seconds=dice.uniform(-JUMP_SECONDS, JUMP_SECONDS)))
    tally.steps += len(writers) + len(readers)
    await asyncio.gather(*writers, *readers)


async def _errands(services: Services) -> None:
    await jobs.run_due(services, limit=3)


async def _read(dice: random.Random, device: Replica, tally: Tally) -> None:
    tally.syncs += 1
    chance = dice.random()
    if chance < 0.02:
        device.forget()
    elif chance < 0.06:
        # Restored from a backup: an old replica goes with its old token.
        backup = device.backup()
        await device.page(dice.randint(1, 5))
        device.restore(backup)
    await device.page(dice.choice([1, 2, 3, 7, 50]), lost=dice.random() < 0.1)


async def _reconnect(listener: LiveReplica) -> None:
    await listener.disconnect()
    await listener.connect()


async def _quiet(services: Services) -> None:
    # Errands may be due by a clock that was ahead.
    clock.reset()
    clock.shift(timedelta(seconds=JUMP_SECONDS + 1))
    while await jobs.run_due(services):
        continue
    clock.reset()


async def _check(dice: random.Random, device: Replica, tally: Tally) -> None:
    tally.syncs += await device.catch_up(dice.choice([1, 3, 50, 1_000]))
    await _compare(device, tally)
    await device.page(50)
    assert device.nodes == await device.fresh()


async def _arrived(listener: LiveReplica) -> None:
    """Wait for what is on its way: a hint may be late, and is made good by the next sweep."""
    for _ in range(round(ARRIVAL_SECONDS / 0.1)):
        if listener.nodes == await listener.fresh():
            return
        await asyncio.sleep(0.1)


async def _compare(device: Replica, tally: Tally) -> None:
    tally.checks += 1
    fresh = await device.fresh()
    for id in sorted({*fresh, *device.nodes}):
        if fresh.get(id) != device.nodes.get(id):
            tally.losses += 1
            raise AssertionError(
                f"step {tally.steps}, {type(device).__name__} of {device.viewer.user_id}, "
                f"types {device.types}: {id} is {device.nodes.get(id)} and should be {fresh.get(id)}"
            )
