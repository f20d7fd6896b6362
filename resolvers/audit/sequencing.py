"""Sequencer: gives accepted entries their places in the hash chains, in the order in which they came.

Whoever appends wakes it once it has committed; of two that chain the same entries at once, one finds the
places taken and goes on from the new head.
"""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from functools import partial

import structlog
from pymongo.errors import DuplicateKeyError, PyMongoError

from core import outages
from core.context import Context, Services
from core.errors import DoneElsewhere, TimedOut, UserError
from core.ledger import chain
from core.ledger.chain import Head
from core.ledger.signed_note import Signer, encode_base64
from core.storage import mongo
from core.storage.mongo import Database
from resolvers.audit import log_keys
from resolvers.audit.chained import chained
from resolvers.audit.concluding import begun, finish
from resolvers.audit.findings import Damage, Findings
from stores import audit as store
from stores.audit import (
    AuditChain,
    AuditEntry,
    AuditEntryStatus,
    AuditIntegrity,
    AuditLink,
    IntegrityCheckKind,
    IntegrityProblem,
)

logger = structlog.get_logger(__name__)

BATCH = 500
ATTEMPTS = 10
SIGNED_SINGLY = frozenset({"DECISION_MADE", "EVIDENCE_COLLECTED"})
"""Types of events whose entries have a signature of their own beside the log's; access in emergencies too."""


class Overtaken(DoneElsewhere):
    """Another sequencer took the places, or the entries, of a batch."""


class Outrun(RuntimeError):
    """Others took the places of a batch each time it was tried."""


async def sequence_all(services: Services) -> int:
    """Chain all accepted entries; how many there were."""
    waiting = await store.chains_in(services.db, AuditEntryStatus.ACCEPTED)
    try:
        return await sequence(services, waiting) if waiting else 0
    except Outrun:
        return await _sequence_each(services, waiting)


async def _sequence_each(services: Services, chain_ids: Collection[str]) -> int:
    """Chain by chain: one whose next place is taken, by whoever put something there, stops no other.

    The next run tries it again, every ten seconds: a job that failed each time would fill the dead letters.
    """
    done = 0
    for chain_id in chain_ids:
        try:
            done += await sequence(services, [chain_id])
        except Outrun:
            logger.error("audit chain blocked", chain=chain_id)
    return done


async def sequence(services: Services, chain_ids: Collection[str]) -> int:
    """Chain the accepted entries of these chains, a batch to a unit of work; how many there were."""
    done, taken = 0, BATCH
    while taken == BATCH:
        taken = await _take_batch(services, chain_ids)
        done += taken
    return done


async def chained_before(services: Services, chain_id: str, seconds: float) -> None:
    """Chain what is committed of a chain before anybody is answered; UNAVAILABLE if it takes longer."""
    try:
        async with asyncio.timeout(seconds):
            await sequence(services, [chain_id])
    except (TimeoutError, TimedOut, Outrun):
        raise UserError("UNAVAILABLE", "This cannot be put on record at the moment.") from None
    except PyMongoError as error:
        if outages.fault_of(error) is None:
            raise
        raise UserError("UNAVAILABLE", "This cannot be put on record at the moment.") from None


async def _take_batch(services: Services, chain_ids: Collection[str]) -> int:
    for attempt in range(ATTEMPTS):
        entries, heads = await _accepted(services.db, chain_ids)
        if not entries:
            return 0
        ctx = Context(services)
        try:
            await ctx.unit(partial(_append, ctx, entries, heads))
            return len(entries)
        except (DuplicateKeyError, Overtaken):
            await asyncio.sleep(mongo.backoff(attempt))
        except (TypeError, ValueError):
            if not (unfit := [entry for entry in entries if not _is_fit(entry)]):
                raise
            await _set_aside(services, unfit)
    raise Outrun


def _is_fit(entry: AuditEntry) -> bool:
    """True for an entry that has a hash: one that was changed past the service may be no JSON any more."""
    try:
        chain.append(chain.EMPTY, entry["chain_id"], store.hashed_content(entry), store.HASHED)
    except (TypeError, ValueError):
        return False
    return True


async def _set_aside(services: Services, entries: Sequence[AuditEntry]) -> None:
    """Alert of entries that cannot be hashed, and leave them without a place: they would stop all others."""
    for org_id in sorted({entry["org_id"] for entry in entries}):
        findings = Findings()
        for entry in entries:
            if entry["org_id"] == org_id:
                findings.checked += 1
                findings.add(Damage(IntegrityProblem.CHANGED, entry["chain_id"], None, entry["_id"]))
        await finish(services, begun(org_id, IntegrityCheckKind.READ), findings)


async def _accepted(
    db: Database, chain_ids: Collection[str]
) -> tuple[list[AuditEntry], dict[str, AuditChain]]:
    """The next batch of accepted entries, and the heads of their chains.

    Read before the unit of work, whose writes say what they expect: a transaction of writes alone is short.
    """
    accepted = {
        "status": AuditEntryStatus.ACCEPTED,
        "chain_id": {"$in": list(chain_ids)},
        "integrity": {"$ne": AuditIntegrity.BROKEN},
    }
    order = [("chain_id", 1), ("_id", 1)]
    states = await store.entry_states.find(db, accepted, sort=order, limit=BATCH)
    entries, heads = await asyncio.gather(
        store.entries.by_ids(db, [state["_id"] for state in states]),
        store.chains.by_ids(db, {state["chain_id"] for state in states}),
    )
    entries.sort(key=lambda entry: (entry["timestamp"], entry["_id"]))
    return entries, {row["_id"]: row for row in heads}


async def _append(ctx: Context, entries: Sequence[AuditEntry], heads: Mapping[str, AuditChain]) -> None:
    """Chain these entries with the unit of work; Overtaken if a head, or an entry, has moved since."""
    by_chain: dict[str, list[AuditEntry]] = defaultdict(list)
    for entry in entries:
        by_chain[entry["chain_id"]].append(entry)
    updates = []
    for chain_id, members in by_chain.items():
        row = heads.get(chain_id)
        org_id = row["org_id"] if row else members[0]["org_id"]
        head = Head(row["seq"], row["current_hash"]) if row else chain.EMPTY
        links, new = linked(org_id, chain_id, head, members, await _signer(ctx, org_id, members))
        for link in links:
            ctx.tx.late.insert(store.links, link)
        if row is None:
            made = AuditChain(_id=chain_id, org_id=org_id, seq=new.seq, current_hash=new.current_hash)
            ctx.tx.late.insert(store.chains, made)
        else:
            updates.append({"q": {"_id": chain_id, "seq": head.seq}, "u": {"$set": new._asdict()}})
    moved = await ctx.db.write({"update": store.chains.name, "updates": updates}) if updates else {"n": 0}
    marked = await store.mark(ctx.db, entries, AuditEntryStatus.ACCEPTED, AuditEntryStatus.CHAINED)
    if (moved["n"], marked) != (len(updates), len(entries)):
        raise Overtaken
    await chained(ctx, entries)


def linked(
    org_id: str, chain_id: str, head: Head, entries: Sequence[AuditEntry], signer: Signer | None = None
) -> tuple[list[AuditLink], Head]:
    """Links of entries that follow the head of a chain, and the head they make."""
    links = []
    for entry in entries:
        previous = head.current_hash
        made, head = chain.append(head, chain_id, store.hashed_content(entry), store.HASHED)
        signed = signer if is_signed_singly(entry) else None
        links.append(
            AuditLink(
                _id=store.link_id(chain_id, head.seq),
                entry_id=entry["_id"],
                org_id=org_id,
                chain_id=chain_id,
                seq=head.seq,
                previous_hash=previous,
                current_hash=made.current_hash,
                signature=_signature(signed, made.current_hash) if signed else None,
                signature_key_id=signed.verifier.key_id.hex() if signed else None,
            )
        )
    return links, head


async def _signer(ctx: Context, org_id: str, entries: Sequence[AuditEntry]) -> Signer | None:
    """The key of the organization, if one of the entries is signed singly."""
    if not any(map(is_signed_singly, entries)):
        return None
    return await log_keys.signer(ctx.services, org_id)


def is_signed_singly(entry: AuditEntry) -> bool:
    """True for an entry that has a signature of its own."""
    return entry["event_type"] in SIGNED_SINGLY or bool((entry["metadata"] or {}).get("emergency"))


def _signature(signer: Signer, current_hash: str) -> str:
    return encode_base64(signer.private_key.sign(current_hash.encode()))
