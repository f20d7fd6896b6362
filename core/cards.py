"""Card numbers in free text: refused, so that none is ever stored, logged or told.

Luhn's check digit is not enough: one GTIN-13 in ten passes it, and many a phone number. Fields for those have
checks of their own and do not ask here.
"""

import re

from core.errors import ErrorKind, UserError, error_codes
from core.values import numbers

error_codes(
    ErrorKind.INVALID,
    CARD_DATA_REFUSED="The text has a card number: those go to the payment provider alone.",
)

SHORTEST, LONGEST = 14, 19
"""Digits of a card number."""
DASHES = r"\-\u2010-\u2015\u2212"
RUN = re.compile(rf"\d+(?:[ {DASHES}]+\d+)*", re.ASCII)
"""Groups of digits with nothing but blanks and dashes between them."""
ISSUERS = re.compile(
    r"4|5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720"  # Visa, Mastercard
    r"|3[467]|30[0-5]|38"  # American Express, Diners Club
    r"|6011|64[4-9]|65|352[89]|35[3-8]|62"  # Discover, JCB, UnionPay
)
"""First digits of the numbers that card networks give out (ISO/IEC 7812)."""
LUHN_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def has_card_number(text: str) -> bool:
    """True if the text has 14 to 19 digits that may be a card's number, alone or beside other numbers."""
    return any(_has_one(re.findall(r"\d+", run)) for run in RUN.findall(numbers.plain(text)))


def check_no_card(text: str | None, *, field: str) -> None:
    """Refuse a text that has a card number."""
    if text and has_card_number(text):
        raise UserError("CARD_DATA_REFUSED", "A card number has no place here.", field=[field])


def _has_one(groups: list[str]) -> bool:
    """True if some groups that follow each other are a card number."""
    for first in range(len(groups)):
        number = ""
        for group in groups[first:]:
            number += group
            if len(number) > LONGEST:
                break
            if len(number) >= SHORTEST and ISSUERS.match(number) and passes_luhn(number):
                return True
    return False


def passes_luhn(number: str) -> bool:
    """True if the last digit is Luhn's check digit of the others (ISO/IEC 7812-1, annex B)."""
    digits = [int(digit) for digit in reversed(number)]
    return not (sum(digits[::2]) + sum(LUHN_DOUBLED[digit] for digit in digits[1::2])) % 10
