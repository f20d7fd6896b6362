"""Quotes: what an order of the cart, or of a list, costs now, with discounts, shipping and taxes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from core import ids
from core.context import Context
from core.values import money
from loaders.cart import FactsOfPriced, Priced
from resolvers.cart import discounts, shipping, taxes
from resolvers.cart.discounts import Discounts, Item
from resolvers.cart.owners import Owner
from resolvers.cart.taxes import Taxed, Taxes
from resolvers.cart.views import CartView, LineView, computed, discounts_shown, view_of
from stores.cart import promotions as tables
from stores.cart import quotes as store
from stores.cart.carts import Cart
from stores.cart.kinds import CartStatus
from stores.cart.quotes import Address, ChosenShipping, Quote, QuoteLine

VALID_FOR = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Delivery:
    """Delivery of an order: its addresses and shipping, none of them known at a first look."""

    shipping_address: Address | None = None
    billing_address: Address | None = None
    shipping_rate_id: str | None = None


@dataclass(frozen=True, slots=True)
class Sums:
    """Sums of a quote, in minor units."""

    view: CartView
    discounts: Discounts
    option: ChosenShipping | None
    options: list[ChosenShipping]
    taxes: Taxes

    @property
    def shipping(self) -> int:
        return self.option["price"] if self.option else 0

    @property
    def unrounded(self) -> int:
        tax = 0 if self.taxes.included else self.taxes.total
        return self.view.subtotal - self.discounts.total + self.shipping + tax

    @property
    def total(self) -> int:
        return money.payable(self.unrounded, self.view.cart["currency"])


async def quote_of_cart(ctx: Context, owner: Owner, cart: Cart, delivery: Delivery) -> tuple[Quote, Sums]:
    """A quote of the cart, kept for a day; an order may be placed with one that is valid."""
    sums = await sums_of(ctx, await view_of(ctx, cart), delivery)
    return await _kept(ctx, owner, cart, sums, delivery), sums


async def quote_of_lines(
    ctx: Context, owner: Owner, lines: Mapping[str, int], delivery: Delivery, *, bindable: bool = False
) -> tuple[Quote, Sums]:
    """A quote of a list, by variant, which touches no cart: without codes, at the prices of now.

    A system that orders the list makes it `bindable`.
    """
    view = await view_of_lines(ctx, owner, lines)
    sums = await sums_of(ctx, view, delivery)
    return await _kept(ctx, owner, None, sums, delivery, bindable=bindable), sums


async def view_of_lines(ctx: Context, owner: Owner, lines: Mapping[str, int]) -> CartView:
    """A list as a cart would show it."""
    facts = await ctx.loader(FactsOfPriced).load(Priced(tuple(lines), (), owner.user_id))
    first = next(iter(facts.products.values()), None)
    cart: Any = {
        "_id": "",
        "version": 0,
        "owner_key": owner.key,
        "owner_id": owner.user_id,
        "status": CartStatus.ACTIVE,
        "currency": first["currency"] if first else money.USUAL_CURRENCY,
        "codes": [],
        "hold": None,
        "lines": [
            _line(facts.products.get(variant_id), variant_id, quantity)
            for variant_id, quantity in lines.items()
        ],
    }
    return computed(cart, facts, ctx.tx.now)


def _line(product: Any, variant_id: str, quantity: int) -> dict[str, Any]:
    variants = product["variants"] if product else ()
    price = next((each["price"] for each in variants if each["_id"] == variant_id), 0)
    return {
        # No line of a cart: the list names variants, each once.
        "_id": variant_id,
        "variant_id": variant_id,
        "product_id": product["_id"] if product else "",
        "image_id": None,
        "options": [],
        "quantity": quantity,
        "unit_price": price,
        "capped": False,
        "aliases": [],
    }


async def sums_of(ctx: Context, view: CartView, delivery: Delivery) -> Sums:
    """All sums; without an address there is neither shipping nor tax."""
    currency, lines = view.cart["currency"], list(view.lines.values())
    items = [Item(each.line["product_id"], each.total) for each in lines]
    address = delivery.shipping_address
    if address is None:
        return Sums(view, view.discounts, None, [], taxes.taxes([], None, [], currency))
    worth = view.subtotal - view.discounts.total
    rates = await tables.rates_to(ctx.db, address["country_code"])
    options = shipping.options(rates, worth, currency, ctx.tx.now)
    option = shipping.chosen(options, delivery.shipping_rate_id)
    # Which promotions save most may depend on what shipping costs.
    found = discounts.best_of(items, view.offered, option["price"])
    taxed = [
        Taxed(each.product["category_id"] if each.product else None, each.total - share)
        for each, share in zip(lines, found.shares, strict=True)
    ]
    taxed.append(Taxed(None, option["price"] - found.shipping))
    table = await tables.taxes_of(ctx.db, address["country_code"])
    return Sums(view, found, option, options, taxes.taxes(table, address["region"], taxed, currency))


async def _kept(
    ctx: Context, owner: Owner, cart: Cart | None, sums: Sums, delivery: Delivery, *, bindable: bool = False
) -> Quote:
    quote_id, currency = ids.new_id("checkout_quote"), sums.view.cart["currency"]
    is_addressed = delivery.shipping_address is not None
    billing = delivery.billing_address or delivery.shipping_address
    both = {"shipping": delivery.shipping_address, "billing": billing}
    row = {
        "_id": quote_id,
        "owner_key": owner.key,
        "owner_id": owner.user_id,
        "cart_id": cart["_id"] if cart else None,
        "cart_version": cart["version"] if cart else None,
        "created_at": ctx.tx.now,
        "updated_at": ctx.tx.now,
        "expires_at": ctx.tx.now + VALID_FOR,
        "currency": currency,
        "lines": _lines(sums, in_cart=cart is not None),
        "discounts": discounts_shown(sums.discounts, currency),
        "issues": sums.view.issues,
        "shipping_option": sums.option,
        "tax_lines": sums.taxes.lines,
        "tax_included": sums.taxes.included,
        "subtotal": sums.view.subtotal,
        "discount_total": sums.discounts.total,
        "shipping": sums.shipping,
        "tax": sums.taxes.total,
        "rounding": sums.total - sums.unrounded,
        "total": sums.total,
        "valid": not sums.view.blocked,
        "bindable": is_addressed
        and owner.user_id is not None
        and not sums.view.blocked
        and (cart is not None or bindable),
        "sealed": ctx.services.crypto.seal_values(both, place=store.place_of(quote_id)) if billing else None,
        "forget_at": ctx.tx.now + store.KEPT,
    }
    return await ctx.tx.insert(store.quotes, row)


def _lines(sums: Sums, *, in_cart: bool) -> list[QuoteLine]:
    currency, by_line = sums.view.cart["currency"], sums.taxes.by_item
    return [
        _quoted(view, share, by_line[number] if by_line else 0, currency, in_cart=in_cart)
        for number, (view, share) in enumerate(
            zip(sums.view.lines.values(), sums.discounts.shares, strict=True)
        )
    ]


def _quoted(view: LineView, discount: int, tax: int, currency: str, *, in_cart: bool) -> QuoteLine:
    return {
        "line_id": view.line["_id"] if in_cart else None,
        "variant_id": view.line["variant_id"],
        "product_id": view.line["product_id"],
        "quantity": view.line["quantity"],
        "unit_price": view.price,
        "discount": discount,
        "tax": tax,
        "currency": currency,
    }


def wanted_lines(items: Sequence[tuple[str, int]]) -> dict[str, int]:
    """Quantities by variant."""
    found: dict[str, int] = {}
    for variant_id, quantity in items:
        found[variant_id] = found.get(variant_id, 0) + quantity
    return found
