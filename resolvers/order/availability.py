"""Availability of what was ordered before, by what the catalog told last."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from core.context import Context
from loaders.catalog import ProductOfVariant
from resolvers.cart import sold
from stores.catalog import AvailabilityStatus, Product
from stores.order import OrderLineStatus

Document = Mapping[str, Any]

STATUSES = {
    AvailabilityStatus.IN_STOCK: OrderLineStatus.AVAILABLE,
    AvailabilityStatus.LOW_STOCK: OrderLineStatus.AVAILABLE,
    AvailabilityStatus.BACKORDERED: OrderLineStatus.BACKORDERED,
}
"""By availability of a variant; UNAVAILABLE for all others."""


async def line_statuses(ctx: Context, lines: Sequence[Document]) -> list[OrderLineStatus]:
    """Status of what each line names, as it is now."""
    products = await _products(ctx, lines)
    return [_status(products, line["variant_id"]) for line in lines]


async def can_reorder(ctx: Context, orders: Sequence[Document]) -> list[bool]:
    """True of each order of which at least one line can be had now."""
    products = await _products(ctx, [line for order in orders for line in order["lines"]])
    return [
        any(_status(products, line["variant_id"]) is OrderLineStatus.AVAILABLE for line in order["lines"])
        for order in orders
    ]


def all_available(products: Mapping[str, Product], variant_ids: Iterable[str]) -> bool:
    """True if each of the variants can be had now; `products` are by variant."""
    return all(_status(products, each) is OrderLineStatus.AVAILABLE for each in variant_ids)


def is_available(product: Product, variant_id: str) -> bool:
    """True if this variant of the product can be had now."""
    return _status({variant_id: product}, variant_id) is OrderLineStatus.AVAILABLE


async def _products(ctx: Context, lines: Sequence[Document]) -> dict[str, Product]:
    """Products by variant."""
    variant_ids = list(dict.fromkeys(line["variant_id"] for line in lines))
    found = await ctx.load_many(ProductOfVariant, variant_ids)
    return {id: product for id, product in zip(variant_ids, found, strict=True) if product is not None}


def _status(products: Mapping[str, Product], variant_id: str) -> OrderLineStatus:
    _, variant = sold(products, variant_id)
    if variant is None:
        return OrderLineStatus.UNAVAILABLE
    return STATUSES.get(variant["availability"]["status"], OrderLineStatus.UNAVAILABLE)
