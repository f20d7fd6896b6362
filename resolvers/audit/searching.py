"""Full-text search of the audit log: entries are indexed as they are chained, and ranked when found."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from math import log
from typing import Any

from core import paging
from core.context import Context
from core.hooks import on
from core.paging import KeysetPage, PageArgs, Sort
from core.security.limits import Rate
from core.values import words
from resolvers.audit import clear_texts, showing, tiering
from resolvers.audit.access import reach_of
from resolvers.audit.chained import chained
from resolvers.audit.filtering import AuditEntryFilter, bounded, conditions, terms_in
from resolvers.audit.fitting import fitted
from resolvers.audit.reading import record_read
from stores import audit as store
from stores.audit import AuditEntry

SEARCH_RATE = Rate("audit-search", 60, 60)
RANKED = 500
"""Newest entries with all the words that are ranked."""
TURN = 20
"""Entries that are looked at before others have their turn."""
IN_ACTION = 3.0
"""Weight of a word in the action, beside one anywhere else."""
BEST: Sort = (("score", -1), ("timestamp", -1), ("_id", -1))
"""Best first; of equally good ones the newest."""


@on(chained)
async def index(ctx: Context, entries: Sequence[AuditEntry]) -> None:
    """Index entries with the unit of work that chains them: each once, and within a second."""
    async for entry in _in_turns(entries):
        ctx.tx.late.insert(store.search_entries, store.search_document(entry, clear_texts.terms_of(entry)))


async def search_audit_entries(
    ctx: Context, *, query: str, filter: AuditEntryFilter | None = None, args: PageArgs
) -> dict[str, Any]:
    """Connection of the entries with all words of a text that the viewer may read, the best first."""
    await ctx.limit_request(SEARCH_RATE)
    wanted = terms_in(query)
    reach = await reach_of(ctx)
    where = conditions(filter or {})
    where["terms"] = {"$all": list(dict.fromkeys([*wanted, *where.get("terms", {}).get("$all", ())]))}
    listing = paging.Listing("audit_search", reader=reach.viewer_id, where=where)
    page = paging.parse_page(listing, BEST, args)
    newest = await bounded(
        ctx, reach, where, lambda queries: store.newest(ctx.db, queries, KeysetPage(RANKED))
    )
    at_hand, _ = await tiering.at_hand(ctx, fitted(newest[:RANKED]), filter or {})
    found = await ranked(at_hand, wanted)
    shown = paging.connection(listing, BEST, page, paging.slice_of(found, BEST, page), edge=_edge(wanted))
    await showing.check(ctx, [edge["node"] for edge in shown["edges"]])
    await record_read(ctx, "audit.entries_searched", len(shown["edges"]), filter or {}, text=query)
    return shown


async def _in_turns(entries: Sequence[AuditEntry]) -> AsyncIterator[AuditEntry]:
    """Entries, with room for others to run in between: their texts are anybody's."""
    for number, entry in enumerate(entries, 1):
        yield entry
        if number % TURN == 0:
            await asyncio.sleep(0)


async def ranked(entries: Sequence[AuditEntry], wanted: Sequence[str]) -> list[dict[str, Any]]:
    """Entries with their scores, in their order."""
    return [_ranked(entry, wanted) async for entry in _in_turns(entries)]


def _ranked(entry: AuditEntry, wanted: Sequence[str]) -> dict[str, Any]:
    place = {"score": _score(entry, wanted), "timestamp": entry["timestamp"], "_id": entry["_id"]}
    return {**place, "entry": entry}


def _score(entry: AuditEntry, wanted: Sequence[str]) -> float:
    """Share of the words among the entry's own, from 0 to 1; those of the action count more."""
    weights = length = 0.0
    for field, text in clear_texts.texts_of(entry):
        weight = IN_ACTION if field == "action" else 1.0
        found = words.terms(text)
        length += weight * len(found)
        weights += weight * sum(1 for term in found if term in wanted)
    return round(min(1.0, log(1 + weights) / log(2 + length)), 6)


def _edge(wanted: Sequence[str]) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    def edge(row: Mapping[str, Any]) -> dict[str, Any]:
        entry = row["entry"]
        return {
            "row": row,
            "node": entry,
            "score": row["score"],
            "highlights": clear_texts.highlights(entry, wanted),
        }

    return edge
