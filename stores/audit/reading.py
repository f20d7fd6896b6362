"""Reads of the audit log: the newest entries of some queries together, each by an index in that order."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from operator import itemgetter
from typing import Any, cast

from core import paging
from core.paging import KeysetPage, Sort
from core.storage import merging
from core.storage.mongo import Database
from stores.audit.entries import AuditEntry, entries
from stores.audit.exports import MOST_EXPORTED
from stores.audit.kinds import AuditEventKind
from stores.audit.search import search_entries, searches

NEWEST: Sort = (("timestamp", -1), ("_id", -1))
"""Newest first."""

Query = Mapping[str, Any]


async def newest(db: Database, queries: Sequence[Query], page: KeysetPage) -> list[AuditEntry]:
    """Entries of any of the queries, in the page's order, one more than its size.

    One `$or` of them would be read from its beginning for each page.
    """
    reads = [_reading(db, query, page) for query in queries]
    if not reads:
        return []
    place = itemgetter("timestamp", "_id")
    found = await merging.first_of(reads, place, page.size + 1, descending=not page.backward)
    if not searches(queries[0]):
        return cast("list[AuditEntry]", found)
    whole = {entry["_id"]: entry for entry in await entries.by_ids(db, [row["_id"] for row in found])}
    return [whole[row["_id"]] for row in found if row["_id"] in whole]


async def oldest_after(
    db: Database, org_id: str, since: datetime | None, last: AuditEntry | None, limit: int
) -> list[AuditEntry]:
    """Entries of an organization in the order of their times, from one on, or after another entry."""
    query: dict[str, Any] = {"org_id": org_id}
    if since is not None:
        query["timestamp"] = {"$gte": since}
    if last is not None:
        later = [
            {"timestamp": {"$gt": last["timestamp"]}},
            {"timestamp": last["timestamp"], "_id": {"$gt": last["_id"]}},
        ]
        query = {"org_id": org_id, "timestamp": {"$gte": last["timestamp"]}, "$or": later}
    return await entries.find(db, query, sort=[("timestamp", 1), ("_id", 1)], limit=limit)


def _reading(db: Database, query: Query, page: KeysetPage) -> merging.Read:
    order = paging.sort_order(NEWEST, page)
    name, fields = entries.name, list[str]()
    if searches(query):
        # No more than the place is needed: the words are most of a search entry.
        name, fields = search_entries.name, ["timestamp"]

    async def read(last: Mapping[str, Any] | None, limit: int) -> list[dict[str, Any]]:
        position = (last["timestamp"], last["_id"]) if last else page.position
        beyond = paging.after_filter(NEWEST, replace(page, position=position))
        where = {"$and": [query, beyond]} if beyond else query
        return await db.find(name, where, sort=order, limit=limit, fields=fields)

    return read


async def incidents_in_log(db: Database, org_id: str, incident_ids: Sequence[str]) -> set[str]:
    """Those of the incidents of which an organization's log has an entry."""
    found = await entries.per_parent(
        db,
        "incident_id",
        incident_ids,
        sort=[("timestamp", -1), ("_id", -1)],
        limit=1,
        where={"org_id": org_id},
        fields=["_id"],
    )
    return {incident_id for incident_id, rows in found.items() if rows}


async def in_log(db: Database, org_id: str, user_id: str) -> bool:
    """True if an organization's log has an entry of what a person did, or about them.

    What access they were given, or asked for, is none: its administrators give it to whom they like.
    """
    access = {"event_type": {"$nin": [AuditEventKind.ACCESS_GRANTED, AuditEventKind.ACCESS_DENIED]}}
    for person in ({"actor_id": user_id}, {"subject_id": user_id, **access}):
        if await entries.find(db, {**person, "org_id": org_id}, limit=1, fields=["_id"]):
            return True
    return False


async def count_entries(db: Database, query: Query) -> int:
    """Number of entries of a query, up to one more than an export may have."""
    stages: list[Query] = [{"$match": query}, {"$limit": MOST_EXPORTED + 1}, {"$count": "count"}]
    rows = await db.aggregate(entries.name, stages)
    return int(rows[0]["count"]) if rows else 0
