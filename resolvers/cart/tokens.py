"""Tokens of quotes: signed, they name the quote that an order is placed with."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from core import clock
from core.context import Context
from core.ids import well_formed
from core.sync.log_offset import Signer
from resolvers.cart.owners import Owner, cart_of
from stores.cart import quotes as store
from stores.cart.quotes import Quote


class QuoteFault(StrEnum):
    """Fault of a quote, for which nothing is ordered with it."""

    EXPIRED = "EXPIRED"
    """Its ten minutes are over."""
    STALE = "STALE"
    """The cart was changed since, or the last use of a promotion is gone."""


PURPOSE = "checkout-quote"
READ = ("_id", "owner_key", "cart_id", "cart_version", "total", "expires_at", "bindable")
"""Fields of a quote that its token vouches for."""


def token_of(signer: Signer, quote: Quote) -> str | None:
    """The token with which the quote is ordered; None for one that nothing may be ordered with."""
    return f"{quote['_id']}.{signer.link(*_signed(quote))}" if quote["bindable"] else None


def _signed(quote: Quote) -> list[str | int]:
    """Values that the token vouches for: the quote itself is never changed."""
    return [
        PURPOSE,
        quote["_id"],
        quote["owner_key"],
        quote["cart_id"] or "",
        quote["cart_version"] or 0,
        quote["total"],
        round(quote["expires_at"].timestamp() * 1000),
    ]


async def quote_named(ctx: Context, owner: Owner, token: str) -> Quote | None:
    """The owner's quote that a token names, whatever became of it since; None where it names none."""
    quote_id, _, signature = token.partition(".")
    quote = None
    if well_formed(quote_id, "checkout_quote"):
        quote = await store.quotes.by_id(ctx.db, {"_id": quote_id, "owner_key": owner.key})
    signer = ctx.services.signer
    if quote is None or not quote["bindable"] or not signer.linked(signature, *_signed(quote)):
        return None
    return quote


async def fault_of(ctx: Context, owner: Owner, quote: Quote) -> QuoteFault | None:
    """Fault for which nothing is ordered with the quote now; None for a good one."""
    if clock.now() > quote["expires_at"]:
        return QuoteFault.EXPIRED
    if quote["cart_id"] is None:
        return None
    cart = await cart_of(ctx, owner)
    is_same = cart is not None and (cart["_id"], cart["version"]) == (
        quote["cart_id"],
        quote["cart_version"],
    )
    return None if is_same else QuoteFault.STALE


def shown_token(ctx: Context, quote: Mapping[str, Any]) -> str | None:
    return token_of(ctx.services.signer, quote)  # type: ignore[arg-type]
