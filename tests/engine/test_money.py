"""Numbers and prices as people write them, and sums that stay exact."""

from decimal import Decimal
from typing import Any

import pytest
from babel.core import get_global
from babel.numbers import get_territory_currencies
from hypothesis import given
from hypothesis import strategies as st
from moneyed import CURRENCIES as KNOWN

from core.errors import UserError
from core.values import currencies, money, numbers


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5", "5"),
        ("2,5", "2.5"),
        ("2.5", "2.5"),
        ("24.90", "24.90"),
        (".5", "0.5"),
        (",25", "0.25"),
        ("0.125", "0.125"),
        ("0,125", "0.125"),
        ("1234.567", "1234.567"),
        ("1.2345", "1.2345"),
        ("1,234.5", "1234.5"),
        ("1.234,5", "1234.5"),
        ("1.400,5", "1400.5"),
        ("1,234.567", "1234.567"),
        ("1 234,5", "1234.5"),
        ("1'234.5", "1234.5"),
        ("1\u2019234.5", "1234.5"),
        ("1\u00a0234,5", "1234.5"),
        ("1\u202f234,5", "1234.5"),
        ("1\u2009234", "1234"),
        ("1 234 567", "1234567"),
        ("1,234,567", "1234567"),
        ("1.234.567,89", "1234567.89"),
        ("12,34,567.8", "1234567.8"),
        ("1,00,000", "100000"),
        ("1,000", "1000"),
        ("\u0662\u066b\u0665", "2.5"),
        ("\u0661\u066c\u0662\u0663\u0664\u066b\u0665", "1234.5"),
        ("\u06f1\u06f2\u06f3", "123"),
        ("\u0968,\u096b", "2.5"),
        ("\uff12\uff0e\uff15", "2.5"),
        ("1.299", None),
        ("1,299", None),
        ("1.000", None),
        ("12.345", None),
        ("1.2.3", None),
        ("1,234,56", None),
        ("1,23,45", None),
        ("1.23.456", None),
        ("0,123,456", None),
        ("1 23", None),
        ("1.234 567", None),
        ("1 234.567 8", None),
        ("5.", None),
        ("1e5", None),
        ("-5", None),
        ("\u00b2", None),
        ("", None),
        ("one", None),
        ("1" * 31, None),
    ],
)
def test_numbers_are_read_by_their_shape(text: str, expected: str | None) -> None:
    assert numbers.read(text) == (None if expected is None else Decimal(expected))


@given(st.integers(0, 10**9), st.integers(0, 99))
def test_what_leaves_no_choice_is_read_alike_in_every_convention(whole: int, cents: int) -> None:
    exact = Decimal(whole) + Decimal(cents) / 100
    english = f"{whole:,}.{cents:02d}"
    for group, point in (",.", ".,", " ,", "'.", "\u202f,", "\u066c\u066b"):
        written = english.translate({ord(","): group, ord("."): point})
        assert numbers.read(written) == exact
        arabic = written.translate({ord("0") + digit: 0x0660 + digit for digit in range(10)})
        assert numbers.read(arabic) == exact


@pytest.mark.parametrize(
    ("text", "expected"),
    [("60 capsules", 60), ("1,200", 1200), ("1.200 Stk.", 1200), ("2.5", None), ("-5", None), ("none", None)],
)
def test_counts_have_no_fractions(text: str, expected: int | None) -> None:
    assert numbers.count(text) == expected


PRICES: list[tuple[str, str, Any]] = [
    ("\u20ac24.90", "", (2490, "EUR")),
    ("24,90 EUR", "", (2490, "EUR")),
    ("24,90\u00a0\u20ac", "DE", (2490, "EUR")),
    ("1.299,50 \u20ac", "", (129950, "EUR")),
    ("\u20ac1,299.50", "", (129950, "EUR")),
    ("EUR 24.90 \u20ac", "", (2490, "EUR")),
    ("\u0662\u0664\u066b\u0669\u0660 \u20ac", "", (2490, "EUR")),
    ("$1,299.00", "US", (129900, "USD")),
    ("$1,299.00", "CA", (129900, "CAD")),
    ("$5", "PA", (500, "USD")),
    ("$5", "AU", (500, "AUD")),
    ("$5", "DE", None),
    ("$5", "", None),
    ("US$ 5.00", "DE", (500, "USD")),
    ("CA$5", "", (500, "CAD")),
    ("\u00a51500", "JP", (1500, "JPY")),
    ("\u00a51,500", "JP", (1500, "JPY")),
    ("\uffe51500", "JP", (1500, "JPY")),
    ("1500\u5186", "", (1500, "JPY")),
    ("\u00a51500", "CN", (150000, "CNY")),
    ("\u00a51500", "DE", None),
    ("JPY 1.5", "", None),
    ("\u00a35", "", (500, "GBP")),
    ("\u00a35", "GB", (500, "GBP")),
    ("\u00a35", "EG", (500, "EGP")),
    ("99 kr", "SE", (9900, "SEK")),
    ("99 kr.", "DK", (9900, "DKK")),
    ("99,- kr", "NO", (9900, "NOK")),
    ("99 kr", "IS", (99, "ISK")),
    ("99 kr", "FI", None),
    ("CHF 24.90", "", (2490, "CHF")),
    ("CHF 1'249.90", "", (124990, "CHF")),
    ("Fr. 24.90", "CH", (2490, "CHF")),
    ("CHF 24.\u2013", "", (2400, "CHF")),
    ("R$ 24,90", "", (2490, "BRL")),
    ("24,90 z\u0142", "", (2490, "PLN")),
    ("1 299 Ft", "", (129900, "HUF")),
    ("\u20b91,23,456.50", "", (12345650, "INR")),
    ("Rs. 500", "IN", (50000, "INR")),
    ("Rs. 500", "PK", (50000, "PKR")),
    ("1.250 KWD", "", (1250, "KWD")),
    ("KWD 1.5", "", (1500, "KWD")),
    ("1,250 KWD", "", None),
    ("KWD 1.2505", "", None),
    ("1.299 \u20ac", "", None),
    ("\u20ac24.905", "", None),
    ("2 for \u20ac5.00", "", None),
    ("\u20ac5.00 each", "", None),
    ("from \u20ac5", "", None),
    ("\u20ac5-6", "", None),
    ("24.90 EUR/kg", "", None),
    ("EUR 24 USD", "", None),
    ("24.90", "", (2490, "EUR")),
    ("1500", "JP", (1500, "JPY")),
    ("1.299", "", None),
    ("24 DEM", "", None),
    ("24 XXX", "", None),
    ("free", "", None),
    ("-5 \u20ac", "", None),
    ("\u20ac0", "", None),
    ("\u20ac100000001", "", None),
    ("", "", None),
]


@pytest.mark.parametrize(("text", "country", "expected"), PRICES)
def test_prices_are_read_as_suppliers_write_them(text: str, country: str, expected: Any) -> None:
    assert money.read_price(text, country) == expected


@pytest.mark.parametrize(
    ("minor", "currency", "shown"),
    [
        (1500, "JPY", "1500"),
        (1250, "KWD", "1.250"),
        (5, "HUF", "0.05"),
        (2490, "EUR", "24.90"),
        (-5, "EUR", "-0.05"),
    ],
)
def test_amounts_have_their_currencys_digits(minor: int, currency: str, shown: str) -> None:
    assert money.decimal(minor, currency) == shown
    assert money.minor_units(Decimal(shown), currency) == minor


@pytest.mark.parametrize(
    ("amount", "currency"),
    [("1.5", "JPY"), ("1.2505", "KWD"), ("0.001", "EUR"), ("0", "EUR"), ("-1", "EUR"), ("NaN", "EUR"),
     ("Infinity", "EUR"), ("1e9", "EUR"), ("1e999999", "EUR"), ("5", "XXX")],
)  # fmt: skip
def test_more_digits_than_the_currency_has_are_refused(amount: str, currency: str) -> None:
    with pytest.raises(UserError) as refused:
        money.checked(Decimal(amount), currency, "price")
    code = "INVALID_INPUT" if currency == "XXX" else "OUT_OF_RANGE"
    field = ["price"] if code == "INVALID_INPUT" else ["price", "amount"]
    assert (refused.value.code, refused.value.field) == (code, field)


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [
        (100, [1, 1, 1], [34, 33, 33]),
        (1, [1, 1], [1, 0]),
        (10, [0, 3, 1], [0, 8, 2]),
        (5, [0, 0], [3, 2]),
        (-100, [1, 1, 1], [-34, -33, -33]),
        (0, [5], [0]),
    ],
)
def test_a_sum_is_shared_by_largest_remainder(total: int, weights: list[int], parts: list[int]) -> None:
    assert money.allocate(total, weights) == parts


@given(st.integers(-(10**12), 10**12), st.lists(st.integers(0, 10**6), min_size=1, max_size=30))
def test_parts_add_up_exactly(total: int, weights: list[int]) -> None:
    parts = money.allocate(total, weights)
    assert sum(parts) == total
    whole = sum(weights)
    assert not whole or all(
        abs(part * whole - total * weight) < whole for part, weight in zip(parts, weights, strict=True)
    )


def test_parts_without_weights_are_a_mistake() -> None:
    for weights in ([], [1, -1]):
        with pytest.raises(ValueError, match="weights"):
            money.allocate(1, weights)


@pytest.mark.parametrize(("exact", "minor"), [("0.5", 1), ("1.5", 2), ("2.5", 3), ("-0.5", -1), ("2.49", 2)])
def test_halves_are_rounded_up(exact: str, minor: int) -> None:
    assert money.rounded(Decimal(exact)) == minor


NOT_YET = {"XCG", "ZWG"}
"""ISO 4217 has them since 2024 and 2025; py-moneyed does not yet."""


def test_the_tables_are_those_of_iso_4217_and_iso_3166() -> None:
    assert set(currencies.CURRENCIES) - set(KNOWN) <= NOT_YET
    digits = {1: 0, 100: 2, 1000: 3, 10_000: 4}
    expected = {code: digits[KNOWN[code].sub_unit] for code in currencies.CURRENCIES - NOT_YET}
    assert {code: money.digits(code) for code in expected} == expected
    # Regions that are no countries, or that ISO 3166 merely reserves.
    none = {"EU", "AC", "CP", "DG", "EA", "IC", "TA", "UN"}
    tender = {place: tuple(get_territory_currencies(place)) for place in get_global("territory_currencies")}
    wanted = {
        place: codes for place, codes in tender.items() if len(place) == 2 and codes and place not in none
    }
    assert wanted == currencies.COUNTRIES


def test_every_sign_is_a_living_currencys() -> None:
    named = {*currencies.OWN_SIGNS.values(), *currencies.DEFAULTS.values()}.union(*currencies.SHARED.values())
    assert named <= currencies.CURRENCIES
    assert all(sign == sign.casefold() for sign in (*currencies.OWN_SIGNS, *currencies.SHARED))
