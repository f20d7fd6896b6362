"""A server is killed while it charges for an order: the same request goes on, and charges once."""

import asyncio
import contextlib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import aiohttp

from core import clock
from core.context import Services
from devstack.gateway import KEY, GatewayFault
from devstack.process import free_port
from tests.cart.steps import added, codes, quoted, variants
from tests.commands import environment
from tests.conftest import NewPhone
from tests.faults.deployment import Process
from tests.order.placing import place
from tests.order.steps import RETURN, Till
from tests.phone import Phone

LONGEST_START = 60.0
ASKED = "mutation ($input: PlaceOrderInput!) { placeOrder(input: $input) { order { id } } }"


def server(till: Till, folder: Path, port: int) -> Process:
    """A server of its own beside the one of the tests."""
    known = till.services.settings
    told = environment(
        ENV="test",
        PORT=str(port),
        MONGO_URL=known.mongo_url,
        MONGO_DATABASE=known.mongo_database,
        REDIS_URL=known.redis_url,
        DATA_DIR=str(known.data_dir),
        STRIPE_KEY=KEY,
        STRIPE_URL=till.gateway.url,
        PAYMENT_RETURN_URL=RETURN,
    )
    return Process(["serve"], told, folder / "server.log")


async def answers(phone: Phone) -> None:
    async with asyncio.timeout(LONGEST_START):
        while True:
            with contextlib.suppress(aiohttp.ClientError):
                return await phone.run("{ viewer { id } }")
            await asyncio.sleep(0.1)


async def test_double_charge_sequence(
    till: Till, services: Services, shop: Phone, new_phone: NewPhone, tmp_path: Path
) -> None:
    """Golden case O5, rows "Same key within 2 s of a cut connection / after the 60 s lease" and "Crash
    between authorization and saving it"."""
    ada = await new_phone("Ada")
    [variant] = await variants(services, shop, "€10.00")
    await added(ada, variant, 2)
    sent = {"quoteToken": (await quoted(ada))["token"], "idempotencyKey": "K"}
    port = free_port()
    doomed, running = replace(ada, url=f"http://127.0.0.1:{port}/graphql"), server(till, tmp_path, port)
    running.start()
    try:
        await answers(doomed)
        till.gateway.faults.plan([GatewayFault.HANG])
        first = asyncio.create_task(place(doomed, **sent))
        await till.gateway.hung.wait()
        second = await ada.ask(ASKED, input={**sent, "source": {"token": "tok_visa"}})
        assert second.code == "IDEMPOTENCY_IN_PROGRESS"
    finally:
        running.kill()
    with contextlib.suppress(aiohttp.ClientError):
        await first
    # Its lease of a minute began some seconds after our clock was stopped.
    clock.shift(timedelta(seconds=100))
    done = await place(ada, **sent)
    assert (done["errors"], done["order"]["status"]) == ([], "PROCESSING")
    again = await place(ada, quoteToken=sent["quoteToken"])
    assert (codes(again), again["order"]) == ([("ORDER_EXISTS", ["quoteToken"])], done["order"])
    assert till.money == [("HOLD", 2_490)]
    assert till.gateway.asked.count("POST /v1/payment_intents") == 2
    assert [each for each in till.gateway.keys if each.startswith("order_")] == [f"{done['order']['id']}:1"]
