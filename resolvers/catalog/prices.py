"""Prices for clients: kept in minor units, shown as a decimal."""

from collections.abc import Mapping
from typing import Any

from core.values.money import shown

Document = Mapping[str, Any]


def version(variant: Document) -> int:
    """Version of a variant, the first one until it is changed."""
    return int(variant.get("version", 1))


def price_range(product: Document) -> dict[str, Any]:
    currency = product["currency"]
    return {"min": shown(product["min_price"], currency), "max": shown(product["max_price"], currency)}
