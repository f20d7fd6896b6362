"""Segments of text messages (3GPP TS 23.038), and texts cut to a number of them.

GSM-7 has 160 units in one segment and 153 in each of several, UCS-2 70 and 67. A character of GSM-7's
extension table takes two units, and one beyond the Basic Multilingual Plane two of UCS-2; none is split over
two segments.
"""

import unicodedata
from collections.abc import Iterator
from typing import Literal, NamedTuple

from core.values.gsm import EXTENSION, GSM

JOINERS = "\u200d\u200c"
"""Zero-width joiner, which takes the next character along, and non-joiner, which belongs to the last one."""
VIRAMA = 9
"""Combining class of the signs that join consonants of Indic scripts."""


class Segments(NamedTuple):
    """Size of a text message."""

    encoding: Literal["GSM-7", "UCS-2"]
    units: int
    segments: int


def count(text: str) -> Segments:
    """Size of a text as it is sent."""
    plain = GSM.issuperset(text)
    widths = [_width(character, plain) for character in text]
    single, part = (160, 153) if plain else (70, 67)
    units = sum(widths)
    segments = 1 if units <= single else _packed(widths, part)
    return Segments("GSM-7" if plain else "UCS-2", units, segments)


def _width(character: str, plain: bool) -> int:
    return 2 if (character in EXTENSION if plain else ord(character) > 0xFFFF) else 1


def _packed(widths: list[int], part: int) -> int:
    """Parts that these characters fill, each whole in one of them."""
    parts, used = 1, 0
    for width in widths:
        if used + width > part:
            parts, used = parts + 1, 0
        used += width
    return parts


def fit(text: str, most: int, ending: str) -> str:
    """The text if it has at most so many segments; else its beginning and `ending`, cut between graphemes."""
    if count(text).segments <= most:
        return text
    kept = list(graphemes(text))
    low, high = 0, len(kept)
    while low < high:
        middle = (low + high + 1) // 2
        if count("".join(kept[:middle]) + ending).segments <= most:
            low = middle
        else:
            high = middle - 1
    return "".join(kept[:low]).rstrip() + ending


def graphemes(text: str) -> Iterator[str]:
    """Characters as people see them: each with its marks, modifiers and all that is joined to it."""
    found = ""
    for character in text:
        if found and not _joined(found, character):
            yield found
            found = ""
        found += character
    if found:
        yield found


def _joined(before: str, character: str) -> bool:
    if character in JOINERS or before[-1] == JOINERS[0] or before + character == "\r\n":
        return True
    if unicodedata.category(character)[0] == "M" or 0x1F3FB <= ord(character) <= 0x1F3FF:
        return True
    if 0xE0020 <= ord(character) <= 0xE007F or 0x1160 <= ord(character) <= 0x11FF:
        # A tag of a flag, or a vowel or final of a Hangul syllable that is spelled out.
        return True
    if unicodedata.combining(before[-1]) == VIRAMA and character.isalpha():
        return True
    # Two regional indicators are one flag.
    return len(before) == 1 and _regional(before) and _regional(character)


def _regional(character: str) -> bool:
    return 0x1F1E6 <= ord(character) <= 0x1F1FF
