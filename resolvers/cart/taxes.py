"""Taxes: by the staff's table, per line after its discount, each rounded by itself."""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from core.values.money import rounded
from stores.cart.promotions import TaxRate
from stores.cart.quotes import TaxLine

HUNDRED = Decimal(100)


class Taxed(NamedTuple):
    """Taxed item: its category, none for shipping, and its cost after the discount."""

    category_id: str | None
    amount: int


class Taxes(NamedTuple):
    by_item: list[int]
    lines: list[TaxLine]
    included: bool

    @property
    def total(self) -> int:
        return sum(self.by_item)


def taxes(rates: Sequence[TaxRate], region: str | None, items: Sequence[Taxed], currency: str) -> Taxes:
    """Taxes of the items by the rates of one country."""
    included = any(rate["included"] for rate in rates)
    sums: dict[tuple[str, Decimal], int] = {}
    by_item = []
    for item in items:
        due = _due(applying(rates, region, item.category_id), item.amount, included=included)
        by_item.append(sum(amount for _, amount in due))
        for rate, amount in due:
            name = rate["name"], Decimal(rate["rate"])
            sums[name] = sums.get(name, 0) + amount
    lines: list[TaxLine] = [
        {"name": name, "rate": f"{rate:f}", "amount": amount, "currency": currency}
        for (name, rate), amount in sums.items()
    ]
    return Taxes(by_item, lines, included)


def applying(rates: Sequence[TaxRate], region: str | None, category_id: str | None) -> list[TaxRate]:
    """The rates that apply: of all that fit, those that say most, all of equal rank together."""
    fitting = [
        (rate["region"] is not None, bool(rate["category_ids"]), rate)
        for rate in rates
        if rate["region"] in (None, region)
        and (not rate["category_ids"] or category_id in rate["category_ids"])
    ]
    highest = max(((by_region, by_category) for by_region, by_category, _ in fitting), default=None)
    return [rate for by_region, by_category, rate in fitting if (by_region, by_category) == highest]


def _due(rates: Sequence[TaxRate], amount: int, *, included: bool) -> list[tuple[TaxRate, int]]:
    whole = HUNDRED + (sum(Decimal(rate["rate"]) for rate in rates) if included else 0)
    return [(rate, rounded(amount * Decimal(rate["rate"]) / whole)) for rate in rates]
