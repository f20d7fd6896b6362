"""Amounts as payment gateways count them, and the least that are charged.

Amounts here are in minor units of ISO 4217. Gateways count like Stripe, which departs from it for a few
currencies.
"""

from core.values.money import digits, payment_step

GATEWAY_DIGITS = {"ISK": 2, "UGX": 2, "MGA": 0}
"""Digits behind the point as gateways count, where ISO 4217 has others."""
LEAST = {
    **dict.fromkeys(("AUD", "BRL", "CAD", "CHF", "EUR", "INR", "NZD", "SGD", "USD"), 50),
    **{"AED": 200, "BGN": 100, "CZK": 1_500, "DKK": 250, "GBP": 30, "HKD": 400, "HUF": 17_500, "JPY": 50},
    **{"MXN": 1_000, "MYR": 200, "NOK": 300, "PLN": 200, "RON": 200, "SEK": 300, "THB": 1_000},
}
"""Least amounts that are charged, in minor units (docs.stripe.com/currencies, minimum charge amounts)."""


def least_charge(currency: str) -> int:
    """Least amount that is charged, in minor units; a step where no more is known."""
    return LEAST.get(currency, payment_step(currency))


def gateway_units(minor: int, currency: str) -> int:
    """The amount as the gateway counts: 500 krónur are 50000; ValueError for one between two steps."""
    if minor % payment_step(currency):
        raise ValueError(f"{minor} minor units of {currency} lie between two steps.")
    more = _gateway_digits(currency) - digits(currency)
    return minor * _power_of_ten(more) // _power_of_ten(-more)


def from_gateway_units(units: int, currency: str) -> int:
    """Minor units of an amount as the gateway counts."""
    more = _gateway_digits(currency) - digits(currency)
    return units * _power_of_ten(-more) // _power_of_ten(more)


def _gateway_digits(currency: str) -> int:
    return GATEWAY_DIGITS.get(currency, digits(currency))


def _power_of_ten(exponent: int) -> int:
    """One where the exponent is negative."""
    return int("1" + "0" * exponent)
