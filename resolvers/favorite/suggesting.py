"""Suggestions: what a person bought or visited, what is like their favorites, and what many choose."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, TypedDict

from core.context import Context, Services
from core.ids import Id
from core.security.limits import Rate
from core.values.bounds import check_limit
from resolvers.favorite.kinds import KINDS, Kind, history, kind_of
from stores import favorite as store
from stores.favorite import (
    FavoriteKindName,
    FavoriteSuggestion,
    FavoriteSuggestionReason,
)

Document = Mapping[str, Any]

DISMISSAL_RATE = Rate("favorite-dismissals", 60, 60)
MOST_SUGGESTED = 20
KEPT_SUGGESTIONS = 60
"""Computed at once: some of them will be saved, withdrawn or dismissed before the next time."""
MOST_DISMISSED = 500


class Dismissed(TypedDict):
    removed_target_id: Id


class FavoriteSuggestionFilter(TypedDict, total=False):
    """Filter of the suggestions."""

    kinds: list[FavoriteKindName] | None
    """Kinds of what is suggested."""


async def favorite_suggestions(
    ctx: Context, viewer: Document, *, filter: FavoriteSuggestionFilter | None = None, limit: int = 10
) -> list[FavoriteSuggestion]:
    """Suggestions of the kinds, or of all, the best first."""
    check_limit(limit, most=MOST_SUGGESTED)
    kinds = dict.fromkeys((filter or {}).get("kinds") or [each.name for each in KINDS.values()])
    found = [each for kind in kinds for each in await _kept(ctx, kind)]
    return sorted(found, key=lambda each: -each["score"])[:limit]


async def _kept(ctx: Context, kind: FavoriteKindName) -> list[FavoriteSuggestion]:
    """Suggestions as last computed; computed now for somebody who has none yet."""
    kept = await store.favorite_suggestions.by_id(ctx.db, store.key_of_suggestions(ctx.viewer_id, kind))
    of = KINDS[kind]
    found = kept["suggestions"] if kept else await computed(ctx, of, ctx.viewer_id)
    return await _offered(ctx, of, found)


async def _offered(ctx: Context, kind: Kind, found: Sequence[FavoriteSuggestion]) -> list[FavoriteSuggestion]:
    """Those of the suggestions that are neither saved nor withdrawn nor dismissed."""
    saved = {each["target_id"] for each in await store.all_saved(ctx.db, ctx.viewer_id, kind.name)}
    own = {"user_id": ctx.viewer_id}
    dismissed = await store.favorite_dismissals.find(ctx.db, own, limit=MOST_DISMISSED)
    unwanted = saved | {each["target_id"] for each in dismissed}
    wanted = [each for each in found if each["target_id"] not in unwanted]
    targets = await kind.read(ctx, [each["target_id"] for each in wanted])
    return [
        each
        for each, target in zip(wanted, targets, strict=True)
        if target is not None and not kind.withdrawn(target)
    ]


async def computed(ctx: Context, kind: Kind, user_id: str) -> list[FavoriteSuggestion]:
    """Suggestions for a person, best first, each target once."""
    saved = [each["target_id"] for each in await store.all_saved(ctx.db, user_id, kind.name)]
    past = dict.fromkeys(id for told in await history(ctx, user_id, kind.name) for id in told)
    bought: list[FavoriteSuggestion] = [
        {"target_id": id, "reason": FavoriteSuggestionReason.HISTORY, "score": round(1 - place / 1_000, 4)}
        for place, id in enumerate(list(past)[:KEPT_SUGGESTIONS])
    ]
    found = [*bought, *await kind.suggest(ctx, saved, KEPT_SUGGESTIONS)]
    best: dict[str, FavoriteSuggestion] = {}
    for each in sorted(found, key=lambda each: (-each["score"], each["target_id"])):
        if each["target_id"] not in saved:
            best.setdefault(each["target_id"], each)
    return list(best.values())[:KEPT_SUGGESTIONS]


async def suggest(services: Services, *, user_id: str, kind: str) -> None:
    """Compute a person's suggestions anew."""
    of = KINDS[kind]
    ctx = Context(services)
    found = await computed(ctx, of, user_id)
    await ctx.unit(partial(_keep, ctx, user_id, of.name, found))


async def _keep(
    ctx: Context, user_id: str, kind: FavoriteKindName, found: Sequence[FavoriteSuggestion]
) -> None:
    # An account that was deleted meanwhile has no list any more, and gets nothing.
    default = store.empty_default_list(user_id, kind)
    if await store.favorite_lists.by_id(ctx.db, default) is None:
        return
    kept = {"suggestions": list(found), "computed_at": ctx.tx.now}
    await ctx.tx.update(
        store.favorite_suggestions,
        store.key_of_suggestions(user_id, kind),
        set=kept,
        touch=False,
        initial={"kind": kind},
    )


async def suggest_to_all(services: Services) -> None:
    """Compute the suggestions of all who have a list anew."""
    async for rows in store.favorite_lists.batches(services.db, {"name": None}, scan=True):
        for row in rows:
            await suggest(services, user_id=row["user_id"], kind=row["kind"])


async def dismiss_favorite_suggestion(ctx: Context, *, target_id: Id) -> Dismissed:
    """Hide a suggestion for 90 days."""
    kind = kind_of(target_id)
    await ctx.limit(DISMISSAL_RATE)
    own = store.key_of_dismissal(ctx.viewer_id, target_id)
    until = {"expires_at": ctx.tx.now + store.DISMISSALS_KEPT}
    what = {"kind": kind.name, "target_id": target_id}
    await ctx.tx.update(store.favorite_dismissals, own, set=until, touch=False, initial=what)
    return {"removed_target_id": target_id}
