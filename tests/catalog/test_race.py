"""Many buyers of few units, in two processes, one of which is killed."""

import asyncio
import os
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from core.context import Services
from core.settings import Settings
from core.storage import mongo
from jobs import catalog as jobs
from stores.catalog import stock
from stores.catalog.kinds import ReservationState
from tests.catalog.steps import on_sale, row
from tests.phone import Phone

LONG = bool(os.environ.get("LANDFALL_LONG"))
BUYERS, UNITS = (200, 50) if LONG else (60, 15)
PATIENCE = 240
"""Seconds; four processes start meanwhile, on a machine that may be busy."""


@dataclass
class Crowd:
    """A process of buyers."""

    process: asyncio.subprocess.Process
    sold: list[str] = field(default_factory=list)
    ready: asyncio.Event = field(default_factory=asyncio.Event)

    def begin(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(b"\n")

    async def listen(self) -> None:
        assert self.process.stdout is not None
        while line := (await self.process.stdout.readline()).decode().split():
            if line[0] == "READY":
                self.ready.set()
            elif line[0] == "SOLD":
                self.sold.append(line[1])


@asynccontextmanager
async def crowd(settings: Settings, variant: str, first: int, last: int) -> AsyncIterator[Crowd]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.catalog.buyers", settings.mongo_url, settings.redis_url, settings.mongo_database),
        *(str(settings.data_dir), variant, str(first), str(last)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    found = Crowd(process)
    listening = asyncio.create_task(found.listen())
    try:
        yield found
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await listening


async def figures(services: Services, variant: str) -> dict[str, int]:
    """The level and its holds, of one moment; whatever is read must add up."""
    async with mongo.transaction(services.db) as db:
        [level] = await stock.levels(db, [variant])
        holds = await stock.reservations.find(db, {"lines.variant_id": variant})
    quantities: Counter[str] = Counter()
    for each in holds:
        quantities[each["state"]] += sum(line["quantity"] for line in each["lines"])
    free = level["on_hand"] - level["reserved"]
    assert free + level["reserved"] + level["sold"] == UNITS, level
    assert level["available"] == free >= 0, level
    assert level["reserved"] == quantities[ReservationState.HELD], (level, quantities)
    assert level["sold"] == quantities[ReservationState.COMMITTED], (level, quantities)
    return {"free": free, "held": level["reserved"], "sold": level["sold"]}


@pytest.mark.faults
async def test_every_unit_is_sold_once_whoever_dies(
    services: Services, settings: Settings, admin: Phone, capsys: pytest.CaptureFixture[str]
) -> None:
    [product] = await on_sale(services, admin, row(stock=str(UNITS)))
    variant = product["variants"][0]["id"]
    half, reads = BUYERS // 2, 0
    async with (
        asyncio.timeout(PATIENCE),
        crowd(settings, variant, 0, half) as living,
        crowd(settings, variant, half, BUYERS) as dying,
        crowd(settings, variant, half, BUYERS) as again,
    ):
        await asyncio.gather(*(each.ready.wait() for each in (living, dying, again)))
        living.begin()
        dying.begin()
        while (await figures(services, variant))["sold"] < UNITS // 5:
            reads += 1
        dying.process.kill()
        await dying.process.wait()
        killed_at = (await figures(services, variant))["sold"]
        # Its phones try again elsewhere, under the same names.
        again.begin()
        while (now := await figures(services, variant))["sold"] < UNITS or now["held"]:
            reads += 1
            await jobs.expire_holds(services)
            await asyncio.sleep(0.02)
        assert now == {"free": 0, "held": 0, "sold": UNITS}
    told = {*living.sold, *dying.sold, *again.sold}
    holds = await stock.reservations.find(services.db, {"lines.variant_id": variant})
    states = Counter(each["state"] for each in holds)
    buyers = [each["holder"]["id"] for each in holds if each["state"] == ReservationState.COMMITTED]
    assert len(buyers) == len(set(buyers)) == UNITS
    assert told <= set(buyers)
    assert states[ReservationState.EXPIRED] > 0
    with capsys.disabled():
        print(
            f"\n{BUYERS} buyers of {UNITS} units in two processes, one killed after {killed_at} were sold: "
            f"{now['sold']} sold, {dict(states)}, every one of {reads} reads adds up"
        )
