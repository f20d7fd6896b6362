"""Shipping: the options that the staff's table gives for a country."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

from core.errors import ErrorKind, UserError, error_codes
from stores.cart.promotions import ShippingRate
from stores.cart.quotes import ChosenShipping

error_codes(
    ErrorKind.INVALID,
    NO_SHIPPING="Nothing is shipped there, or not in that way: the payload has the options that there are.",
)

Document = Mapping[str, Any]


def options(rates: Sequence[ShippingRate], worth: int, currency: str, now: datetime) -> list[ChosenShipping]:
    """Options for goods of this worth after discounts, the cheapest first."""
    found: list[ChosenShipping] = [
        {
            "shipping_rate_id": rate["_id"],
            "label": rate["name"],
            "price": 0 if rate["free_from"] is not None and worth >= rate["free_from"] else rate["price"],
            "currency": currency,
            "min_days": rate["min_days"],
            "max_days": rate["max_days"],
            "quoted_at": now,
        }
        for rate in rates
        if rate["currency"] == currency
    ]
    return sorted(found, key=lambda each: (each["price"], each["max_days"], each["shipping_rate_id"]))


def chosen(found: Sequence[ChosenShipping], shipping_rate_id: str | None) -> ChosenShipping:
    """The option that was chosen, else the cheapest; NO_SHIPPING where there is none."""
    for each in found:
        if shipping_rate_id in (None, each["shipping_rate_id"]):
            return each
    field = ["shipping_rate_id"] if shipping_rate_id else ["shipping_address"]
    raise UserError("NO_SHIPPING", "Nothing is shipped there.", field=field, shipping_options=list(found))


# Fields of an option.


def estimate(option: Document) -> dict[str, date]:
    """Days between which it arrives, counted from when it was quoted, in UTC."""
    day = option["quoted_at"].date()
    return {
        "earliest_on": day + timedelta(days=option["min_days"]),
        "latest_on": day + timedelta(days=option["max_days"]),
    }
