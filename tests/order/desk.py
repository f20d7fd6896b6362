"""Steps of the tests of what becomes of orders: paid ones, those who pack and support, and the stock."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientSession

from core import clock
from core.context import Context, Services
from devstack import carrier
from resolvers.catalog import commit_stock, reserve_stock, stock_holder
from resolvers.order.writing import move_order
from stores import order as store
from stores.catalog import CATALOG_ADMIN, FULFILLMENT, SUPPORT, HolderType
from stores.catalog import stock as levels
from stores.order import Order, OrderActor, OrderReturn, OrderStatus
from tests.cart.steps import only, ships
from tests.cart.steps import variants as on_sale
from tests.catalog.steps import staff
from tests.conftest import NewPhone
from tests.order.placing import placed
from tests.order.steps import Till, till
from tests.phone import Phone, sign_in_directly

PARCEL = "order { id version status fulfillments { fulfillmentId version status } }"
REASON = "NO_LONGER_NEEDED"


@dataclass
class Desk:
    """Desk of the shop, with its till, who packs, who supports, and a customer."""

    till: Till
    shop: Phone
    packer: Phone
    helper: Phone
    ada: Phone

    @property
    def services(self) -> Services:
        return self.till.services

    @property
    def ctx(self) -> Context:
        return Context(self.services)

    async def order(self, *prices: str, stock: int = 10) -> Order:
        """An order of Ada's of two of each, with its hold."""
        variants = await on_sale(self.services, self.shop, *prices or ("€10.00",), stock=stock)
        made = await placed(self.services, self.ada, *variants)
        lines: Any = [
            {"variant_id": each["variant_id"], "quantity": each["quantity"]} for each in made["lines"]
        ]
        ctx, holder = self.ctx, stock_holder(HolderType.ORDER, made["_id"])
        held = await ctx.unit(lambda: reserve_stock(ctx, holder, lines))
        assert held.reservation is not None
        return made

    async def paid(self, *prices: str, **how: Any) -> Order:
        """An order of Ada's that is paid, and to be packed."""
        made = await self.order(*prices, **how)
        given = {"amount": made["total"], "currency": made["currency"]}
        await self.till.pay(made["_id"], self.ada.user_id, **given)
        return await self.begun(made)

    async def begun(self, order: Order) -> Order:
        """The order when what it has is sold, whoever saw to it."""
        ctx, holder = self.ctx, stock_holder(HolderType.ORDER, order["_id"])

        async def work() -> None:
            current = await self.now(order)
            await commit_stock(ctx, holder)
            if current["status"] == OrderStatus.CREATED:
                await move_order(ctx, current, OrderStatus.PROCESSING, OrderActor.GATEWAY)

        await ctx.unit(work)
        return await self.now(order)

    async def now(self, order: Order) -> Order:
        found = await store.orders.by_id(self.services.db, order["_id"])
        assert found is not None
        return found

    async def back(self, id: str) -> OrderReturn:
        found = await store.order_returns.by_id(self.services.db, id)
        assert found is not None
        return found

    async def stock(self, order: Order, line: int = 0) -> tuple[int, int, int, int]:
        """On hand, available, reserved and sold of what a line is of."""
        [level] = await levels.levels(self.services.db, [order["lines"][line]["variant_id"]])
        return level["on_hand"], level["available"], level["reserved"], level["sold"]

    async def cancel(self, order: Order, phone: Phone | None = None, **given: Any) -> Any:
        shown = "order { id version status cancelReason canCancel } cart { id status }"
        given = {"reason": REASON, **given}
        return await (phone or self.ada).do("cancelOrder", shown, orderId=order["_id"], **given)

    async def pack(self, order: Order, *quantities: int, **given: Any) -> Any:
        """The payload of a parcel with so many of each line; whole lines, where none are named."""
        wanted = quantities or [each["quantity"] for each in order["lines"]]
        lines = [
            {"lineId": line["line_id"], "quantity": quantity}
            for line, quantity in zip(order["lines"], wanted, strict=False)
            if quantity
        ]
        given = {"lines": lines, "carrier": "DHL", **given}
        return await self.packer.do("createFulfillment", PARCEL, orderId=order["_id"], **given)

    async def packed(self, order: Order, *quantities: int, **given: Any) -> str:
        """Id of a parcel that is packed without a refusal."""
        done = await self.pack(order, *quantities, **given)
        assert done["errors"] == [], done["errors"]
        return str(done["order"]["fulfillments"][-1]["fulfillmentId"])

    async def step(self, fulfillment_id: str, status: str, **given: Any) -> Any:
        named = {"fulfillmentId": fulfillment_id, "status": status, **given}
        return await self.packer.do("recordFulfillmentStep", PARCEL, **named)

    async def delivered(self, *prices: str) -> Order:
        """An order of Ada's that arrived in one parcel."""
        order = await self.paid(*prices)
        parcel = await self.packed(order)
        assert (await self.step(parcel, "DELIVERED"))["errors"] == []
        await self.till.settle()
        return await self.now(order)

    async def refund(self, order: Order, amount: str, currency: str = "EUR", **given: Any) -> Any:
        shown = "order { id } payment { id status } orderReturn { id }"
        money = {"amount": amount, "currencyCode": currency}
        named = {"orderId": order["_id"], "amount": money, "reason": "As agreed", **given}
        return await self.helper.do("refundOrder", shown, **named)

    async def tell(self, number: str, status: str, carrier_name: str = "DHL", **how: Any) -> int:
        """Status of the answer to a carrier that tells of a parcel."""
        body, headers = carrier.callback(carrier_name, number, status, **how)
        url = self.ada.url.replace("/graphql", "/hooks/carrier")
        async with self.ada.http.post(url, data=body, headers=headers) as answer:
            return answer.status

    async def sign_in(self) -> None:
        """Sessions of all, after some days."""
        for phone in (self.shop, self.packer, self.helper, self.ada):
            await sign_in_directly(self.services, phone, phone.user_id)


@asynccontextmanager
async def desk(
    services: Services, http: ClientSession, address: str, new_phone: NewPhone
) -> AsyncIterator[Desk]:
    """A desk on which nothing of other tests lies."""
    clock.stop()
    await only(services, "promotions", "shipping_rates", "tax_rates", "orders", "order_returns")
    shop = await staff(new_phone, services, CATALOG_ADMIN)
    await ships(shop)
    packer, helper = await staff(new_phone, services, FULFILLMENT), await staff(new_phone, services, SUPPORT)
    async with till(services, http, address) as made:
        yield Desk(made, shop, packer, helper, await new_phone("Ada"))


def codes(payload: Any) -> list[str]:
    return [each["code"] for each in payload["errors"]]


def statuses(order: Order) -> list[str]:
    return [step["status"] for step in order["timeline"]]
