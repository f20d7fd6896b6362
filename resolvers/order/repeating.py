"""A new order of an old one's lines, without a cart: placed at once, unless something significant changed.

Nobody is charged for what they have not seen: where something changed, the answer has a token that is bound
to the lines, prices and total of now, and is sent back when the customer agrees.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from core import clock
from core.context import Context
from core.errors import UserError
from core.paging import NEWEST
from resolvers.cart import Delivery, customer, quote_of_lines
from resolvers.order.adjusting import Offer, ReorderAdjustment, Wanted, adjustments_of, offers_of
from resolvers.order.charging import PaidOrder, charge, check_payable
from resolvers.order.paying import PaymentSource
from resolvers.order.placing import order_id_of, place
from resolvers.order.reading import private_part
from resolvers.order.writing import Repeat
from stores import order as store
from stores.cart import Address, Quote
from stores.order import Order, OrderSource, OutOfStockPolicy, ReorderOutcome

CONFIRMED_FOR = timedelta(minutes=10)
"""Time for which a confirmation holds, and after which a request is taken to come from a queue."""
PURPOSE = "reorder-confirmation"


@dataclass(frozen=True, slots=True)
class Terms:
    """Terms of an order of the lines, as of now."""

    offers: list[Offer]
    adjustments: list[ReorderAdjustment]
    quote: Quote | None
    """None where nothing can be had."""

    @property
    def significant(self) -> bool:
        return any(each["significant"] for each in self.adjustments)


@dataclass(frozen=True, slots=True)
class Wish:
    """Wish of the customer, beside the lines."""

    source: PaymentSource | None
    out_of_stock: OutOfStockPolicy
    shipping_address: Address | None
    confirmation_token: str | None
    requested_at: datetime | None


async def repeat(ctx: Context, order: Order, wanted: Sequence[Wanted], wish: Wish) -> dict[str, Any]:
    """Order the lines again, outside any unit of work; with the same key the order goes on as it is."""
    # Who agrees, agrees to one order.
    order_id = order_id_of(order["_id"], wish.confirmation_token or ctx.idempotency_key)
    known = await _known(ctx, order_id)
    if known is not None:
        return _placed(ctx, await charge(ctx, known, wish.source), [])
    terms = await ctx.unit(partial(_terms, ctx, order, wanted, wish))
    if wish.out_of_stock is OutOfStockPolicy.FAIL and any(each.short for each in terms.offers):
        raise UserError(
            "REORDER_UNAVAILABLE",
            "Not all of it can be had.",
            outcome=ReorderOutcome.REJECTED,
            adjustments=terms.adjustments,
        )
    quote = terms.quote
    if quote is None:
        return {"outcome": ReorderOutcome.REJECTED, "adjustments": terms.adjustments}
    await check_payable(ctx, quote["total"], quote["currency"], wish.source)
    if _needs_word(ctx, order, terms, quote, wish):
        return {
            "outcome": ReorderOutcome.NEEDS_CONFIRMATION,
            "adjustments": terms.adjustments,
            "confirmation_token": _token(ctx, order, quote),
        }
    done = await _place(ctx, order, wanted, quote, order_id, wish.source)
    return _placed(ctx, done, terms.adjustments)


async def _known(ctx: Context, order_id: str) -> Order | None:
    """The order that was placed by this act; ORDER_EXISTS for one by another, with the same confirmation."""
    known = await store.orders.by_id(ctx.db, {"_id": order_id, "user_id": ctx.viewer_id})
    if known is not None and known["key"] != ctx.idempotency_key:
        raise UserError("ORDER_EXISTS", "It was ordered before.", field=["confirmation_token"], order=known)
    return known


async def _place(
    ctx: Context,
    order: Order,
    wanted: Sequence[Wanted],
    quote: Quote,
    order_id: str,
    source: PaymentSource | None,
) -> PaidOrder:
    repeats = Repeat(order["_id"], {each.variant_id: each.options for each in wanted})
    how: Any = {"order_id": order_id, "order_source": OrderSource.REORDER, "source": source}
    try:
        return await place(ctx, quote, repeats=repeats, **how)
    except UserError as refusal:
        if refusal.code == "ID_TAKEN":
            # Another act was first with the same confirmation.
            await _known(ctx, order_id)
        # The quote is our own: no input names it.
        if refusal.field == ["quoteToken"]:
            refusal.field = None
        raise


def _placed(ctx: Context, done: Mapping[str, Any], adjustments: list[ReorderAdjustment]) -> dict[str, Any]:
    edge = store.orders.edge({"user_id": ctx.viewer_id}, NEWEST, done["order"])
    outcome = ReorderOutcome.ORDER_PLACED
    return {"outcome": outcome, "adjustments": adjustments, "order_edge": edge, **done}


async def _terms(ctx: Context, order: Order, wanted: Sequence[Wanted], wish: Wish) -> Terms:
    """Terms of the lines, quoted for the customer."""
    offers = await offers_of(ctx, wanted, {})
    suggest = wish.out_of_stock is OutOfStockPolicy.SUGGEST
    adjustments = await adjustments_of(ctx, offers, suggest=suggest)
    lines = {each.wanted.variant_id: each.granted for each in offers if each.granted}
    if not lines:
        return Terms(offers, adjustments, None)
    delivery = _delivery(ctx, order, wish.shipping_address)
    quote, _ = await quote_of_lines(ctx, customer(ctx.viewer_id), lines, delivery, bindable=True)
    return Terms(offers, adjustments, quote)


def _delivery(ctx: Context, order: Order, given: Address | None) -> Delivery:
    """Delivery to where the old order went, unless another address is given, by the cheapest way."""
    private = private_part(ctx.services.crypto, order)
    address = given or private.get("shipping_address")
    if address is None:
        raise UserError("REQUIRED", "Say where to ship it to.", field=["shipping_address"])
    return Delivery(address, private.get("billing_address"))


def _needs_word(ctx: Context, order: Order, terms: Terms, quote: Quote, wish: Wish) -> bool:
    """True if the customer has to agree first: something changed, or the request is not of now."""
    now = clock.now()
    if wish.requested_at is not None and now - wish.requested_at > CONFIRMED_FOR:
        return True
    dearer = quote["total"] > order["total"] or quote["currency"] != order["currency"]
    if not terms.significant and not dearer:
        return False
    return not _agreed(ctx, order, quote, wish.confirmation_token)


def _token(ctx: Context, order: Order, quote: Quote) -> str:
    """Token by which a customer agrees, for ten minutes: to these lines at these prices, for this total."""
    until = int((clock.timestamp() + CONFIRMED_FOR.total_seconds()) * 1000)
    return f"{until}.{ctx.services.signer.link(*_signed(order, quote, until))}"


def _agreed(ctx: Context, order: Order, quote: Quote, token: str | None) -> bool:
    until, _, signature = (token or "").partition(".")
    if not until.isdecimal() or int(until) < clock.timestamp() * 1000:
        return False
    return ctx.services.signer.linked(signature, *_signed(order, quote, int(until)))


def _signed(order: Order, quote: Quote, until: int) -> list[str | int]:
    lines = sorted((each["variant_id"], each["quantity"], each["unit_price"]) for each in quote["lines"])
    values = [value for line in lines for value in line]
    return [PURPOSE, order["user_id"], order["_id"], quote["currency"], quote["total"], until, *values]
