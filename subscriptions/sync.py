"""Live delta sync: the change log as a subscription."""

from collections.abc import AsyncGenerator
from typing import Any

from core import nodes, viewers
from core.context import Context
from core.nodes import SyncTypeName
from core.sync import changes
from core.sync.changes import user_scope
from core.sync.listeners import Notifier
from core.sync.log_offset import LogOffset, Progress, SyncToken
from resolvers import sync

PAGE = 200


async def change_events(
    ctx: Context, *, since: SyncToken | None = None, types: list[SyncTypeName] | None = None
) -> AsyncGenerator[dict[str, Any], None]:
    """Changes from the token (now, without one) on; each page is read through the ordinary delta sync.

    Waiting costs nothing: the process's shared reader wakes the stream when one of its scopes has news.
    """
    live = ctx.services.live
    progress, reset = await sync.starting_point(ctx, since, types)
    async with live.listening(Notifier(), [user_scope(ctx.viewer_id)]) as lookout:
        # From here on a change of memberships wakes us.
        await _follow_memberships(ctx, lookout)
        if since is None or reset:
            progress = await _now(ctx, types)
        if reset:
            yield await _resync(ctx, progress)
        while True:
            async for event in _news(ctx, progress, types):
                yield event
            await lookout.news()
            await _follow_memberships(ctx, lookout)


async def _now(ctx: Context, types: list[SyncTypeName] | None) -> Progress:
    """Progress that has everything up to this moment."""
    now = await changes.database_time(ctx.services.db)
    progress = Progress(sync.reader(ctx, types), since=now - ctx.services.live.overlap)
    while (await sync.read(ctx, progress, types, sync.MOST_CHANGES)).more:
        continue
    return progress


async def _news(
    ctx: Context, progress: Progress, types: list[SyncTypeName] | None
) -> AsyncGenerator[dict[str, Any], None]:
    while True:
        before = ctx.services.signer.token(progress)
        page = await sync.read(ctx, progress, types, PAGE)
        changed: list[dict[str, Any]] = [
            {"_type": "NodeChanged", "_position": page.changed[id], "node": node}
            for id, node in page.nodes.items()
        ]
        deleted = [
            {"_type": "NodeDeleted", "_position": position, "deleted": sync.tombstone(id)}
            for id, position in page.deleted.items()
        ]
        events = changed + deleted
        for left, event in zip(range(len(events) - 1, -1, -1), events, strict=True):
            # Only the last event carries the page's token: a client with less must read the page again.
            yield _event(ctx, event, before if left else page.token)
        if not page.more:
            return


def _event(ctx: Context, event: dict[str, Any], token: SyncToken) -> dict[str, Any]:
    position: LogOffset = event["_position"]
    place = {"event_id": ctx.services.signer.event_id(position), "at": position.at, "token": token}
    return {**event, **place, "viewer": viewers.document(ctx)}


async def _follow_memberships(ctx: Context, lookout: Notifier) -> None:
    """Subscribe to the scopes the viewer may read now: following and blocking change them."""
    ctx.refresh()
    wanted = set(await nodes.scopes_of(ctx))
    live = ctx.services.live
    await live.unsubscribe(lookout, [scope for scope in lookout.scopes if scope not in wanted])
    await live.subscribe(lookout, [scope for scope in wanted if scope not in lookout.scopes])


async def _resync(ctx: Context, progress: Progress) -> dict[str, Any]:
    now = LogOffset(await changes.database_time(ctx.services.db), "resync")
    return _event(ctx, {"_type": "ResyncRequired", "_position": now}, ctx.services.signer.token(progress))
