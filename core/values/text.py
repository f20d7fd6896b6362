"""Text normalisation: what people type, as it is kept, compared and looked up.

Unicode's canonical composition (NFC), one kind of line end, and no character that hides, reorders or cuts off
what stands around it. What shows nothing at all is empty. Joiners inside words and emoji are part of them
(Persian, Indic scripts, families and flags), and stay.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any, NewType

Line = NewType("Line", str)
"""An input in one line: a name, a title."""
FileName = NewType("FileName", str)
"""An input that is the name of a file."""
Code = NewType("Code", str)
"""An input that is a one-time or backup code."""
Opaque = NewType("Opaque", str)
"""An input that machines made or that is secret, taken as it is: passwords, tokens, signatures."""

_LINE_ENDS = re.compile(r"\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_FORBIDDEN = re.compile(
    # Control characters but tab and line feed.
    r"[\x00-\x08\x0e-\x1f\x7f-\x9f"
    # Bidirectional embeddings, overrides and isolates: they reorder the text around them.
    r"\u202a-\u202e\u2066-\u2069"
    # Deprecated format characters, annotations, byte order marks, lone surrogates, noncharacters.
    # And code points that are to be ignored where a font does not know them.
    r"\u2065-\u206f\ufff0-\ufffb\U000e0080-\U000e00ff\U000e01f0-\U000e0fff\ufeff\ud800-\udfff\ufdd0-\ufdef"
    + "".join(f"{chr(plane << 16 | 0xFFFE)}{chr(plane << 16 | 0xFFFF)}" for plane in range(17))
    + "]"
)
_TAGS = re.compile("(\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f)|[\U000e0000-\U000e007f]+")
"""Invisible letters: they spell the name of a flag after a black one, and smuggle text anywhere else."""
_AROUND = frozenset({*"\t\n \xa0\u1680\u202f\u205f\u2060\u3000", *map(chr, range(0x2000, 0x200C))})
_SPACES = re.compile(r"\s+")
_BLANK_LETTERS = frozenset("\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\U0001d159")
"""Fillers and a Braille pattern without dots: letters and signs by name, blanks on a screen."""
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Mn", "Me", "Mc", "Zs", "Zl", "Zp"})
"""Categories that show nothing by themselves: marks need a letter to stand on."""

_MOST_MARKS = 30
_SHORT = 1_000
"""Characters that are composed quickly, whatever they are."""

_SEPARATORS = re.compile(r"[/\\]")
_RESERVED = re.compile(r"(?:con|prn|aux|nul|com[1-9¹²³]|lpt[1-9¹²³])(?=\.|$)", re.IGNORECASE)
"""Devices of Windows, whatever the extension."""


def clean(text: str) -> str:
    """The text as it is kept, without blanks around it; "" when nothing of it can be seen."""
    if text.isascii() and text.isprintable():
        return text.strip()
    whole = _FORBIDDEN.sub("", _LINE_ENDS.sub("\n", unicodedata.normalize("NFC", _stream_safe(text))))
    whole = _TAGS.sub(lambda flag: flag[1] or "", whole)
    return "" if is_blank(whole) else _trimmed(whole)


def _stream_safe(text: str) -> str:
    """At most thirty marks on a letter (UAX 15): sorting a run of them takes the square of its length."""
    if len(text) <= _SHORT:
        return text
    kept, marks = [], 0
    for letter in text:
        marks = marks + 1 if unicodedata.combining(letter) else 0
        if marks <= _MOST_MARKS:
            kept.append(letter)
    return "".join(kept)


def _trimmed(text: str) -> str:
    first, last = 0, len(text)
    while text[first] in _AROUND:
        first += 1
    while text[last - 1] in _AROUND:
        last -= 1
    return text[first:last]


def line(text: str) -> str:
    """`clean`, in one line: names, titles."""
    return _SPACES.sub(" ", clean(text))


def is_blank(text: str) -> bool:
    """True if a reader sees nothing: only blanks, invisible characters, and marks without a letter."""
    return not any(_is_seen(letter) for letter in text)


def _is_seen(letter: str) -> bool:
    if letter.isascii():
        return letter > " " and letter != "\x7f"
    return letter not in _BLANK_LETTERS and unicodedata.category(letter) not in _UNSEEN


def file_name(text: str) -> str:
    """The last part of a path, safe to save under on any system; "" when there is none."""
    name = line(_SEPARATORS.split(clean(text))[-1]).rstrip(". ")
    name = name.replace(":", "_")
    return f"_{name}" if _RESERVED.match(name) else name


def code(text: str) -> str:
    """A one-time or backup code, typed with digits of any script, full-width letters, blanks or dashes."""
    plain = unicodedata.normalize("NFKC", text[:200])
    kept = (letter for letter in plain if unicodedata.category(letter) not in ("Pd", "Zs", "Cf", "Cc"))
    return "".join(str(unicodedata.digit(letter, letter)) for letter in kept).upper()


READERS: Mapping[Any, Callable[[str], str]] = {str: clean, Line: line, FileName: file_name, Code: code}
"""By the type an input is declared with, how it is read."""
