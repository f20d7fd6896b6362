"""Logs of organizations for the tests of the sequencer, checkpoints and verification."""

from collections.abc import Sequence
from typing import Any

from core import clock, ids
from core.context import Context, Services
from resolvers.audit import sealing, sequencing
from stores import audit as store
from stores.audit import AuditActorKind, AuditEntry, AuditEntryState, AuditEventKind, AuditLink


def new_org() -> str:
    return ids.new_id("org")


def entry(org_id: str, **fields: Any) -> AuditEntry:
    given: dict[str, Any] = {
        "actor_id": None,
        "incident_id": None,
        "details": {"text": "é€😀", "n": 1},
        "event_type": AuditEventKind.USER_ACTION,
        "action": "post.removed",
        "actor_type": AuditActorKind.USER,
        "actor_role": "MEMBER",
        "ip_masked": "",
        "outcome": "OK",
        "clock_skewed": False,
    }
    return store.entry_document(timestamp=clock.now(), org_id=org_id, **{**given, **fields})


async def accept(services: Services, entries: Sequence[AuditEntry]) -> None:
    """Append entries as recording does, in one unit of work."""
    ctx = Context(services)

    async def work() -> None:
        for each in entries:
            ctx.tx.late.insert(store.entries, each)
            ctx.tx.late.insert(store.entry_states, store.accepted(each))

    await ctx.unit(work)


async def append(services: Services, org_id: str, count: int, **fields: Any) -> list[AuditEntry]:
    """Chained entries."""
    made = [entry(org_id, **fields) for _ in range(count)]
    await accept(services, made)
    await sequencing.sequence(services, {each["chain_id"] for each in made})
    return made


async def sealed_log(services: Services) -> tuple[str, list[AuditEntry]]:
    """Log of three chains of four entries each, sealed by two checkpoints."""
    org_id, made = new_org(), []
    incident = ids.new_id("incident")
    for _ in range(2):
        for about in ({"actor_id": "user_a"}, {"actor_id": "user_b"}, {"incident_id": incident}):
            made += await append(services, org_id, 2, **about)
        await sealing.seal(services, org_id)
    return org_id, made


async def links_of(services: Services, chain_id: str) -> list[AuditLink]:
    return await store.links.find(services.db, {"chain_id": chain_id}, sort=[("seq", 1)])


async def link_of(services: Services, each: AuditEntry) -> AuditLink:
    [link] = await store.links.find(services.db, {"entry_id": each["_id"]})
    return link


async def statuses(services: Services, entries: Sequence[AuditEntry]) -> set[str]:
    return {row["status"] for row in await states(services, entries)}


async def states(services: Services, entries: Sequence[AuditEntry]) -> list[AuditEntryState]:
    named = {"_id": {"$in": [each["_id"] for each in entries]}}
    chain_ids = {"chain_id": {"$in": list({each["chain_id"] for each in entries})}}
    return await store.entry_states.find(services.db, {**chain_ids, **named})
