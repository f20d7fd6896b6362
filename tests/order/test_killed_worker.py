"""A worker is killed between the charge and the word of it: another one finds that, and charges nothing."""

import asyncio
from pathlib import Path

from core import ids
from devstack.gateway import KEY, GatewayFault
from tests.commands import environment
from tests.faults.deployment import Process
from tests.order.steps import RETURN, Till, subject

LONGEST_START = 60.0


async def test_worker_killed_between_call_and_save(till: Till, tmp_path: Path) -> None:
    thing, known = subject(), till.services.settings
    till.gateway.faults.plan([GatewayFault.REFUSE, GatewayFault.HANG])
    assert (await till.pay(thing, ids.new_id("user")))["payment"]["status"] == "PENDING"
    told = environment(
        ENV="test",
        MONGO_URL=known.mongo_url,
        MONGO_DATABASE=known.mongo_database,
        REDIS_URL=known.redis_url,
        DATA_DIR=str(known.data_dir),
        STRIPE_KEY=KEY,
        STRIPE_URL=till.gateway.url,
        PAYMENT_RETURN_URL=RETURN,
    )
    worker = Process(["worker"], told, tmp_path / "worker.log")
    worker.start()
    try:
        async with asyncio.timeout(LONGEST_START):
            await till.gateway.hung.wait()
    finally:
        worker.kill()
    assert (await till.payment(thing))["status"] == "PENDING"
    # Its lease of a minute began some seconds after our clock was stopped.
    await till.later(seconds=90)
    assert (await till.payment(thing))["status"] == "AUTHORIZED"
    assert till.money == [("HOLD", 10_000)]
    assert till.gateway.asked.count("POST /v1/payment_intents") == 3
