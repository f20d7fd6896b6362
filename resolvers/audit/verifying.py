"""Verification: chains against leaves, leaves against the signed checkpoint, and that against its copy.

Each looks at what the one before cannot tell: an entry has its hash, a chain has all its entries, the log has
all its chains, nothing else was put beside them, and the checkpoint is the one that was locked away.
"""

from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from core import clock
from core.context import Context, Services
from core.ledger import checkpoint, tiles
from core.ledger.chain import EMPTY, Head, Problem
from core.ledger.checkpoint import Checkpoint
from core.ledger.tiles import Tiles
from resolvers.audit import copying, log_keys, sealing, signatures
from resolvers.audit.concluding import begun, finish
from resolvers.audit.findings import Damage, Findings, damage_to
from resolvers.audit.unrecorded import verify_recorded, verify_unsealed
from stores import audit as store
from stores.audit import (
    AuditIntegrity,
    AuditLeaf,
    AuditLink,
    IntegrityCheck,
    IntegrityCheckKind,
    IntegrityProblem,
)

BATCH = 500
CHAINS_AT_ONCE = 100
OVERLAP = timedelta(minutes=10)
"""Time before the last check in which entries may have been recorded that it did not see yet."""


async def verify_log(services: Services, org_id: str, kind: IntegrityCheckKind) -> IntegrityCheck:
    """Verify an organization's log, whole or what is new in it, and store the check."""
    findings = Findings()
    row = await store.latest_checkpoint(services.db, org_id)
    size = row["size"] if row else 0
    check = begun(org_id, kind, log_size=size)
    last = None if kind is IntegrityCheckKind.WHOLE else await store.latest_check(services.db, org_id, kind)
    start = last["log_size"] if last else 0
    sealed = await _sealed(services, org_id, findings)
    await _verify_leaves(services, org_id, min(start, size), sealed or Checkpoint("", size, b""), findings)
    await _verify_tails(services, org_id, findings)
    await verify_recorded(services, org_id, last["performed_at"] - OVERLAP if last else None, findings)
    await _verify_copy(services, org_id, sealed, kind, findings)
    return await finish(services, check, findings)


async def verify_range(services: Services, first: AuditLink, last: AuditLink) -> Findings:
    """Verify the entries of one chain from one link to another."""
    findings, chain_id = Findings(), first["chain_id"]
    after = await _head_before(services, chain_id, first["seq"])
    for start in range(first["seq"], last["seq"] + 1, BATCH):
        seqs = range(start, min(start + BATCH, last["seq"] + 1))
        between = {"chain_id": chain_id, "seq": {"$gte": seqs[0], "$lte": seqs[-1]}}
        leaves = await store.leaves.find(services.db, {"org_id": first["org_id"], **between})
        by_seq = {leaf["seq"]: leaf for leaf in leaves}
        heads = {chain_id: after}
        await _verify_places(services, [(chain_id, seq, by_seq.get(seq)) for seq in seqs], heads, findings)
        after = heads[chain_id]
    head = await store.chains.by_id(services.db, chain_id)
    if head is None or head["seq"] < last["seq"]:
        # A link with the right hash that the chain knows nothing of.
        findings.add(Damage(IntegrityProblem.FOREIGN, chain_id, last["seq"], last["entry_id"]))
    return findings


async def _sealed(services: Services, org_id: str, findings: Findings) -> Checkpoint | None:
    """The latest checkpoint as its signature says; None where there is none, or none that is signed."""
    row = await store.latest_checkpoint(services.db, org_id)
    if row is None:
        return None
    try:
        sealed = await sealing.verified(services, row)
    except ValueError:
        findings.add(Damage(IntegrityProblem.CHECKPOINT_UNSIGNED))
        return None
    if (sealed.size, sealed.root.hex()) != (row["size"], row["root_hash"]):
        findings.add(Damage(IntegrityProblem.CHECKPOINT_CHANGED))
    return sealed


async def _verify_leaves(
    services: Services, org_id: str, start: int, sealed: Checkpoint, findings: Findings
) -> None:
    """Verify the leaves from a size on: each against its entry, all against the root of the checkpoint."""
    root = tiles.needed(tiles.root(sealed.size))
    known = await store.tiles_of(services.db, org_id, tiles.growing(start) | (root if start else set()))
    heads: dict[str, Head] = {}
    for first in range(start, sealed.size, BATCH):
        last = min(first + BATCH, sealed.size)
        leaves = await store.leaves_between(services.db, org_id, first, last)
        if [leaf["index"] for leaf in leaves] != list(range(first, last)):
            findings.add(Damage(IntegrityProblem.LEAF_MISSING))
            return
        places = [(leaf["chain_id"], leaf["seq"], leaf) for leaf in leaves]
        await _verify_places(services, places, heads, findings)
        try:
            known = await _grown(services, org_id, first, known, leaves, findings)
        except (KeyError, ValueError):
            findings.add(Damage(IntegrityProblem.TILE_CHANGED))
            return
        known = {tile: known[tile] for tile in known if tile in root or tile in tiles.growing(last)}
    _verify_root(sealed, known, findings)


def _verify_root(sealed: Checkpoint, known: Tiles, findings: Findings) -> None:
    if not sealed.root:
        return
    try:
        [root] = tiles.hashes(tiles.root(sealed.size), known)
    except (KeyError, ValueError):
        root = b""
    if root != sealed.root:
        findings.add(Damage(IntegrityProblem.ROOT_DIFFERS))


async def _grown(
    services: Services,
    org_id: str,
    size: int,
    known: Tiles,
    leaves: Sequence[AuditLeaf],
    findings: Findings,
) -> dict[tiles.TileId, bytes]:
    """Tiles with these leaves, computed anew and compared with those that are stored."""
    made = tiles.append(size, known, [store.leaf_of(leaf).hash for leaf in leaves])
    stored = await store.tiles_of(services.db, org_id, made)
    for tile, hashes in made.items():
        if stored.get(tile, b"")[: len(hashes)] != hashes:
            findings.add(Damage(IntegrityProblem.TILE_CHANGED))
    return {**known, **made}


async def _verify_places(
    services: Services,
    places: Sequence[tuple[str, int, AuditLeaf | None]],
    heads: dict[str, Head],
    findings: Findings,
) -> None:
    """Verify the entries at these places, which are in the order of their chains; moves the heads on."""
    keys = [store.link_id(chain_id, seq) for chain_id, seq, _ in places]
    links = {link["_id"]: link for link in await store.links.by_ids(services.db, keys)}
    entries = await store.entries_of(services.db, links.values())
    whole: list[tuple[str | None, str | None]] = []
    unsigned = await signatures.unsigned(services, links.values(), entries)
    for chain_id, seq, leaf in places:
        if chain_id not in heads:
            heads[chain_id] = await _head_before(services, chain_id, seq)
        link = links.get(store.link_id(chain_id, seq))
        entry = entries.get(link["entry_id"]) if link else None
        damage = damage_to(link, entry, heads[chain_id], (chain_id, seq), leaf)
        if damage is None and link is not None and link["_id"] in unsigned:
            damage = Damage(IntegrityProblem.UNSIGNED, chain_id, seq, link["entry_id"])
        if damage is not None:
            findings.add(damage)
        elif link is not None:
            whole.append((chain_id, link["entry_id"]))
        # What was sealed is what the next one follows: one damage is not told of twice.
        told = leaf or link
        heads[chain_id] = Head(seq, told["current_hash"] if told else "")
    findings.checked += len(places)
    await store.mark_integrity(services.db, whole, AuditIntegrity.VERIFIED)


async def _head_before(services: Services, chain_id: str, seq: int) -> Head:
    if seq == 0:
        return EMPTY
    query = {"chain_id": chain_id, "seq": seq - 1}
    before = await store.links.first(services.db, query)
    return Head(seq - 1, before["current_hash"] if before else "")


async def _verify_tails(services: Services, org_id: str, findings: Findings) -> None:
    """Verify what follows the last leaf of each chain, up to its head."""
    rows = await store.chains.find(services.db, {"org_id": org_id}, fields=["_id"])
    chain_ids = [row["_id"] for row in rows]
    for at in range(0, len(chain_ids), CHAINS_AT_ONCE):
        ctx, some = Context(services), chain_ids[at : at + CHAINS_AT_ONCE]
        last = await store.last_leaves(services.db, some)
        tails = await ctx.unit(partial(_tails, ctx, some, last))
        for chain_id, (head, links) in tails.items():
            leaf = last.get(chain_id)
            after = Head(leaf["seq"], leaf["current_hash"]) if leaf else EMPTY
            await _verify_tail(services, chain_id, after, head, links, findings)


async def _tails(
    ctx: Context, chain_ids: Sequence[str], last: dict[str, AuditLeaf]
) -> dict[str, tuple[Head, list[AuditLink]]]:
    """Head of each chain and the links after its last leaf, of one moment."""
    after = [
        {"chain_id": chain_id, "seq": {"$gt": last[chain_id]["seq"] if chain_id in last else -1}}
        for chain_id in chain_ids
    ]
    links = await store.links.find(ctx.db, {"$or": after}, sort=sealing.LINK_ORDER)
    tails: dict[str, tuple[Head, list[AuditLink]]] = {
        row["_id"]: (Head(row["seq"], row["current_hash"]), [])
        for row in await store.chains.by_ids(ctx.db, chain_ids)
    }
    for link in links:
        tails[link["chain_id"]][1].append(link)
    return tails


async def _verify_tail(
    services: Services,
    chain_id: str,
    after: Head,
    head: Head,
    links: Sequence[AuditLink],
    findings: Findings,
) -> None:
    heads = {chain_id: after}
    known = {link["seq"]: link for link in links}
    places = [(chain_id, seq, None) for seq in range(after.seq + 1, head.seq + 1)]
    if places:
        await _verify_places(services, places, heads, findings)
        await verify_unsealed(services, links, findings)
    for link in (known[seq] for seq in sorted(known) if seq > head.seq):
        findings.add(Damage(Problem.FOREIGN, chain_id, link["seq"], link["entry_id"]))
    if heads[chain_id] != head:
        findings.add(Damage(Problem.CHANGED, chain_id, head.seq))


async def _verify_copy(
    services: Services, org_id: str, sealed: Checkpoint | None, kind: IntegrityCheckKind, findings: Findings
) -> None:
    """Verify that the log continues the largest checkpoint that was locked away."""
    today = clock.now().date()
    days = () if kind is IntegrityCheckKind.WHOLE else (today - timedelta(days=1), today)
    copy = await copying.latest_copy(services, org_id, days)
    if copy is None:
        return
    try:
        name = log_keys.origin(services, org_id)
        keys = await log_keys.verifiers_at(services, org_id, copy[0])
        old = checkpoint.verify(copy[1], name, keys)
        continues = sealed is not None and await _continues(services, org_id, sealed, old)
    except (KeyError, ValueError):
        continues = False
    if not continues:
        findings.add(Damage(IntegrityProblem.COPY_DIFFERS))


async def _continues(services: Services, org_id: str, new: Checkpoint, old: Checkpoint) -> bool:
    spans = tiles.consistency(old.size, new.size)
    stored = await store.tiles_of(services.db, org_id, tiles.needed(spans))
    return checkpoint.continues(new, old, tiles.hashes(spans, stored))
