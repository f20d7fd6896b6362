"""Validation before a checkout: a quote that is honored for ten minutes, and the stock held on demand."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, TypedDict

from core import clock, ids, jobs
from core.audit import Act, record
from core.context import Context
from core.errors import BadUserInput, ErrorKind, UserError, error_codes
from core.ids import Id
from core.nodes import guard
from core.values.bounds import check_count
from resolvers.cart import addresses as postal
from resolvers.cart import drafts, metrics, owners, quoting, tokens
from resolvers.cart.adding import MOST_LINES
from resolvers.cart.addresses import PostalAddress
from resolvers.cart.quoting import Delivery
from resolvers.cart.views import MOST_PER_LINE, view_of
from resolvers.catalog import release_stock, reserve_stock, stock_holder
from stores.cart import carts, quotes
from stores.cart.carts import Cart
from stores.cart.kinds import CartStatus
from stores.cart.quotes import ChosenShipping, Quote
from stores.catalog import HolderType

error_codes(
    ErrorKind.WRONG_STATUS,
    CART_EMPTY="The cart has no lines: there is nothing to check out.",
)

HOLD = timedelta(minutes=10)

Document = Mapping[str, Any]


class CheckoutItem(TypedDict):
    """Variant of a list that is to be checked without touching the cart."""

    product_variant_id: Id
    """Id of the variant."""
    quantity: int
    """Number of units, 1 to 99."""


class Validated(TypedDict):
    cart: Cart | None
    checkout_quote: Quote
    shipping_options: list[ChosenShipping]


@guard("checkout_quote")
async def own_quotes(ctx: Context, wanted: Sequence[str]) -> list[Quote | None]:
    """Access guard of quotes: the owner's own, for a day."""
    owner = owners.owner_or_none(ctx)
    if owner is None:
        return [None for _ in wanted]
    query = {"owner_key": owner.key, "_id": {"$in": list(wanted)}}
    rows = await quotes.quotes.find(ctx.db, query, limit=len(wanted))
    found = {row["_id"]: row for row in rows}
    return [found.get(id) for id in wanted]


async def validate_cart(
    ctx: Context,
    *,
    items: Sequence[CheckoutItem] | None = None,
    shipping_address: PostalAddress | None = None,
    billing_address: PostalAddress | None = None,
    shipping_rate_id: Id | None = None,
    reserve: bool = False,
) -> Validated:
    """Check the cart, or a list, against prices and stock of now, and quote what it costs."""
    delivery = Delivery(
        postal.checked(shipping_address, "shipping_address") if shipping_address else None,
        postal.checked(billing_address, "billing_address") if billing_address else None,
        ids.checked(shipping_rate_id, "shipping_rate") if shipping_rate_id else None,
    )
    owner = owners.owner_of(ctx)
    await owners.limit(ctx, owner)
    if items is not None:
        lines = _checked(items)
        quote, sums = await quoting.quote_of_lines(ctx, owner, lines, delivery)
        return await _told(ctx, None, quote, sums.options)
    cart = await owners.cart_to_change(ctx, owner)
    if not cart["lines"]:
        raise UserError("CART_EMPTY", "The cart is empty.", cart=cart)
    if reserve:
        cart = await _reserved(ctx, cart)
    quote, sums = await quoting.quote_of_cart(ctx, owner, cart, delivery)
    return await _told(ctx, cart, quote, sums.options)


def _checked(items: Sequence[CheckoutItem]) -> dict[str, int]:
    check_count(items, least=1, most=MOST_LINES, field="items")
    if any(not 1 <= each["quantity"] <= MOST_PER_LINE for each in items):
        raise BadUserInput(f"A quantity is 1 to {MOST_PER_LINE}.")
    return quoting.wanted_lines(
        [(ids.checked(each["product_variant_id"], "variant"), each["quantity"]) for each in items]
    )


async def _told(ctx: Context, cart: Cart | None, quote: Quote, options: list[ChosenShipping]) -> Validated:
    metrics.VALIDATIONS.labels("VALID" if quote["valid"] else "BLOCKED").inc()
    for code in {issue["code"] for issue in quote["issues"]}:
        metrics.ISSUES.labels(str(code)).inc()
    if cart is not None and not quote["valid"]:
        details = {"issues": sorted({str(issue["code"]) for issue in quote["issues"] if issue["blocking"]})}
        await record(ctx, Act("cart.validation_failed", "USER_ACTION", "CART", cart["_id"], details=details))
    return {"cart": cart, "checkout_quote": quote, "shipping_options": options}


async def _reserved(ctx: Context, cart: Cart) -> Cart:
    """The cart with its stock held anew for ten minutes; without a hold where something is blocking."""
    had_hold = cart["hold"] is not None
    if had_hold:
        await drafts.release_hold(ctx, cart)
        cart = {**cart, "hold": None}
        ctx.refresh()
    view = await view_of(ctx, cart)
    if view.blocked:
        return await drafts.write(ctx, cart, {"hold": None}) if had_hold else cart
    lines: list[carts.HeldLine] = [
        {"variant_id": line["variant_id"], "quantity": line["quantity"]} for line in cart["lines"]
    ]
    holder = stock_holder(HolderType.CART, cart["_id"])
    held = await reserve_stock(ctx, holder, lines, HOLD)
    assert held.reservation is not None, "What is not blocked is in stock."
    expires_at = held.reservation["expires_at"]
    key = drafts.hold_key(cart)
    await jobs.enqueue(ctx.tx, drafts.HOLD_TASK, due_at=expires_at, key=key, cart_id=cart["_id"])
    ctx.refresh()
    return await drafts.write(ctx, cart, {"hold": {"expires_at": expires_at, "lines": lines}})


async def end_hold(ctx: Context, cart: Cart) -> None:
    """The time of the cart's hold is over: the catalog gives the stock back, devices are told."""
    hold = cart["hold"]
    if hold is None or hold["expires_at"] > clock.now() or cart["status"] != CartStatus.ACTIVE:
        return
    await release_stock(ctx, stock_holder(HolderType.CART, cart["_id"]))
    changed = await ctx.tx.edit(carts.carts, cart, {"hold": None})
    ctx.tx.changed(
        changed,
        aspect="hold",
        scopes=carts.scopes_of(changed),
        audience_never_shrinks=True,
        brief=True,
    )


# Fields of quotes.


async def quoted_carts(ctx: Context, found: Sequence[Document]) -> list[Cart | None]:
    owner = owners.owner_or_none(ctx)
    cart = await owners.cart_of(ctx, owner) if owner else None
    return [cart if cart and each["cart_id"] == cart["_id"] else None for each in found]


def shipping_address(ctx: Context, quote: Document) -> Any:
    return _addresses(ctx, quote).get("shipping")


def billing_address(ctx: Context, quote: Document) -> Any:
    return _addresses(ctx, quote).get("billing")


def _addresses(ctx: Context, quote: Document) -> dict[str, Any]:
    place = quotes.place_of(quote["_id"])
    return dict(postal.opened(ctx.services.crypto, quote["sealed"], place=place))


token = tokens.shown_token
SIGNED = tokens.READ
