"""Messages: texts that people may see, in the language they ask for.

English is the source language: its texts are the message ids of the gettext files, one
`translations/<locale>/LC_MESSAGES/landfall.po` for each other language. Adding the file adds the language.
"""

import re
from collections.abc import Mapping
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

SOURCE = "en"
TRANSLATIONS = Path(__file__).parent / "translations"
LONGEST_HEADER = 200
"""Characters of an `Accept-Language` header that are read; what follows is preferred least."""

QUALITY = re.compile(r"\s*q=([01](?:\.\d{0,3})?)\s*", re.ASCII | re.IGNORECASE)


def gettext_noop(message: str) -> str:
    """The message as it is: marks a text for translation where it is shown by another function."""
    return message


def text(message: str, values: Mapping[str, Any] | None = None, language: str = SOURCE) -> str:
    """Text of a message in a language, with the values it names; English where it is not translated."""
    translated = message if language == SOURCE else translations(language).get(message, message)
    if not values:
        return translated
    return translated.format_map({name: _written(value, language) for name, value in values.items()})


def language(accepted: str) -> str:
    """The language that an `Accept-Language` header (RFC 9110) prefers of those there are."""
    return _preferred(accepted[:LONGEST_HEADER]) if accepted else SOURCE


@lru_cache(maxsize=256)
def _preferred(accepted: str) -> str:
    ranges = [_range(each) for each in accepted.split(",")]
    # Sorting is stable: of ranges that are liked as much, the first is taken.
    for quality, tag in sorted(ranges, key=lambda each: -each[0]):
        found = SOURCE if tag == "*" else _lookup(tag)
        if found is not None and quality > 0:
            return found
    return SOURCE


def _range(written: str) -> tuple[float, str]:
    """Quality and tag of a language range."""
    tag, _, parameter = written.partition(";")
    quality = QUALITY.fullmatch(parameter)
    return float(quality[1]) if quality else 0.0 if parameter else 1.0, tag.strip().lower()


def _lookup(tag: str) -> str | None:
    """Lookup of a tag (RFC 4647, 3.4): `de-AT` finds `de`."""
    known = languages()
    while tag:
        if tag in known:
            return known[tag]
        tag = tag.rpartition("-")[0]
    return None


@cache
def languages() -> Mapping[str, str]:
    """Languages there are, as locales of translations by language tag in small letters."""
    locales = [SOURCE, *(each.name for each in TRANSLATIONS.iterdir() if each.is_dir())]
    return {each.replace("_", "-").lower(): each for each in sorted(locales)}


@cache
def translations(locale: str) -> Mapping[str, str]:
    """Translations of a locale by message id; read when the language is first asked for."""
    # Not needed by most processes, and slow to import.
    from babel.messages.pofile import read_po

    with (TRANSLATIONS / locale / "LC_MESSAGES" / "landfall.po").open("rb") as file:
        messages = list(read_po(file, locale=locale))
    return {str(each.id): str(each.string) for each in messages if each.id and each.string and not each.fuzzy}


def _written(value: Any, locale: str) -> Any:
    """A number as it is written in the language; anything else as it is."""
    if not isinstance(value, (int, float)):
        return value
    if locale == SOURCE:
        return f"{value:,}"
    from babel.numbers import format_decimal

    return format_decimal(value, locale=locale, decimal_quantization=False)
