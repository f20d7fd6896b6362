"""Money as clients see it: kept in minor units, shown as a decimal."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from core.errors import Refused

Document = Mapping[str, Any]


@lru_cache(10_000)
def decimal(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02d}"


def money(minor: int, currency: str) -> dict[str, Any]:
    return {"amount": decimal(minor), "currency_code": currency}


def price(variant: Document) -> dict[str, Any]:
    return money(variant["price"], variant["currency"])


def compare_at_price(variant: Document) -> dict[str, Any] | None:
    before = variant["compare_at_price"]
    return None if before is None else money(before, variant["currency"])


def price_range(product: Document) -> dict[str, Any]:
    currency = product["currency"]
    return {"min": money(product["min_price"], currency), "max": money(product["max_price"], currency)}


def minor(amount: Any, field: str) -> int:
    """A client's decimal in minor units."""
    if not amount.is_finite() or not 0 < amount <= 1_000_000 or amount * 100 != int(amount * 100):
        raise Refused(
            "INVALID_INPUT", "A price is 0.01 to 1,000,000 with at most two decimals.", field=[field]
        )
    return int(amount * 100)
