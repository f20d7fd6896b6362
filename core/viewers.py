"""The viewer as a node: one record, for its owner alone."""

from collections.abc import Sequence
from typing import Any

from core import ids
from core.context import Context
from core.nodes import guard

PREFIX = "viewer"


def document(ctx: Context) -> dict[str, Any]:
    """The signed-in user as `Viewer`; UNAUTHENTICATED where there is none."""
    return {"_id": ids.sibling(ctx.viewer_id, PREFIX)}


@guard(PREFIX)
async def own_viewers(ctx: Context, wanted: Sequence[str]) -> list[dict[str, Any] | None]:
    """Access guard of viewers: oneself alone."""
    own = document(ctx) if ctx.viewer is not None else None
    return [own if own and own["_id"] == id else None for id in wanted]
