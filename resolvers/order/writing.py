"""The writing of orders: a snapshot of what was quoted, and the steps of its life, each on record.

All of it runs in the caller's unit of work.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.audit import Act, record
from core.context import Context
from core.errors import ErrorKind, UserError, error_codes
from core.storage import mongo
from loaders.catalog import ProductOfVariant
from resolvers.cart import opened, quote_place, title_of
from resolvers.order.hooks import order_moved
from stores import order as store
from stores.cart import Cart, Quote, QuoteLine
from stores.catalog import Product
from stores.order import Order, OrderActor, OrderLine, OrderSource, OrderStatus, OrderStepNote

error_codes(
    ErrorKind.CONFLICT,
    QUOTE_STALE="The cart was changed since it was quoted, or a product or promotion is gone: nothing is "
    "charged. Show the fresh quote in the payload, and ask again.",
)


@dataclass(frozen=True, slots=True)
class Repeat:
    """Order that another one of a list repeats; its options are by variant."""

    order_id: str
    options: Mapping[str, Sequence[Any]]


MOST_STEPS = 100
"""Lines of a timeline: of more, notes are left out."""
QUOTED = (
    "subtotal",
    "discount_total",
    "shipping",
    "shipping_option",
    "tax_lines",
    "tax_included",
    "tax",
    "rounding",
    "total",
)
"""Fields that an order has of its quote as they are."""


async def create_order(
    ctx: Context,
    quote: Quote,
    *,
    id: str,
    number: int,
    cart: Cart | None,
    source: OrderSource,
    key: str,
    repeats: Repeat | None = None,
    note: str | None = None,
    gift_message: str | None = None,
) -> Order:
    """Write an order of what was quoted, at the quoted amounts; `number` was taken before the unit.

    Of two that hold the same quote at once, the unit of the later runs again.
    """
    lines = await _snapshot(ctx, quote["lines"], cart, repeats)
    crypto = ctx.services.crypto
    addresses = opened(crypto, quote["sealed"], place=quote_place(quote["_id"]))
    private = {
        "shipping_address": addresses.get("shipping"),
        "billing_address": addresses.get("billing"),
        "note": note,
        "gift_message": gift_message,
    }
    row: dict[str, Any] = {
        "_id": id,
        "user_id": quote["owner_id"],
        "number": number,
        "status": OrderStatus.CREATED,
        "source": source,
        "source_order_id": repeats.order_id if repeats else None,
        "cart_id": quote["cart_id"],
        "quote_id": quote["_id"],
        "key": key,
        "currency": quote["currency"],
        "lines": lines,
        **{name: quote[name] for name in QUOTED},  # type: ignore[literal-required]
        "sealed": crypto.seal_values(private, place=store.order_place(id)),
        "timeline": [_step(ctx, OrderStatus.CREATED, OrderActor.CUSTOMER)],
        "cancel_reason": None,
        "refunded_total": 0,
        "fulfillments": [],
        "return_ids": [],
        "search_terms": store.terms_of(number, lines),
    }
    made = await ctx.tx.insert(store.orders, row, taken=mongo.run_again)
    await record_act(ctx, made, "placed", total=made["total"], currency=made["currency"])
    return made


async def move_order(
    ctx: Context, order: Order, status: OrderStatus, actor: OrderActor, note: OrderStepNote | None = None
) -> Order:
    """Move an order to a status, with a line in its timeline; WRONG_STATUS where it may not go there."""
    timeline = [*order["timeline"], _step(ctx, status, actor, note)]
    moved = await ctx.tx.edit(store.orders, order, {"status": status, "timeline": timeline})
    await record_act(ctx, moved, "moved", before=order["status"], after=status, note=note)
    await order_moved(ctx, moved, order)
    return moved


async def note_step(ctx: Context, order: Order, note: OrderStepNote, actor: OrderActor) -> Order:
    """Add a note to an order's timeline, whose status stays."""
    if len(order["timeline"]) >= MOST_STEPS:
        return order
    timeline = [*order["timeline"], _step(ctx, order["status"], actor, note)]
    noted = await ctx.tx.edit(store.orders, order, {"timeline": timeline})
    await record_act(ctx, noted, "noted", status=order["status"], note=note)
    return noted


def _step(
    ctx: Context, status: OrderStatus, actor: OrderActor, note: OrderStepNote | None = None
) -> dict[str, Any]:
    return {"status": status, "at": ctx.tx.now, "actor": actor, "note": note}


async def _snapshot(
    ctx: Context, quoted: Sequence[QuoteLine], cart: Cart | None, repeats: Repeat | None
) -> list[OrderLine]:
    """Lines as they are bought."""
    options: dict[str, Sequence[Any]] = (
        {line["_id"]: line["options"] for line in cart["lines"]} if cart else {}
    )
    if repeats is not None:
        options |= repeats.options
    products = await ctx.load_many(ProductOfVariant, [line["variant_id"] for line in quoted])
    return [
        _line(line, product, options.get(line["line_id"] or line["variant_id"], ()))
        for line, product in zip(quoted, products, strict=True)
    ]


def _line(quoted: QuoteLine, product: Product | None, options: Sequence[Any]) -> OrderLine:
    if product is None:
        raise UserError("QUOTE_STALE", "A product is gone.")
    variant = next(each for each in product["variants"] if each["_id"] == quoted["variant_id"])
    return {
        # Of a list, which names each variant once, there is no other.
        "line_id": quoted["line_id"] or quoted["variant_id"],
        "variant_id": quoted["variant_id"],
        "product_id": product["_id"],
        "sku": variant["sku"],
        "name": title_of(product, variant),
        "brand": product["brand"],
        "image_id": product["image_ids"][0] if product["image_ids"] else None,
        "options": [{"name": each["name"], "value": each["value"]} for each in options],
        "quantity": quoted["quantity"],
        "unit_price": quoted["unit_price"],
        "discount": quoted["discount"],
        "tax": quoted["tax"],
        "currency": quoted["currency"],
        "shipped_quantity": 0,
        "returned_quantity": 0,
        "returning_quantity": 0,
    }


async def record_act(
    ctx: Context, order: Order, what: str, *, sensitive: Mapping[str, Any] | None = None, **details: Any
) -> None:
    """Put on record what was done to an order; `sensitive` words are encrypted."""
    act = Act(
        f"order.{what}",
        "DATA_MODIFIED",
        "ORDER",
        resource_id=order["_id"],
        subject_id=order["user_id"],
        details={"number": order["number"], **details},
        sensitive=sensitive or {},
        source="order",
    )
    await record(ctx, act)
