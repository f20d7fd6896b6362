"""Exported entries: what a file has of an entry, and the formats that are written as text."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import orjson

from core.ledger import canonical
from resolvers.audit import places
from stores import audit as store
from stores.audit import AuditEntry, AuditIntegrity, AuditLink

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""First letters by which a spreadsheet takes a cell for a formula (OWASP, CSV injection)."""
ENCRYPTED = frozenset({"actorName", "userAgent", "location", "sensitiveDetails"})


class Row(NamedTuple):
    """Entry with its place in its chain, where it has one, and its integrity."""

    entry: AuditEntry
    link: AuditLink | None
    integrity: AuditIntegrity


class Format(Protocol):
    """Format of a file that is written from its beginning to its end, a batch of rows at a time."""

    extension: str
    mime: str

    def begin(self) -> bytes: ...

    def batch(self, rows: Sequence[Row]) -> bytes: ...

    def end(self) -> bytes: ...


def fields(row: Row) -> dict[str, Any]:
    """Fields of an entry by the names that are hashed, without what is encrypted; and its place."""
    clear = {name: value for name, value in store.hashed_content(row.entry).items() if name not in ENCRYPTED}
    link: Mapping[str, Any] = row.link or {}
    place = {
        "seq": link.get("seq"),
        "previousHash": link.get("previous_hash"),
        "currentHash": link.get("current_hash"),
        "signature": link.get("signature"),
        "signatureKeyId": link.get("signature_key_id"),
    }
    return {**clear, **place, "integrity": row.integrity.value}


class Json:
    """One document, an entry to a line, each with the text that was hashed."""

    extension, mime = "json", "application/json"

    def __init__(self) -> None:
        self._first = True

    def begin(self) -> bytes:
        return b'{"entries":['

    def batch(self, rows: Sequence[Row]) -> bytes:
        lines = [
            orjson.dumps({**fields(row), "hashInput": places.hash_input(*row[:2])}, default=str)
            for row in rows
        ]
        if not lines:
            return b""
        before, self._first = (b"\n" if self._first else b",\n"), False
        return before + b",\n".join(lines)

    def end(self) -> bytes:
        return b"\n]}\n"


class Csv:
    """Table with a header, in UTF-8."""

    extension, mime = "csv", "text/csv"

    def begin(self) -> bytes:
        return _lines([COLUMNS])

    def batch(self, rows: Sequence[Row]) -> bytes:
        return _lines([[_cell(value) for value in _values(row)] for row in rows])

    def end(self) -> bytes:
        return b""


COLUMNS = [
    name
    for name in (*store.HASHED, "currentHash", "signature", "signatureKeyId", "integrity")
    if name not in ENCRYPTED
]


def _values(row: Row) -> list[Any]:
    told = fields(row)
    return [told[name] for name in COLUMNS]


def _cell(value: Any) -> str:
    """Text of a cell: JSON of what is no text or number, nothing for null, and never a formula."""
    if value is None:
        return ""
    if isinstance(value, (dict, list)):
        return orjson.dumps(value, default=str).decode()
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    return f"'{text}" if text.startswith(FORMULA) else text


def _lines(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def manifest(told: Mapping[str, Any]) -> str:
    """Canonical JSON of what a file is and holds, whose SHA-256 is the manifest's hash."""
    return canonical.encode(store.plain_json(told)).decode()
