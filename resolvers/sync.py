"""Nodes by id, and delta sync."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core import nodes
from core.context import Context
from core.errors import BadUserInput
from core.ids import Id, checked, well_formed
from core.nodes import SYNCED, SyncTypeName
from core.sync import changes as log
from core.sync.delta import Reading
from core.sync.log_offset import LogOffset, Progress, SyncToken
from core.values.bounds import check_limit

Document = Mapping[str, Any]

MOST_IDS = 100
MOST_CHANGES = 1_000


@dataclass(frozen=True, slots=True)
class Page:
    """Page of a delta: changed nodes the viewer may see and ids of deleted ones, with their log positions."""

    nodes: dict[str, Document]
    changed: dict[str, LogOffset]
    deleted: dict[str, LogOffset]
    token: SyncToken
    more: bool


async def node(ctx: Context, *, id: Id) -> Document | None:
    return (await nodes.read_by_id(ctx, [checked(id)])).get(id)


async def many_nodes(ctx: Context, *, ids: list[Id]) -> list[Document | None]:
    """Nodes in the order of the ids."""
    if len(ids) > MOST_IDS:
        raise BadUserInput(f"At most {MOST_IDS} ids.")
    found = await nodes.read_by_id(ctx, [id for id in ids if well_formed(id)])
    if len(found) < len(ids):
        nodes.check_token(ctx)
    return [found.get(id) for id in ids]


async def changes(
    ctx: Context,
    viewer: Document,
    *,
    since: SyncToken | None = None,
    types: list[SyncTypeName] | None = None,
    limit: int = 200,
) -> dict[str, Any]:
    """Delta sync: the viewer's changes since the token; without one, everything (a first sync)."""
    check_limit(limit, most=MOST_CHANGES)
    progress, reset = await starting_point(ctx, since, types)
    page = await read(ctx, progress, types, limit)
    return {
        "nodes": list(page.nodes.values()),
        "deleted": [tombstone(id) for id in page.deleted],
        "token": page.token,
        "has_more": page.more,
        "reset": reset,
    }


async def read(ctx: Context, progress: Progress, types: Sequence[SyncTypeName] | None, limit: int) -> Page:
    """One page, through the ordinary access guards; `progress` moves past it."""

    async def scopes_now() -> list[str]:
        ctx.refresh()
        return await nodes.scopes_of(ctx)

    reading = Reading(
        ctx.db,
        progress,
        scopes_now,
        types=wanted(types),
        limit=limit,
        overlap=ctx.services.live.overlap,
    )
    delta = await reading.page()
    seen = await nodes.visible(ctx, list(delta.changed))
    unseen = {id: position for id, position in delta.changed.items() if id not in seen}
    return Page(
        seen, delta.changed, {**delta.deleted, **unseen}, ctx.services.signer.token(progress), delta.more
    )


def tombstone(id: str) -> dict[str, Any]:
    """Tombstone of a node that is gone or hidden from the viewer."""
    return {"_type": "DeletedNode", "_id": id}


def wanted(types: Sequence[SyncTypeName] | None) -> set[str]:
    if types is None:
        return set(SYNCED)
    if not types:
        raise BadUserInput("`types` names at least one type; leave it out for all.")
    return {str(getattr(each, "value", each)) for each in types}


def reader(ctx: Context, types: Sequence[SyncTypeName] | None) -> str:
    """Reader of a token: one of another person, or for other types, starts over."""
    return ctx.viewer_id if types is None else f"{ctx.viewer_id}:{','.join(sorted(wanted(types)))}"


async def starting_point(
    ctx: Context, token: SyncToken | None, types: Sequence[SyncTypeName] | None
) -> tuple[Progress, bool]:
    """Progress to continue from, and True if the sync starts over."""
    fresh = Progress(reader(ctx, types))
    if not token:
        return fresh, False
    progress = ctx.services.signer.progress(token)
    if progress.reader != fresh.reader:
        return fresh, True
    oldest = await log.database_time(ctx.db) - log.KEPT
    place = progress.since or progress.started
    return (fresh, True) if place is None or place < oldest else (progress, False)
