"""Workers are killed while they deliver: every notification arrives, and what comes twice says so."""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator
from email import message_from_bytes
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, Envelope

from core import clock, jobs
from core.context import Context, Services
from core.jobs import Lane
from core.jobs.lanes import PLACES
from devstack.servers import embedded
from resolvers.notification import PriorityLevel, notify
from server import lifespan
from stores import notification as store
from stores.notification import DeliveryStatus, NotificationChannel
from tests.faults.deployment import Deployment, Process
from tests.phone import make_user

LONG = bool(os.environ.get("LANDFALL_LONG"))
NOTIFICATIONS, KILLS = (200, 8) if LONG else (40, 2)
PEOPLE = 10
SECONDS = 240.0
AT_ONCE = sum(Lane.BULK in lanes for lanes in PLACES)
"""Deliveries that a worker may be at when it is killed."""


class Mailbox:
    """Takes mail, and kills the worker every so often, before it has heard that its mail was taken."""

    def __init__(self, every: int) -> None:
        self.taken: Counter[str] = Counter()
        self.killed = False
        self.kills = 0
        self.worker: Process | None = None
        self._every = every

    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        self.taken[message_from_bytes(content)["Message-ID"]] += 1
        if self.kills < KILLS and len(self.taken) >= self._every * (self.kills + 1) and self.worker:
            self.kills += 1
            self.worker.kill()
            self.killed = True
        return "250 OK"


@pytest.fixture
async def mailbox() -> AsyncIterator[tuple[Mailbox, int]]:
    box = Mailbox(NOTIFICATIONS // (KILLS + 1))
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(box, hostname="localhost"), "127.0.0.1", 0)
    yield box, server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()


async def test_failure_worker_dies_in_a_delivery_or_chunk_each_notification_arrives(
    tmp_path: Path, mailbox: tuple[Mailbox, int]
) -> None:
    box, port = mailbox
    with embedded(ephemeral=True) as servers:
        deployment = Deployment(servers, tmp_path)
        environment = deployment.environment(LANDFALL_SMTP_URL=f"smtp://127.0.0.1:{port}")
        worker = Process(["worker"], environment, tmp_path / "worker.log")
        async with lifespan.services(deployment.settings) as services:
            await _tell(services)
            box.worker = worker
            worker.start()
            try:
                await asyncio.wait_for(_see_through(services, box, worker), SECONDS)
            finally:
                worker.stop()
            rows = await store.deliveries.find(services.db, {}, limit=10_000)
    refs = Counter(row["provider_ref"] for row in rows)
    doubles = sum(box.taken.values()) - len(box.taken)
    print(
        f"\n{len(rows)} notifications, {box.kills} workers killed, {sum(box.taken.values())} mails, "
        f"{doubles} of them twice, {len(box.taken)} in the mailbox"
    )
    assert (len(rows), box.kills) == (NOTIFICATIONS, KILLS)
    assert {row["status"] for row in rows} == {DeliveryStatus.SENT}
    assert {f"<{ref}>" for ref in refs} == set(box.taken)
    assert max(refs.values()) == 1
    assert doubles <= KILLS * AT_ONCE


async def _tell(services: Services) -> None:
    people = [await make_user(services, f"Person {number}") for number in range(PEOPLE)]
    for number in range(NOTIFICATIONS):
        ctx = Context(services)
        told: dict[str, Any] = {
            "source": "SYSTEM",
            "dedupe_key": f"fault-{number}",
            "title": f"News {number}",
            "user_ids": [people[number % PEOPLE]],
            "priority": PriorityLevel.LOW,
            "channels": [NotificationChannel.EMAIL],
        }
        await ctx.unit(partial(notify, ctx, **told))


async def _see_through(services: Services, box: Mailbox, worker: Process) -> None:
    """Start the worker again whenever it was killed, until all is sent."""
    while not await _sent(services):
        if box.killed:
            box.killed = False
            await _let_leases_end(services)
            worker.start()
        await asyncio.sleep(0.1)


async def _sent(services: Services) -> bool:
    rows = await store.deliveries.find(services.db, {}, limit=10_000)
    done = [row for row in rows if row["status"] == DeliveryStatus.SENT]
    return len(done) == NOTIFICATIONS


async def _let_leases_end(services: Services) -> None:
    """As after a minute in which the worker that died did not renew them."""
    begun = {"state": "WAITING", "attempts": {"$gt": 0}}
    update = {"q": begun, "u": {"$set": {"due_at": clock.now()}}, "multi": True}
    await services.db.write({"update": jobs.queue.name, "updates": [update]})
