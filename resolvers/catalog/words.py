"""Words as they are searched: without case and accents."""

import re
import unicodedata
from functools import lru_cache

from stores.catalog.products import LONGEST_PREFIX

WORD = re.compile(r"[^\W_]+")
APOSTROPHES = str.maketrans("", "", "'`\u2019\u02bc")
"""`Lion's` and `lions` are one word."""

SHORTEST_PREFIX = 2
MOST_PREFIXES = 200


@lru_cache(maxsize=20_000)
def fold(text: str) -> str:
    """The text in small letters without accents."""
    plain = unicodedata.normalize("NFKD", text.casefold()).translate(APOSTROPHES)
    return "".join(letter for letter in plain if not unicodedata.combining(letter)).casefold()


@lru_cache(maxsize=20_000)
def key(text: str) -> str:
    """What two spellings of one name have in common: `Ω-3 (EPA)` and `ω 3 epa`."""
    return " ".join(words(text))


def words(text: str) -> list[str]:
    return WORD.findall(fold(text))


def slug(text: str) -> str:
    return "-".join(words(text))


def prefixes(texts: list[str]) -> list[str]:
    """Beginnings of every word, to be found by equality."""
    found = {
        word[:length]
        for text in texts
        for word in words(text)
        for length in range(min(SHORTEST_PREFIX, len(word)), min(len(word), LONGEST_PREFIX) + 1)
    }
    return sorted(found)[:MOST_PREFIXES]
