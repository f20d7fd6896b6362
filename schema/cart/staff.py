"""Promotions and rates of shipping and taxes, as the shop's staff keep them."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from core.audit import Audited
from core.graphql import Edge, Page, derived, key, many, money, mutation, node, query, type_
from core.graphql.common import Entity, Money
from core.ids import Id
from core.storage.loader import by_id
from loaders.catalog import ProductById
from resolvers.cart import managing, rates, reading
from schema.cart.types import Cart
from schema.catalog import Category, Product
from stores.cart.kinds import PromotionKind
from stores.catalog import CATALOG_ADMIN, SUPPORT, categories


@node("promotion")
class Promotion(Entity):
    """Promotion that takes something off carts, by a code or by itself; for staff."""

    code: str | None
    """Code that customers enter, in upper case; null for a promotion that applies by itself."""
    name: str
    """Name of the promotion, which customers read."""
    kind: PromotionKind
    """Kind of what the promotion takes off."""
    percent_off: Decimal | None = derived(managing.percent_off, "percent_off")
    """Percentage that is taken off; null unless the kind is PERCENT."""
    amount_off: Money | None = money("amount_off")
    """Amount that is taken off; null unless the kind is FIXED."""
    min_subtotal: Money | None = money("min_subtotal")
    """Subtotal that a cart needs; null when any will do."""
    starts_at: datetime
    """Time from which on the promotion applies."""
    ends_at: datetime | None
    """Time at which the promotion is over; null when it lasts until it is ended."""
    usage_limit: int | None
    """Number of orders that may use the promotion; null when there is no limit."""
    per_customer_count: int | None = key("per_customer")
    """Number of orders of one customer that may use the promotion; null when there is no limit."""
    used_count: int
    """Number of orders that have used the promotion."""
    products: list[Product] = many(ProductById, key="product_ids")
    """Products that the promotion is for, at most 100; all when there are none."""
    stackable: bool
    """True if the promotion goes together with other stackable ones."""
    active: bool
    """True if the promotion was not ended by hand."""


@node("shipping_rate")
class ShippingRate(Entity):
    """Rate of a way of shipping to some countries; for staff."""

    name: str
    """Name of the way of shipping, which customers read."""
    country_codes: list[str]
    """Codes of the countries (ISO 3166-1) that are shipped to, at most 250."""
    price: Money = money("price")
    """Price of the shipping for one order."""
    free_from: Money | None = money("free_from")
    """Worth of the goods after discounts from which on shipping is free; null when it never is."""
    min_days: int
    """Number of days after which an order arrives at the earliest."""
    max_days: int
    """Number of days after which an order arrives at the latest."""
    active: bool
    """True if customers may choose the rate."""


@node("tax_rate")
class TaxRate(Entity):
    """Rate of a tax in a country, or a part of one, on some or all products; for staff."""

    country_code: str
    """Code of the country (ISO 3166-1) that has the tax."""
    region: str | None
    """Code of the state or province (ISO 3166-2); null for the whole country."""
    categories: list[Category] = many(by_id(categories), key="category_ids")
    """Categories of the products that the tax is on, at most 50; all when there are none."""
    name: str
    """Name of the tax, which customers read."""
    rate: Decimal = derived(rates.percentage, "rate")
    """Rate of the tax in percent."""
    included: bool
    """True if prices contain the tax: so for all rates of a country, or for none."""


@type_
class StaffQueries:
    """Reads of the staff."""

    promotions: Page[Promotion] = query(managing.promotions, roles=(CATALOG_ADMIN,))
    """Promotions of the shop, newest first, those that are over among them."""
    shipping_rates: Page[ShippingRate] = query(rates.shipping_rates, roles=(CATALOG_ADMIN,))
    """Rates of shipping, newest first."""
    tax_rates: Page[TaxRate] = query(rates.tax_rates, roles=(CATALOG_ADMIN,))
    """Rates of taxes, newest first."""
    customer_cart: Cart | None = query(
        reading.customer_cart,
        roles=(SUPPORT,),
        audit=Audited("cart.read", "ACCESS_GRANTED", "CART", subject="user_id"),
        user_id="Id of the customer whose cart it is.",
    )
    """Open cart of a customer, to help them; null when there is none. Each read is put on record."""


def _kept(action: str, resource: str | None = None) -> Audited:
    return Audited(f"cart.{action}", "DATA_MODIFIED", "CART", resource=resource)


AMOUNTS: dict[str, Any] = {
    "percent_off": "Percentage to take off, above 0 and at most 100: for the kind PERCENT alone.",
    "amount_off": "Amount to take off: for the kind FIXED alone.",
    "min_subtotal": "Subtotal that a cart needs, in the currency of `amountOff` where there is one.",
    "usage_limit": "Number of orders that may use the promotion, 1 to 1,000,000.",
    "per_customer_count": "Number of orders of one customer that may use the promotion, 1 to 1,000,000.",
    "product_ids": "Ids of the products that the promotion is for, at most 100; all when empty.",
    "stackable": "True if the promotion goes together with other stackable ones.",
}
SHIPPING: dict[str, Any] = {
    "name": "Name of the way of shipping, 1 to 100 characters.",
    "country_codes": "Codes of the countries (ISO 3166-1) that are shipped to, at least one.",
    "price": "Price of the shipping for one order, which may be 0.",
    "free_from": "Worth of the goods after discounts from which on shipping is free.",
    "min_days": "Number of days after which an order arrives at the earliest, 0 to 365.",
    "max_days": "Number of days after which an order arrives at the latest, 0 to 365.",
}
TAX: dict[str, Any] = {
    "name": "Name of the tax, 1 to 100 characters.",
    "region": "Code of the state or province (ISO 3166-2); none for the whole country.",
    "category_ids": "Ids of the categories whose products have the tax, at most 50; all when empty.",
    "rate": "Rate of the tax in percent, above 0 and at most 100.",
}


@type_
class StaffMutations:
    """Writes of the staff."""

    create_promotion = mutation(
        managing.create_promotion,
        audit=_kept("promotion_created", "id"),
        refuses="LIMIT_REACHED OUT_OF_RANGE PROMOTION_CODE_TAKEN REQUIRED TOO_LONG TOO_MANY",
        roles=(CATALOG_ADMIN,),
        returns={"promotion": Promotion, "promotion_edge": Edge[Promotion]},
        name="Name of the promotion, which customers read, 1 to 100 characters.",
        kind="Kind of what the promotion takes off.",
        code="Code that customers enter, 1 to 40 characters, in any case; none for a promotion that applies "
        "by itself.",
        starts_at="Time from which on the promotion applies; now when left out.",
        ends_at="Time at which the promotion is over; when left out, it lasts until it is ended.",
        **AMOUNTS,
    )
    """Create a promotion of the shop, which carts show at their next read."""
    update_promotion = mutation(
        managing.update_promotion,
        audit=_kept("promotion_updated", "promotion_id"),
        refuses="OUT_OF_RANGE TOO_LONG TOO_MANY",
        roles=(CATALOG_ADMIN,),
        returns={"promotion": Promotion},
        name="Name of the promotion, which customers read, 1 to 100 characters.",
        starts_at="Time from which on the promotion applies.",
        ends_at="Time at which the promotion is over.",
        **AMOUNTS,
    )
    """Update a promotion, all but its code and kind. Carts show it at their next read; quotes that were made
    are honored."""
    end_promotion = mutation(
        managing.end_promotion,
        audit=_kept("promotion_ended", "promotion_id"),
        roles=(CATALOG_ADMIN,),
        returns={"promotion": Promotion},
    )
    """End a promotion for good. Quotes that were made are honored."""
    create_shipping_rate = mutation(
        rates.create_shipping_rate,
        audit=_kept("shipping_rate_created", "id"),
        refuses="INVALID_FORMAT OUT_OF_RANGE REQUIRED TOO_LONG TOO_MANY",
        roles=(CATALOG_ADMIN,),
        returns={"shipping_rate": ShippingRate, "shipping_rate_edge": Edge[ShippingRate]},
        **SHIPPING,
    )
    """Create a rate of shipping, which customers may choose from then on."""
    update_shipping_rate = mutation(
        rates.update_shipping_rate,
        audit=_kept("shipping_rate_updated", "shipping_rate_id"),
        refuses="INVALID_FORMAT OUT_OF_RANGE TOO_LONG TOO_MANY",
        roles=(CATALOG_ADMIN,),
        returns={"shipping_rate": ShippingRate},
        active="True if customers may choose the rate.",
        **SHIPPING,
    )
    """Update a rate of shipping. Quotes that were made are honored."""
    create_tax_rate = mutation(
        rates.create_tax_rate,
        audit=_kept("tax_rate_created", "id"),
        refuses="INVALID_FORMAT OUT_OF_RANGE REQUIRED TOO_LONG TOO_MANY",
        roles=(CATALOG_ADMIN,),
        returns={"tax_rate": TaxRate, "tax_rate_edge": Edge[TaxRate]},
        country_code="Code of the country (ISO 3166-1) that has the tax.",
        included="True if prices contain the tax, as all rates of the country say.",
        **TAX,
    )
    """Create a rate of a tax. The most exact rates for an address and category apply, all of equal rank
    together."""
    update_tax_rate = mutation(
        rates.update_tax_rate,
        audit=_kept("tax_rate_updated", "tax_rate_id"),
        refuses="INVALID_FORMAT OUT_OF_RANGE TOO_LONG TOO_MANY",
        roles=(CATALOG_ADMIN,),
        returns={"tax_rate": TaxRate},
        **TAX,
    )
    """Update a rate of a tax. Quotes that were made are honored."""
    delete_tax_rate = mutation(
        rates.delete_tax_rate,
        audit=_kept("tax_rate_deleted", "tax_rate_id"),
        roles=(CATALOG_ADMIN,),
        returns={"deleted_tax_rate_id": Id},
    )
    """Delete a rate of a tax for good. Quotes that were made are honored."""
