"""Orders: a snapshot of what was bought, by whom, and what became of it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypedDict

from core.storage.mongo import Database
from core.storage.moves import Moves
from core.storage.store import Row, Sealed, collection, entity, index
from core.values.words import query_terms, words
from stores.order.fulfillments import Fulfillment
from stores.order.kinds import CancelReason, OrderActor, OrderSource, OrderStatus, OrderStepNote

MOST_TERMS = 500
"""Words by which an order is found."""
FIRST_NUMBER = 1_000


class OrderOption(TypedDict):
    name: str
    value: str


class OrderLine(TypedDict):
    """Line as it was bought: what becomes of its product does not change it. Amounts in minor units."""

    line_id: str
    variant_id: str
    product_id: str
    sku: str
    name: str
    brand: str
    image_id: str | None
    options: list[OrderOption]
    quantity: int
    unit_price: int
    discount: int
    tax: int
    currency: str
    shipped_quantity: int
    """Units in parcels that are on their way, or were."""
    returned_quantity: int
    """Units that came back."""
    returning_quantity: int
    """Units in returns that were not refused or called off, those that came back included."""


class OrderTaxLine(TypedDict):
    name: str
    rate: str
    amount: int
    currency: str


class OrderShipping(TypedDict):
    """Way of shipping that was chosen."""

    shipping_rate_id: str
    label: str
    price: int
    currency: str
    min_days: int
    max_days: int
    quoted_at: datetime


class OrderStep(TypedDict):
    """Step of an order to a status, or a note on the one that it has."""

    status: OrderStatus
    at: datetime
    actor: OrderActor
    note: OrderStepNote | None


class Order(Row):
    """Amounts are in minor units of the currency."""

    user_id: str
    number: int
    """Number for people; those of orders that came to nothing are left out."""
    status: OrderStatus
    source: OrderSource
    source_order_id: str | None
    """Order of which this one is a reorder."""
    cart_id: str | None
    quote_id: str | None
    """Quote that the order holds: no other order has it."""
    key: str
    """Key of who placed it: it resumes the order."""
    currency: str
    lines: list[OrderLine]
    subtotal: int
    discount_total: int
    shipping: int
    tax_lines: list[OrderTaxLine]
    tax_included: bool
    tax: int
    rounding: int
    total: int
    shipping_option: OrderShipping | None
    sealed: str | None
    """Addresses, note and gift message; None once they are erased."""
    timeline: list[OrderStep]
    cancel_reason: CancelReason | None
    refunded_total: int
    """Amount that was given back of the payment, which tells of it."""
    fulfillments: list[Fulfillment]
    return_ids: list[str]
    search_terms: list[str]
    """Folded words of the names, the brands and the number."""


class OrderCounter(TypedDict):
    """The number of the latest order."""

    _id: str
    number: int


ORDER_MOVES = Moves(
    {
        OrderStatus.CREATED: {OrderStatus.PROCESSING, OrderStatus.FAILED, OrderStatus.CANCELLED},
        OrderStatus.PROCESSING: {
            OrderStatus.PARTIALLY_SHIPPED,
            OrderStatus.SHIPPED,
            OrderStatus.CANCELLED,
            OrderStatus.REFUNDED,
        },
        OrderStatus.PARTIALLY_SHIPPED: {OrderStatus.SHIPPED, OrderStatus.REFUNDED},
        OrderStatus.SHIPPED: {OrderStatus.DELIVERED, OrderStatus.REFUNDED},
        OrderStatus.DELIVERED: {OrderStatus.REFUNDED},
        OrderStatus.CANCELLED: (),
        OrderStatus.REFUNDED: (),
        OrderStatus.FAILED: (),
    },
)

BOUGHT = (
    OrderStatus.PROCESSING,
    OrderStatus.PARTIALLY_SHIPPED,
    OrderStatus.SHIPPED,
    OrderStatus.DELIVERED,
)
"""Statuses of orders that are paid, and were not given back."""

orders = entity(
    "orders",
    Order,
    prefix="order",
    owner="user_id",
    indexes=[
        index("user_id", "-created_at", "-_id"),
        index("user_id", "number"),
        index("user_id", "lines.product_id"),
        # A quote is used once; orders without one do not meet.
        index("user_id", "quote_id", unique=True, partialFilterExpression={"quote_id": {"$gt": ""}}),
        # The unpaid orders of a cart.
        index("user_id", "cart_id", "status"),
        index("status", "-created_at", "-_id"),
        # What carriers and the shop's staff name of an order.
        index("fulfillments.tracking_number"),
        index("fulfillments.fulfillment_id"),
    ],
    shard_key="user_id",
    sealed=[Sealed("sealed", "orders/{_id}")],
    moves=ORDER_MOVES,
)
order_counters = collection("order_counters", OrderCounter)


def is_erased(order: Mapping[str, Any]) -> bool:
    """True if the order is nobody's: whose it was has left."""
    return order["sealed"] is None


def order_place(id: str) -> str:
    return f"orders/{id}"


def terms_of(number: int, lines: Sequence[Mapping[str, Any]]) -> list[str]:
    """Words that an order is found by: its number, names and brands."""
    text = " ".join(f"{line['name']} {line['brand']}" for line in lines)
    return list(dict.fromkeys([str(number), *words(text), *query_terms(text)]))[:MOST_TERMS]


async def next_number(db: Database) -> int:
    """A number that no other order has, outside of any unit: units would wait for each other at it.

    The number of an order that comes to nothing is left out.
    """
    answer = await db.write(
        {
            "findAndModify": order_counters.name,
            "query": {"_id": "orders"},
            "update": [{"$set": {"number": {"$add": [{"$ifNull": ["$number", FIRST_NUMBER]}, 1]}}}],
            "upsert": True,
            "new": True,
        }
    )
    return int(answer["value"]["number"])
