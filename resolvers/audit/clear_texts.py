"""Clear texts of entries: what may be searched, with the parts of it that a search found.

Encrypted fields are none of them, so no word of theirs is ever indexed.
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from html import escape
from typing import Any

from core.values import words
from stores import audit as store
from stores.audit import AuditEntry

FIELDS = ("action", "access_reason", "incident_id", "resource_id")
MOST_TERMS = 100
"""Words of an entry that are indexed."""
LONGEST_TERM = 64
MOST_TEXTS = 200
"""Texts of an entry that are looked at: details are up to 64 KiB of anything."""
MOST_LETTERS = 1_000
"""Letters of an entry that are looked at, about what the indexed words take: of scripts without blanks
each letter makes two terms, and 500 entries are ranked, or indexed, at once."""
CONTEXT = 60
"""Letters that are shown on each side of a word that was found."""
MOST_FRAGMENTS = 3
WORD = re.compile(r"[^\W_]+")


def texts_of(entry: AuditEntry) -> Iterator[tuple[str, str]]:
    """Clear texts with the names of their fields, as `action` and `details.reason.0`: their first letters."""
    left = MOST_LETTERS
    for name, text in _all_texts(entry):
        yield name, text[:left]
        left -= len(text)
        if left <= 0:
            return


def _all_texts(entry: AuditEntry) -> Iterator[tuple[str, str]]:
    for name in FIELDS:
        text = entry[name]  # type: ignore[literal-required]
        if text:
            yield name, str(text)
    yield from _texts(entry["details"])


def _texts(details: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Texts and numbers within details, the first ones; they may be nested deeply, hence no recursion."""
    waiting: list[tuple[str, Any]] = [("details", details)]
    told = 0
    while waiting and told < MOST_TEXTS:
        path, value = waiting.pop()
        if isinstance(value, Mapping):
            waiting += reversed([(f"{path}.{name}", each) for name, each in value.items()])
        elif isinstance(value, list):
            waiting += reversed([(f"{path}.{at}", each) for at, each in enumerate(value)])
        elif isinstance(value, str | int) and not isinstance(value, bool):
            told += 1
            yield path, str(value)


def terms_of(entry: AuditEntry) -> list[str]:
    """Index terms of an entry, those of its action first."""
    found: dict[str, None] = {}
    for _, text in texts_of(entry):
        for term in words.terms(text):
            if len(found) >= MOST_TERMS:
                return list(found)
            if len(term) <= LONGEST_TERM:
                found[term] = None
    return list(found)


def highlights(entry: AuditEntry, wanted: Collection[str]) -> list[dict[str, Any]]:
    """Fields in which words were found, with the text around them."""
    return [
        {"field": _named(name), "fragments": fragments}
        for name, text in texts_of(entry)
        if (fragments := _fragments(text, wanted))
    ]


def _fragments(text: str, wanted: Collection[str]) -> list[str]:
    """Parts of a text around the words, which stand between `<em>` and `</em>`; the rest is escaped."""
    terms = set(wanted)
    hits = [match.span() for match in WORD.finditer(text) if not terms.isdisjoint(words.terms(match[0]))]
    fragments: list[str] = []
    while hits and len(fragments) < MOST_FRAGMENTS:
        start, end = max(0, hits[0][0] - CONTEXT), hits[0][1] + CONTEXT
        within = [span for span in hits if span[0] < end]
        hits = hits[len(within) :]
        fragments.append(_marked(text, start, min(len(text), max(end, within[-1][1])), within))
    return fragments


def _marked(text: str, start: int, end: int, spans: Sequence[tuple[int, int]]) -> str:
    parts, at = [], start
    for first, last in spans:
        parts += [escape(text[at:first], quote=False), "<em>", escape(text[first:last], quote=False), "</em>"]
        at = last
    return "".join([*parts, escape(text[at:end], quote=False)])


def _named(field: str) -> str:
    """Name of a field as clients write it; the path within details is their own."""
    return field if field.startswith("details") else store.in_camel_case(field)
