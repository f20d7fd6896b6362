"""Cancellation: stock, money, promotions and cart go back where they came from, once."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from core import clock, ids
from devstack.gateway import GatewayFault
from resolvers.cart import begin, count_uses, customer, quote_named
from resolvers.order import capture
from resolvers.order.writing import create_order, move_order
from stores import order as store
from stores.order import Order, OrderActor, OrderSource, OrderStatus
from tests.audit.steps import on_record
from tests.cart.steps import added, promotion, quoted, shown, variants
from tests.conftest import NewPhone
from tests.order.desk import Desk, codes, statuses
from tests.phone import key

SHOWN = "order { id version status cancelReason canCancel }"
RUNS = 6
"""Of a race; 100 were run by hand."""


async def checked_out(desk: Desk) -> Order:
    """An order of Ada's cart, which is being paid."""
    [variant] = await variants(desk.services, desk.shop, "€10.00", stock=10)
    await added(desk.ada, variant, 2)
    owner, ctx = customer(desk.ada.user_id), desk.ctx
    quote = await quote_named(ctx, owner, (await quoted(desk.ada))["token"])
    assert quote is not None
    number = await store.next_number(desk.services.db)

    async def work() -> Order:
        given = {"id": ids.new_id("order"), "number": number, "source": OrderSource.CART, "key": "k"}
        made = await create_order(ctx, quote, cart=None, **given)  # type: ignore[arg-type]
        await begin(ctx, quote, made["_id"])
        assert await count_uses(ctx, quote, made["_id"])
        return made

    return await ctx.unit(work)


async def test_cancel_after_commit(desk: Desk) -> None:
    """Golden case O7 and the row "Cancel twice after commit": restocked once."""
    order = await desk.paid(stock=10)
    assert await desk.stock(order) == (8, 8, 0, 2)
    done = await desk.cancel(order)
    assert (done["errors"], done["cart"]) == ([], None)
    assert done["order"] | {"version": 0} == {
        **{"id": order["_id"], "version": 0, "status": "CANCELLED"},
        **{"cancelReason": "NO_LONGER_NEEDED", "canCancel": False},
    }
    assert await desk.stock(order) == (10, 10, 0, 0)
    again = await desk.cancel(order, reason="OTHER")
    assert (again["errors"], again["order"]) == ([], done["order"])
    assert await desk.stock(order) == (10, 10, 0, 0)
    await desk.till.settle()
    assert desk.till.money == [("HOLD", order["total"]), ("GIVE_UP", order["total"])]
    assert (await desk.till.payment(order["_id"]))["status"] == "VOIDED"
    assert statuses(await desk.now(order)) == ["CREATED", "PROCESSING", "CANCELLED"]
    [entry] = await on_record(desk.services, resource_id=order["_id"], action="order.cancelled")
    assert entry["actor_id"] == desk.ada.user_id


async def test_what_was_captured_is_given_back(desk: Desk) -> None:
    order = await desk.paid()
    await capture(desk.ctx, await desk.till.payment(order["_id"]))
    await desk.cancel(order)
    await desk.till.settle()
    now = await desk.now(order)
    assert (now["status"], now["refunded_total"]) == ("CANCELLED", order["total"])
    assert desk.till.money[-1] == ("GIVE_BACK", order["total"])


async def test_an_unpaid_order_gives_its_hold_cart_and_promotions_back(desk: Desk) -> None:
    await promotion(desk.shop, code="TENTH", usageLimit=1)
    [variant] = await variants(desk.services, desk.shop, "€1.00")
    await added(desk.ada, variant, 1)
    await desk.ada.do("applyPromotionCode", "cart { id }", code="TENTH")
    order = await checked_out(desk)
    assert (await shown(desk.ada))["status"] == "CHECKING_OUT"
    done = await desk.cancel(order)
    assert (done["order"]["status"], done["cart"]["status"]) == ("CANCELLED", "ACTIVE")
    assert (await shown(desk.ada))["status"] == "ACTIVE"
    ctx = desk.ctx
    quote = await quote_named(ctx, customer(desk.ada.user_id), (await quoted(desk.ada))["token"])
    assert quote is not None
    assert await ctx.unit(lambda: count_uses(ctx, quote, ids.new_id("order")))


async def test_a_hold_is_released(desk: Desk) -> None:
    order = await desk.order(stock=10)
    assert await desk.stock(order) == (10, 8, 2, 0)
    await desk.cancel(order)
    assert await desk.stock(order) == (10, 10, 0, 0)
    assert desk.till.money == []


async def test_nothing_is_cancelled_once_it_is_packed(desk: Desk) -> None:
    order = await desk.paid()
    parcel = await desk.packed(order)
    for status in ("PACKED", "IN_TRANSIT"):
        await desk.step(parcel, status)
        before, refused = await desk.now(order), await desk.cancel(order)
        assert codes(refused) == ["NOT_CANCELLABLE"]
        assert (refused["order"]["version"], refused["order"]["canCancel"]) == (before["version"], False)
        assert await desk.now(order) == before
    assert await desk.stock(order) == (8, 8, 0, 2)


async def test_a_parcel_that_is_only_planned_is_no_hindrance(desk: Desk) -> None:
    order = await desk.paid()
    parcel = await desk.packed(order)
    assert (await desk.cancel(order))["order"]["status"] == "CANCELLED"
    assert codes(await desk.step(parcel, "IN_TRANSIT")) == ["WRONG_STATUS"]
    await desk.till.settle()
    assert desk.till.money[-1] == ("GIVE_UP", order["total"])


async def test_cancel_while_shipping_starts(desk: Desk) -> None:
    """Golden case O6: one conditional update wins, and stock and money follow it."""
    for _ in range(RUNS):
        # More than the rate allows in a minute, where there are a hundred.
        clock.shift(timedelta(seconds=4))
        desk.till.gateway.ledger.entries.clear()
        order = await desk.paid(stock=10)
        parcel = await desk.packed(order)
        cancelled, shipped = await asyncio.gather(desk.cancel(order), desk.step(parcel, "IN_TRANSIT"))
        await desk.till.settle()
        won = (await desk.now(order))["status"]
        held = ("HOLD", order["total"])
        if won == "CANCELLED":
            assert (codes(cancelled), codes(shipped)) == ([], ["WRONG_STATUS"])
            assert (await desk.stock(order), desk.till.money) == (
                *((10, 10, 0, 0), [held, ("GIVE_UP", order["total"])]),
            )
        else:
            assert (won, codes(cancelled), codes(shipped)) == ("SHIPPED", ["NOT_CANCELLABLE"], [])
            assert (await desk.stock(order), desk.till.money) == (
                *((8, 8, 0, 2), [held, ("TAKE", order["total"])]),
            )


async def test_a_replay_is_told_the_first_outcome(desk: Desk) -> None:
    order = await desk.paid()
    given: dict[str, Any] = {"orderId": order["_id"], "reason": "OTHER", "idempotencyKey": key()}
    first = await desk.ada.do("cancelOrder", SHOWN, **given)
    again = await desk.ada.do("cancelOrder", SHOWN, **given)
    assert (again["order"], first["errors"], again["errors"]) == (first["order"], [], [])


async def test_a_version_that_has_passed_is_a_conflict(desk: Desk) -> None:
    order = await desk.paid()
    late = await desk.cancel(order, expectedVersion=order["version"] - 1)
    assert (codes(late), late["order"]["status"]) == (["CONFLICT"], "PROCESSING")
    assert await desk.now(order) == order


async def test_a_gateway_that_is_silent_is_asked_again_to_void(desk: Desk) -> None:
    order = await desk.paid()
    desk.till.gateway.faults.plan([GatewayFault.REFUSE])
    await desk.cancel(order)
    await desk.till.settle()
    assert (await desk.till.payment(order["_id"]))["status"] == "AUTHORIZED"
    await desk.till.later(minutes=1)
    assert (await desk.till.payment(order["_id"]))["status"] == "VOIDED"


async def test_an_order_that_is_being_charged_can_be_cancelled_a_moment_later(desk: Desk) -> None:
    order = await desk.paid()
    desk.till.gateway.faults.plan([GatewayFault.REFUSE])
    await capture(desk.ctx, await desk.till.payment(order["_id"]))
    given = {"idempotencyKey": key()}
    assert codes(await desk.cancel(order, **given)) == ["PAYMENT_IN_PROGRESS"]
    assert await desk.now(order) == order
    await desk.till.later(minutes=1)
    assert codes(await desk.cancel(order, **given)) == []


async def test_only_the_customer_and_support_cancel(desk: Desk, new_phone: NewPhone) -> None:
    order = await desk.paid()
    eve = await new_phone("Eve")
    assert codes(await desk.cancel(order, eve)) == ["NOT_FOUND"]
    assert codes(await desk.cancel(order, desk.packer)) == ["FORBIDDEN"]
    assert await desk.now(order) == order
    done = await desk.cancel(order, desk.helper, reason="NOT_DELIVERABLE")
    assert (done["order"]["status"], done["cart"]) == ("CANCELLED", None)
    assert (await desk.now(order))["timeline"][-1]["actor"] == "STAFF"


@pytest.mark.parametrize("way", [["FAILED"], ["PROCESSING", "REFUNDED"]])
async def test_what_has_ended_is_not_cancelled(desk: Desk, way: list[str]) -> None:
    order = await desk.order()
    for status in way:
        ctx, current = desk.ctx, await desk.now(order)

        async def move(ctx: Any = ctx, current: Order = current, status: str = status) -> None:
            await move_order(ctx, current, OrderStatus(status), OrderActor.SYSTEM)

        await ctx.unit(move)
    assert codes(await desk.cancel(order)) == ["NOT_CANCELLABLE"]
