"""Amounts that can be charged: golden case O2, and the steps between them."""

import pytest

from core.values.charges import from_gateway_units, gateway_units, least_charge
from core.values.currencies import CURRENCIES
from core.values.money import payable, payment_step


@pytest.mark.parametrize(
    ("currency", "minor", "units"),
    [
        ("EUR", 1099, 1099),
        ("JPY", 1000, 1000),
        ("KWD", 5120, 5120),
        ("ISK", 500, 50000),
        ("UGX", 500, 50000),
        ("MGA", 500, 5),
        ("HUF", 17500, 17500),
    ],
)
def test_amounts_go_in_the_gateways_units_and_come_back(currency: str, minor: int, units: int) -> None:
    assert gateway_units(minor, currency) == units
    assert from_gateway_units(units, currency) == minor


@pytest.mark.parametrize(("minor", "charged"), [(5124, 5120), (5125, 5130), (5120, 5120), (4, 0), (5, 10)])
def test_three_digit_currencies_are_charged_in_tens(minor: int, charged: int) -> None:
    assert payable(minor, "KWD") == charged


@pytest.mark.parametrize(("minor", "currency"), [(5124, "KWD"), (5, "BHD"), (150, "MGA")])
def test_an_amount_between_two_steps_is_refused(minor: int, currency: str) -> None:
    with pytest.raises(ValueError, match="between two steps"):
        gateway_units(minor, currency)


def test_the_least_amount_is_the_gateways() -> None:
    assert [least_charge(each) for each in ("USD", "GBP", "JPY", "KWD", "MGA", "ISK")] == [
        50,
        30,
        50,
        10,
        100,
        1,
    ]


@pytest.mark.parametrize("currency", sorted(CURRENCIES))
def test_every_currency_goes_there_and_back(currency: str) -> None:
    step = payment_step(currency)
    for minor in (step, 7 * step, 1234 * step):
        assert payable(minor, currency) == minor
        assert from_gateway_units(gateway_units(minor, currency), currency) == minor
