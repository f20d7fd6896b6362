"""Checkpoints: chained entries become leaves of their organization's log, whose tree head is signed.

A checkpoint is signed only if it continues the one before, by the signature on that and a consistency proof.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import NamedTuple

from core import clock, jobs
from core.context import Context, Services
from core.ledger import checkpoint, merkle, tiles
from core.ledger.checkpoint import Checkpoint
from core.ledger.log import Leaf
from core.ledger.tiles import TileId, Tiles
from resolvers.audit import log_keys
from stores import audit as store
from stores.audit import AuditCheckpoint, AuditEntryStatus

LARGEST = 1_000
"""Entries from one checkpoint to the next."""
INTERVAL = timedelta(seconds=60)
LINK_ORDER = [("chain_id", 1), ("seq", 1)]


class Forked(RuntimeError):
    """The stored log does not continue its last checkpoint: nothing is signed on top of it."""


class Unsealed(NamedTuple):
    """Unsealed part of a chain: so many entries after this one."""

    after: int
    waiting: int


async def due(services: Services) -> list[str]:
    """Organizations whose next checkpoint is due: after a minute, or with a thousand entries."""
    unsealed = await _unsealed(services)
    latest = await store.latest_checkpoints(services.db, unsealed)
    since = clock.now() - INTERVAL
    return [
        org_id
        for org_id, chains in unsealed.items()
        if sum(each.waiting for each in chains.values()) >= LARGEST
        or org_id not in latest
        or latest[org_id]["created_at"] <= since
    ]


async def seal(services: Services, org_id: str) -> int:
    """Seal all chained entries of an organization, a thousand to a checkpoint; how many there were."""
    done, taken = 0, LARGEST
    while taken == LARGEST:
        # Read before the chains: a checkpoint that another process makes after this is noticed.
        before = await store.latest_checkpoint(services.db, org_id)
        chains = (await _unsealed(services)).get(org_id, {})
        ctx = Context(services)
        taken = await ctx.unit(partial(_seal_some, ctx, org_id, before, chains)) if chains else 0
        done += taken
    return done


async def _unsealed(services: Services) -> dict[str, dict[str, Unsealed]]:
    """Chains with unsealed entries, by organization."""
    chain_ids = await store.chains_in(services.db, AuditEntryStatus.CHAINED)
    rows = await store.chains.by_ids(services.db, chain_ids)
    last = await store.last_leaves(services.db, chain_ids)
    found: dict[str, dict[str, Unsealed]] = defaultdict(dict)
    for row in rows:
        sealed = last[row["_id"]]["seq"] if row["_id"] in last else -1
        if sealed < row["seq"]:
            found[row["org_id"]][row["_id"]] = Unsealed(sealed, row["seq"] - sealed)
    return found


async def _seal_some(
    ctx: Context, org_id: str, before: AuditCheckpoint | None, chains: Mapping[str, Unsealed]
) -> int:
    """Seal one checkpoint after this one with the unit of work; nothing if another process did."""
    latest = await store.latest_checkpoint(ctx.db, org_id)
    size = before["size"] if before else 0
    if size != (latest["size"] if latest else 0):
        return 0
    after = [{"chain_id": id, "seq": {"$gt": each.after}} for id, each in chains.items()]
    links = await store.links.find(ctx.db, {"$or": after}, sort=LINK_ORDER, limit=LARGEST)
    if not links:
        return 0
    leaves = [Leaf(link["chain_id"], link["seq"], link["current_hash"]) for link in links]
    stored = await store.tiles_of(ctx.db, org_id, _needed(size, size + len(leaves)))
    made, changed = await next_checkpoint(ctx.services, org_id, before, stored, leaves)
    late = ctx.tx.late
    for leaf in store.leaf_documents(org_id, size, leaves):
        late.insert(store.leaves, leaf)
    for tile in store.tile_documents(org_id, changed):
        late.replace(store.tiles, tile["_id"], tile)
    late.insert(store.checkpoints, made)
    await store.mark(ctx.db, links, AuditEntryStatus.CHAINED, AuditEntryStatus.SEALED)
    await jobs.enqueue(ctx.tx, "audit.copy_checkpoint", org_id=org_id, size=made["size"])
    return len(links)


def _needed(size: int, new_size: int) -> set[TileId]:
    """Tiles of the present tree from which the next one, and the proof that it continues it, are computed."""
    wanted = tiles.growing(size)
    spans = [*tiles.root(new_size), *tiles.consistency(size, new_size)]
    return wanted | tiles.needed(spans)


async def next_checkpoint(
    services: Services, org_id: str, before: AuditCheckpoint | None, stored: Tiles, leaves: Sequence[Leaf]
) -> tuple[AuditCheckpoint, dict[TileId, bytes]]:
    """Checkpoint with further leaves, and the tiles they change; Forked unless it continues that before."""
    signing = await log_keys.signing(services, org_id, before)
    size = before["size"] if before else 0
    try:
        nothing = Checkpoint(log_keys.origin(services, org_id), 0, merkle.EMPTY_ROOT)
        old = await verified(services, before) if before else nothing
        changed = tiles.append(size, stored, [leaf.hash for leaf in leaves])
        new, continued = _continued(old, size + len(leaves), {**stored, **changed})
    except (KeyError, ValueError) as problem:
        raise Forked(f"{org_id}: {problem}") from None
    if not continued or old.size != size:
        raise Forked(org_id)
    made = AuditCheckpoint(
        _id=f"{org_id}:{new.size}",
        org_id=org_id,
        size=new.size,
        root_hash=new.root.hex(),
        note=checkpoint.sign(new._replace(extensions=signing.extensions), *signing.signers),
        created_at=clock.now(),
        timestamp_token=None,
        stamped_at=None,
        ledger_reference=None,
        copied_at=None,
    )
    if signing.introduces is not None:
        made["introduces"] = signing.introduces
    return made, changed


def _continued(old: Checkpoint, size: int, given: Tiles) -> tuple[Checkpoint, bool]:
    """Tree head of these tiles, and whether a proof shows that it continues the old one."""
    [root] = tiles.hashes(tiles.root(size), given)
    new = Checkpoint(old.origin, size, root)
    proof = tiles.hashes(tiles.consistency(old.size, size), given)
    return new, checkpoint.continues(new, old, proof)


async def verified(services: Services, row: AuditCheckpoint) -> Checkpoint:
    """Checkpoint as its note says, InvalidNote unless a key of ours signed it that was not replaced."""
    org_id = row["org_id"]
    keys = await log_keys.verifiers_at(services, org_id, row["size"])
    return checkpoint.verify(row["note"], log_keys.origin(services, org_id), keys)
