"""Reading of scanned codes, whatever carries the number: digits, GS1 element strings, GS1 Digital Links."""

import re
from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from biip import ParseError
from biip.gs1_digital_link_uris import GS1DigitalLinkURI
from biip.gs1_element_strings import GS1ElementString
from biip.gs1_messages import GS1Message

from core import clock
from resolvers.barcode import normal_form
from resolvers.barcode.normal_form import Gtin, NoGtin
from stores.barcode import BarcodeFormat, BarcodeRejectReason

LONGEST_CODE = 200
SYMBOLOGIES = re.compile(r"\](?:d2|C1|Q3|e0)")
"""Identifiers with which scanners begin GS1 DataMatrix, GS1-128, GS1 QR codes and GS1 DataBar."""
SEPARATOR = "\x1d"
"""FNC1, as scanners write it between two element strings."""
LINK = re.compile(r"https?://", re.IGNORECASE)
OF_ARTICLE = re.compile(r"/01/|/gtin/", re.IGNORECASE)
NET_WEIGHT = re.compile(r"310\d")


@dataclass(frozen=True, slots=True)
class Elements:
    """Elements of a code beside its number, which tell of one package."""

    batch: str | None = None
    serial: str | None = None
    expires_on: date | None = None
    net_weight: Decimal | None = None
    """Weight in kilograms."""


NOTHING = Elements()


@dataclass(frozen=True, slots=True)
class Barcode:
    """Scanned code as it was read: its number, or the reason for which it has none."""

    text: str
    format: BarcodeFormat | None
    gtin: Gtin | None = None
    elements: Elements = NOTHING
    fault: BarcodeRejectReason | None = None
    """Reason for which it is invalid; None for a valid code, also for one of no article."""

    @property
    def unsupported(self) -> bool:
        return self.gtin is None and self.fault is None


def read(text: str, format: BarcodeFormat | None = None) -> Barcode:
    """Read a code of at most 200 characters; a stated format counts. Nothing is fetched."""
    code = text.strip(" \t\r\n")
    carried = format if format is not None else _carrier(code)
    try:
        if carried is BarcodeFormat.GS1_DIGITAL_LINK:
            return _of_elements(text, carried, _link(code))
        if carried is BarcodeFormat.GS1_ELEMENTS:
            return _of_elements(text, carried, _message(code))
        gtin = normal_form.read(code, carried)
    except NoGtin as none:
        return Barcode(text, carried, fault=none.reason)
    return Barcode(text, gtin.format, gtin)


def _carrier(code: str) -> BarcodeFormat | None:
    """Carrier of a code; None for plain digits, and for what is no code at all."""
    if LINK.match(code):
        return BarcodeFormat.GS1_DIGITAL_LINK
    begins = SYMBOLOGIES.match(code) or code.startswith(("(", SEPARATOR)) or SEPARATOR in code
    # No number has more than 14 digits: 01 and 14 digits are an element string.
    if begins or (code.startswith("01") and len(normal_form.BETWEEN.sub("", code)) >= 16):
        return BarcodeFormat.GS1_ELEMENTS
    return None


def _message(code: str) -> list[GS1ElementString]:
    code = SYMBOLOGIES.sub("", code, count=1).strip(SEPARATOR)
    try:
        message = GS1Message.parse_hri(code) if code.startswith("(") else GS1Message.parse(code)
    except (ParseError, ValueError):
        raise NoGtin(BarcodeRejectReason.NOT_DIGITS) from None
    return list(message.element_strings)


def _link(code: str) -> list[GS1ElementString]:
    """Element strings of a link; none of one that is of no article, an asset or any page of the web."""
    try:
        return list(GS1DigitalLinkURI.parse(code).element_strings)
    except (ParseError, ValueError):
        if OF_ARTICLE.search(code):
            raise NoGtin(BarcodeRejectReason.NOT_DIGITS) from None
        return []


def _of_elements(text: str, format: BarcodeFormat, found: list[GS1ElementString]) -> Barcode:
    by_ai = {each.ai.ai: each.value for each in found}
    number = by_ai.get("01")
    if number is None:
        return Barcode(text, format)
    # The library lets wrong check digits pass.
    gtin = Gtin(normal_form.read(number, BarcodeFormat.GTIN_14).digits, format)
    return Barcode(text, format, gtin, _elements(by_ai))


def _elements(by_ai: Mapping[str, str]) -> Elements:
    weight = next((ai for ai in by_ai if NET_WEIGHT.fullmatch(ai)), None)
    return Elements(
        batch=by_ai.get("10"),
        serial=by_ai.get("21"),
        expires_on=expiry(by_ai["17"], clock.now().date()) if "17" in by_ai else None,
        net_weight=Decimal(by_ai[weight]).scaleb(-int(weight[-1])) if weight else None,
    )


def expiry(written: str, today: date) -> date | None:
    """Day of `YYMMDD`; the day 00 is the last one of its month, and None what is no day.

    The century slides (GS1 General Specifications 7.12): 51 years ahead or more are past, 50 back or more to
    come.
    """
    year, month, day = int(written[:2]), int(written[2:4]), int(written[4:6])
    year += today.year // 100 * 100
    if year - today.year >= 51:
        year -= 100
    elif year - today.year <= -50:
        year += 100
    try:
        return date(year, month, day or monthrange(year, month)[1])
    except ValueError:
        return None


def plain(elements: Elements) -> dict[str, Any] | None:
    """Elements as they are stored; None where there are none."""
    if elements == NOTHING:
        return None
    return {
        "batch": elements.batch,
        "serial": elements.serial,
        "expires_on": elements.expires_on and elements.expires_on.isoformat(),
        "net_weight_kilograms": None if elements.net_weight is None else str(elements.net_weight),
    }
