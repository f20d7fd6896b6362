"""Owners of carts: who is signed in, or else whoever has the token of a device; and the open cart of each."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from core import clock, ids
from core.bearer_tokens import bearer_token
from core.context import NO_TOKEN, Context
from core.errors import ErrorKind, Unauthenticated, UserError, error_codes
from core.security.limits import Rate
from core.storage import mongo
from core.values.money import USUAL_CURRENCY
from loaders.cart import OpenCartOfOwner
from stores.cart import carts as store
from stores.cart.carts import ANONYMOUS, Cart
from stores.cart.kinds import CartStatus

error_codes(
    ErrorKind.WRONG_STATUS,
    CART_CLOSED="The cart of this device has ended, by a merge or after 30 days: mint another token.",
)
error_codes(
    ErrorKind.WRONG_STATUS,
    retryable=True,
    CHECKOUT_IN_PROGRESS="The cart is being paid: send it again when that is done.",
)

CART_TOKEN = bearer_token("X-Cart-Token", "cartToken")
MINUTE_RATE = Rate("cart", 60, 60)
HOUR_RATE = Rate("cart-hour", 600, 3600)
NEW_RATE = Rate("carts-of-devices", 20, 3600)
NOWHERE = "nowhere"
"""Network of those whose address is not known: they share one limit."""


class Owner(NamedTuple):
    key: str
    user_id: str | None


def customer(user_id: str) -> Owner:
    """A person as the owner of their cart."""
    return Owner(user_id, user_id)


def owner_or_none(ctx: Context) -> Owner | None:
    """The signed-in person, else whoever has a device's token; None for neither.

    A request whose access token is not good is no device's: it would act on another cart than it means.
    """
    if ctx.viewer is not None:
        return customer(ctx.viewer.user_id)
    hashed = ctx.bearer(CART_TOKEN) if ctx.refusal == NO_TOKEN else None
    return Owner(hashed, None) if hashed else None


def owner_of(ctx: Context) -> Owner:
    """The owner, or UNAUTHENTICATED."""
    owner = owner_or_none(ctx)
    if owner is None:
        raise Unauthenticated(ctx.refusal)
    return owner


def key_of_owner(ctx: Context, arguments: Mapping[str, Any]) -> str:
    """Owner of an idempotency key: a person, or the hash of a token."""
    owner = owner_of(ctx)
    return owner.user_id or store.device_scope(owner.key)


async def limit(ctx: Context, owner: Owner) -> None:
    """Count a change of the owner's cart."""
    await ctx.limit(MINUTE_RATE, owner.key)
    await ctx.limit(HOUR_RATE, owner.key)


async def cart_of(ctx: Context, owner: Owner) -> Cart | None:
    """The owner's open cart; None while there is none, and for one that is about to be ended by its job."""
    cart: Cart | None = await ctx.load(OpenCartOfOwner, owner.key)
    return None if cart is None or is_expired(cart) else cart


async def cart_to_change(ctx: Context, owner: Owner) -> Cart:
    """The owner's open cart, or a new one; CHECKOUT_IN_PROGRESS, or CART_CLOSED."""
    cart = await cart_of(ctx, owner)
    if cart is None:
        if owner.user_id is None:
            await _check_device(ctx, owner)
        cart = await new_cart(ctx, owner)
    if cart["status"] == CartStatus.CHECKING_OUT:
        raise UserError("CHECKOUT_IN_PROGRESS", "It is being paid.", cart=cart)
    return cart


async def _check_device(ctx: Context, owner: Owner) -> None:
    if await ctx.load(OpenCartOfOwner, owner.key) or await store.closed_cart(ctx.db, owner.key):
        raise UserError("CART_CLOSED", "This cart has ended: begin another.")
    await ctx.limit(NEW_RATE, ctx.network or NOWHERE)


async def new_cart(ctx: Context, owner: Owner, currency: str = USUAL_CURRENCY) -> Cart:
    """An empty cart; of two that are made at once, the unit of the later runs again and finds the other."""
    row: dict[str, Any] = {
        "_id": ids.new_id("cart"),
        "owner_key": owner.key,
        "owner_id": owner.user_id,
        "status": CartStatus.ACTIVE,
        "currency": currency,
        "lines": [],
        "gone": [],
        "codes": [],
        "note": None,
        "gift_message": None,
        "hold": None,
        "checkout": None,
        "device_id": ctx.viewer.device_id if ctx.viewer else None,
        "merged_into": None,
        "expires_at": None if owner.user_id else ctx.tx.now + ANONYMOUS,
    }
    return await ctx.tx.insert(store.carts, row, taken=mongo.run_again)


async def own_cart(ctx: Context, owner: Owner) -> Cart:
    """The open cart of who reads it: an empty one is made where there is none."""
    cart = await cart_of(ctx, owner)
    if cart is not None:
        return cart
    apart = ctx.fork()

    async def make() -> Cart:
        return await cart_of(apart, owner) or await new_cart(apart, owner)

    return await apart.unit(make)


def is_expired(cart: Cart) -> bool:
    """True if nobody changed the cart of a device for 30 days."""
    return cart["expires_at"] is not None and cart["expires_at"] <= clock.now()
