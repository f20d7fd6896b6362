"""Check of entries before they are shown: a damaged one comes back BROKEN, and raises one alert."""

from collections import defaultdict
from collections.abc import Sequence

from core.context import Context
from core.ledger.chain import Head
from resolvers.audit import places
from resolvers.audit.concluding import begun, finish
from resolvers.audit.findings import Damage, Findings, damage_to
from stores import audit as store
from stores.audit import AuditEntry, AuditIntegrity, AuditLink, IntegrityCheckKind, IntegrityProblem


async def check(ctx: Context, entries: Sequence[AuditEntry]) -> None:
    """Compare entries with their places in the chains, and alert of those that no check has told of yet."""
    found = await places.integrities(ctx, entries)
    broken = [entry for entry, each in zip(entries, found, strict=True) if each is AuditIntegrity.BROKEN]
    if broken:
        await _alert(ctx, broken)


async def _alert(ctx: Context, entries: Sequence[AuditEntry]) -> None:
    states, links = await places.states_of(ctx, entries), await places.links_of(ctx, entries)
    by_org: dict[str, list[tuple[AuditEntry, AuditLink | None]]] = defaultdict(list)
    for entry, state, link in zip(entries, states, links, strict=True):
        if state is None or state["integrity"] != AuditIntegrity.BROKEN:
            by_org[link["org_id"] if link else entry["org_id"]].append((entry, link))
    for org_id, damaged in by_org.items():
        told = await store.told_of(ctx.db, org_id, [entry["_id"] for entry, _ in damaged])
        findings = Findings()
        for entry, link in damaged:
            if entry["_id"] not in told:
                findings.checked += 1
                findings.add(_damage(entry, link))
        if findings.count:
            await finish(ctx.services, begun(org_id, IntegrityCheckKind.READ), findings)


def _damage(entry: AuditEntry, link: AuditLink | None) -> Damage:
    if link is None:
        return Damage(IntegrityProblem.UNRECORDED, entry["chain_id"], None, entry["_id"])
    chain_id, seq = link["chain_id"], link["seq"]
    damage = damage_to(link, entry, Head(seq - 1, link["previous_hash"]), (chain_id, seq), None)
    # With its place and its hash it lacks a state alone.
    return damage or Damage(IntegrityProblem.UNRECORDED, chain_id, seq, entry["_id"])
