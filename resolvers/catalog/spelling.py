"""Spelling correction: a word without hits is replaced by one with hits at edit distance one."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from core.storage.mongo import Database
from core.values.words import closeness, near_keys, singular, spelled
from resolvers.catalog.query import Query, beginning
from stores.catalog import entries

Has = Callable[[str, bool], Awaitable[bool]]
"""True if anything has the word; with True as second argument, a word that begins so."""

MOST_TRIED = 3


async def corrected(db: Database, found: Query, has: Has) -> Query | None:
    """Corrected query; None if there is nothing to correct."""
    words = [await _corrected(db, word, word is found.words[-1], has) for word in found.words]
    return replace(found, words=tuple(words), code=None) if tuple(words) != found.words else None


async def _corrected(db: Database, word: str, last: bool, has: Has) -> str:
    if not spelled(word) or await has(word, last):
        return word
    near = await entries.spelled_like(db, near_keys(word))
    plural = singular(word)
    chosen = sorted(
        (each for each in near if closeness(word, each) == 1),
        key=lambda each: (singular(each) != plural, each),
    )
    for each in chosen[:MOST_TRIED]:
        if await has(each, False):
            return each
    return word


def clause(word: str, last: bool) -> dict[str, object]:
    return beginning(word) if last else {"words": word}
