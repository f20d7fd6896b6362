"""Stock: holds for carts and orders, and corrections by staff."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from core import clock, ids
from core.context import Services
from core.security.access import NOT_ALLOWED
from jobs import catalog as jobs
from resolvers.catalog import stock
from stores.catalog import stock as store
from stores.catalog.kinds import HolderType, ReservationState
from stores.catalog.roles import CATALOG_ADMIN
from tests.catalog.steps import on_sale, refusal, row, staff, within
from tests.conftest import NewPhone
from tests.phone import Phone


def cart() -> store.Holder:
    return stock.holder(HolderType.CART, ids.new_id("cart"))


def order() -> store.Holder:
    return stock.holder(HolderType.ORDER, ids.new_id("order"))


def line(variant: str, quantity: int = 1) -> store.Line:
    return {"variant_id": variant, "quantity": quantity}


async def level(services: Services, variant: str) -> tuple[int, int, int, int]:
    """On hand, reserved, sold, available."""
    [row] = await store.levels(services.db, [variant])
    return row["on_hand"], row["reserved"], row["sold"], row["available"]


@pytest.fixture
async def variants(services: Services, admin: Phone) -> list[str]:
    """Of three products: ten, one, and five in stock."""
    made = await on_sale(services, admin, row(stock="10"), row(stock="1"), row(stock="5"))
    return [each["variants"][0]["id"] for each in made]


async def test_of_two_buyers_of_the_last_unit_one_holds_it(services: Services, variants: list[str]) -> None:
    """Failure case: two buyers reserve the last unit."""
    last = variants[1]
    first = await within(services, stock.reserve, cart(), [line(last)])
    second = await within(services, stock.reserve, cart(), [line(last)])
    assert first.reservation["state"] == ReservationState.HELD
    assert second == stock.Held(None, (stock.Shortfall(last, 1, 0),))
    assert await level(services, last) == (1, 1, 0, 0)


async def test_of_three_lines_with_one_short_nothing_is_held(services: Services, variants: list[str]) -> None:
    """Failure case: reservation of 3 lines, one short."""
    lines = [line(variants[0], 2), line(variants[1], 3), line(variants[2], 5)]
    held = await within(services, stock.reserve, cart(), lines)
    assert held == stock.Held(None, (stock.Shortfall(variants[1], 3, 1),))
    assert [await level(services, each) for each in variants] == [(10, 0, 0, 10), (1, 0, 0, 1), (5, 0, 0, 5)]
    unknown = ids.new_id("variant")
    held = await within(services, stock.reserve, cart(), [line(unknown)])
    assert held.shortfalls == (stock.Shortfall(unknown, 1, 0),)


async def test_the_same_holder_twice_holds_once(services: Services, variants: list[str]) -> None:
    holder = cart()
    first = await within(services, stock.reserve, holder, [line(variants[0], 2), line(variants[0], 1)])
    again = await within(services, stock.reserve, holder, [line(variants[0], 9)])
    assert again.reservation == first.reservation
    assert first.reservation["lines"] == [line(variants[0], 3)]
    assert await level(services, variants[0]) == (10, 3, 0, 7)
    for _ in range(2):
        released = await within(services, stock.release, holder)
        assert released["state"] == ReservationState.RELEASED
    assert await level(services, variants[0]) == (10, 0, 0, 10)
    # What is over stays as it ended; the holder may hold anew.
    held = await within(services, stock.reserve, holder, [line(variants[0])])
    assert held.reservation["_id"] != first.reservation["_id"]


async def test_a_carts_hold_becomes_its_orders_and_is_sold_once(
    services: Services, variants: list[str]
) -> None:
    shopper, bought = cart(), order()
    await within(services, stock.reserve, shopper, [line(variants[0], 4), line(variants[2], 5)])
    for _ in range(2):
        moved = await within(services, stock.transfer, shopper, bought)
        assert moved["holder"] == bought
    for _ in range(2):
        sold = await within(services, stock.commit, bought)
        assert sold.reservation["state"] == ReservationState.COMMITTED
    assert await level(services, variants[0]) == (6, 0, 4, 6)
    assert await level(services, variants[2]) == (0, 0, 5, 0)
    # The cart has nothing left to give back, and what is sold is not given back either.
    for holder in (shopper, bought):
        await within(services, stock.release, holder)
    assert await level(services, variants[0]) == (6, 0, 4, 6)
    assert await within(services, stock.transfer, cart(), order()) is None


async def test_a_hold_that_becomes_an_order_s_has_the_order_s_time(
    services: Services, variants: list[str]
) -> None:
    shopper, bought = cart(), order()
    await within(services, stock.reserve, shopper, [line(variants[0], 4)], timedelta(minutes=10))
    clock.shift(timedelta(minutes=8))
    await within(services, stock.transfer, shopper, bought, timedelta(minutes=10))
    clock.shift(timedelta(minutes=8))
    await jobs.expire_holds(services)
    assert await level(services, variants[0]) == (10, 4, 0, 6)
    clock.shift(timedelta(minutes=3))
    await jobs.expire_holds(services)
    assert await level(services, variants[0]) == (10, 0, 0, 10)


async def test_two_workers_that_end_one_hold_give_it_back_once(
    services: Services, variants: list[str]
) -> None:
    held = (await within(services, stock.reserve, cart(), [line(variants[0], 2)])).reservation
    await within(services, stock.reserve, cart(), [line(variants[0], 3)])
    ended = [
        await within(services, stock.give_back, held, state)
        for state in (ReservationState.EXPIRED, ReservationState.RELEASED)
    ]
    assert [each and each["state"] for each in ended] == [ReservationState.EXPIRED, None]
    assert await level(services, variants[0]) == (10, 3, 0, 7)


async def test_holds_expire_and_expire_once(services: Services, variants: list[str]) -> None:
    holder = cart()
    await within(services, stock.reserve, holder, [line(variants[0], 4)], timedelta(minutes=10))
    clock.shift(timedelta(minutes=9))
    await jobs.expire_holds(services)
    assert await level(services, variants[0]) == (10, 4, 0, 6)
    clock.shift(timedelta(minutes=2))
    for _ in range(2):
        await jobs.expire_holds(services)
    assert await level(services, variants[0]) == (10, 0, 0, 10)
    found = await store.latest(services.db, holder)
    assert found is not None
    assert found["state"] == ReservationState.EXPIRED
    assert (await within(services, stock.release, holder))["state"] == ReservationState.EXPIRED


async def test_a_hold_is_renewed_from_now_and_one_that_ended_as_its_stock_allows(
    services: Services, variants: list[str]
) -> None:
    held, sold, gone, over = order(), order(), order(), order()
    lines = [line(variants[0], 2)]
    for each in (held, sold, gone):
        await within(services, stock.reserve, each, lines)
    await within(services, stock.commit, sold)
    await within(services, stock.release, gone)
    clock.shift(timedelta(minutes=14))
    renewed = await within(services, stock.renew, held)
    clock.shift(timedelta(minutes=14))
    await jobs.expire_holds(services)
    assert (await store.latest(services.db, held))["expires_at"] == renewed.reservation["expires_at"]
    assert (await within(services, stock.renew, sold)).reservation["state"] == ReservationState.COMMITTED
    assert await within(services, stock.renew, gone) == stock.Held(
        None, (stock.Shortfall(variants[0], 2, 6),)
    )
    assert await within(services, stock.renew, over) == stock.Held(None)
    clock.shift(timedelta(minutes=2))
    await jobs.expire_holds(services)
    assert await level(services, variants[0]) == (8, 0, 2, 8)
    again = await within(services, stock.renew, held)
    assert again.reservation["state"] == ReservationState.HELD
    await within(services, stock.release, held)
    await within(services, stock.reserve, over, [line(variants[0], 7)])
    assert await level(services, variants[0]) == (8, 7, 2, 1)


async def test_a_commit_of_a_hold_released_meanwhile_falls_short(
    services: Services, variants: list[str]
) -> None:
    """Failure case: commit of a hold released meanwhile."""
    holder = order()
    await within(services, stock.reserve, holder, [line(variants[0], 4), line(variants[2], 5)])
    await within(services, stock.release, holder)
    held = await within(services, stock.commit, holder)
    shortfalls = [stock.Shortfall(variants[0], 4, 10), stock.Shortfall(variants[2], 5, 5)]
    assert held == stock.Held(None, tuple(sorted(shortfalls)))
    assert await level(services, variants[0]) == (10, 0, 0, 10)


async def test_what_was_sold_comes_back_once_for_each_key_and_never_more(
    services: Services, variants: list[str]
) -> None:
    holder = order()
    await within(services, stock.reserve, holder, [line(variants[0], 3)])
    assert await within(services, stock.restock, holder, [line(variants[0])], "early") == []
    await within(services, stock.commit, holder)
    assert await level(services, variants[0]) == (7, 0, 3, 7)
    for _ in range(2):
        assert await within(services, stock.restock, holder, [line(variants[0])], "return") == [
            line(variants[0])
        ]
    assert await level(services, variants[0]) == (8, 0, 2, 8)
    strange = [line(variants[0], 3), line(variants[1])]
    assert await within(services, stock.restock, holder, strange, "cancel") == [line(variants[0], 2)]
    assert await within(services, stock.restock, holder, strange, "again") == []
    assert await level(services, variants[0]) == (10, 0, 0, 10)
    assert await level(services, variants[1]) == (1, 0, 0, 1)


async def test_of_two_that_take_back_the_same_at_once_the_second_finds_it_back(
    services: Services, variants: list[str]
) -> None:
    holder = order()
    await within(services, stock.reserve, holder, [line(variants[0], 3)])
    await within(services, stock.commit, holder)
    back = [within(services, stock.restock, holder, [line(variants[0], 2)], key) for key in ("a", "b", "c")]
    found = [sum(each["quantity"] for each in lines) for lines in await asyncio.gather(*back)]
    assert sorted(found) == [0, 1, 2]
    assert await level(services, variants[0]) == (10, 0, 0, 10)


async def test_a_hold_that_cannot_be_given_back_holds_up_no_other(
    services: Services, variants: list[str]
) -> None:
    broken, sound = cart(), cart()
    await within(services, stock.reserve, broken, [line(variants[0])], timedelta(minutes=9))
    await within(services, stock.reserve, sound, [line(variants[1])], timedelta(minutes=10))
    lines = {"$set": {"lines": [line(ids.new_id("variant"))]}}
    update = {"q": {"holder": broken}, "u": lines}
    await services.db.write({"update": "stock_reservations", "updates": [update]})
    clock.shift(timedelta(minutes=11))
    await jobs.expire_holds(services)
    found = [await store.latest(services.db, holder) for holder in (broken, sound)]
    assert [each and each["state"] for each in found] == [ReservationState.HELD, ReservationState.EXPIRED]
    await services.db.write(
        {"delete": "stock_reservations", "deletes": [{"q": {"holder": broken}, "limit": 1}]}
    )


async def test_a_commit_after_expiry_takes_the_stock_again_or_tells_the_shortfall(
    services: Services, variants: list[str]
) -> None:
    """Failure case: commit after expiry."""
    lucky, late = order(), order()
    await within(services, stock.reserve, lucky, [line(variants[0], 4)])
    await within(services, stock.reserve, late, [line(variants[1])])
    clock.shift(timedelta(minutes=16))
    await jobs.expire_holds(services)
    sold = await within(services, stock.commit, lucky)
    assert sold.reservation["state"] == ReservationState.COMMITTED
    assert await level(services, variants[0]) == (6, 0, 4, 6)
    await within(services, stock.reserve, cart(), [line(variants[1])])
    short = await within(services, stock.commit, late)
    assert short == stock.Held(None, (stock.Shortfall(variants[1], 1, 0),))
    assert await level(services, variants[1]) == (1, 1, 0, 0)
    assert await within(services, stock.commit, order()) == stock.Held(None)


async def test_staff_correct_stock_but_never_below_what_is_held(
    services: Services, admin: Phone, new_phone: NewPhone, variants: list[str]
) -> None:
    variant = variants[2]
    await within(services, stock.reserve, cart(), [line(variant, 2)])
    fields: dict[str, Any] = {"inventoryLevelId": store.level_id(variant), "reason": "DAMAGE"}
    selection = "inventoryLevel { onHand reserved available safetyStock version }"
    refused = await admin.do("adjustInventory", selection, **fields, delta=-4)
    assert refused["errors"] == [refusal("STOCK_INSUFFICIENT", "Free in stock: 3.", ["delta"], limit=3)]
    done = await admin.do("adjustInventory", selection, **fields, delta=-3)
    level_now = {"onHand": 2, "reserved": 2, "available": 0, "safetyStock": 0, "version": 3}
    assert done["inventoryLevel"] == level_now
    late = await admin.do("adjustInventory", selection, **fields, delta=5, expectedVersion=2)
    assert late["errors"] == [refusal("CONFLICT", "It was changed on another device.")]
    assert late["inventoryLevel"] == level_now
    received = {**fields, "reason": "RECEIVE", "delta": 10, "safetyStock": 4, "expectedVersion": 3}
    done = await admin.do("adjustInventory", selection, **received)
    assert done["inventoryLevel"] == {
        "onHand": 12,
        "reserved": 2,
        "available": 6,
        "safetyStock": 4,
        "version": 4,
    }
    for moment in ("2030-01-31T08:30:00.000Z", None):
        done = await admin.do(
            "adjustInventory", "inventoryLevel { restockAt safetyStock }", **fields, delta=0, restockAt=moment
        )
        assert done["inventoryLevel"] == {"restockAt": moment, "safetyStock": 4}
    for bad, field in (({"delta": 10**9}, "delta"), ({"delta": 0, "safetyStock": -1}, "safetyStock")):
        refused = await admin.do("adjustInventory", selection, **fields, **bad)
        assert [(each["code"], each["field"]) for each in refused["errors"]] == [("OUT_OF_RANGE", [field])]
    editor = await staff(new_phone, services, CATALOG_ADMIN)
    refused = await editor.do("adjustInventory", selection, **fields, delta=1)
    assert refused["errors"] == [refusal("FORBIDDEN", NOT_ALLOWED)]
    nothing = await admin.do(
        "adjustInventory", selection, **{**fields, "inventoryLevelId": ids.new_id("inventory")}, delta=1
    )
    words = "It does not exist, or you may not see it."
    assert nothing["errors"] == [refusal("NOT_FOUND", words, ["inventoryLevelId"])]


async def test_exact_stock_is_listed_for_who_keeps_it(
    services: Services, admin: Phone, new_phone: NewPhone, anonymous: Phone
) -> None:
    made = await on_sale(services, admin, *(row(stock=str(number)) for number in (0, 3, 0)))
    skus = [each["variants"][0]["sku"] for each in made]
    asked = """query($filter: InventoryLevelFilterInput, $first: Int, $after: String) {
      inventoryLevels(filter: $filter, first: $first, after: $after) {
        edges { node { sku onHand available variant { product { id } } } }
        pageInfo { hasNextPage endCursor } } }"""
    page = (await admin.run(asked, filter={"skus": skus}, first=2))["inventoryLevels"]
    rest = await admin.run(asked, filter={"skus": skus}, first=2, after=page["pageInfo"]["endCursor"])
    nodes = [edge["node"] for edge in (*page["edges"], *rest["inventoryLevels"]["edges"])]
    assert {each["sku"]: each["available"] for each in nodes} == dict(zip(skus, (0, 3, 0), strict=True))
    assert {each["variant"]["product"]["id"] for each in nodes} == {each["id"] for each in made}
    scarce = (await admin.run(asked, filter={"skus": skus, "belowSafetyStock": True}))["inventoryLevels"]
    assert sorted(edge["node"]["sku"] for edge in scarce["edges"]) == sorted([skus[0], skus[2]])
    shopper = await new_phone()
    assert (await shopper.ask(asked)).code == "FORBIDDEN"
    assert (await anonymous.ask(asked)).code == "UNAUTHENTICATED"
    too_many = await admin.ask(asked, filter={"skus": ["x"] * 101})
    assert (too_many.code, too_many.errors[0]["message"]) == ("BAD_USER_INPUT", "At most 100 skus.")
    id = store.level_id(made[0]["variants"][0]["id"])
    assert await shopper.run("query($id: ID!) { node(id: $id) { id } }", id=id) == {"node": None}
    assert await admin.run("query($id: ID!) { node(id: $id) { id } }", id=id) == {"node": {"id": id}}
