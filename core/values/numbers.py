"""Number reader: decimals as people write them, in digits of any script and with either mark; or none at all.

The shape decides: `1,234.5`, `1.234,5`, `1 234,5`, `1'234.5` and `12,34,567.8` leave no choice, nor do `2,5`
and `0.125`. `1.299` does: it is refused, since one of its two readings is a thousand times the other.
"""

import re
import unicodedata
from collections.abc import Sequence
from decimal import Decimal

LONGEST = 30
POINT, COMMA, SPACE, APOSTROPHE = ".", ",", " ", "'"
ARABIC_POINT, ARABIC_COMMA = "\u066b", "\u066c"
"""Arabic has marks of its own for both, so that they are never confused."""
ALIKE = {
    **dict.fromkeys("\uff0e", POINT),
    **dict.fromkeys("\uff0c\u060c", COMMA),
    **dict.fromkeys("\u00a0\u2009\u202f\u2007\u3000", SPACE),
    **dict.fromkeys("\u2019\u02bc\uff07\u2018", APOSTROPHE),
}
PLAIN = re.compile(r"\d+", re.ASCII)
PARTS = re.compile(r"(\d*)(?:([.,' \u066b\u066c])(?=\d))?", re.ASCII)
SHAPE = re.compile(r"\d*(?:[.,' \u066b\u066c]\d+)*", re.ASCII)


def plain(text: str) -> str:
    """The text with the digits and marks of every script as ours."""
    if text.isascii():
        return text
    return "".join(_plain(letter) for letter in text)


def _plain(letter: str) -> str:
    digit = unicodedata.decimal(letter, None)
    return ALIKE.get(letter, letter) if digit is None else str(digit)


def read(text: str, *, digits: int | None = None) -> Decimal | None:
    """The number that the text is, None when it is none or may be two.

    `digits` is how many there may be behind the point, where that is known: it decides `1,500` yen.
    """
    number = plain(text.strip())
    if not number or len(number) > LONGEST or not SHAPE.fullmatch(number):
        return None
    groups, marks = re.split(r"\D", number), re.findall(r"\D", number)
    whole, fraction = _split(groups, marks, digits)
    if whole is None:
        return None
    return Decimal(f"{whole or '0'}.{fraction}" if fraction else whole)


def count(text: str) -> int | None:
    """The first whole number of the text: `1,200 pieces`. None without one, or with a fraction."""
    found = re.search(r"[-\u2212]?\d[\d.,' \u066b\u066c]*", plain(text), re.ASCII)
    if found is None:
        return None
    number = read(found.group().rstrip(".,' "), digits=0)
    return int(number) if number is not None and number == int(number) else None


def _split(groups: Sequence[str], marks: Sequence[str], digits: int | None) -> tuple[str | None, str]:
    """Digits before the point and behind it; None when the groups fit no convention."""
    if not marks:
        return groups[0], ""
    last = marks[-1]
    grouping, point = set(marks[:-1]), False
    if last == ARABIC_POINT:
        point = True
    elif last not in (POINT, COMMA) or last in grouping:
        grouping.add(last)
    elif grouping:
        point = True
    else:
        decided = _one_mark(groups[0], groups[1], last, digits)
        if decided is None:
            return None, ""
        point = decided
        if not point:
            grouping.add(last)
    heads = groups[:-1] if point else groups
    if len(grouping) > 1 or ARABIC_POINT in grouping or not _grouped(heads, grouping):
        return None, ""
    return "".join(heads), groups[-1] if point else ""


def _one_mark(head: str, tail: str, mark: str, digits: int | None) -> bool | None:
    """True if a single mark is the decimal point; None when nobody can say."""
    may_group = len(tail) == 3 and 1 <= len(head) <= 3 and not head.startswith("0")
    if not may_group:
        return True
    if digits == 0:
        return False
    if digits == 3 and mark == POINT:
        return True
    # Nobody writes a fraction of nothing with a comma; with a point, people do, to say how sure they are.
    return False if mark == COMMA and tail == "000" and digits != 3 else None


def _grouped(groups: Sequence[str], marks: set[str]) -> bool:
    """True if the digits are in groups of three, or as in India: of two, the last of three."""
    if not marks:
        return len(groups) == 1
    first, *middle, last = groups
    if not first or first.startswith("0") or len(last) != 3:
        return False
    threes = len(first) <= 3 and all(len(each) == 3 for each in middle)
    return threes or (marks <= {COMMA, SPACE} and len(first) <= 2 and all(len(each) == 2 for each in middle))
