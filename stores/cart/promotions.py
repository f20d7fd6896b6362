"""Promotions, their uses, and the staff's tables of shipping and tax."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypedDict

from core.storage.mongo import Database
from core.storage.store import Row, collection, index
from stores.cart.kinds import PromotionKind

MOST_AUTOMATIC = 100
"""Promotions without a code that may be active at once."""
MOST_RATES = 1_000
"""Rows of each table."""


class Promotion(Row):
    code: str | None
    """In upper case; None for an automatic one."""
    name: str
    kind: PromotionKind
    percent_off: str | None
    """Percentage as a decimal number."""
    amount_off: int | None
    min_subtotal: int | None
    currency: str | None
    """Currency of its amounts."""
    starts_at: datetime
    ends_at: datetime | None
    usage_limit: int | None
    per_customer: int | None
    used_count: int
    product_ids: list[str]
    stackable: bool
    active: bool
    created_by: str
    told: bool
    """True once those who like its products were told that it began."""


class PromotionUse(TypedDict):
    """Use of a promotion by an order, which has one of each."""

    _id: str
    promotion_id: str
    user_id: str
    order_id: str
    created_at: datetime


class ShippingRate(Row):
    name: str
    country_codes: list[str]
    price: int
    free_from: int | None
    currency: str
    min_days: int
    max_days: int
    active: bool
    created_by: str


class TaxRate(Row):
    country_code: str
    region: str | None
    category_ids: list[str]
    """Categories of the products that it is for; none: of all."""
    name: str
    rate: str
    """Percentage as a decimal number."""
    included: bool
    created_by: str


promotions = collection(
    "promotions",
    Promotion,
    prefix="promotion",
    versioned=True,
    indexes=[
        index("code", unique=True, partialFilterExpression={"code": {"$gt": ""}}),
        index("code", "active", "ends_at"),
        index("active", "-created_at", "-_id"),
        index("-created_at", "-_id"),
    ],
    # A shop's promotions fit one shard, and nothing else keeps codes unique.
    shard_key=None,
)
promotion_uses = collection(
    "promotion_uses",
    PromotionUse,
    prefix="promotion_use",
    indexes=[index("promotion_id", "user_id"), index("order_id"), index("user_id", "_id")],
)
shipping_rates = collection(
    "shipping_rates",
    ShippingRate,
    prefix="shipping_rate",
    versioned=True,
    indexes=[index("country_codes", "active"), index("-created_at", "-_id")],
    shard_key=None,
)
tax_rates = collection(
    "tax_rates",
    TaxRate,
    prefix="tax_rate",
    versioned=True,
    indexes=[index("country_code"), index("-created_at", "-_id")],
    shard_key=None,
)


async def with_codes(db: Database, codes: Sequence[str]) -> list[Promotion]:
    """Promotions of these codes, and the automatic ones that are active."""
    automatic = {"code": None, "active": True}
    query = {"$or": [{"code": {"$in": list(codes)}}, automatic]} if codes else automatic
    return await promotions.find(db, query, limit=MOST_AUTOMATIC + len(codes), batch=True)


async def uses_of(db: Database, promotion_ids: Sequence[str], user_id: str) -> list[PromotionUse]:
    """A customer's uses of some promotions."""
    query = {"promotion_id": {"$in": list(promotion_ids)}, "user_id": user_id}
    return await promotion_uses.find(db, query, limit=MOST_RATES, batch=True)


async def rates_to(db: Database, country_code: str) -> list[ShippingRate]:
    """Active rates to a country."""
    query = {"country_codes": country_code, "active": True}
    return await shipping_rates.find(db, query, limit=MOST_RATES, batch=True)


async def taxes_of(db: Database, country_code: str) -> list[TaxRate]:
    return await tax_rates.find(db, {"country_code": country_code}, limit=MOST_RATES, batch=True)
