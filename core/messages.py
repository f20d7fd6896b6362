"""Messages: texts that people may see, in the language they ask for.

English is the source language: its texts are the message ids of the gettext files, one
`translations/<locale>/LC_MESSAGES/landfall.po` for each other language. Adding the file adds the language.
"""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from core.values.weights import weights

SOURCE = "en"
TRANSLATIONS = Path(__file__).parent / "translations"


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
    for tag, weight in weights(accepted).items():
        found = SOURCE if tag == "*" else _lookup(tag)
        if found is not None and weight > 0:
            return found
    return SOURCE


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
