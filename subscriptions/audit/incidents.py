"""Subscription to the entries of an incident, as they are recorded."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing
from typing import Any

from core import paging
from core.audit import Act, AuditOutcome, record_apart
from core.context import Context
from core.errors import BadUserInput, Forbidden
from core.ids import Id, prefix_of
from core.security.access import NOT_ALLOWED
from core.sync.changes import Entry
from core.sync.listeners import Signal
from core.sync.topics import follow
from loaders.audit import EntryById
from resolvers.audit.access import organizations_reading
from resolvers.audit.collecting import evidence_edge, visible_evidence
from resolvers.audit.fitting import fitted
from resolvers.audit.incidents import LONGEST_ID
from resolvers.audit.reading import READ_RATE, entries_listing, record_read
from resolvers.audit.recording import META
from stores import audit as store
from stores.audit import NEWEST, AuditEventKind, Evidence
from subscriptions.audit.access import StreamAccess

Event = dict[str, Any]

COLLECTED = "audit.evidence_collected"
CUSTODY = "audit.custody_recorded"
INCIDENT_EVENTS: dict[str, Callable[[Context, Entry], Awaitable[Event | None]]] = {}
"""By the prefix of what an entry of the change log is about, how its event is made."""


async def incident_audit_events(
    ctx: Context, *, incident_id: Id, after: str | None = None
) -> AsyncGenerator[Event, None]:
    """Entries of one incident, for those who read its log."""
    if not 1 <= len(incident_id) <= LONGEST_ID:
        raise BadUserInput(f"Ids of incidents have 1 to {LONGEST_ID} characters.")
    await ctx.limit_request(READ_RATE)
    organizations = await organizations_reading(ctx, incident_id)
    if not organizations:
        await _record_denial(ctx, incident_id)
        raise Forbidden(NOT_ALLOWED)
    await record_read(ctx, "audit.incident_watched", 0, {"incident_ids": [incident_id]})

    async def need() -> None:
        if not organizations <= await organizations_reading(ctx, incident_id):
            raise Forbidden(NOT_ALLOWED)

    access = StreamAccess(ctx, need)

    async def to_event(entry: Entry) -> Event | None:
        make = INCIDENT_EVENTS.get(prefix_of(entry["node"]))
        return None if await access.check_entry(entry) or make is None else await make(ctx, entry)

    async def on_signal(signal: Signal | None) -> list[Event]:
        await access.check()
        return []

    scopes = [store.incident_scope(org_id, incident_id) for org_id in sorted(organizations)]
    events = follow(
        ctx,
        [*scopes, *access.scopes],
        after,
        to_event,
        authorize=access.check,
        on_signal=on_signal,
        idle_timeout=access.left,
    )
    async with aclosing(events):
        async for event in events:
            yield event


async def _entry_event(ctx: Context, entry: Entry) -> Event | None:
    id = entry["node"]
    found = await ctx.services.live.shared(entry, "node", lambda: ctx.load(EntryById, id))
    if found is None:
        return None
    [found] = fitted([found])
    listing = entries_listing(ctx.viewer_id, {"incident_id": found["incident_id"]})
    told = {"audit_entry_edge": paging.edge_of(listing, NEWEST, found)}
    # What an app writes under these names is of another kind.
    if found["action"] in (COLLECTED, CUSTODY) and found["event_type"] == AuditEventKind.EVIDENCE_COLLECTED:
        [evidence] = await visible_evidence(ctx, [found["resource_id"] or ""])
        if evidence is not None:
            return {**told, **_of_evidence(ctx, found["action"], evidence)}
    decided = found["event_type"] == AuditEventKind.DECISION_MADE
    return {"_type": "DecisionLogged" if decided else "AuditEntryCreated", **told}


def _of_evidence(ctx: Context, action: str, evidence: Evidence) -> Event:
    """Event of an act on evidence, for those who may see it; others are told of the entry alone."""
    if action == COLLECTED:
        return {"_type": "EvidenceAdded", "evidence_edge": evidence_edge(ctx, evidence)}
    return {"_type": "CustodyRecorded", "evidence": evidence}


INCIDENT_EVENTS[store.PREFIX] = _entry_event


async def _record_denial(ctx: Context, incident_id: str) -> None:
    """Put on record that somebody tried to watch an incident who may not."""
    act = Act(
        "audit.incident_watched",
        "ACCESS_DENIED",
        "AUDIT_LOG",
        outcome=AuditOutcome.DENIED,
        details={"filter": {"incident_ids": [incident_id]}},
        source=META,
    )
    await record_apart(ctx, act)
