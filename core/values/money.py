"""Money: whole minor units of an ISO 4217 currency, and what people write for it.

Nothing is ever a float: prices are integers, with as many digits behind the point as the currency has.
"""

import re
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from typing import TypedDict

from core.errors import UserError
from core.values import numbers
from core.values.currencies import COUNTRIES, CURRENCIES, DEFAULTS, DIGITS, NONE, OWN_SIGNS, SHARED

MOST_MINOR_UNITS = 10**10
"""A hundred million euros: more is a slip."""

PRICE = re.compile(r"(?P<before>[^\d]*)(?P<number>\d(?:[\d.,' \u066b\u066c]*\d)?)(?P<after>[^\d]*)", re.ASCII)
ROUND_SUM = re.compile(r"[.,]\s?[-\u2013\u2014]{1,2}(?!\d)")
"""`24,-`: the cents are none."""


def digits(currency: str) -> int:
    """Number of decimal places of a currency."""
    return DIGITS.get(currency, 2)


@lru_cache(10_000)
def decimal(minor: int, currency: str) -> str:
    """Minor units in the main unit: `1250` fils are `1.250`."""
    places = digits(currency)
    sign, amount = ("-" if minor < 0 else ""), abs(minor)
    if not places:
        return f"{sign}{amount}"
    return f"{sign}{amount // 10**places}.{amount % 10**places:0{places}d}"


def minor_units(amount: Decimal, currency: str) -> int | None:
    """An amount in minor units; None when it has more digits than the currency, or is no number."""
    if not amount.is_finite() or abs(amount.adjusted()) > 15:
        return None
    scaled = amount.scaleb(digits(currency))
    return int(scaled) if scaled == scaled.to_integral_value() else None


def checked(amount: Decimal, currency: str, field: str) -> int:
    """A price that a client names, in minor units, or INVALID_INPUT."""
    if currency == NONE:
        raise UserError("INVALID_INPUT", "Its currency is unknown: import it again with one.", field=[field])
    minor = minor_units(amount, currency)
    if minor is None or not 0 < minor <= MOST_MINOR_UNITS:
        places = digits(currency)
        raise UserError(
            "OUT_OF_RANGE",
            "A price in {currency} is {least} to {limit} with at most {places} decimals.",
            field=[field, "amount"],
            limit=MOST_MINOR_UNITS // 10**places,
            values={"currency": currency, "least": float(decimal(1, currency)), "places": places},
        )
    return minor


class Money(TypedDict):
    """Amount of money: a price without a currency is none."""

    amount: Decimal
    """Amount in the main unit of the currency, with at most as many decimals as it has."""
    currency_code: str
    """Code of the currency, ISO 4217: `EUR`."""


def checked_money(given: Money, currency: str, field: str) -> int:
    """A price in the currency of what it is for, in minor units, or INVALID_INPUT."""
    if given["currency_code"] != currency != NONE:
        raise UserError(
            "INVALID_INPUT",
            "It is priced in {currency}.",
            field=[field, "currencyCode"],
            values={"currency": currency},
        )
    return checked(given["amount"], currency, field)


def shown(minor: int, currency: str) -> dict[str, str]:
    """An amount as clients see it: a decimal, with its currency."""
    return {"amount": decimal(minor, currency), "currency_code": currency}


STEPS = {3: 10}
"""By digits of a currency, the minor units that its least amount at a payment provider has; else 1."""
STEP_OF = {"MGA": 100}
"""The same of currencies whose smaller unit payment providers do not know: the ariary's iraimbilanja."""


def payment_step(currency: str) -> int:
    """Step of amounts that can be paid, in minor units."""
    return STEP_OF.get(currency) or STEPS.get(digits(currency), 1)


def payable(minor: int, currency: str) -> int:
    """An amount as it can be paid: rounded, halves up, to the step of payment providers."""
    step = payment_step(currency)
    return (minor + step // 2) // step * step


def percent_of(minor: int, percent: Decimal) -> int:
    """A percentage of an amount, halves up."""
    return rounded(minor * percent / 100)


def rounded(minor: Decimal) -> int:
    """Whole minor units, halves away from zero."""
    return int(minor.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def allocate(total: int, weights: Sequence[int]) -> list[int]:
    """A sum in parts by weight, exact: by largest remainder, of equals to the earlier part.

    Weights of nothing share alike.
    """
    if not weights or any(weight < 0 for weight in weights):
        raise ValueError("Parts have weights of 0 or more.")
    if total < 0:
        return [-part for part in allocate(-total, weights)]
    whole = sum(weights)
    if not whole:
        return allocate(total, [1] * len(weights))
    parts = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda at: (-(total * weights[at] % whole), at))
    for at in by_remainder[: total - sum(parts)]:
        parts[at] += 1
    return parts


USUAL_CURRENCY = "EUR"


def currency_of(country: str) -> str:
    """Currency of a shop in the country; euros for one that does not say where it is."""
    return COUNTRIES.get(country, (USUAL_CURRENCY,))[0]


def currency_named(text: str, country: str = "") -> str | None:
    """The currency of a code or sign; a sign that several share is the country's own, or nobody's."""
    name = text.strip()
    if name.upper() in CURRENCIES:
        return name.upper()
    sign = name.replace("\uffe5", "¥").replace("\uff04", "$").replace("\uffe1", "£").casefold().rstrip(".")
    if sign in OWN_SIGNS:
        return OWN_SIGNS[sign]
    own = SHARED.get(sign, frozenset()) & set(COUNTRIES.get(country, ()))
    return next(iter(own)) if len(own) == 1 else None if own else DEFAULTS.get(sign)


def read_price(text: str, country: str = "") -> tuple[int, str] | None:
    """A price as people write it, in minor units with its currency; None for anything that is not one price.

    A number alone is in the shop's own currency.
    """
    given = ROUND_SUM.sub("", numbers.plain(text).strip())
    found = PRICE.fullmatch(given)
    if found is None:
        return None
    names = _names(found["before"], found["after"])
    named = {currency_named(each, country) for each in names} if names else {currency_of(country)}
    if len(named) != 1 or (currency := named.pop()) is None:
        return None
    amount = numbers.read(found["number"], digits=digits(currency))
    minor = None if amount is None else minor_units(amount, currency)
    return (minor, currency) if minor is not None and 0 < minor <= MOST_MINOR_UNITS else None


def _names(before: str, after: str) -> list[str]:
    """Parts before and behind the number, each in one piece or as a code beside a sign."""
    names = []
    for side in (before.strip(), after.strip()):
        parts = side.split()
        names += [side] if len(parts) < 2 else parts
    return [each for each in names if each]
