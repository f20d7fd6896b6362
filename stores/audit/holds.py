"""Legal holds: what of an organization's log must be kept, and may be neither erased nor archived."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, TypedDict

from core.storage.mongo import Database
from core.storage.store import Sealed, collection, index
from stores.audit.entries import OF_INCIDENTS, AuditEntry, entries

PLACE = "audit_holds"


class LegalHold(TypedDict):
    """Legal hold on an incident, or on all about a person; of the two one is None."""

    _id: str
    version: int
    org_id: str
    incident_id: str | None
    subject_id: str | None
    reason: str
    """Encrypted."""
    placed_by: str
    created_at: datetime
    released_by: str | None
    released_at: datetime | None


holds = collection(
    PLACE,
    LegalHold,
    prefix="legal_hold",
    indexes=[
        index("org_id", "-created_at", "-_id"),
        index("subject_id", "released_at"),
        index("incident_id", "released_at"),
    ],
    shard_key="org_id",
    sealed=[Sealed("reason", PLACE + "/{_id}/reason")],
    versioned=True,
)
ACTIVE_HOLD: dict[str, Any] = {"released_at": None}
"""Condition of holds that were not released."""


class HoldClaim(TypedDict):
    """Claim on an organization's holds: whoever places one on an incident, or erases somebody, writes it.

    So of two at once one is run again, and sees what the other did.
    """

    _id: str
    claims: int


hold_claims = collection("audit_hold_claims", HoldClaim)


async def claim_holds(db: Database, org_ids: Iterable[str]) -> None:
    """Let no transaction that claims these organizations' holds commit beside ours."""
    for org_id in sorted(set(org_ids)):
        await hold_claims.update_one(db, {"_id": org_id}, {"$inc": {"claims": 1}}, upsert=True)


async def holds_person(db: Database, user_id: str) -> bool:
    """True if a hold is on the person, or on an incident that they acted in or that is about them."""
    if await holds.find(db, {"subject_id": user_id, **ACTIVE_HOLD}, limit=1, fields=["_id"]):
        return True
    incidents = await incidents_of(db, user_id)
    return bool(await _held_incidents(db, incidents))


async def held_entries(db: Database, rows: Sequence[AuditEntry]) -> set[str]:
    """Ids of those entries that a hold of their organization is on: these stay where they are."""
    people = {id for row in rows for id in (row["actor_id"], row["subject_id"]) if id is not None}
    held_people = await _held_people(db, people)
    held_incidents = await _held_incidents(db, {_incident_of(row) for row in rows if row["incident_id"]})
    return {
        row["_id"]
        for row in rows
        if _incident_of(row) in held_incidents
        or not held_people.isdisjoint((row["org_id"], id) for id in (row["actor_id"], row["subject_id"]))
    }


def _incident_of(row: AuditEntry) -> tuple[str, str]:
    return row["org_id"], row["incident_id"] or ""


async def incidents_of(db: Database, user_id: str) -> set[tuple[str, str]]:
    """Incidents with entries of what a person did, or about them: organization and id."""
    found: set[tuple[str, str]] = set()
    for field in ("actor_id", "subject_id"):
        groups: list[dict[str, Any]] = [
            {"$match": {field: user_id, **OF_INCIDENTS}},
            {"$group": {"_id": {"org_id": "$org_id", "incident_id": "$incident_id"}}},
        ]
        rows = await db.aggregate(entries.name, groups)
        found |= {(row["_id"]["org_id"], row["_id"]["incident_id"]) for row in rows}
    return found


async def _held_incidents(db: Database, incidents: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
    wanted = set(incidents)
    named = sorted({incident_id for _, incident_id in wanted})
    if not named:
        return set()
    query = {"incident_id": {"$in": named}, **ACTIVE_HOLD}
    rows = await holds.find(db, query, fields=["org_id", "incident_id"])
    return {(row["org_id"], row["incident_id"] or "") for row in rows} & wanted


async def _held_people(db: Database, people: Iterable[str]) -> set[tuple[str, str]]:
    """Organization and id of people whom a hold is on."""
    named = sorted(set(people))
    if not named:
        return set()
    rows = await holds.find(
        db, {"subject_id": {"$in": named}, **ACTIVE_HOLD}, fields=["org_id", "subject_id"]
    )
    return {(row["org_id"], row["subject_id"] or "") for row in rows}
