"""A process is killed in the middle of a cart's change: sent again, it is done once, and nothing is lost."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from core.context import Services
from core.storage import mongo
from devstack.process import free_port
from resolvers.catalog import stock_holder
from stores.cart import carts
from stores.catalog import HolderType
from stores.catalog.stock import levels, reservations
from tests.cart.steps import CART, added, device, line_id, shown, stored, variants
from tests.cart.test_syncing import adding, statuses
from tests.commands import environment
from tests.conftest import NewPhone
from tests.engine.flushes import refusals
from tests.faults.deployment import Process, ready
from tests.phone import Phone, key
from tests.server.conftest import eventually

OPERATIONS = 50
LONGEST_SECONDS = 60.0

Reached = Callable[[], Awaitable[bool]]


class Aborted(Exception):
    """The end of a transaction that leaves nothing."""


@dataclass
class Web:
    """A web process beside that of the tests, over the same data."""

    process: Process
    url: str

    async def killed(self, asked: Coroutine[Any, Any, Any], reached: Reached) -> None:
        """Kill it in the middle of what it is asked for, once that has come so far."""
        asking = asyncio.create_task(asked)
        await eventually(reached, seconds=LONGEST_SECONDS)
        self.process.kill()
        await asyncio.gather(asking, return_exceptions=True)


@pytest.fixture
async def web(services: Services, http: aiohttp.ClientSession, tmp_path: Path) -> AsyncIterator[Web]:
    known, port = services.settings, free_port()
    told = environment(
        ENV="test",
        MONGO_URL=known.mongo_url,
        MONGO_DATABASE=known.mongo_database,
        REDIS_URL=known.redis_url,
        DATA_DIR=str(known.data_dir),
        MEDIA_DIR=str(known.media_dir),
        PORT=str(port),
        RATE_SCALE="1000",
        LOG_LEVEL="WARNING",
    )
    process = Process(["serve"], told, tmp_path / "web.log")
    process.start()
    try:
        await eventually(partial(ready, http, port), seconds=LONGEST_SECONDS)
        yield Web(process, f"http://127.0.0.1:{port}/graphql")
    finally:
        process.kill()


@asynccontextmanager
async def held_up(services: Services, cart: carts.Cart) -> AsyncIterator[Reached]:
    """Hold up whoever writes the cart; gives whether somebody has come so far, and had to begin anew."""
    before = await _aborted(services)

    async def reached() -> bool:
        return await _aborted(services) > before

    with suppress(Aborted):
        async with mongo.transaction(services.db) as within:
            change = {"q": {"_id": cart["_id"]}, "u": {"$set": {"note": "held up"}}}
            await within.write({"update": carts.carts.name, "updates": [change]})
            yield reached
            raise Aborted


async def _aborted(services: Services) -> int:
    """Transactions that were aborted so far."""
    found = await services.db.command({"serverStatus": 1})
    return int(found["transactions"]["totalAborted"])


async def again(phone: Phone, mutation: str, selection: str, **given: Any) -> Any:
    """The payload of a mutation that is sent until it does not have to come again: MongoDB ends the
    transaction of a dead process after some seconds."""
    async with asyncio.timeout(LONGEST_SECONDS):
        while True:
            with suppress(AssertionError):
                payload = await phone.do(mutation, selection, **given)
                if not any(error["retryable"] for error in refusals(payload)):
                    assert payload["errors"] == []
                    return payload
            await asyncio.sleep(0.1)


async def test_killed_between_the_operations_of_a_sync(
    web: Web, services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    one, two = await variants(services, admin, "€10.00", "€5.00")
    queue = [adding((one, two)[number % 2]) for number in range(OPERATIONS)]
    given = {"idempotencyKey": key(), "operations": queue, "validate": False}
    selection = f"results {{ itemId status errors {{ code retryable }} }} cart {{ {CART} }}"
    await shown(ada)

    async def reached() -> bool:
        return (await stored(services, ada))["version"] > 4

    await web.killed(replace(ada, url=web.url).do("syncCart", selection, **given), reached)
    so_far = (await shown(ada))["itemCount"]
    assert 3 < so_far < OPERATIONS
    payload = await again(ada, "syncCart", selection, **given)
    # Some of the rest may have been done when the dead process's transaction was still in the way.
    assert set(statuses(payload)[:so_far]) == {"DUPLICATE"}
    assert set(statuses(payload)[so_far:]) <= {"DUPLICATE", "APPLIED"}
    assert [line["quantity"] for line in payload["cart"]["lines"]] == [OPERATIONS // 2] * 2
    assert statuses(await again(ada, "syncCart", selection, **given)) == ["DUPLICATE"] * OPERATIONS
    assert await shown(ada) == payload["cart"]


@pytest.mark.parametrize("saved", [False, True])
async def test_killed_while_it_merges(
    saved: bool,
    web: Web,
    services: Services,
    http: aiohttp.ClientSession,
    address: str,
    admin: Phone,
    new_phone: NewPhone,
) -> None:
    ada, phone = await new_phone("Ada"), device(http, address)
    one, two = await variants(services, admin, "€10.00", "€5.00")
    await added(ada, one, 2)
    await added(phone, one, 3)
    local = {"cartLineId": line_id(), "productVariantId": two, "quantity": 4}
    given = {
        "idempotencyKey": key(),
        "cartToken": phone.headers["X-Cart-Token"],
        "lines": [local],
    }
    report = "report { addedCount summedCount token }"
    cart = await stored(services, ada)

    async def is_merged() -> bool:
        return (await stored(services, ada))["version"] > cart["version"]

    merging = replace(ada, url=web.url).do("mergeCart", report, **given)
    if saved:
        await web.killed(merging, is_merged)
    else:
        async with held_up(services, cart) as reached:
            await web.killed(merging, reached)
    assert (await shown(ada))["itemCount"] == (9 if saved else 2)
    assert (await shown(phone) is None) == saved
    payload = await again(ada, "mergeCart", f"{report} cart {{ {CART} }}", **given)
    assert payload["replayed"] == saved
    assert payload["report"] == {"addedCount": 1, "summedCount": 1, "token": "MERGED"}
    quantities = {line["id"]: line["quantity"] for line in payload["cart"]["lines"]}
    assert quantities == {cart["lines"][0]["_id"]: 5, local["cartLineId"]: 4}
    assert await shown(phone) is None
    anew = await again(ada, "mergeCart", f"{report} cart {{ {CART} }}", **{**given, "idempotencyKey": key()})
    assert (anew["report"]["token"], anew["cart"]) == ("KNOWN", payload["cart"])


@pytest.mark.parametrize("saved", [False, True])
async def test_killed_while_it_holds_stock(
    saved: bool, web: Web, services: Services, admin: Phone, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    [variant] = await variants(services, admin, "€10.00", stock=10)
    await added(ada, variant, 3)
    given = {"idempotencyKey": key(), "reserve": True}
    cart = await stored(services, ada)

    async def is_held() -> bool:
        return (await stored(services, ada))["hold"] is not None

    validating = replace(ada, url=web.url).do("validateCart", "checkoutQuote { id }", **given)
    if saved:
        await web.killed(validating, is_held)
    else:
        async with held_up(services, cart) as reached:
            await web.killed(validating, reached)
    assert await _held(services, cart, variant) == (([3], 7) if saved else ([], 10))
    payload = await again(ada, "validateCart", "checkoutQuote { valid } cart { id }", **given)
    assert (payload["replayed"], payload["checkoutQuote"]["valid"]) == (saved, True)
    assert await _held(services, cart, variant) == ([3], 7)


async def _held(services: Services, cart: carts.Cart, variant: str) -> tuple[list[int], int]:
    """Quantities that are held for the cart, and what is available to others."""
    holder = stock_holder(HolderType.CART, cart["_id"])
    query = {"holder.id": holder["id"], "holder.type": holder["type"], "state": "HELD"}
    found = await reservations.find(services.db, query, limit=10)
    [level] = await levels(services.db, [variant])
    return [line["quantity"] for each in found for line in each["lines"]], level["available"]
