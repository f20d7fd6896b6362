"""Dosage and times of intake, as a person takes a product: shaped as on labels."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, TypedDict

from core.errors import UserError, below
from core.values.bounds import check_count, check_length
from stores.catalog import IntakeTimeslot

LONGEST_PART = 100
LARGEST_AMOUNT = Decimal(1_000_000)
MOST_PLACES = 6
MOST_TIMESLOTS = len(IntakeTimeslot)


class Dosage(TypedDict, total=False):
    """Dosage of a product, in the parts that labels have; a new item begins with those on its label."""

    amount_per_serving: Decimal | None
    """Amount of the main ingredient in one serving, 0 to 1,000,000 with at most six decimals.
    Left out: unchanged; null: cleared."""
    unit_per_serving: str | None
    """Unit of the amount per serving, such as `mg`, at most 100 characters.
    Left out: unchanged; null: cleared."""
    recommended_units: str | None
    """Number of units to take at a time, such as `2 capsules`, at most 100 characters.
    Left out: unchanged; null: cleared."""
    recommended_frequency: str | None
    """Frequency of intake, such as `twice daily`, at most 100 characters.
    Left out: unchanged; null: cleared."""
    total_daily_amount: Decimal | None
    """Amount of the main ingredient in a day, 0 to 1,000,000 with at most six decimals.
    Left out: unchanged; null: cleared."""
    total_daily_unit: str | None
    """Unit of the daily amount, such as `mg`, at most 100 characters.
    Left out: unchanged; null: cleared."""
    raw: str | None
    """Dosage in words, at most 100 characters.
    Left out: unchanged; null: cleared."""


def with_changes(before: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The dosage with the parts that are given; amounts are written as the catalog writes them."""
    with below("dosage"):
        return {**before, **{name: _part(name, value) for name, value in given.items()}}


def _part(name: str, value: Any) -> str | None:
    if isinstance(value, Decimal):
        return _amount(name, value)
    check_length(value or "", most=LONGEST_PART, field=name)
    return value or None


def _amount(name: str, value: Decimal) -> str:
    fits = value.is_finite() and 0 <= value <= LARGEST_AMOUNT
    if not fits or value != round(value, MOST_PLACES):
        raise UserError("OUT_OF_RANGE", "0 to {limit}.", field=[name], limit=int(LARGEST_AMOUNT))
    return format(value.normalize(), "f")


def checked_timeslots(given: Sequence[IntakeTimeslot]) -> list[IntakeTimeslot]:
    check_count(given, most=MOST_TIMESLOTS, field="timeslots")
    return list(dict.fromkeys(given))
