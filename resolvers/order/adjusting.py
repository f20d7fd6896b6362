"""Adjustments: how what can be had now differs from what was bought, or saved, before."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypedDict

from core.context import Context
from core.errors import ErrorKind, error_codes
from core.values import money
from loaders.catalog import ProductOfVariant
from resolvers.cart import most_of, sold
from resolvers.catalog import alternatives, shown_to_all
from stores.catalog import Product, Variant, levels
from stores.order import Order, OrderLine, ReorderAdjustmentKind

error_codes(
    ErrorKind.WRONG_STATUS,
    REORDER_UNAVAILABLE="A line cannot be had as it was, and nothing was changed: the adjustments say which.",
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Line that is wanted again; the price is None where none is known."""

    line_id: str
    variant_id: str
    quantity: int
    options: Sequence[Any]
    unit_price: int | None
    currency: str | None


@dataclass(frozen=True, slots=True)
class Offer:
    """Offer of what can be had of a wanted line."""

    wanted: Wanted
    product: Product | None
    """None when it is hidden, or gone."""
    variant: Variant | None
    """None when it is no longer sold."""
    granted: int

    @property
    def short(self) -> bool:
        return self.granted < self.wanted.quantity

    @property
    def old_price(self) -> int | None:
        """Price of before, if it can be compared: it is in the currency of now."""
        known = self.variant is None or self.variant["currency"] == self.wanted.currency
        return self.wanted.unit_price if known else None


class ReorderAdjustment(TypedDict):
    """Prices in minor units of the currency."""

    line_id: str
    kind: ReorderAdjustmentKind
    requested_quantity: int
    granted_quantity: int
    old_price: int | None
    new_price: int | None
    currency: str
    significant: bool
    alternatives: list[Product]


def wanted_of(order: Order, line_ids: Sequence[str] | None = None) -> list[Wanted]:
    """Lines of an order, or those of them that are named."""
    return [_wanted(line) for line in order["lines"] if line_ids is None or line["line_id"] in line_ids]


def _wanted(line: OrderLine) -> Wanted:
    return Wanted(
        line["line_id"],
        line["variant_id"],
        line["quantity"],
        line["options"],
        line["unit_price"],
        line["currency"],
    )


async def offers_of(ctx: Context, wanted: Sequence[Wanted], spare: Mapping[str, int]) -> list[Offer]:
    """Offers of what can be had, to the first lines first; `spare` is added to the stock of a variant."""
    variant_ids = list(dict.fromkeys(each.variant_id for each in wanted))
    found = dict(zip(variant_ids, await ctx.load_many(ProductOfVariant, variant_ids), strict=True))
    products = {id: product for id, product in found.items() if product is not None}
    left = {row["variant_id"]: row["available"] for row in await levels(ctx.db, variant_ids)}
    free = {id: max(0, left.get(id, 0) + spare.get(id, 0)) for id in variant_ids}
    offers = []
    for each in wanted:
        _, variant = sold(products, each.variant_id)
        granted = min(each.quantity, free[each.variant_id], most_of(variant)) if variant else 0
        free[each.variant_id] -= granted
        offers.append(Offer(each, shown_to_all(products.get(each.variant_id)), variant, granted))
    return offers


def granted(offers: Sequence[Offer], quantities: Mapping[str, int]) -> list[Offer]:
    """The offers, of which these quantities were taken in the end, by line."""
    return [replace(each, granted=quantities.get(each.wanted.line_id, 0)) for each in offers]


async def adjustments_of(ctx: Context, offers: Sequence[Offer], *, suggest: bool) -> list[ReorderAdjustment]:
    """Adjustments of the lines, in their order; with alternatives to what falls short if it is wanted so."""
    missing = [each.product for each in offers if suggest and each.short and each.product]
    others = dict(zip((each["_id"] for each in missing), await alternatives(ctx, missing), strict=True))
    return [
        adjustment
        for each in offers
        for adjustment in _adjustments(each, others.get(each.product["_id"], []) if each.product else [])
    ]


def _adjustments(offer: Offer, others: list[Product]) -> Iterator[ReorderAdjustment]:
    if offer.granted == 0:
        yield _adjustment(offer, ReorderAdjustmentKind.UNAVAILABLE, others)
        return
    if offer.short:
        yield _adjustment(offer, ReorderAdjustmentKind.QUANTITY_REDUCED, others)
    old, variant = offer.old_price, offer.variant
    if old is None or variant is None:
        return
    if variant["price"] > old:
        yield _adjustment(offer, ReorderAdjustmentKind.PRICE_INCREASED, [])
    elif variant["price"] < old:
        yield _adjustment(offer, ReorderAdjustmentKind.PRICE_DECREASED, [])


def _adjustment(offer: Offer, kind: ReorderAdjustmentKind, others: list[Product]) -> ReorderAdjustment:
    wanted, variant = offer.wanted, offer.variant
    return {
        "line_id": wanted.line_id,
        "kind": kind,
        "requested_quantity": wanted.quantity,
        "granted_quantity": offer.granted,
        "old_price": offer.old_price,
        "new_price": variant["price"] if variant else None,
        "currency": variant["currency"] if variant else wanted.currency or money.USUAL_CURRENCY,
        # What costs less, the customer agrees to.
        "significant": kind is not ReorderAdjustmentKind.PRICE_DECREASED,
        "alternatives": others,
    }
