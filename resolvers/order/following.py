"""Consequences of an order: its customer is told, and other systems learn what was bought."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from core import jobs
from core.context import Context, Services
from core.hooks import on
from core.messages import gettext_noop
from core.paging import NEWEST
from core.storage.mongo import Database
from resolvers import barcode, catalog, favorite
from resolvers.favorite import FavoriteKindName
from resolvers.notification import code_template, notification_source, notify
from resolvers.order.hooks import order_moved
from stores import order as store
from stores.order import BOUGHT, Order, OrderStatus, Payment, is_erased

SUGGEST = "order.suggest"
SOURCE = notification_source("ORDER", "Your orders, and what you want to order again.")
MOST_ORDERS = 200
"""Orders that are looked at for what a person bought, the newest ones."""
TITLES = {
    OrderStatus.SHIPPED: gettext_noop("Order #{number} is on its way"),
    OrderStatus.DELIVERED: gettext_noop("Order #{number} has arrived"),
    OrderStatus.CANCELLED: gettext_noop("Order #{number} is canceled"),
    OrderStatus.REFUNDED: gettext_noop("Order #{number} is refunded"),
}
TEXTS = {
    OrderStatus.CANCELLED: gettext_noop("Nothing is charged; what was paid is given back."),
    OrderStatus.REFUNDED: gettext_noop("All that was paid is given back, within a few days."),
}
TEMPLATES = {
    status: code_template(f"order.{status.lower()}", title=title, message=TEXTS.get(status, ""))
    for status, title in TITLES.items()
}
PAY_AGAIN = code_template(
    "order.payment_lapsed",
    title=gettext_noop("Order #{number} has to be paid again"),
    message=gettext_noop(
        "The bank's promise to pay has lapsed: pay within three days, or the order is canceled."
    ),
)
PAY_FOR_SENT = code_template(
    "order.sent_unpaid",
    title=gettext_noop("Order #{number} has to be paid again"),
    message=gettext_noop("The bank's promise to pay has lapsed, and the goods are on their way: please pay."),
)


@on(order_moved)
async def tell_customer(ctx: Context, order: Order, before: Order) -> None:
    """Tell who ordered of the statuses that they wait for."""
    if order["status"] in TEMPLATES:
        await tell(ctx, order, TEMPLATES[order["status"]], f"{order['status']}:{order['_id']}")


async def ask_to_pay_again(ctx: Context, order: Order, payment: Payment, *, is_sent: bool) -> None:
    """Tell who ordered that the authorization has lapsed, once for each."""
    template = PAY_FOR_SENT if is_sent else PAY_AGAIN
    await tell(ctx, order, template, f"lapsed {payment['attempt_count']}:{order['_id']}")


async def tell(ctx: Context, order: Order, template: str, dedupe_key: str) -> None:
    """Tell who ordered, once for the key; nobody of an erased account."""
    if is_erased(order):
        return
    await notify(
        ctx,
        source=SOURCE,
        dedupe_key=dedupe_key,
        user_ids=[order["user_id"]],
        template_key=template,
        # A number of an order has no separators.
        variables={"number": str(order["number"])},
        subject_id=order["_id"],
        transactional=True,
    )


@on(order_moved)
async def learn(ctx: Context, order: Order, before: Order) -> None:
    """Have what is made of a person's purchases made anew."""
    if is_erased(order):
        return
    if order["status"] == OrderStatus.DELIVERED:
        await jobs.enqueue(ctx.tx, SUGGEST, key=order["user_id"], user_id=order["user_id"])
    if (order["status"] in BOUGHT) != (before["status"] in BOUGHT):
        await barcode.plan_warmup(ctx, order["user_id"])


@on(catalog.bought)
async def bought(ctx: Context, user_id: str, product_id: str) -> bool:
    """True if the person has an order of the product which is paid: reviews say so."""
    query = {"user_id": user_id, "lines.product_id": product_id, "status": {"$in": list(BOUGHT)}}
    return await store.orders.first(ctx.db, query) is not None


@on(favorite.history)
async def history(ctx: Context, user_id: str, kind: FavoriteKindName) -> list[str]:
    """Products that the person bought, the latest first, of which favorites are suggested."""
    return await _bought_products(ctx.db, {"user_id": user_id}) if kind == favorite.PRODUCT.name else []


@on(barcode.recent_purchases)
async def recent_purchases(services: Services, user_id: str, since: datetime) -> Sequence[str]:
    """Products that the person bought since a moment, the latest first, whose codes their devices keep."""
    return await _bought_products(services.db, {"user_id": user_id, "created_at": {"$gte": since}})


async def _bought_products(db: Database, query: dict[str, Any]) -> list[str]:
    paid = {**query, "status": {"$in": list(BOUGHT)}}
    rows = await store.orders.find(db, paid, sort=NEWEST, limit=MOST_ORDERS, fields=("lines",))
    return list(dict.fromkeys(line["product_id"] for row in rows for line in row["lines"]))
