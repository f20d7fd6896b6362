"""Exported entries as PDF: text on A4 pages, each of which is written once it is full and then forgotten.

Libraries that make PDF keep a document in memory until its end, which a million entries do not allow. Letters
that the font does not have are written as JSON escapes (`\\u20ac`): what is exported is technical.
"""

import textwrap
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import orjson

from resolvers.audit.exported import Row, fields

WIDTH, HEIGHT, MARGIN = 595, 842, 40
SIZE, LEADING = 8, 10
COLUMNS = 107
"""Letters in a line: those of Courier are 0.6 of its size wide."""
LINES = (HEIGHT - 2 * MARGIN) // LEADING - 2
"""Lines of a page, below its number."""
CATALOG, PAGES, FONT = 1, 2, 3
TITLE = "Audit log"
INDENT = "    "


class Pdf:
    """PDF 1.4 with one of the fonts that every reader has."""

    extension, mime = "pdf", "application/pdf"

    def __init__(self) -> None:
        self._written = 0
        self._offsets: dict[int, int] = {}
        self._pages: list[int] = []
        self._lines: list[str] = []
        self._next = FONT + 1

    def begin(self) -> bytes:
        font = "<< /Type /Font /Subtype /Type1 /BaseFont /Courier /Encoding /WinAnsiEncoding >>"
        return self._count(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n") + self._object(FONT, font.encode())

    def batch(self, rows: Sequence[Row]) -> bytes:
        made = []
        for row in rows:
            self._lines += _wrapped(_text(row))
            while len(self._lines) >= LINES:
                made.append(self._page(self._lines[:LINES]))
                del self._lines[:LINES]
        return b"".join(made)

    def end(self) -> bytes:
        last = self._page(self._lines) if self._lines or not self._pages else b""
        kids = " ".join(f"{each} 0 R" for each in self._pages)
        pages = f"<< /Type /Pages /Count {len(self._pages)} /Kids [{kids}] >>"
        catalog = f"<< /Type /Catalog /Pages {PAGES} 0 R /Lang (en) >>"
        closing = self._object(PAGES, pages.encode()) + self._object(CATALOG, catalog.encode())
        return last + closing + self._references()

    def _page(self, lines: Sequence[str]) -> bytes:
        content, page = self._next, self._next + 1
        self._next += 2
        self._pages.append(page)
        shown = [f"{TITLE}, page {len(self._pages)}", "", *lines]
        drawn = [f"BT /F1 {SIZE} Tf {LEADING} TL {MARGIN} {HEIGHT - MARGIN} Td".encode()]
        drawn += [b"(" + _escaped(line) + b") '" for line in shown]
        packed = zlib.compress(b"\n".join([*drawn, b"ET"]))
        stream = f"<< /Length {len(packed)} /Filter /FlateDecode >>\nstream\n".encode()
        described = (
            f"<< /Type /Page /Parent {PAGES} 0 R /MediaBox [0 0 {WIDTH} {HEIGHT}] "
            f"/Resources << /Font << /F1 {FONT} 0 R >> >> /Contents {content} 0 R >>"
        )
        whole = self._object(content, stream + packed + b"\nendstream")
        return whole + self._object(page, described.encode())

    def _object(self, number: int, body: bytes) -> bytes:
        self._offsets[number] = self._written
        return self._count(b"%d 0 obj\n" % number + body + b"\nendobj\n")

    def _references(self) -> bytes:
        """Cross-reference table: where each object begins."""
        start, count = self._written, self._next
        rows = [b"%010d 00000 n \n" % self._offsets[number] for number in range(1, count)]
        table = b"xref\n0 %d\n0000000000 65535 f \n" % count + b"".join(rows)
        trailer = b"trailer\n<< /Size %d /Root %d 0 R >>\n" % (count, CATALOG)
        return table + trailer + b"startxref\n%d\n%%%%EOF\n" % start

    def _count(self, written: bytes) -> bytes:
        self._written += len(written)
        return written


def _text(row: Row) -> Iterator[str]:
    """Lines about an entry: what is empty is left out."""
    told = fields(row)
    yield f"{told['timestamp']}  {told['action']}  {told['outcome']}  {told['eventType']}"
    yield _told(told, entry="id", chain="chainId", seq="seq", integrity="integrity", organization="orgId")
    yield _told(
        told, actor="actorId", kind="actorType", role="actorRole", device="deviceId", address="ipMasked"
    )
    yield _told(told, resource="resourceType", id="resourceId", subject="subjectId", incident="incidentId")
    yield _told(told, request="requestId", occurred="occurredAt", reason="accessReason")
    if told["details"]:
        yield f"details {orjson.dumps(told['details'], default=str).decode()}"
    yield _told(told, hash="currentHash")
    yield ""


def _told(told: dict[str, Any], **named: str) -> str:
    return "  ".join(f"{label} {told[name]}" for label, name in named.items() if told[name] not in (None, ""))


def _wrapped(lines: Iterable[str]) -> list[str]:
    """Lines that fit the page: an entry's first as it is, the others below it."""
    fitting: list[str] = []
    for number, line in enumerate(lines):
        indent = INDENT if number else ""
        if line or not number:
            fitting += _folded(indent, line)
    return [*fitting, ""]


def _folded(indent: str, line: str) -> list[str]:
    """A line in pieces of the page's width; letters that the font does not have are wider."""
    return textwrap.wrap(
        _plain(line),
        COLUMNS,
        initial_indent=indent,
        subsequent_indent=indent * 2,
        break_on_hyphens=False,
        drop_whitespace=False,
        replace_whitespace=False,
        expand_tabs=False,
    )


def _plain(text: str) -> str:
    return "".join(letter if _has(letter) else _escape(letter) for letter in text)


def _has(letter: str) -> bool:
    if not letter.isprintable():
        return False
    try:
        letter.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True


def _escape(letter: str) -> str:
    """A letter as JSON writes it in ASCII."""
    units = letter.encode("utf-16-be")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))


def _escaped(line: str) -> bytes:
    return line.encode("cp1252").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
