"""Placing of orders: a quote becomes an order in one unit of work, then its payment is asked for."""

from functools import partial
from typing import Any, TypedDict

from core import ids
from core.context import Context
from core.errors import ErrorKind, UserError, error_codes
from core.ids import Id
from core.paging import NEWEST
from core.security.limits import Rate
from ports.order import NextAction
from resolvers.cart import (
    Delivery,
    QuoteFault,
    begin,
    cart_of,
    checked_words,
    count_uses,
    customer,
    opened,
    quote_fault,
    quote_named,
    quote_of_cart,
    quote_place,
)
from resolvers.catalog import reserve_stock
from resolvers.order.charging import PaidOrder, charge, check_payable
from resolvers.order.outcomes import complete, end_order, wait_for_payment
from resolvers.order.paying import PaymentSource
from resolvers.order.stock import hold_of, holder_of
from resolvers.order.writing import Repeat, create_order
from stores import order as store
from stores.cart import Cart, CartStatus, Quote
from stores.order import Order, OrderActor, OrderSource, OrderStatus, OrderStepNote, Payment

error_codes(
    ErrorKind.CONFLICT,
    QUOTE_EXPIRED="The ten minutes of the quote are over: nothing is charged. Show the fresh quote in the "
    "payload, and ask again.",
    ORDER_EXISTS="An order was placed with this quote before: it is in the payload.",
)
error_codes(
    ErrorKind.INVALID,
    QUOTE_INVALID="The token names no quote that could be ordered: show the fresh quote in the payload.",
)

ORDER_RATE = Rate("orders", 10, 60)
MOST_UNPAID = 10
"""Unpaid orders of one cart that are looked for: each replaces the one before."""
REQUOTED = frozenset({"QUOTE_EXPIRED", "QUOTE_STALE", "QUOTE_INVALID", "OUT_OF_STOCK"})
"""Refusals that come with a fresh quote."""


class Placed(TypedDict, total=False):
    order: Order
    order_edge: dict[str, Any]
    cart: Cart | None
    checkout_quote: Quote | None
    payment: Payment | None
    next_action: NextAction | None


async def place_order(
    ctx: Context,
    *,
    id: Id | None = None,
    quote_token: str,
    source: PaymentSource | None = None,
    note: str | None = None,
    gift_message: str | None = None,
    save_payment_method: bool = False,
) -> Placed:
    """Place an order of what was quoted, and charge for it; with the same key it goes on where it stands."""
    await ctx.limit(ORDER_RATE)
    given = {"note": note, "gift_message": gift_message}
    words: dict[str, Any] = checked_words(
        **{field: text for field, text in given.items() if text is not None}
    )
    quote = await quote_named(ctx, customer(ctx.viewer_id), quote_token)
    try:
        order = await _order_of(ctx, quote_token.partition(".")[0])
        if order is not None:
            done = await charge(ctx, _own(ctx, order), source, keep_source=save_payment_method)
        elif quote is None:
            raise UserError("QUOTE_INVALID", "It is no quote of yours.", field=["quote_token"])
        else:
            order_id = ids.minted(id, "order") if id else order_id_of(quote["_id"], ctx.idempotency_key)
            done = await place(
                ctx,
                quote,
                order_id=order_id,
                order_source=OrderSource.CART,
                source=source,
                keep_source=save_payment_method,
                **words,
            )
    except UserError as refusal:
        refusal.entities = {**await _beside(ctx, refusal.code, quote), **refusal.entities}
        raise
    edge = store.orders.edge({"user_id": ctx.viewer_id}, NEWEST, done["order"])
    return {**done, "order_edge": edge, "cart": await _cart(ctx), "checkout_quote": None}


def order_id_of(parent_id: str, *parts: str) -> str:
    """Id of an order, made of what it is placed with: a retry after a crash makes the same one."""
    return ids.derived("order", parent_id, *parts)


async def place(
    ctx: Context,
    quote: Quote,
    *,
    order_id: str,
    order_source: OrderSource,
    source: PaymentSource | None,
    keep_source: bool = False,
    repeats: Repeat | None = None,
    **words: str | None,
) -> PaidOrder:
    """Place an order of a quote, and charge for it, outside any unit of work.

    An order that holds the quote, and was placed with this key, goes on where it stands. `words` are the
    `note` and the `gift_message`; where they are left out, those of the cart.
    """
    await check_payable(ctx, quote["total"], quote["currency"], source)
    number = await store.next_number(ctx.services.db)
    wanted = {
        "id": order_id,
        "number": number,
        "source": order_source,
        "key": ctx.idempotency_key,
        "repeats": repeats,
    }
    order = await ctx.unit(partial(_placed, ctx, quote, wanted, words))
    return await charge(ctx, order, source, keep_source=keep_source)


async def _placed(ctx: Context, quote: Quote, wanted: dict[str, Any], words: dict[str, str | None]) -> Order:
    """The order with all that goes with it: the hold, uses of promotions, and its cart, which is paid now."""
    known = await _order_of(ctx, quote["_id"])
    if known is not None:
        return _own(ctx, known)
    await _check_quote(ctx, quote)
    await _replace_unpaid(ctx, quote)
    cart, hold = await begin(ctx, quote, wanted["id"])
    of_cart = {"note": cart["note"], "gift_message": cart["gift_message"]} if cart else {}
    said: dict[str, Any] = {**of_cart, **words}
    order = await create_order(ctx, quote, cart=cart, **wanted, **said)
    if not await count_uses(ctx, quote, order["_id"]):
        raise UserError("QUOTE_STALE", "The last use of a promotion is gone.", field=["quote_token"])
    if hold is None:
        await _reserve(ctx, order)
    if order["total"] > 0:
        await wait_for_payment(ctx, order)
        return order
    ctx.refresh()
    return await complete(ctx, order, OrderActor.SYSTEM)


async def _order_of(ctx: Context, quote_id: str) -> Order | None:
    """The viewer's order that holds a quote."""
    if not ids.well_formed(quote_id, "checkout_quote"):
        return None
    return await store.orders.first(ctx.db, {"user_id": ctx.viewer_id, "quote_id": quote_id})


def _own(ctx: Context, order: Order) -> Order:
    """The order, if it was placed with the key of this act; ORDER_EXISTS."""
    if order["key"] != ctx.idempotency_key:
        raise UserError("ORDER_EXISTS", "It was ordered before.", field=["quote_token"], order=order)
    return order


async def _check_quote(ctx: Context, quote: Quote) -> None:
    fault = await quote_fault(ctx, customer(ctx.viewer_id), quote)
    if fault is not None and quote["cart_id"] is not None:
        cart = await _cart(ctx)
        if cart is not None and cart["status"] == CartStatus.CHECKING_OUT:
            raise UserError("CHECKOUT_IN_PROGRESS", "It is being paid.", cart=cart)
    if fault is QuoteFault.EXPIRED:
        raise UserError("QUOTE_EXPIRED", "The quote has expired.", field=["quote_token"])
    if fault is not None:
        raise UserError("QUOTE_STALE", "The cart was changed since.", field=["quote_token"])


async def _replace_unpaid(ctx: Context, quote: Quote) -> None:
    """Cancel the orders of the cart that are not paid: this one takes their place."""
    if quote["cart_id"] is None:
        return
    unpaid = {"user_id": ctx.viewer_id, "cart_id": quote["cart_id"], "status": OrderStatus.CREATED}
    for each in await store.orders.find(ctx.db, unpaid, limit=MOST_UNPAID):
        await end_order(ctx, each, OrderStatus.CANCELLED, OrderActor.CUSTOMER, OrderStepNote.REPLACED)


async def _reserve(ctx: Context, order: Order) -> None:
    held = await reserve_stock(ctx, holder_of(order["_id"]), hold_of(order))
    if held.reservation is None:
        raise UserError("OUT_OF_STOCK", "Not all of it is in stock.", field=["quote_token"])


async def _beside(ctx: Context, code: str, quote: Quote | None) -> dict[str, Any]:
    """Entities to show with a refusal: the cart, and what it costs now where the quote is not honored."""
    if code not in REQUOTED:
        return {"cart": await _cart(ctx)}
    return await ctx.unit(partial(_requoted, ctx, quote))


async def _requoted(ctx: Context, quote: Quote | None) -> dict[str, Any]:
    cart = await _cart(ctx)
    if cart is None or not cart["lines"]:
        return {"cart": cart, "checkout_quote": None}
    owner = customer(ctx.viewer_id)
    try:
        fresh, _ = await quote_of_cart(ctx, owner, cart, _delivery(ctx, quote))
    except UserError:
        # Nothing is shipped there any more: a look without an address.
        fresh, _ = await quote_of_cart(ctx, owner, cart, Delivery())
    return {"cart": cart, "checkout_quote": fresh}


def _delivery(ctx: Context, quote: Quote | None) -> Delivery:
    """Delivery as it was quoted."""
    if quote is None:
        return Delivery()
    known = opened(ctx.services.crypto, quote["sealed"], place=quote_place(quote["_id"]))
    option = quote["shipping_option"]
    return Delivery(known.get("shipping"), known.get("billing"), option and option["shipping_rate_id"])


async def _cart(ctx: Context) -> Cart | None:
    return await cart_of(ctx, customer(ctx.viewer_id))
