"""Search entries: the words of an entry's clear texts, beside what lists of the log are narrowed by."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypedDict

from core.storage.indexes import A_TEXT
from core.storage.mongo import Database
from core.storage.store import collection, index
from stores.audit.entries import AuditEntry
from stores.audit.kinds import AuditEventKind, AuditResourceKind

COUNTED = 1_000
"""Limit to which entries with a word are counted."""


class SearchEntry(TypedDict):
    """Search entry of an audit entry, whose id it has; it never changes either."""

    _id: str
    org_id: str
    timestamp: datetime
    event_type: AuditEventKind
    action: str
    actor_id: str | None
    subject_id: str | None
    incident_id: str | None
    resource_type: AuditResourceKind | None
    resource_id: str | None
    terms: list[str]
    """Words of the clear texts, folded; never one of an encrypted field."""


COPIED = tuple(name for name in SearchEntry.__annotations__ if name != "terms")
"""Fields that are the entry's own: filters and orders are the same for both."""

search_entries = collection(
    "audit_search",
    SearchEntry,
    indexes=[
        index("org_id", "terms", "-timestamp", "-_id"),
        index(
            "incident_id",
            "terms",
            "-timestamp",
            "-_id",
            partialFilterExpression={"incident_id": A_TEXT},
            serves={"incident_id": "x", "terms": "x"},
        ),
        # A person's own are few enough to be read in their order.
        index("actor_id", "-timestamp", "-_id"),
        index(
            "subject_id",
            "-timestamp",
            "-_id",
            partialFilterExpression={"subject_id": A_TEXT},
            serves={"subject_id": "x"},
        ),
    ],
)


def search_document(entry: AuditEntry, terms: Sequence[str]) -> SearchEntry:
    copied: dict[str, Any] = {name: entry[name] for name in COPIED}  # type: ignore[literal-required]
    return {**copied, "terms": list(terms)}  # type: ignore[typeddict-item]


def searches(query: Mapping[str, Any]) -> bool:
    """True for a query that asks for words, which search entries have."""
    return "terms" in query


async def frequency(db: Database, org_id: str, term: str) -> int:
    """Number of an organization's entries with a word, up to the limit."""
    stages: list[dict[str, Any]] = [
        {"$match": {"org_id": org_id, "terms": term}},
        {"$limit": COUNTED},
        {"$count": "found"},
    ]
    rows = await db.aggregate(search_entries.name, stages)
    return rows[0]["found"] if rows else 0
