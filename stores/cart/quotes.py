"""Quotes of a checkout: what an order of the cart will cost, kept for a day."""

from datetime import datetime, timedelta
from typing import TypedDict

from core.storage.store import Row, Sealed, collection, index
from stores.cart.kinds import CartIssueCode

KEPT = timedelta(days=1)


class Address(TypedDict):
    """Postal address: where something is shipped to, or billed."""

    name: str
    company: str | None
    line1: str
    line2: str | None
    city: str
    region: str | None
    postal_code: str | None
    country_code: str
    phone: str | None


class Issue(TypedDict):
    """Issue of a cart or line; prices in minor units."""

    code: CartIssueCode
    line_id: str | None
    blocking: bool
    old_price: int | None
    new_price: int | None
    currency: str
    available_quantity: int | None
    product_id: str | None
    """Product whose alternatives may help."""
    promotion_code: str | None


class AppliedDiscount(TypedDict):
    promotion_id: str
    code: str | None
    label: str
    amount: int
    currency: str


class QuoteLine(TypedDict):
    line_id: str | None
    variant_id: str
    product_id: str
    quantity: int
    unit_price: int
    discount: int
    tax: int
    currency: str


class TaxLine(TypedDict):
    name: str
    rate: str
    amount: int
    currency: str


class ChosenShipping(TypedDict):
    shipping_rate_id: str
    label: str
    price: int
    currency: str
    min_days: int
    max_days: int
    quoted_at: datetime


class Quote(Row):
    """Quote as it is kept; amounts in minor units."""

    owner_key: str
    owner_id: str | None
    cart_id: str | None
    """None for a quote of a list."""
    cart_version: int | None
    expires_at: datetime
    currency: str
    lines: list[QuoteLine]
    discounts: list[AppliedDiscount]
    issues: list[Issue]
    shipping_option: ChosenShipping | None
    tax_lines: list[TaxLine]
    tax_included: bool
    subtotal: int
    discount_total: int
    shipping: int
    tax: int
    rounding: int
    total: int
    valid: bool
    bindable: bool
    """True if an order may be placed with it."""
    sealed: str | None
    forget_at: datetime


quotes = collection(
    "checkout_quotes",
    Quote,
    prefix="checkout_quote",
    versioned=True,
    indexes=[
        index("forget_at", expireAfterSeconds=0),
        index("owner_id", "_id"),
    ],
    shard_key="owner_key",
    sealed=[Sealed("sealed", "checkout_quotes/{_id}")],
)


def place_of(quote_id: str) -> str:
    """Place that the sealed addresses of a quote are bound to."""
    return f"checkout_quotes/{quote_id}"
