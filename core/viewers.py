"""The viewer and their areas as nodes: one record each, for its owner alone."""

from collections.abc import Callable, Sequence
from typing import Any

from core import ids
from core.context import Context
from core.nodes import guard

Resolver = Callable[[Context, Any], dict[str, Any]]
PREFIX = "viewer"


def document(ctx: Context) -> dict[str, Any]:
    """The signed-in user as `Viewer`; UNAUTHENTICATED where there is none."""
    return _own(ctx, PREFIX)


def area(prefix: str) -> Resolver:
    """Declare a part of the viewer with an id of its own, and return the resolver of its field."""

    @guard(prefix)
    async def own(ctx: Context, wanted: Sequence[str]) -> list[dict[str, Any] | None]:
        """Access guard: its owner alone."""
        shown = _own(ctx, prefix) if ctx.viewer is not None else None
        return [shown if shown and shown["_id"] == id else None for id in wanted]

    return lambda ctx, source: _own(ctx, prefix)


def _own(ctx: Context, prefix: str) -> dict[str, Any]:
    return {"_id": ids.sibling(ctx.viewer_id, prefix)}


shown = area(PREFIX)
"""Resolver of the viewer as a field of something of theirs."""
