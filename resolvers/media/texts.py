"""Text sniffing: UTF-8, UTF-16 with a BOM, or Windows-1252; no control characters, nothing executable."""

import re
from pathlib import Path

PIECE = 1 << 20
MARKS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
TABS = "\t\r\n\f\x1b\x0b"
RUNS = re.compile(
    r"[\ufeff\s]*(?:<(?:!doctype\s+html|html|head|body|script|svg|iframe|\?php|\?xml)\b|#!\s*/|%pdf-)",
    re.IGNORECASE,
)
"""Beginnings of content that a browser or shell would run; a lone `<` begins many a Markdown file."""
CARD = re.compile(r"[\ufeff\s]*BEGIN:VCARD\s", re.IGNORECASE)


def is_text(path: Path, mime: str) -> bool:
    """True if it is text in the first encoding that it can be in."""
    return next(
        (found for each in _encodings(path) if (found := _reads_as(path, mime, each)) is not None), False
    )


def _encodings(path: Path) -> tuple[str, ...]:
    with path.open("rb") as file:
        marked = MARKS.get(file.read(2))
    return (marked,) if marked else ("utf-8", "cp1252")


def _reads_as(path: Path, mime: str, encoding: str) -> bool | None:
    """True if it is text in the encoding; None if it does not decode at all."""
    fine = first = True
    try:
        with path.open(encoding=encoding) as file:
            while piece := file.read(PIECE):
                fine = fine and not (first and not _begins_well(piece, mime)) and not _controls(piece)
                first = False
    except UnicodeError:
        return None
    return fine


def _controls(piece: str) -> bool:
    return any(ord(each) < 32 and each not in TABS for each in piece)


def _begins_well(piece: str, mime: str) -> bool:
    if mime == "text/vcard":
        return CARD.match(piece) is not None
    return RUNS.match(piece) is None
