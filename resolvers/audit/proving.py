"""Proofs for whoever asks: of entries that they may read, and of the log that they audit."""

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from core import paging
from core.context import Context
from core.errors import BadUserInput
from core.ids import Id
from core.paging import PageArgs, Sort
from resolvers.audit import log_keys, places, proofs
from resolvers.audit.reading import READ_RATE, read_one, record_read
from stores import audit as store
from stores.audit import AuditCheckpoint

LARGEST_FIRST: Sort = (("size", -1),)
"""Order of checkpoints, of which there is one of each size."""


async def audit_proof(ctx: Context, *, entry_id: Id) -> dict[str, Any] | None:
    """Inclusion proof of an entry that the viewer may read; None until it is sealed, and in a damaged log."""
    entry = await read_one(ctx, entry_id, "audit.proof_read")
    [link] = await places.links_of(ctx, [entry]) if entry is not None else [None]
    proof = await proofs.inclusion(ctx.db, link) if link is not None else None
    return {"entry": entry, **proof._asdict()} if proof is not None else None


async def audit_consistency(
    ctx: Context, *, from_entry_count: int, to_entry_count: int
) -> dict[str, Any] | None:
    """Consistency proof between two sizes of the log of the viewer's organization."""
    await ctx.limit_request(READ_RATE)
    if not 0 <= from_entry_count <= to_entry_count:
        raise BadUserInput("A proof goes from a size of the log to the same or a larger one.")
    try:
        path = await proofs.consistency(ctx.db, ctx.org, from_entry_count, to_entry_count)
    except ValueError:
        raise BadUserInput("The log has no such size yet.") from None
    await record_read(ctx, "audit.consistency_read", 0)
    return (
        None
        if path is None
        else {"from_entry_count": from_entry_count, "to_entry_count": to_entry_count, "path": path}
    )


async def audit_checkpoints(ctx: Context, *, args: PageArgs) -> dict[str, Any]:
    """Connection of the checkpoints of the viewer's organization, the latest first."""
    await ctx.limit_request(READ_RATE)
    listing = paging.Listing("audit_checkpoints", org=ctx.org)
    found = await store.checkpoints.page(ctx.db, {"org_id": ctx.org}, LARGEST_FIRST, args, listing=listing)
    await record_read(ctx, "audit.checkpoints_read", len(found["edges"]))
    return found


async def verifier_keys(ctx: Context, checkpoints: Sequence[AuditCheckpoint]) -> list[list[str]]:
    """Verifier keys of the logs of checkpoints, the oldest first."""
    by_org = {
        org_id: [each.vkey for each in await log_keys.verifiers(ctx.services, org_id)]
        for org_id in {each["org_id"] for each in checkpoints}
    }
    return [by_org[each["org_id"]] for each in checkpoints]


async def log_keys_of(ctx: Context, checkpoints: Sequence[AuditCheckpoint]) -> list[list[dict[str, Any]]]:
    """Keys of the logs of checkpoints, each with what introduces it, the oldest first."""
    by_org = {
        org_id: await log_keys.shown(ctx.services, org_id)
        for org_id in {each["org_id"] for each in checkpoints}
    }
    return [by_org[each["org_id"]] for each in checkpoints]


def timestamp_token(checkpoint: Mapping[str, Any]) -> str | None:
    token = checkpoint["timestamp_token"]
    return base64.b64encode(token).decode() if token is not None else None
