"""Checks of the log that people ask for, and what all checks found."""

from collections.abc import Sequence
from typing import Any, TypedDict

from core import jobs, nodes, paging
from core.audit import Act, record
from core.context import Context, Services
from core.errors import ErrorKind, UserError, error_codes
from core.ids import Id
from core.nodes import guard
from core.paging import PageArgs
from core.security.limits import Rate
from core.storage.loader import by_id
from resolvers.audit import roles, sequencing, verifying
from resolvers.audit.concluding import begun, conclude, fail, finish
from resolvers.audit.findings import Damage, Findings
from resolvers.audit.reading import READ_RATE, record_read
from resolvers.audit.recording import META
from stores import audit as store
from stores.audit import (
    LATEST,
    AuditEntry,
    AuditLink,
    IntegrityCheck,
    IntegrityCheckKind,
    IntegrityProblem,
)

error_codes(
    ErrorKind.INVALID,
    CHAIN_MISMATCH="The entries are of two chains: a check goes from one entry to another of the same chain.",
)

VERIFY_RATE = Rate("audit-checks", 30, 60)
MOST_AT_ONCE = 10_000
"""Entries up to which a check is made while the caller waits."""
SEQUENCING_SECONDS = 2.0


class Verified(TypedDict):
    integrity_check: IntegrityCheck
    integrity_check_edge: dict[str, Any]


@guard(store.CHECK_PREFIX)
async def visible_checks(ctx: Context, wanted: Sequence[str]) -> list[IntegrityCheck | None]:
    """Access guard of checks: those of the organization, for who reads its log."""
    if not await roles.reads_checks(ctx):
        return [None for _ in wanted]
    found = await ctx.load_many(by_id(store.checks), wanted)
    return [each if each and each["org_id"] == ctx.org else None for each in found]


async def integrity_checks(ctx: Context, *, args: PageArgs) -> dict[str, Any]:
    """Connection of the checks of the organization's log, the latest first."""
    await ctx.limit_request(READ_RATE)
    found = await store.checks.page(ctx.db, {"org_id": ctx.org}, LATEST, args, listing=_listing(ctx.org))
    await record_read(ctx, "audit.checks_read", len(found["edges"]))
    return found


async def check_range(ctx: Context, *, start_entry_id: Id, end_entry_id: Id) -> Findings | None:
    """Check the entries from one to another of the log; None where they are so many that a job does."""
    await ctx.limit(VERIFY_RATE)
    start = await _of_log(ctx, start_entry_id, "start_entry_id")
    end = await _of_log(ctx, end_entry_id, "end_entry_id")
    if start["chain_id"] != end["chain_id"]:
        raise UserError("CHAIN_MISMATCH", "The entries are of two chains.", field=["end_entry_id"])
    links = await _links(ctx, start, end)
    first, last = links.get(start["_id"]), links.get(end["_id"])
    if first is None or last is None:
        return _without_place(start, end, links=links)
    if first["seq"] > last["seq"]:
        raise UserError("OUT_OF_RANGE", "The end comes before the start.", field=["end_entry_id"])
    if last["seq"] - first["seq"] >= MOST_AT_ONCE:
        return None
    return await verifying.verify_range(ctx.services, first, last)


async def verify_audit_integrity(
    ctx: Context, *, start_entry_id: Id, end_entry_id: Id, prepared: Findings | None
) -> Verified:
    """Store what a check of the entries from one to another found, or have a job make it."""
    check = begun(
        ctx.org,
        IntegrityCheckKind.RANGE,
        performed_by_id=ctx.viewer_id,
        start_entry_id=start_entry_id,
        end_entry_id=end_entry_id,
    )
    if prepared is None:
        check = await ctx.tx.insert(store.checks, check)
        await jobs.enqueue(ctx.tx, "audit.verify_range", org_id=ctx.org, check_id=check["_id"])
    else:
        check = await conclude(ctx, check, prepared)
    details = {"start": start_entry_id, "end": end_entry_id, "check": check["_id"]}
    await record(ctx, Act("audit.verified", "COMPLIANCE_CHECK", "AUDIT_LOG", details=details, source=META))
    edge = paging.edge_of(_listing(ctx.org), LATEST, check)
    return {"integrity_check": check, "integrity_check_edge": edge}


async def verify_later(services: Services, org_id: str, check_id: str) -> None:
    """Make a check that somebody asked for, unless it is made already."""
    check = await store.checks.by_id(services.db, {"_id": check_id, "org_id": org_id})
    if check is None or check["integrity_valid"] is not None:
        return
    named = [id for id in (check["start_entry_id"], check["end_entry_id"]) if id is not None]
    entries = {entry["_id"]: entry for entry in await store.entries.by_ids(services.db, named)}
    places = [(entry["chain_id"], id) for id, entry in entries.items()]
    links = {link["entry_id"]: link for link in (await store.links_of_entries(services.db, places)).values()}
    if len(links) == len(set(named)):
        findings = await verifying.verify_range(services, links[named[0]], links[named[-1]])
    else:
        # One of them was removed, or lost its place, since it was asked for.
        findings = Findings(1)
        findings.add(Damage(IntegrityProblem.MISSING))
    await finish(services, check, findings)


async def give_up(services: Services, org_id: str, check_id: str) -> None:
    """Say of a check that somebody asked for that it failed: its job was tried as often as it is."""
    check = await store.checks.by_id(services.db, {"_id": check_id, "org_id": org_id})
    if check is not None:
        await fail(services, check)


async def _of_log(ctx: Context, entry_id: Id, field: str) -> AuditEntry:
    """Entry of the organization's log; NOT_FOUND for one of another log, which may be read as well."""
    entry = await nodes.for_update(ctx, store.entries, entry_id, field=field)
    if entry["org_id"] != ctx.org:
        raise UserError("NOT_FOUND", nodes.GONE, field=[field])
    return entry


async def _links(ctx: Context, *entries: AuditEntry) -> dict[str, AuditLink]:
    """Links of entries of one chain, which get their places now if they wait for them."""
    places = {(entry["chain_id"], entry["_id"]) for entry in entries}
    found = await store.links_of_entries(ctx.services.db, places)
    if len(found) < len(places):
        await sequencing.chained_before(ctx.services, entries[0]["chain_id"], SEQUENCING_SECONDS)
        found = await store.links_of_entries(ctx.services.db, places)
    return {link["entry_id"]: link for link in found.values()}


def _without_place(*entries: AuditEntry, links: dict[str, AuditLink]) -> Findings:
    """Findings about entries that have no place in their chain, from or to which nothing can be checked."""
    findings = Findings(len({entry["_id"] for entry in entries}))
    for entry in entries:
        if entry["_id"] not in links:
            findings.add(Damage(IntegrityProblem.UNRECORDED, entry["chain_id"], None, entry["_id"]))
    return findings


def _listing(org_id: str) -> paging.Listing:
    return paging.Listing("integrity_checks", org=org_id)
