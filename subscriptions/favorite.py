"""Subscription to one's favorites: what tells more than `changeEvents` does."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from core.context import Context
from core.ids import prefix_of
from core.sync.changes import Entry, user_scope
from core.sync.topics import follow
from loaders.favorite import OwnFavoriteById
from resolvers.favorite import access, events, notes
from stores.favorite import FavoriteStatus, FavoriteTargetEventKind

Event = dict[str, Any]


async def favorite_events(ctx: Context, *, after: str | None = None) -> AsyncGenerator[Event, None]:
    """Removals with their reasons, orders as a whole, and news of targets."""

    async def to_event(entry: Entry) -> Event | None:
        if entry["deleted"] and prefix_of(entry["node"]) == "favorite":
            return await _removed(ctx, entry["node"])
        told = notes.told(entry)
        if told is None:
            return None
        what, id = told
        return await (_reordered(ctx, id) if what == notes.REORDERED else _news(ctx, what, id))

    async with aclosing(follow(ctx, [user_scope(ctx.viewer_id)], after, to_event)) as stream:
        async for event in stream:
            yield event


async def _removed(ctx: Context, id: str) -> Event | None:
    """Event of a favorite that went; None for one that is saved again, or was erased."""
    row = await ctx.load(OwnFavoriteById, id)
    if row is None or row["status"] != FavoriteStatus.REMOVED:
        return None
    return {
        "_type": "FavoriteRemoved",
        "deleted_favorite_id": id,
        "target_id": row["target_id"],
        "reason": row["removal_reason"],
        "favorite_list": await access.default_list(ctx, row["kind"]),
    }


async def _reordered(ctx: Context, id: str) -> Event | None:
    """Event of a list in another order; None for one that is gone."""
    [favorite_list] = await access.own_lists(ctx, [id])
    if favorite_list is None:
        return None
    members = await access.members(ctx, favorite_list)
    favorites = await access.own_favorites(ctx, [each["_id"] for each in members])
    return {
        "_type": "FavoriteListReordered",
        "favorite_list": favorite_list,
        "favorites": [each for each in favorites if each],
    }


async def _news(ctx: Context, what: str, id: str) -> Event | None:
    """Event of a target; None where the favorite is gone, or the target is hidden."""
    [favorite] = await access.own_favorites(ctx, [id])
    if favorite is None:
        return None
    news = await events.news_of(ctx, favorite, FavoriteTargetEventKind(what))
    return {"_type": "FavoriteTargetChanged", **news} if news else None
