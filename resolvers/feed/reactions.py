"""Reactions: set, not toggled, so that a replay is harmless."""

from collections.abc import Mapping
from typing import Any

from core import clock
from core.context import Context
from core.errors import UserError
from core.ids import Id
from core.security.limits import Rate
from resolvers.feed.access import need_files, subject_for_update
from resolvers.feed.counting import reacted
from stores import feed as store
from stores.feed import ReactionKind
from stores.feed.kinds import SHOWN

FIELDS = [(kind.value, kind.value.lower()) for kind in ReactionKind]
"""Kinds as they are stored and as clients see them."""

REACTION_RATE = Rate("reactions", 120, 60)

Document = Mapping[str, Any]


async def set_reaction(ctx: Context, *, subject_id: Id, kind: ReactionKind | None = None) -> dict[str, Any]:
    """One reaction per person and subject; None removes it."""
    await ctx.limit(REACTION_RATE)
    target = await subject_for_update(ctx, subject_id)
    need_files(target, field="subjectId")
    if target["state"] not in SHOWN:
        raise UserError("NOT_FOUND", "It is gone, or hidden from you.", field=["subjectId"])
    id = store.pair(subject_id, ctx.viewer_id)
    current = await store.reactions.by_id(ctx.db, id)
    before = current["kind"] if current else None
    if before != kind:
        await _store(ctx, id, subject_id, before, kind)
        target = await reacted(ctx.tx, subject_id, before, kind)
    return {"subject": target}


async def _store(
    ctx: Context, id: str, subject_id: str, before: ReactionKind | None, kind: ReactionKind | None
) -> None:
    if kind is None:
        await ctx.tx.delete(store.reactions, id)
    elif before is None:
        row = {"_id": id, "subject_id": subject_id, "user_id": ctx.viewer_id, "kind": kind}
        await ctx.tx.insert(store.reactions, {**row, "created_at": clock.now()})
    else:
        await ctx.tx.update(store.reactions, id, set={"kind": kind})


def summary(document: Document) -> dict[str, Any]:
    """Counts by kind; `subject_id` finds the viewer's own."""
    counts = document.get("reactions") or {}
    shown = {field: count if (count := counts.get(kind, 0)) > 0 else 0 for kind, field in FIELDS}
    return {"subject_id": document["_id"], "count": sum(shown.values()), **shown}
