"""Reads of orders and returns, by customers and by staff, and the fields that are computed at each read."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypedDict

from core import clock, ids, messages, nodes
from core.audit import Act, record_apart
from core.context import Context
from core.errors import BadUserInput
from core.ids import Id
from core.messages import gettext_noop
from core.one_of import one_of
from core.paging import NEWEST, PageArgs, any_of
from core.security.crypto import Keyring
from core.values import money
from core.values.words import query_terms
from loaders.media import MediaById
from resolvers.catalog import visible_products
from resolvers.order.access import own_orders
from stores import order as store
from stores.order import FulfillmentStatus, Order, OrderReturnStatus, OrderStatus

Document = Mapping[str, Any]

LONGEST_SPAN = timedelta(days=5 * 366)
SHORTEST_TEXT, LONGEST_TEXT = 2, 100
MOST_TERMS = 10
RETURN_WINDOW = timedelta(days=30)
"""After the last parcel has arrived."""
MOST_NAMED = 2
"""Names that a summary has."""
AND_MORE = gettext_noop("{names} and {count} more")


@one_of
class OrderBy(TypedDict, total=False):
    """Key of an order: one of several."""

    id: Id | None
    """Id of the order."""
    number: int | None
    """Number of the order, as people name it."""


class OrderFilter(TypedDict, total=False):
    """Filter of a list of orders."""

    statuses: list[OrderStatus] | None
    """Statuses that the orders have one of."""
    from_: datetime | None
    """Time from which on the orders were placed, included."""
    to: datetime | None
    """Time before which the orders were placed, at most 5 years after `from`."""
    search_text: str | None
    """Beginnings of words that the orders have all of, in their number, product names or brands: 2 to 100
    characters, at most 10 words. Case and accents do not matter."""


class FulfillmentFilter(TypedDict, total=False):
    """Filter of the orders to fulfill."""

    statuses: list[OrderStatus] | None
    """Statuses that the orders have one of; PROCESSING and PARTIALLY_SHIPPED when left out."""


class OrderReturnFilter(TypedDict, total=False):
    """Filter of the returns to work on."""

    statuses: list[OrderReturnStatus] | None
    """Statuses that the returns have one of; REQUESTED when left out."""


TO_PACK = (OrderStatus.PROCESSING, OrderStatus.PARTIALLY_SHIPPED)


async def order(ctx: Context, *, by: OrderBy) -> Order | None:
    """The viewer's order by one of its keys; None for unknown and others' alike."""
    id, number = by.get("id"), by.get("number")
    if id is not None:
        [found] = await own_orders(ctx, [ids.checked(id, "order")])
        return found
    viewer = ctx.viewer_id_or_none
    return await store.orders.first(ctx.db, {"user_id": viewer, "number": number}) if viewer else None


async def viewer_orders(
    ctx: Context, viewer: Document, *, filter: OrderFilter | None = None, args: PageArgs
) -> dict[str, Any]:
    """Connection of the viewer's own, newest first."""
    query = {"user_id": ctx.viewer_id, **_conditions(filter or {})}
    return await store.orders.page(ctx.db, query, NEWEST, args)


async def orders_for_fulfillment(
    ctx: Context, *, filter: FulfillmentFilter | None = None, args: PageArgs
) -> dict[str, Any]:
    """Connection of orders to pack and ship, newest first: on record each time."""
    await record_apart(ctx, Act("order.read", "ACCESS_GRANTED", "ORDER"))
    statuses = (filter or {}).get("statuses") or list(TO_PACK)
    return await store.orders.page(ctx.db, {"status": any_of(statuses)}, NEWEST, args)


async def customer_orders(ctx: Context, *, id: Id, args: PageArgs) -> dict[str, Any]:
    """Connection of a customer's orders for support, newest first: on record each time."""
    user_id = ids.checked(id, "user")
    await record_apart(ctx, Act("order.read", "ACCESS_GRANTED", "ORDER", subject_id=user_id))
    return await store.orders.page(ctx.db, {"user_id": user_id}, NEWEST, args)


async def return_queue(
    ctx: Context, *, filter: OrderReturnFilter | None = None, args: PageArgs
) -> dict[str, Any]:
    """Connection of returns that support or the shop works on, newest first: on record each time."""
    await record_apart(ctx, Act("order_return.read", "ACCESS_GRANTED", "ORDER"))
    statuses = (filter or {}).get("statuses") or [OrderReturnStatus.REQUESTED]
    return await store.order_returns.page(ctx.db, {"status": any_of(statuses)}, NEWEST, args)


def _conditions(filter: OrderFilter) -> dict[str, Any]:
    """Query of a filter, whose parts are joined by AND."""
    found: dict[str, Any] = {}
    if statuses := filter.get("statuses"):
        found["status"] = any_of(statuses)
    since, until = filter.get("from_"), filter.get("to")
    if since and until and until - since > LONGEST_SPAN:
        raise BadUserInput("At most 5 years from `from` to `to`.")
    bounds = {"$gte": since, "$lt": until}
    if given := {operator: moment for operator, moment in bounds.items() if moment is not None}:
        found["created_at"] = given
    if (text := filter.get("search_text")) is not None:
        found["search_terms"] = {"$all": [re.compile(f"^{re.escape(each)}") for each in _terms(text)]}
    return found


def _terms(text: str) -> list[str]:
    """Words of what a person typed, folded; BAD_USER_INPUT for none, or too many."""
    if not SHORTEST_TEXT <= len(text.strip()) <= LONGEST_TEXT:
        raise BadUserInput(f"A search has {SHORTEST_TEXT} to {LONGEST_TEXT} characters.")
    found = list(dict.fromkeys(query_terms(text)))
    if not 0 < len(found) <= MOST_TERMS:
        raise BadUserInput(f"A search has 1 to {MOST_TERMS} words.")
    return found


# Fields of orders.


def summary(ctx: Context, order: Document) -> str:
    """The first names, and how many more there are."""
    names = [line["name"] for line in order["lines"]]
    first, more = ", ".join(names[:MOST_NAMED]), len(names) - MOST_NAMED
    return messages.text(AND_MORE, {"names": first, "count": more}, ctx.language) if more > 0 else first


def item_count(order: Document) -> int:
    return sum(line["quantity"] for line in order["lines"])


def return_closes_at(order: Document) -> datetime | None:
    """When goods may be sent back no more; None before all of them have arrived."""
    arrived = [step["at"] for step in order["timeline"] if step["status"] == OrderStatus.DELIVERED]
    return arrived[0] + RETURN_WINDOW if arrived else None


def can_return(order: Document) -> bool:
    """True while units that arrived can be sent back; the clock is not asked when a device keeps it."""
    closes_at = return_closes_at(order)
    if order["status"] != OrderStatus.DELIVERED or closes_at is None or clock.now() >= closes_at:
        return False
    return any(line["shipped_quantity"] > line["returning_quantity"] for line in order["lines"])


def can_cancel(order: Document) -> bool:
    """True while nothing is packed."""
    waits = order["status"] in (OrderStatus.CREATED, OrderStatus.PROCESSING)
    return waits and all(each["status"] == FulfillmentStatus.PENDING for each in order["fulfillments"])


def line_total(line: Document) -> dict[str, str]:
    return money.shown(line["unit_price"] * line["quantity"], line["currency"])


def shipping_address(ctx: Context, order: Document) -> Any:
    return private_part(ctx.services.crypto, order).get("shipping_address")


def billing_address(ctx: Context, order: Document) -> Any:
    return private_part(ctx.services.crypto, order).get("billing_address")


def note(ctx: Context, order: Document) -> Any:
    return private_part(ctx.services.crypto, order).get("note")


def gift_message(ctx: Context, order: Document) -> Any:
    return private_part(ctx.services.crypto, order).get("gift_message")


def private_part(crypto: Keyring, order: Document) -> dict[str, Any]:
    """Addresses, note and gift message by their name; none once they are erased."""
    text = order["sealed"]
    found: dict[str, Any] = crypto.open_values(text, place=store.order_place(order["_id"])) if text else {}
    return found


async def payments(ctx: Context, orders: Sequence[Document]) -> list[Document | None]:
    """The payment of each; None while there is none, and where the total is 0."""
    wanted = [store.payment_id(each["_id"]) for each in orders]
    found = await nodes.visible(ctx, wanted)
    return [found.get(id) for id in wanted]


async def returns(ctx: Context, orders: Sequence[Document]) -> list[list[Document]]:
    """Returns of each, in the order in which they were requested."""
    found = await nodes.visible(ctx, [id for each in orders for id in each["return_ids"]])
    return [[found[id] for id in each["return_ids"] if id in found] for each in orders]


def return_note(ctx: Context, back: Document) -> str | None:
    return opened_note(ctx.services.crypto, back)


def opened_note(crypto: Keyring, back: Document) -> str | None:
    """Decrypted note of a return."""
    text = back["sealed_note"]
    return crypto.open(text, place=store.return_place(back["_id"])) if text else None


async def products(ctx: Context, lines: Sequence[Document]) -> list[Document | None]:
    return list(await visible_products(ctx, [each["product_id"] for each in lines]))


async def images(ctx: Context, lines: Sequence[Document]) -> list[Document | None]:
    found = await ctx.loader(MediaById).fetch([each["image_id"] for each in lines if each["image_id"]])
    return [found.get(each["image_id"]) if each["image_id"] else None for each in lines]
