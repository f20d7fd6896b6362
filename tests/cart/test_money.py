"""Golden cases of money: shares, taxes, rounding; and that sums are exact whatever is bought."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.values import money
from resolvers.cart import discounts
from resolvers.cart.discounts import Item
from resolvers.cart.taxes import Taxed, applying, taxes
from stores.cart.kinds import CartIssueCode, PromotionKind

NOW = datetime(2026, 12, 1, tzinfo=UTC)


def promotion(kind: PromotionKind, **fields: Any) -> Any:
    return {
        "_id": "promotion",
        "code": None,
        "name": "Sale",
        "kind": kind,
        "percent_off": None,
        "amount_off": None,
        "min_subtotal": None,
        "currency": None,
        "starts_at": NOW,
        "ends_at": None,
        "usage_limit": None,
        "per_customer": None,
        "used_count": 0,
        "product_ids": [],
        "stackable": True,
        "active": True,
        **fields,
    }


def percent(value: str, **fields: Any) -> Any:
    return promotion(PromotionKind.PERCENT, percent_off=value, **fields)


def fixed(value: int, **fields: Any) -> Any:
    return promotion(PromotionKind.FIXED, amount_off=value, currency="EUR", **fields)


def rate(percentage: str, *, included: bool = False, **fields: Any) -> Any:
    row = {"region": None, "category_ids": [], "name": "VAT", "rate": percentage, "included": included}
    return {**row, **fields}


def tax_of(amount: int, percentage: str, currency: str, *, included: bool) -> int:
    return taxes([rate(percentage, included=included)], None, [Taxed(None, amount)], currency).total


@pytest.mark.parametrize(
    ("currency", "digits"),
    [
        *((code, 2) for code in ("EUR", "USD", "HUF", "MGA")),
        *((code, 0) for code in ("JPY", "KRW", "CLP", "VND", "XAF", "ISK", "UGX")),
        *((code, 3) for code in ("KWD", "BHD", "TND")),
        *((code, 4) for code in ("CLF", "UYW")),
    ],
)
def test_minor_units(currency: str, digits: int) -> None:
    """C1."""
    assert money.digits(currency) == digits
    assert money.minor_units(Decimal(1).scaleb(-digits - 1), currency) is None
    assert money.shown(1000, currency) == {
        "amount": f"{Decimal(1000).scaleb(-digits):f}",
        "currency_code": currency,
    }


@pytest.mark.parametrize(
    ("minor", "weights", "shares"),
    [
        (100, [1, 1, 1], [34, 33, 33]),
        (5, [3, 7], [2, 3]),
        (5, [7, 3], [4, 1]),
        (101, [50, 50], [51, 50]),
        (1000, [1299, 2599, 499], [295, 591, 114]),
        (10, [0, 5, 5], [0, 5, 5]),
        (7, [1, 1, 1, 1, 1], [2, 2, 1, 1, 1]),
    ],
)
def test_allocation_of_an_order_discount_over_lines(
    minor: int, weights: list[int], shares: list[int]
) -> None:
    """C2."""
    assert money.allocate(minor, weights) == shares
    items = [Item("p", weight) for weight in weights]
    whole = sum(weights)
    if minor <= whole:
        assert discounts.applied(items, [fixed(minor)]).shares == shares


@pytest.mark.parametrize(
    ("amount", "percentage", "currency", "tax"),
    [(999, "19", "EUR", 160), (2997, "19", "EUR", 479), (1099, "10", "JPY", 100), (2625, "5", "KWD", 125)],
)
def test_tax_contained_in_the_price(amount: int, percentage: str, currency: str, tax: int) -> None:
    """C3."""
    assert tax_of(amount, percentage, currency, included=True) == tax


@pytest.mark.parametrize(
    ("amount", "percentage", "currency", "tax"),
    [(1050, "8.875", "USD", 93), (105, "10", "USD", 11), (1234, "10", "JPY", 123)],
)
def test_tax_added(amount: int, percentage: str, currency: str, tax: int) -> None:
    """C4."""
    assert tax_of(amount, percentage, currency, included=False) == tax


@pytest.mark.parametrize(
    ("minor", "currency", "payable"),
    [(1234, "KWD", 1230), (1235, "KWD", 1240), (1235, "EUR", 1235), (1235, "JPY", 1235), (0, "KWD", 0)],
)
def test_a_total_is_rounded_to_the_step_of_its_payments(minor: int, currency: str, payable: int) -> None:
    assert money.payable(minor, currency) == payable


def test_the_most_exact_rates_apply_all_of_equal_rank_together() -> None:
    country, state, city = (
        rate("5", name="VAT"),
        rate("6", region="US-CA"),
        rate("1", region="US-CA", name="City"),
    )
    food, food_there = rate("2", category_ids=["food"]), rate("3", region="US-CA", category_ids=["food"])
    table = [country, state, city, food, food_there]
    assert applying(table, "US-CA", "food") == [food_there]
    assert applying(table, "US-CA", "books") == [state, city]
    assert applying(table, "US-NY", "food") == [food]
    assert applying(table, "US-NY", None) == [country]
    assert applying([state], "US-NY", None) == []
    assert taxes([state, city], "US-CA", [Taxed(None, 1000)], "USD").lines == [
        {"name": "VAT", "rate": "6", "amount": 60, "currency": "USD"},
        {"name": "City", "rate": "1", "amount": 10, "currency": "USD"},
    ]


def test_percentages_come_first_then_amounts_then_the_shipping() -> None:
    items = [Item("a", 1000), Item("b", 500)]
    offered = [promotion(PromotionKind.FREE_SHIPPING), fixed(2000, product_ids=["b"]), percent("10")]
    found = discounts.applied(items, offered, 490)
    assert [(each.promotion["kind"], each.amount) for each in found.applied] == [
        ("PERCENT", 150),
        ("FIXED", 450),
        ("FREE_SHIPPING", 490),
    ]
    assert (found.shares, found.shipping, found.total) == ([100, 500], 490, 1090)


@pytest.mark.parametrize(("alone", "chosen"), [("25", "25"), ("20", "10"), ("19", "10")])
def test_all_stackable_promotions_or_the_one_that_is_not_whichever_saves_more(
    alone: str, chosen: str
) -> None:
    items = [Item("a", 1000)]
    offered = [percent("10"), fixed(100), percent(alone, stackable=False)]
    found = discounts.best_of(items, offered)
    assert (found.applied[0].promotion["percent_off"], found.total) == (chosen, max(200, int(alone) * 10))


@pytest.mark.parametrize(
    ("fields", "subtotal", "used", "hindrance"),
    [
        ({}, 0, 0, None),
        ({"ends_at": NOW}, 0, 0, CartIssueCode.PROMOTION_EXPIRED),
        ({"active": False}, 0, 0, CartIssueCode.PROMOTION_EXPIRED),
        ({"usage_limit": 2, "used_count": 2}, 0, 0, CartIssueCode.PROMOTION_EXPIRED),
        ({"per_customer": 1}, 0, 1, CartIssueCode.PROMOTION_EXPIRED),
        ({"per_customer": 1}, 0, None, CartIssueCode.PROMOTION_NOT_MET),
        ({"min_subtotal": 1000, "currency": "EUR"}, 999, 0, CartIssueCode.PROMOTION_NOT_MET),
        ({"min_subtotal": 1000, "currency": "EUR"}, 1000, 0, None),
        ({"min_subtotal": 1, "currency": "USD"}, 1000, 0, CartIssueCode.PROMOTION_NOT_MET),
        ({"starts_at": datetime(2026, 12, 2, tzinfo=UTC)}, 0, 0, CartIssueCode.PROMOTION_NOT_MET),
    ],
)
def test_a_promotion_applies_within_its_time_and_conditions(
    fields: dict[str, Any], subtotal: int, used: int | None, hindrance: CartIssueCode | None
) -> None:
    offered = percent("10", **fields)
    found = discounts.hindrance(offered, subtotal=subtotal, currency="EUR", now=NOW, used=used)
    assert found == hindrance


PROMOTIONS = st.lists(
    st.one_of(
        st.builds(
            lambda value, wanted, stackable: percent(value, product_ids=wanted, stackable=stackable),
            st.decimals("0.01", "100", places=2).map(str),
            st.lists(st.sampled_from("abc"), max_size=2),
            st.booleans(),
        ),
        st.builds(
            lambda value, stackable: fixed(value, stackable=stackable), st.integers(1, 10**7), st.booleans()
        ),
        st.builds(
            lambda stackable: promotion(PromotionKind.FREE_SHIPPING, stackable=stackable), st.booleans()
        ),
    ),
    max_size=6,
)
ITEMS = st.lists(st.builds(Item, st.sampled_from("abc"), st.integers(0, 10**7)), min_size=1, max_size=20)


@settings(max_examples=150, deadline=None)
@given(ITEMS, PROMOTIONS, st.integers(0, 5_000))
def test_sums_are_exact_and_no_line_falls_below_0(
    items: list[Item], offered: list[Any], shipping: int
) -> None:
    found = discounts.best_of(items, offered, shipping)
    assert sum(each.amount for each in found.applied) == found.total
    assert all(0 <= share <= item.cost for share, item in zip(found.shares, items, strict=True))
    assert 0 <= found.shipping <= shipping
    assert all(
        found.total >= discounts.applied(items, [each], shipping).total
        for each in offered
        if not each["stackable"]
    )
    together = [each for each in offered if each["stackable"]]
    assert found.total >= discounts.applied(items, together, shipping).total


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.builds(Taxed, st.sampled_from([None, "x"]), st.integers(0, 10**7)), max_size=20),
    st.lists(st.decimals("0.001", "40", places=3).map(str), min_size=1, max_size=3),
    st.booleans(),
)
def test_taxes_by_line_and_by_name_have_one_sum(items: list[Taxed], rates: list[str], included: bool) -> None:
    table = [rate(each, included=included, name=f"T{number}") for number, each in enumerate(rates)]
    found = taxes(table, None, items, "EUR")
    assert found.total == sum(each["amount"] for each in found.lines)
    if included:
        assert all(tax <= item.amount for tax, item in zip(found.by_item, items, strict=True))
