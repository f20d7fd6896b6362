"""Encryption of what people scan: it tells of their health. Numbers are found by a blind index."""

from collections.abc import Mapping
from typing import Any

from core.security.crypto import Keyring

Document = Mapping[str, Any]


def gtin_index(crypto: Keyring, gtin: str) -> str:
    """Blind index of a number, by which scans and mappings name it."""
    return crypto.blind(gtin, place="barcode/gtin")


def opened(crypto: Keyring, row: Document, *, place: str) -> dict[str, Any]:
    """The document with its encrypted values in the clear, for those who may read them."""
    values: dict[str, Any] = crypto.open_values(row["sealed"], place=place)
    return {**{name: value for name, value in row.items() if name != "sealed"}, **values}


def scan_place(id: str) -> str:
    return f"scans/{id}"


def opened_scan(crypto: Keyring, row: Document) -> dict[str, Any]:
    return opened(crypto, row, place=scan_place(row["_id"]))


def submission_place(id: str) -> str:
    return f"barcode_submissions/{id}"


def opened_submission(crypto: Keyring, row: Document) -> dict[str, Any]:
    """The submission in the clear, with the ids of its photos that have been processed."""
    images = [each["media_id"] for each in row["photos"] if each["media_id"] is not None]
    return {**opened(crypto, row, place=submission_place(row["_id"])), "image_ids": images}


def choice_place(id: str) -> str:
    return f"barcode_choices/{id}"
