"""Normal form of numbers of articles: one GTIN of 14 digits, whatever code carried it.

Rules of the GS1 General Specifications: check digits (7.9), zero suppression of UPC-E (7.10), restricted
circulation numbers (2.1.11), indicators of packaging levels (2.1.7).
"""

import re
from dataclasses import dataclass

from stores.barcode import BarcodeFormat, BarcodeRejectReason

LENGTHS = {8: None, 12: BarcodeFormat.UPC_A, 13: BarcodeFormat.EAN_13, 14: BarcodeFormat.GTIN_14}
"""Formats by the number of digits; of eight digits there are two."""
DIGITS = {
    BarcodeFormat.UPC_A: 12,
    BarcodeFormat.UPC_E: 8,
    BarcodeFormat.EAN_13: 13,
    BarcodeFormat.EAN_8: 8,
    BarcodeFormat.GTIN_14: 14,
}
"""Digits of the formats that carry a number alone."""
BETWEEN = re.compile(r"[\s\-\u2010-\u2015]")
"""Blanks and hyphens, which people write between the parts of a number."""
OF_ONE_SHOP = ("02", "04", *map(str, range(20, 30)))
"""Prefixes of GTIN-13 for numbers that one shop or region gives out."""


class NoGtin(ValueError):
    """The text is no number of an article, for the reason given."""

    def __init__(self, reason: BarcodeRejectReason) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Gtin:
    """Number of an article in normal form, with the format in which it was written."""

    digits: str
    """Fourteen digits, zeros in front."""
    format: BarcodeFormat

    @property
    def restricted(self) -> bool:
        """True for a number of a single shop or region, which means another article elsewhere."""
        return is_restricted(self.digits)

    @property
    def contained(self) -> str | None:
        """GTIN of the single article in a case; None for what is no case."""
        return contained(self.digits)


def read(text: str, format: BarcodeFormat | None = None) -> Gtin:
    """The number that people typed or a scanner read as digits; NoGtin where it is none."""
    digits = BETWEEN.sub("", text)
    if not (digits.isascii() and digits.isdigit()):
        raise NoGtin(BarcodeRejectReason.NOT_DIGITS)
    if len(digits) not in LENGTHS or (format is not None and DIGITS[format] != len(digits)):
        raise NoGtin(BarcodeRejectReason.LENGTH)
    written = format or LENGTHS[len(digits)] or _of_eight(digits)
    padded = (expanded(digits) if written is BarcodeFormat.UPC_E else digits).zfill(14)
    if not has_check_digit(padded):
        raise NoGtin(BarcodeRejectReason.CHECK_DIGIT)
    return Gtin(padded, written)


def _of_eight(digits: str) -> BarcodeFormat:
    """Format of eight digits of which nothing is said: both checks may fit, and the first digit tells."""
    return BarcodeFormat.UPC_E if digits[0] == "0" else BarcodeFormat.EAN_8


def expanded(upc_e: str) -> str:
    """The UPC-A that a UPC-E of eight digits stands for."""
    system, six, check = upc_e[0], upc_e[1:7], upc_e[7]
    if system != "0":
        raise NoGtin(BarcodeRejectReason.CHECK_DIGIT)
    match six[5]:
        case "0" | "1" | "2":
            body = f"{six[:2]}{six[5]}0000{six[2:5]}"
        case "3":
            body = f"{six[:3]}00000{six[3:5]}"
        case "4":
            body = f"{six[:4]}00000{six[4]}"
        case last:
            body = f"{six[:5]}0000{last}"
    return f"{system}{body}{check}"


def check_digit(body: str) -> str:
    """Check digit of the digits before it: modulo 10, with the weights 3 and 1 from the right."""
    total = sum(int(digit) * (1 if place % 2 else 3) for place, digit in enumerate(reversed(body)))
    return str(-total % 10)


def has_check_digit(digits: str) -> bool:
    return check_digit(digits[:-1]) == digits[-1]


def is_restricted(gtin: str) -> bool:
    """True for a GTIN-13 with a prefix of restricted circulation, and a GTIN-8 that begins with 0 or 2."""
    if gtin.startswith("000000"):
        return gtin[6] in "02"
    return gtin[0] == "0" and gtin.startswith(OF_ONE_SHOP, 1)


def contained(gtin: str) -> str | None:
    """GTIN of the article in a case, by the indicators 1 to 8; 9 is of variable measure, and no case."""
    if gtin[0] in "09":
        return None
    body = f"0{gtin[1:13]}"
    return body + check_digit(body)
