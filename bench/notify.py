"""Figures of notifications: `make bench-notify`. Embedded servers on loopback, a provider that takes all."""

import argparse
import asyncio
import statistics
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import uvloop
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent
from rich.table import Table

from bench.console import console
from bench.embedded_settings import embedded_settings
from core.context import Context, Services
from core.ports import Sent
from resolvers.notification import NotificationChannel, PriorityLevel, notify
from server import lifespan, worker
from tests.phone import make_user

out = console(110)
NOTIFICATIONS, PEOPLE, URGENT = 10_000, 200, 30
PROVIDER_SECONDS = 0.005
"""Time that the provider takes for an answer."""
EMAIL = NotificationChannel.EMAIL
Writes = list[tuple[str, int]]


class Written(CommandListener):
    """Notes which collections are written, and how many documents; and how many commands there are."""

    def __init__(self) -> None:
        self.inserts: Writes = []
        self.commands = 0

    def started(self, event: CommandStartedEvent) -> None:
        self.commands += 1
        if event.command_name == "insert":
            self.inserts.append((event.command["insert"], len(event.command["documents"])))

    def succeeded(self, event: CommandSucceededEvent) -> None:
        pass

    def failed(self, event: CommandFailedEvent) -> None:
        pass


class Mailbox:
    """Mailer that records when it was called, by the subject."""

    def __init__(self) -> None:
        self.called_at: dict[str, float] = {}
        self.taken = 0
        self.came = asyncio.Event()

    async def send(self, *, subject: str, **_: Any) -> Sent:
        self.called_at[subject] = time.perf_counter()
        await asyncio.sleep(PROVIDER_SECONDS)
        self.taken += 1
        self.came.set()
        return Sent(subject)


@asynccontextmanager
async def running(written: Written, mailbox: Mailbox) -> AsyncIterator[Services]:
    """Services over embedded servers that write as they would in development."""
    with embedded_settings() as settings:
        async with lifespan.services(settings, listeners=[written]) as services:
            services.mailer = mailbox
            yield services


async def tell(services: Services, title: str, people: list[str], priority: PriorityLevel) -> None:
    ctx = Context(services)
    told: dict[str, Any] = {"source": "SYSTEM", "dedupe_key": title, "title": title, "user_ids": people}
    await ctx.unit(partial(notify, ctx, **told, priority=priority, channels=[EMAIL]))


async def enqueue(services: Services, count: int, people: list[str]) -> float:
    """Tell of so many things; CPU of one notify() in milliseconds."""
    began = time.process_time()
    for number in range(count):
        await tell(services, f"bulk {number}", [people[number % len(people)]], PriorityLevel.LOW)
    return (time.process_time() - began) / count * 1000


async def interrupt(services: Services, mailbox: Mailbox, people: list[str]) -> list[float]:
    """Milliseconds until CRITICAL notifications reach the provider while others wait, sorted."""
    took = []
    for number in range(URGENT):
        began, title = time.perf_counter(), f"critical {number}"
        await tell(services, title, [people[0]], PriorityLevel.CRITICAL)
        while title not in mailbox.called_at:
            mailbox.came.clear()
            await mailbox.came.wait()
        took.append((mailbox.called_at[title] - began) * 1000)
    return sorted(took)


async def drained(mailbox: Mailbox, count: int) -> None:
    while mailbox.taken < count:
        mailbox.came.clear()
        await mailbox.came.wait()


async def deliver_to_all(services: Services, mailbox: Mailbox, count: int, people: list[str]) -> float:
    """Deliveries a second of as many messages, each notification to all the people."""
    notifications = max(1, count // len(people))
    for number in range(notifications):
        await tell(services, f"to all {number}", people, PriorityLevel.LOW)
    before, began = mailbox.taken, time.perf_counter()
    async with worker.working(services):
        await drained(mailbox, before + notifications * len(people))
    return notifications * len(people) / (time.perf_counter() - began)


async def measure(count: int) -> Table:
    written, mailbox, total = Written(), Mailbox(), count + PEOPLE + URGENT
    table = Table("", "measured", "asked", title=f"Notifications, {count:,} to {PEOPLE} people")
    async with running(written, mailbox) as services:
        people = [await make_user(services, f"Person {number}") for number in range(PEOPLE)]
        written.inserts.clear()
        await tell(services, "one", people, PriorityLevel.LOW)
        made = ", ".join(f"{count} of {name}" for name, count in written.inserts)
        table.add_row(f"inserts of notify() to {PEOPLE} people", made, "1")
        table.add_row(
            "notify() in a unit of its own, CPU", f"{await enqueue(services, count, people):.2f} ms", ""
        )
        began, cpu, commands = time.perf_counter(), time.process_time(), written.commands
        async with worker.working(services):
            waits = await interrupt(services, mailbox, people)
            left = total - mailbox.taken
            await drained(mailbox, total)
        took, spent = time.perf_counter() - began, time.process_time() - cpu
        commands = written.commands - commands
        at_once = await deliver_to_all(services, mailbox, count, people)
    table.add_row("CRITICAL reaches the provider, median", f"{statistics.median(waits):.0f} ms", "")
    table.add_row("CRITICAL reaches the provider, slowest", f"{waits[-1]:.0f} ms", "200 ms")
    table.add_row("others that still waited then", f"{left:,}", "")
    table.add_row(
        "one worker, a notification for each person", f"{total / took:.0f} a second", "200 a second"
    )
    table.add_row("the same, CPU", f"{spent / total * 1000:.2f} ms", "")
    table.add_row("the same, commands of MongoDB", f"{commands / total:.1f}", "")
    table.add_row(f"one worker, each to {PEOPLE} people", f"{at_once:.0f} a second", "200 a second")
    return table


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=NOTIFICATIONS)
    # On the event loop of a worker.
    out.print(uvloop.run(measure(parser.parse_args().count)))
