"""Reorders: the lines of an old order, or of a list, once more."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, TypedDict, cast

from core.context import Context
from core.errors import UserError
from core.ids import Id
from core.nodes import GONE
from core.security.limits import Rate
from core.values.bounds import check_count, check_length
from ports.order import NextAction
from resolvers.cart import PostalAddress, add_lines, cart_of, checked_address, customer, line_id_of
from resolvers.order import metrics
from resolvers.order.access import own_order
from resolvers.order.adjusting import (
    Offer,
    ReorderAdjustment,
    Wanted,
    adjustments_of,
    granted,
    offers_of,
    wanted_of,
)
from resolvers.order.paying import PaymentSource
from resolvers.order.placing import ORDER_RATE
from resolvers.order.repeating import Wish, repeat
from stores.cart import Cart, ids_of
from stores.order import CartBehavior, Order, OutOfStockPolicy, Payment, ReorderKind, ReorderOutcome

REORDER_RATE = Rate("reorders", 20, 60)
MOST_LINES = 100
LONGEST_TOKEN = 255


class Repopulated(TypedDict):
    outcome: ReorderOutcome
    cart: Cart | None
    adjustments: list[ReorderAdjustment]


class Reordered(TypedDict, total=False):
    outcome: ReorderOutcome
    cart: Cart | None
    order: Order
    order_edge: dict[str, Any]
    adjustments: list[ReorderAdjustment]
    confirmation_token: str
    payment: Payment | None
    next_action: NextAction | None


async def reorder_items(
    ctx: Context,
    *,
    order_id: Id,
    kind: ReorderKind = ReorderKind.REPOPULATE_CART,
    line_ids: Sequence[Id] | None = None,
    out_of_stock: OutOfStockPolicy = OutOfStockPolicy.SUGGEST,
    cart_behavior: CartBehavior = CartBehavior.MERGE,
    source: PaymentSource | None = None,
    shipping_address: PostalAddress | None = None,
    confirmation_token: str | None = None,
    requested_at: datetime | None = None,
) -> Reordered:
    """Put the lines of an order of the viewer's into their cart, or place an order of them."""
    await ctx.limit(REORDER_RATE)
    check_length(confirmation_token or "", most=LONGEST_TOKEN, field="confirmation_token")
    address = checked_address(shipping_address, "shipping_address") if shipping_address else None
    order = await own_order(ctx, order_id)
    wanted = wanted_of(order, checked_lines(order, line_ids))
    if kind is ReorderKind.REPOPULATE_CART:
        into_cart = partial(repopulate, ctx, order_id, wanted, out_of_stock, cart_behavior)
        return cast("Reordered", await ctx.unit(into_cart))
    await ctx.limit(ORDER_RATE)
    _check_distinct(wanted)
    wish = Wish(source, out_of_stock, address, confirmation_token, requested_at)
    done = await repeat(ctx, order, wanted, wish)
    await metrics.reordered(done["outcome"], done["adjustments"])
    return cast("Reordered", done)


def _check_distinct(wanted: Sequence[Wanted]) -> None:
    """Refuse lines of one variant that differ in their options: an order without a cart has no such lines."""
    options: dict[str, Sequence[Any]] = {}
    if any(options.setdefault(each.variant_id, each.options) != each.options for each in wanted):
        raise UserError(
            "INVALID_INPUT", "Its lines differ in their options: put them into the cart.", field=["kind"]
        )


def checked_lines(order: Order, line_ids: Sequence[str] | None) -> Sequence[str] | None:
    """Ids of lines of the order; NOT_FOUND for another."""
    if line_ids is None:
        return None
    check_count(line_ids, least=1, most=MOST_LINES, field="line_ids")
    if not {line["line_id"] for line in order["lines"]}.issuperset(line_ids):
        raise UserError("NOT_FOUND", GONE, field=["line_ids"])
    return line_ids


async def repopulate(
    ctx: Context,
    source_id: str,
    wanted: Sequence[Wanted],
    out_of_stock: OutOfStockPolicy,
    cart_behavior: CartBehavior,
) -> Repopulated:
    """Put lines into the viewer's cart, at the prices of now, as far as they can be had.

    In the caller's unit of work. Their ids are made of the act's key: it adds nothing twice.
    """
    cart = await cart_of(ctx, customer(ctx.viewer_id))
    ids = {each.line_id: line_id_of(source_id, ctx.idempotency_key, each.line_id) for each in wanted}
    is_merge = cart_behavior is CartBehavior.MERGE
    offers = await offers_of(ctx, wanted, _spare(cart, set(ids.values()), is_merge=is_merge))
    if cart and is_merge:
        _check_currency(cart, offers)
    after, offers = await _added(ctx, cart, ids, offers, replace=not is_merge)
    suggest = out_of_stock is OutOfStockPolicy.SUGGEST
    adjustments = await adjustments_of(ctx, offers, suggest=suggest)
    if out_of_stock is OutOfStockPolicy.FAIL and any(each.short for each in offers):
        raise UserError(
            "REORDER_UNAVAILABLE",
            "Not all of it can be had.",
            outcome=ReorderOutcome.REJECTED,
            cart=cart,
            adjustments=adjustments,
        )
    done = any(each.granted for each in offers)
    outcome = ReorderOutcome.CART_REPOPULATED if done else ReorderOutcome.REJECTED
    ctx.tx.after_commit(partial(metrics.reordered, outcome, adjustments))
    return {"outcome": outcome, "cart": after, "adjustments": adjustments}


async def _added(
    ctx: Context, cart: Cart | None, ids: Mapping[str, str], offers: Sequence[Offer], *, replace: bool
) -> tuple[Cart | None, list[Offer]]:
    """The cart with what can be had, and what was taken; the cart as it was where nothing can be."""
    lines = [
        {
            "line_id": ids[each.wanted.line_id],
            "variant_id": each.wanted.variant_id,
            "options": each.wanted.options,
            "quantity": each.granted,
        }
        for each in offers
        if each.granted
    ]
    if not lines:
        return cart, list(offers)
    after, taken = await add_lines(ctx, ctx.viewer_id, lines, replace=replace)
    return after, granted(offers, {line_id: taken.get(id, 0) for line_id, id in ids.items()})


def _spare(cart: Cart | None, ids: set[str], *, is_merge: bool) -> dict[str, int]:
    """By variant, stock that is held for the cart itself, less what its lines take already.

    Lines that this act has added before are no others.
    """
    found: dict[str, int] = {}
    if cart is None:
        return found
    for held in cart["hold"]["lines"] if cart["hold"] else ():
        found[held["variant_id"]] = found.get(held["variant_id"], 0) + held["quantity"]
    for line in cart["lines"] if is_merge else ():
        if not ids.intersection(ids_of(line)):
            found[line["variant_id"]] = found.get(line["variant_id"], 0) - line["quantity"]
    return found


def _check_currency(cart: Cart, offers: Sequence[Offer]) -> None:
    """CURRENCY_MISMATCH where the cart has lines in another currency than what would come to them."""
    currencies = {each.variant["currency"] for each in offers if each.variant}
    if cart["lines"] and currencies and cart["currency"] not in currencies:
        raise UserError(
            "CURRENCY_MISMATCH",
            "The cart is in {currency}.",
            field=["cart_behavior"],
            values={"currency": cart["currency"]},
            cart=cart,
        )
