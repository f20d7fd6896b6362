"""Demo of carts: the shop's promotions, shipping and taxes, and what some people have put into their carts.

Done through the resolvers, by an administrator and by the people themselves: prices and versions are as they
would be.
"""

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from core import clock, logs
from core.context import PERSONAL, Context, Services
from core.ids import Id
from devstack.seed_audit import ADMINISTRATOR, person, unit, viewed_as
from resolvers.cart import adding, editing, managing, promoting, rates
from resolvers.catalog import default_variant
from stores.cart.kinds import PromotionKind
from stores.catalog import products

EUROPE = ("AT", "BE", "CH", "DE", "DK", "ES", "FI", "FR", "IE", "IT", "LU", "NL", "NO", "PL", "PT", "SE")
TAXES = {"AT": "10", "BE": "6", "DE": "7", "ES": "10", "FR": "5.5", "IT": "10", "NL": "9"}
"""Reduced rates of value added tax, as of most food supplements."""
CARTS: dict[str, Sequence[tuple[int, int]]] = {
    "ada": ((0, 1), (7, 2), (12, 1)),
    "grace": ((3, 1),),
    "alan": ((5, 2), (9, 1)),
}
"""By handle, products by their place among the best sellers, and quantities."""


async def fill(services: Services) -> None:
    """Fill the tables of the shop's staff, and some carts."""
    with logs.warnings_alone():
        await _tables(viewed_as(services, await person(services, ADMINISTRATOR), org=PERSONAL))
        sold = await products.sellers(services.db, [], 20)
        for handle, lines in CARTS.items():
            ctx = viewed_as(services, await person(services, handle), org=PERSONAL)
            await _cart(ctx, sold, lines)
        ada = viewed_as(services, await person(services, "ada"), org=PERSONAL)
        await unit(ada, promoting.apply_promotion_code, code="WELCOME10")
        await unit(ada, editing.update_cart, note="Please leave it with the neighbors.")


async def _tables(ctx: Context) -> None:
    for given in _promotions():
        await unit(ctx, managing.create_promotion, **given)
    parcel: dict[str, Any] = {"country_codes": EUROPE, "price": _euros("4.90"), "free_from": _euros("50.00")}
    express: dict[str, Any] = {"country_codes": ("AT", "DE", "NL"), "price": _euros("9.90")}
    await unit(ctx, rates.create_shipping_rate, name="Parcel", min_days=2, max_days=4, **parcel)
    await unit(ctx, rates.create_shipping_rate, name="Express", min_days=1, max_days=1, **express)
    for country, rate in TAXES.items():
        named = {"name": "VAT", "country_code": country, "rate": Decimal(rate), "included": True}
        await unit(ctx, rates.create_tax_rate, **named)


def _promotions() -> list[dict[str, Any]]:
    until = clock.now() + timedelta(days=60)
    return [
        {
            "name": "10 % off your first order",
            "kind": PromotionKind.PERCENT,
            "code": "WELCOME10",
            "percent_off": Decimal(10),
            "per_customer_count": 1,
            "stackable": True,
        },
        {
            "name": "€5 off from €40",
            "kind": PromotionKind.FIXED,
            "code": "FIVE",
            "amount_off": _euros("5.00"),
            "min_subtotal": _euros("40.00"),
            "stackable": True,
        },
        {
            "name": "Free shipping this season",
            "kind": PromotionKind.FREE_SHIPPING,
            "min_subtotal": _euros("30.00"),
            "ends_at": until,
            "stackable": True,
        },
    ]


def _euros(amount: str) -> Any:
    return {"amount": Decimal(amount), "currency_code": "EUR"}


async def _cart(ctx: Context, sold: Sequence[Any], lines: Sequence[tuple[int, int]]) -> None:
    for place, quantity in lines:
        variant = default_variant(sold[place % len(sold)])
        if variant is not None and variant["currency"] == "EUR":
            item: Any = {"product_variant_id": Id(variant["_id"])}
            await unit(ctx, adding.add_cart_line, item=item, quantity=quantity)
