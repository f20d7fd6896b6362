"""Verification that each entry was recorded by the service: it has its place, or waits for one."""

from collections.abc import Sequence
from datetime import datetime

from core.context import Services
from resolvers.audit.findings import Damage, Findings
from stores import audit as store
from stores.audit import (
    AuditEntry,
    AuditEntryState,
    AuditEntryStatus,
    AuditIntegrity,
    AuditLink,
    IntegrityProblem,
)

BATCH = 500


async def verify_recorded(
    services: Services, org_id: str, since: datetime | None, findings: Findings
) -> None:
    """Verify that entries of an organization, those of this time on or all, were recorded by the service."""
    last: AuditEntry | None = None
    while True:
        entries = await store.oldest_after(services.db, org_id, since, last, BATCH)
        for entry in await _unrecorded(services, entries):
            findings.add(Damage(IntegrityProblem.UNRECORDED, entry["chain_id"], None, entry["_id"]))
        if len(entries) < BATCH:
            return
        last = entries[-1]


async def verify_unsealed(services: Services, links: Sequence[AuditLink], findings: Findings) -> None:
    """Verify that links without a leaf wait for one: of others nobody would miss the entries."""
    states = await store.states_of_entries(
        services.db, [(each["chain_id"], each["entry_id"]) for each in links]
    )
    for link in links:
        state = states.get((link["chain_id"], link["entry_id"]))
        if state is None or state["status"] != AuditEntryStatus.SEALED:
            continue
        # Asked for again: it may have been sealed since.
        if await store.leaf_at(services.db, link["org_id"], link["chain_id"], link["seq"]) is None:
            place = link["chain_id"], link["seq"], link["entry_id"]
            findings.add(Damage(IntegrityProblem.LEAF_MISSING, *place))


async def _unrecorded(services: Services, entries: Sequence[AuditEntry]) -> list[AuditEntry]:
    """Entries that neither have a place in their chain nor wait for one."""
    places = {(entry["chain_id"], entry["_id"]): entry for entry in entries}
    # States first: an entry that was chained by then has its link.
    states = await store.states_of_entries(services.db, places)
    links = await store.links_of_entries(services.db, places)
    return [entry for place, entry in places.items() if place not in links and not _waits(states.get(place))]


def _waits(state: AuditEntryState | None) -> bool:
    """True for the state of an entry that will get its place: a damaged one gets none."""
    return (
        state is not None
        and state["status"] == AuditEntryStatus.ACCEPTED
        and state["integrity"] != AuditIntegrity.BROKEN
    )
