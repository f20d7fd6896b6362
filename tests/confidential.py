"""Secrets that phones send or get: no log, error, receipt or job may hold any of them."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

PASSWORDS: set[str] = set()
TOKENS: set[str] = set()
CODES: set[str] = set()
ERRORS: list[str] = []
"""Everything that answers said went wrong."""

NAMED = {
    "password": PASSWORDS,
    "currentPassword": PASSWORDS,
    "newPassword": PASSWORDS,
    "accessToken": TOKENS,
    "refreshToken": TOKENS,
    "backupCodes": TOKENS,
}
SHORTEST = 10
"""Shorter values may be anywhere by chance, or are made up to be refused."""


def note(value: Any, name: str = "") -> None:
    """Remember every secret in what a phone sends or gets, by the names of its fields."""
    if isinstance(value, dict):
        for inner_name, inner in value.items():
            note(inner, inner_name)
    elif isinstance(value, list):
        for inner in value:
            note(inner, name)
    elif isinstance(value, str) and name in NAMED and len(value) >= SHORTEST:
        NAMED[name].add(value)


def found_in(text: str) -> list[str]:
    """The secrets a text holds, shortened."""
    words = set(re.findall(r"[A-Za-z0-9_\-.]{10,}", text))
    # Numbers of their own (sizes, counts) begin after a colon or comma; a code that leaked is part of a text.
    codes = set(re.findall(r"(?<![\w.,:\[\-])\d{6}(?![\w\-])", text))
    found = (words & TOKENS) | (codes & CODES) | set(_within(text, PASSWORDS | (TOKENS - words)))
    return sorted(f"{each[:4]}..." for each in found)


def _within(text: str, secrets: Iterable[str]) -> Iterator[str]:
    # Signatures are unlike anything else; a token that was cut or quoted is found by its last part.
    for secret in secrets:
        if secret in text:
            yield secret
