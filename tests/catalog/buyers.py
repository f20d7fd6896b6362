"""Buyers in a process of their own: `python -m tests.catalog.buyers MONGO REDIS DATABASE VARIANT FIRST LAST`.

Each wants one unit, holds it, pays after a moment and tells so on a line. One in four first forgets a hold,
which has to expire. They begin when told to. Whoever finds nothing asks again, for holds may still expire,
until all are killed.
"""

import asyncio
import random
import sys
from datetime import timedelta
from pathlib import Path

from core import logs
from core.context import Context, Services
from core.errors import TimedOut
from core.settings import Environment, Settings
from resolvers.catalog import stock
from server import lifespan
from stores.catalog.kinds import HolderType, ReservationState

FORGOTTEN = timedelta(milliseconds=700)
AT_ONCE = 8


async def main(
    mongo_url: str, redis_url: str, database: str, data_dir: str, variant: str, first: int, last: int
) -> None:
    settings = Settings(
        env=Environment.TEST,
        mongo_url=mongo_url,
        redis_url=redis_url,
        mongo_database=database,
        # With the deployment's secret in it, which opens its keys.
        data_dir=Path(data_dir),
        log_level="ERROR",
    )
    logs.configure(settings)
    async with lifespan.services(settings) as services:
        gate = asyncio.Semaphore(AT_ONCE)
        say("READY")
        await asyncio.to_thread(sys.stdin.readline)
        await asyncio.gather(*(buyer(services, gate, variant, number) for number in range(first, last)))


async def buyer(services: Services, gate: asyncio.Semaphore, variant: str, number: int) -> None:
    random.seed(number)
    if number % 4 == 0:
        async with gate:
            await hold(services, variant, f"cart_{number}", FORGOTTEN)
    while True:
        async with gate:
            held = await hold(services, variant, f"order_{number}", timedelta(minutes=15))
            if held and await pay(services, f"order_{number}"):
                say(f"SOLD order_{number}")
                return
        await asyncio.sleep(random.uniform(0.2, 0.8))


async def hold(services: Services, variant: str, holder: str, ttl: timedelta) -> bool:
    ctx = Context(services)

    async def work() -> stock.Held:
        lines: list[stock.Line] = [{"variant_id": variant, "quantity": 1}]
        return await stock.reserve(ctx, stock.holder(HolderType.ORDER, holder), lines, ttl)

    try:
        return (await ctx.unit(work)).reservation is not None
    except TimedOut:
        return False


async def pay(services: Services, holder: str) -> bool:
    ctx = Context(services)
    try:
        held = await ctx.unit(lambda: stock.commit(ctx, stock.holder(HolderType.ORDER, holder)))
    except TimedOut:
        return False
    return bool(held.reservation and held.reservation["state"] == ReservationState.COMMITTED)


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:6], *map(int, sys.argv[6:])))  # type: ignore[call-arg]
