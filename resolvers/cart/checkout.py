"""Checkout, for the system that places orders: the cart while it is paid, and what becomes of it then.

All of it runs in the caller's unit of work.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from core import ids, jobs
from core.audit import Act, record
from core.context import Context
from resolvers.cart import metrics, owners
from resolvers.cart.adding import MOST_LINES, fits_currency, ordered_before, sold_variant
from resolvers.cart.drafts import HOLD_TASK, Draft, hold_key, tell_lines, write
from resolvers.cart.owners import customer
from resolvers.cart.views import most_of
from resolvers.catalog import stock_holder, transfer_stock
from stores.cart import carts as store
from stores.cart.carts import KNOWN, Cart, Option
from stores.cart.kinds import CartStatus
from stores.cart.quotes import Quote
from stores.catalog import HolderType, StockReservation


async def begin(ctx: Context, quote: Quote, order_id: str) -> tuple[Cart | None, StockReservation | None]:
    """The quoted cart is being paid: it cannot be changed, and its hold becomes the order's.

    The quote is without fault (`tokens.fault_of`), asked in this unit. The hold is None where the cart had
    none: the order reserves for itself then. A list that was quoted has no cart.
    """
    if quote["cart_id"] is None:
        return None, None
    cart = await owners.cart_to_change(ctx, customer(str(quote["owner_id"])))
    hold = None
    if cart["hold"] is not None:
        cart_holder = stock_holder(HolderType.CART, cart["_id"])
        hold = await transfer_stock(ctx, cart_holder, stock_holder(HolderType.ORDER, order_id))
        await jobs.cancel(ctx.tx, HOLD_TASK, key=hold_key(cart))
    begun = {"order_id": order_id, "begun_at": ctx.tx.now}
    moved = {"status": CartStatus.CHECKING_OUT, "checkout": begun, "hold": None}
    return await write(ctx, cart, moved), hold


async def reopen(ctx: Context, user_id: str, order_id: str) -> Cart | None:
    """Payment failed, was cancelled or takes too long: the cart can be changed again, as it was.

    None where the cart is not being paid for this order; idempotent.
    """
    cart = await owners.cart_of(ctx, customer(user_id))
    if cart is None or cart["status"] != CartStatus.CHECKING_OUT or _order_of(cart) != order_id:
        return None
    return await write(ctx, cart, {"status": CartStatus.ACTIVE, "checkout": None})


async def convert(
    ctx: Context, user_id: str, cart_id: str, order_id: str, lines: Sequence[Mapping[str, Any]]
) -> Cart:
    """Payment succeeded: what was ordered leaves the cart. The cart that is open from now on.

    The cart that was being paid is CONVERTED, and a new one begins. One that was changed meanwhile, after a
    declined payment, stays, less the ordered quantities. `lines` are those of the quote.
    """
    cart = await owners.cart_of(ctx, customer(user_id))
    if cart is None or cart["_id"] != cart_id:
        # It was converted before, or deleted.
        return cart or await owners.new_cart(ctx, customer(user_id))
    metrics.CONVERSIONS.inc()
    if cart["status"] == CartStatus.CHECKING_OUT and _order_of(cart) == order_id:
        return await _converted(ctx, cart, order_id)
    draft = Draft(ctx, cart)
    for ordered in lines:
        line = draft.line(ordered["line_id"])
        if line is not None and line["quantity"] > ordered["quantity"]:
            draft.change(line, quantity=line["quantity"] - ordered["quantity"])
        elif line is not None:
            draft.remove(line, ordered=True)
    left = await draft.save()
    _tell_conversion(ctx, left, order_id, left)
    return left


def _order_of(cart: Cart) -> str | None:
    return cart["checkout"]["order_id"] if cart["checkout"] else None


async def _converted(ctx: Context, cart: Cart, order_id: str) -> Cart:
    lines = cart["lines"]
    known = [id for line in lines for id in store.ids_of(line)]
    ended = {
        "status": CartStatus.CONVERTED,
        "lines": [],
        "gone": [],
        "line_ids": known,
        "expires_at": ctx.tx.now + KNOWN,
    }
    done = await ctx.tx.edit(store.carts, cart, ended)
    tell_lines(ctx, done, [], lines, known={})
    await record(
        ctx,
        Act(
            "cart.converted",
            "DATA_MODIFIED",
            "CART",
            cart["_id"],
            details={"order_id": order_id},
            actor_id=cart["owner_id"],
        ),
    )
    ctx.refresh()
    fresh = await owners.new_cart(ctx, customer(str(cart["owner_id"])), cart["currency"])
    # Lines that were removed before stay known as removed.
    if cart["gone"]:
        fresh = await ctx.tx.edit(store.carts, fresh, {"gone": cart["gone"]})
    _tell_conversion(ctx, done, order_id, fresh)
    return fresh


def _tell_conversion(ctx: Context, cart: Cart, order_id: str, fresh: Cart) -> None:
    ctx.tx.changed(
        cart,
        aspect="converted",
        scopes=store.scopes_of(cart),
        audience_never_shrinks=True,
        detail={"order_id": order_id, "new_cart_id": fresh["_id"]},
        brief=True,
    )


async def add_lines(
    ctx: Context, user_id: str, lines: Sequence[Mapping[str, Any]], *, replace: bool = False
) -> tuple[Cart, dict[str, int]]:
    """Put lines of an old order into the cart, by the rules of every addition.

    Each has a `line_id` that is made of the act's key, so that a replay adds nothing twice, `variant_id`,
    `options` and `quantity`. Answers with the quantity that was taken of each, by its `line_id`: less where a
    line may not have as many, or the cart is full; nothing of what is no longer sold.
    """
    owner = customer(user_id)
    draft = Draft(ctx, await owners.cart_to_change(ctx, owner))
    given = {each["line_id"] for each in lines}
    if replace:
        for line in [each for each in draft.lines if each["_id"] not in given]:
            draft.remove(line)
    ordered = await ordered_before(ctx, draft.cart, list(given))
    taken = {each["line_id"]: await _add(ctx, draft, each, ordered) for each in lines}
    return await draft.save(), taken


async def _add(ctx: Context, draft: Draft, wanted: Mapping[str, Any], ordered: set[str]) -> int:
    line_id, quantity = wanted["line_id"], wanted["quantity"]
    if line_id in ordered or draft.line(line_id) is not None or draft.tombstone(line_id) is not None:
        return int(quantity)
    found = await sold_variant(ctx, wanted["variant_id"])
    if found is None or not fits_currency(draft, found.variant):
        return 0
    options: list[Option] = wanted["options"]
    equal = draft.equal_line(found.variant["_id"], options)
    if equal is None and len(draft.lines) >= MOST_LINES:
        return 0
    before = equal["quantity"] if equal else 0
    whole = min(before + quantity, max(before, most_of(found.variant)))
    draft.currency = found.variant["currency"]
    if equal is None:
        draft.add(line_id, found.product, found.variant, options, whole, found.variant["price"])
    else:
        draft.change(draft.alias(equal, line_id), quantity=whole)
    return int(whole - before)


def line_id_of(parent_id: str, *parts: str) -> str:
    """Deterministic id of a line, made of what it is added for."""
    return ids.derived("cart_line", parent_id, *parts)
