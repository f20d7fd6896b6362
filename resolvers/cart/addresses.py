"""Postal addresses: checked as they come in, and read from where they are sealed."""

import re
from typing import Any, NotRequired, TypedDict

from core.cards import check_no_card
from core.errors import UserError, below
from core.security.crypto import Keyring
from core.values.bounds import check_length
from core.values.currencies import COUNTRIES
from core.values.text import Line
from stores.cart.quotes import Address

LONGEST = 100
LONGEST_POSTAL_CODE = 16
REGION = re.compile(r"[A-Z]{2}-[A-Z0-9]{1,3}", re.ASCII)
PHONE = re.compile(r"\+[1-9]\d{5,14}", re.ASCII)
LETTERS = ("name", "company", "line1", "line2", "city", "postal_code")


class PostalAddress(TypedDict):
    """Postal address."""

    name: Line
    """Name of the recipient, 1 to 100 characters."""
    company: NotRequired[Line | None]
    """Company of the recipient, at most 100 characters."""
    line1: Line
    """Street and number, or the like, 1 to 100 characters."""
    line2: NotRequired[Line | None]
    """Second line of the street, such as a floor, at most 100 characters."""
    city: Line
    """Name of the town or city, 1 to 100 characters."""
    region: NotRequired[Line | None]
    """Code of the state or province (ISO 3166-2), such as `US-CA`; needed where taxes depend on it."""
    postal_code: NotRequired[Line | None]
    """Postal code as the country writes it, at most 16 characters."""
    country_code: Line
    """Code of the country (ISO 3166-1), such as `DE`."""
    phone: NotRequired[Line | None]
    """Phone number of the recipient (E.164), such as `+4915112345678`."""


def checked(given: PostalAddress, field: str) -> Address:
    """The address as it is kept; refused with the path of what is wrong."""
    with below(field):
        return _checked(given)


def _checked(given: PostalAddress) -> Address:
    address: dict[str, Any] = {name: given.get(name) or None for name in Address.__annotations__}
    for name in LETTERS:
        most = LONGEST_POSTAL_CODE if name == "postal_code" else LONGEST
        check_length(
            address[name] or "", least=name in PostalAddress.__required_keys__, most=most, field=name
        )
        check_no_card(address[name], field=name)
    country = address["country_code"] = checked_country(address["country_code"] or "", "country_code")
    address["region"] = checked_region(address["region"], country)
    if address["phone"] and not PHONE.fullmatch(address["phone"]):
        raise UserError(
            "INVALID_FORMAT", "A phone number begins with + and the country code.", field=["phone"]
        )
    return address  # type: ignore[return-value]


def checked_country(code: str, field: str) -> str:
    """A country's code as it is kept, or INVALID_FORMAT."""
    if (country := code.upper()) not in COUNTRIES:
        raise UserError("INVALID_FORMAT", "This is no country.", field=[field])
    return country


def checked_region(code: str | None, country: str) -> str | None:
    """The code of a region of the country as it is kept, or INVALID_FORMAT; None for none."""
    region = code.upper() if code else None
    if region and not (REGION.fullmatch(region) and region.startswith(f"{country}-")):
        raise UserError("INVALID_FORMAT", "A region is written as in US-CA.", field=["region"])
    return region


def opened(crypto: Keyring, text: str | None, *, place: str) -> dict[str, Address | None]:
    """Sealed addresses by their name; none where there are none."""
    found: dict[str, Address | None] = crypto.open_values(text, place=place) if text else {}
    return found
