"""Workers are killed while they deliver: every notification arrives, and what may come twice is bounded.

Mails of one delivery have one Message-ID, by which a mailbox keeps one: nobody sees it twice. Text messages
have nothing of the kind, so there is one at a time: of each worker that was killed one may come twice.
"""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiosmtpd.smtp import SMTP as SmtpServer
from aiosmtpd.smtp import Envelope

from core import clock, jobs
from core.context import Context, Services
from core.jobs import Lane
from core.jobs.lanes import PLACES
from devstack.servers import embedded
from resolvers.auth import phones, telling
from resolvers.notification import NotificationChannel, PriorityLevel, consents, notify
from server import lifespan
from stores import notification as store
from stores.notification import ConsentSource, ConsentStatus, DeliveryStatus
from tests.faults.deployment import Deployment, Process
from tests.phone import make_user

EMAIL, SMS = NotificationChannel.EMAIL, NotificationChannel.SMS
LONG = bool(os.environ.get("LANDFALL_LONG"))
NOTIFICATIONS, KILLS = (200, 8) if LONG else (40, 2)
PEOPLE = 10
SECONDS = 240.0
AT_ONCE = sum(Lane.BULK in lanes for lanes in PLACES)
"""Mails that a worker may be at when it is killed."""


class Taking:
    """Takes messages, and kills the worker every so often, before it has heard that its message was taken."""

    def __init__(self) -> None:
        self.taken: Counter[str] = Counter()
        self.killed = False
        self.kills = 0
        self.worker: Process | None = None
        self.environment: dict[str, str] = {}

    def take(self, message: str) -> None:
        self.taken[message] += 1
        due = NOTIFICATIONS // (KILLS + 1) * (self.kills + 1)
        if self.kills < KILLS and len(self.taken) >= due and self.worker:
            self.kills += 1
            self.worker.kill()
            self.killed = True


class Mailbox(Taking):
    async def handle_DATA(self, server: Any, session: Any, envelope: Envelope) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        self.take(message_from_bytes(content)["Message-ID"])
        return "250 OK"


class Twilio(Taking):
    async def post(self, request: web.Request) -> web.Response:
        text = str((await request.post())["Body"])
        # Others come meanwhile, if there are any.
        await asyncio.sleep(0.02)
        self.take(text)
        return web.json_response({"sid": f"SM {text}", "status": "queued"}, status=201)


@asynccontextmanager
async def mailbox() -> AsyncIterator[Taking]:
    box = Mailbox()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SmtpServer(box, hostname="localhost"), "127.0.0.1", 0)
    box.environment = {"LANDFALL_SMTP_URL": f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"}
    yield box
    server.close()
    await server.wait_closed()


@asynccontextmanager
async def twilio() -> AsyncIterator[Taking]:
    provider, app = Twilio(), web.Application()
    app.router.add_post("/2010-04-01/Accounts/AC1/Messages.json", provider.post)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
    provider.environment = {"LANDFALL_SMS_URL": f"twilio+http://AC1:token@127.0.0.1:{port}/+15550100"}
    yield provider
    await runner.cleanup()


@pytest.mark.parametrize(
    ("channel", "most_twice", "most_seen_twice"), [(EMAIL, KILLS * AT_ONCE, 0), (SMS, KILLS, KILLS)]
)
async def test_failure_worker_dies_in_a_delivery_or_chunk_each_notification_arrives(
    tmp_path: Path, channel: NotificationChannel, most_twice: int, most_seen_twice: int
) -> None:
    async with mailbox() if channel == EMAIL else twilio() as provider:
        with embedded(ephemeral=True) as servers:
            rows = await _delivered(Deployment(servers, tmp_path), provider, channel)
    refs = Counter(row["provider_ref"] for row in rows)
    twice = sum(provider.taken.values()) - len(provider.taken)
    seen_twice = 0 if channel == EMAIL else twice
    print(
        f"\n{len(rows)} notifications by {channel}, {provider.kills} workers killed, "
        f"{sum(provider.taken.values())} messages taken, {twice} of them twice, {seen_twice} seen twice"
    )
    assert (len(rows), provider.kills) == (NOTIFICATIONS, KILLS)
    assert {row["status"] for row in rows} == {DeliveryStatus.SENT}
    assert (max(refs.values()), len(provider.taken)) == (1, NOTIFICATIONS)
    if channel == EMAIL:
        assert {f"<{ref}>" for ref in refs} == set(provider.taken)
    assert twice <= most_twice
    assert seen_twice <= most_seen_twice


async def _delivered(
    deployment: Deployment, provider: Taking, channel: NotificationChannel
) -> list[store.Delivery]:
    """Deliveries when all are through, however often the worker was killed."""
    log = deployment.folder / "worker.log"
    worker = Process(["worker"], deployment.environment(**provider.environment), log)
    async with lifespan.services(deployment.settings) as services:
        await _tell(services, channel)
        provider.worker = worker
        worker.start()
        try:
            await asyncio.wait_for(_see_through(services, provider, worker), SECONDS)
        finally:
            worker.stop()
        return await store.deliveries.find(services.db, {}, limit=10_000)


async def _tell(services: Services, channel: NotificationChannel) -> None:
    people = [await make_user(services, f"Person {number}") for number in range(PEOPLE)]
    if channel == SMS:
        for number, user_id in enumerate(people):
            await _agree(services, user_id, f"+1555555{number:04d}")
    for number in range(NOTIFICATIONS):
        ctx = Context(services)
        told: dict[str, Any] = {
            "source": "SYSTEM",
            "dedupe_key": f"fault-{number}",
            "title": f"News {number}",
            "user_ids": [people[number % PEOPLE]],
            # Texts below HIGH wait for the morning.
            "priority": PriorityLevel.HIGH if channel == SMS else PriorityLevel.LOW,
            "channels": [channel],
        }
        await ctx.unit(partial(notify, ctx, **told))


async def _agree(services: Services, user_id: str, number: str) -> None:
    """Give a person a number, and their consent to texts."""
    ctx = Context(services)

    async def work() -> None:
        await telling.change(ctx, user_id, set=phones.kept(ctx, user_id, number))
        recipient = store.default_recipient(user_id)
        granted = (ConsentStatus.GRANTED, ConsentSource.APP)
        await consents.record_consent(ctx, recipient, SMS, *granted, proof="Yes")

    await ctx.unit(work)


async def _see_through(services: Services, provider: Taking, worker: Process) -> None:
    """Start the worker again whenever it was killed, until all is sent."""
    while not await _sent(services):
        if provider.killed:
            provider.killed = False
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
