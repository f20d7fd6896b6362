"""Reacting: set, not toggled, so that a replay is harmless."""

from collections.abc import Mapping
from typing import Any

from core import clock
from core.context import Context
from core.ids import Id
from core.limits import Rate
from resolvers.feed.access import comment_scopes, post_scopes, subject
from stores import feed as store
from stores.feed import ReactionKind

FIELDS = [(kind.value, kind.value.lower()) for kind in ReactionKind]
"""Kinds as they are stored and as clients see them."""

REACTION_RATE = Rate("reactions", 120, 60)

Document = Mapping[str, Any]


async def set_reaction(ctx: Context, *, subject_id: Id, kind: ReactionKind | None = None) -> dict[str, Any]:
    """One reaction per person and subject; None removes it."""
    await ctx.limit(REACTION_RATE)
    target: Any = await subject(ctx, subject_id)
    id = store.pair(subject_id, ctx.viewer_id)
    current = await store.reactions.by_id(ctx.db, id)
    before = current["kind"] if current else None
    if before != kind:
        await _store(ctx, id, subject_id, before, kind)
        moved = {f"reactions.{each}": by for each, by in ((before, -1), (kind, 1)) if each is not None}
        posts = subject_id.startswith("post_")
        where: Any = store.posts if posts else store.comments
        target = await ctx.tx.update(where, subject_id, inc=moved, version=False)
        scopes = post_scopes(target) if posts else comment_scopes(target)
        ctx.tx.changed(target, aspect="reactions", scopes=scopes)
    return {"subject": target, "reaction_summary": summary(target)}


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
    shown = {field: max(0, counts.get(kind, 0)) for kind, field in FIELDS}
    return {"subject_id": document["_id"], "total": sum(shown.values()), **shown}
