"""Stock: availability on every path of a search, forwards and backwards, and holds that race each other."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from core import clock, ids
from core.context import Services
from core.errors import Unavailable
from jobs import catalog as jobs
from resolvers.catalog import stock
from resolvers.catalog.search import SearchEngine
from stores.catalog import products
from stores.catalog import stock as store
from stores.catalog.kinds import HolderType, ReservationState
from tests.catalog.steps import found, names, on_sale, row, set_stock, unique, within
from tests.phone import Phone


class Down:
    """An engine that does not answer."""

    async def rows(self, db: Any, match: Any) -> list[str]:
        raise Unavailable

    async def count(self, db: Any, match: Any, limit: int) -> int:
        raise Unavailable


@pytest.mark.parametrize("path", ["search", "browse", "browse by brand", "degraded", "degraded browse"])
async def test_what_is_low_can_be_bought_on_every_path(
    path: str, services: Services, admin: Phone, anonymous: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """40, 3, none, 3 and 40 pieces: listed as in stock while one is left."""
    word = unique("low")
    [made] = await on_sale(services, admin, row(name=f"Scarce {word}", category=word, brand=word))
    [product] = await products.products.find(services.db, {"_id": made["id"]})
    variant = made["variants"][0]["id"]
    given: dict[str, Any] = {"filter": {"inStock": True, "categoryIds": [product["category_id"]]}}
    if path == "browse by brand":
        given["filter"]["brands"] = [word]
    if path in ("search", "degraded"):
        given["query"] = word
    for left in (40, 3, 0, 3, 40):
        await set_stock(services, variant, left)
        with monkeypatch.context() as patched:
            if path.startswith("degraded"):
                patched.setitem(services.extra, SearchEngine, Down())
                if path == "degraded browse":
                    given["filter"]["brands"] = [word]
            hits = await found(anonymous, **given)
        assert names(hits) == ([f"Scarce {word}"] if left else []), left
        assert hits["degraded"] == path.startswith("degraded")


def holder(type: HolderType = HolderType.CART) -> store.Holder:
    return stock.holder(type, ids.new_id("cart" if type is HolderType.CART else "order"))


@pytest.fixture
async def variant(services: Services, admin: Phone) -> str:
    [made] = await on_sale(services, admin, row(stock="10"))
    return str(made["variants"][0]["id"])


def line(variant: str, quantity: int) -> store.Line:
    return {"variant_id": variant, "quantity": quantity}


async def figures(services: Services, variant: str) -> tuple[int, int, int, int]:
    """On hand, reserved, sold, available."""
    [level] = await store.levels(services.db, [variant])
    return level["on_hand"], level["reserved"], level["sold"], level["available"]


async def test_how_long_each_hold_lasts_is_what_is_kept(services: Services, variant: str) -> None:
    for asked, ttl in ((stock.HOLD, None), (timedelta(minutes=3), timedelta(minutes=3))):
        cart, order = holder(), holder(HolderType.ORDER)
        given = {} if ttl is None else {"ttl": ttl}
        held = (await within(services, stock.reserve, cart, [line(variant, 1)], **given)).reservation
        assert held["expires_at"] - held["created_at"] == asked
        clock.shift(timedelta(minutes=2))
        moved = await within(services, stock.transfer, cart, order, **given)
        # A moved hold begins anew: its time counts from when it was moved.
        assert moved["expires_at"] - moved["updated_at"] == asked
        assert moved["expires_at"] >= held["expires_at"] + timedelta(minutes=2)


async def test_a_moved_hold_outlives_the_carts_and_then_ends(services: Services, variant: str) -> None:
    cart, order = holder(), holder(HolderType.ORDER)
    await within(services, stock.reserve, cart, [line(variant, 4)])
    clock.shift(stock.HOLD - timedelta(minutes=1))
    await within(services, stock.transfer, cart, order)
    clock.shift(timedelta(minutes=2))
    await jobs.expire_holds(services)
    assert await figures(services, variant) == (10, 4, 0, 6)
    clock.shift(stock.HOLD - timedelta(minutes=3))
    await jobs.expire_holds(services)
    assert await figures(services, variant) == (10, 4, 0, 6)
    clock.shift(timedelta(minutes=2))
    await jobs.expire_holds(services)
    assert await figures(services, variant) == (10, 0, 0, 10)
    ended = await store.latest(services.db, order)
    assert ended is not None
    assert ended["state"] == ReservationState.EXPIRED


async def test_a_hold_that_was_sold_meanwhile_is_not_given_back(services: Services, variant: str) -> None:
    """The job read it as overdue; its sale came first."""
    order = holder(HolderType.ORDER)
    await within(services, stock.reserve, order, [line(variant, 4)])
    clock.shift(stock.HOLD + timedelta(minutes=1))
    [read] = [
        each for each in await store.overdue(services.db, clock.now(), 1_000) if each["holder"] == order
    ]
    sold = await within(services, stock.commit, order)
    assert sold.reservation["state"] == ReservationState.COMMITTED
    assert await within(services, stock.give_back, read, ReservationState.EXPIRED) is None
    assert await figures(services, variant) == (6, 0, 4, 6)


async def test_a_hold_that_expires_while_it_is_sold_is_sold_once(services: Services, variant: str) -> None:
    orders = [holder(HolderType.ORDER) for _ in range(5)]
    for order in orders:
        await within(services, stock.reserve, order, [line(variant, 2)])
    clock.shift(stock.HOLD + timedelta(minutes=1))
    sales = [within(services, stock.commit, order) for order in orders]
    outcomes = await asyncio.gather(jobs.expire_holds(services), *sales)
    # All that was held is sold: from the hold, or taken again after it was given back.
    assert [each.reservation and each.reservation["state"] for each in outcomes[1:]] == [
        ReservationState.COMMITTED
    ] * 5
    await jobs.expire_holds(services)
    assert await figures(services, variant) == (0, 0, 10, 0)


async def test_two_holds_of_one_cart_at_once_are_one(services: Services, variant: str) -> None:
    cart = holder()
    held = await asyncio.gather(
        *(within(services, stock.reserve, cart, [line(variant, 2)]) for _ in range(6))
    )
    assert len({each.reservation["_id"] for each in held}) == 1
    assert await figures(services, variant) == (10, 2, 0, 8)
    living = {"holder.id": cart["id"], "state": {"$in": list(store.LIVE)}}
    assert len(await store.reservations.find(services.db, living)) == 1


async def test_a_hold_let_go_and_sold_at_once_is_one_of_both(services: Services, variant: str) -> None:
    for _ in range(3):
        before = await figures(services, variant)
        order = holder(HolderType.ORDER)
        await within(services, stock.reserve, order, [line(variant, 1)])
        await asyncio.gather(within(services, stock.release, order), within(services, stock.commit, order))
        ended = await store.latest(services.db, order)
        assert ended is not None
        on_hand, _, sold, available = before
        expected = {
            ReservationState.COMMITTED: (on_hand - 1, 0, sold + 1, available - 1),
            ReservationState.RELEASED: before,
        }
        assert await figures(services, variant) == expected[ended["state"]]
