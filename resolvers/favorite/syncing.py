"""Reconciliation of a device's list with the server's, in one transaction."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, TypedDict

from core import ids
from core.audit import Act, record
from core.context import Context
from core.errors import BadUserInput, ErrorKind, UserError, error_codes
from core.ids import Id
from core.security.limits import Rate
from core.sync import changes
from core.sync.log_offset import LogOffset, SyncToken
from core.values.bounds import check_count
from resolvers.favorite import merging, metrics, ranks
from resolvers.favorite.kinds import KINDS, Document, Kind, Rejection, check_target, rejection
from resolvers.favorite.merging import Device, Difference, LocalFavorite, LocalRemoval, Merge
from resolvers.favorite.writing import changed_list, save, take_turn, unsave
from stores import favorite as store
from stores.favorite import (
    MOST_FAVORITES,
    Favorite,
    FavoriteKindName,
    FavoriteList,
    FavoriteRemovalReason,
    FavoriteStatus,
    FavoriteSyncAction,
    FavoriteSyncStrategy,
)

error_codes(
    ErrorKind.INVALID,
    CONFIRMATION_REQUIRED="This would remove everything: ask the person, then confirm it under a new key.",
)

SYNC_RATE = Rate("favorite-syncs", 20, 60)


class FavoriteDecision(TypedDict):
    """Decision of the person about one target, which comes before the strategy."""

    target_id: Id
    """Id of the target concerned."""
    action: FavoriteSyncAction
    """Action that settles the difference."""


class Applied(TypedDict):
    """Numbers of favorites that a sync changed."""

    added_count: int
    removed_count: int
    unchanged_count: int


class Synced(TypedDict):
    favorite_list: FavoriteList
    favorites: list[Favorite]
    applied: Applied
    differences: list[Difference]
    rejected: list[Rejection]
    token: SyncToken


async def sync_favorites(
    ctx: Context,
    *,
    kind: FavoriteKindName,
    base_token: SyncToken | None = None,
    local: Sequence[LocalFavorite] = (),
    removed: Sequence[LocalRemoval] = (),
    order_changed_at: datetime | None = None,
    strategy: FavoriteSyncStrategy = FavoriteSyncStrategy.MERGE,
    decisions: Sequence[FavoriteDecision] = (),
    confirmed: bool = False,
) -> Synced:
    """Merge a device's list with the server's; one target that is refused stops no other."""
    for items, name in ((local, "local"), (removed, "removed"), (decisions, "decisions")):
        check_count(items, most=MOST_FAVORITES, field=name)
    _check_token(ctx, base_token)
    await ctx.limit(SYNC_RATE)
    take_turn(ctx)
    of = KINDS[kind]
    known, unfit = await _known(ctx, of, local, removed, decisions)
    found = await store.default_list(ctx.db, ctx.viewer_id, kind)
    device = merging.device(
        [each for each in local if each["target_id"] not in unfit],
        [each for each in removed if each["target_id"] not in unfit],
        order_changed_at,
        ctx.tx.now,
    )
    _check_confirmed(device, found, strategy, confirmed=confirmed)
    decided: dict[str, FavoriteSyncAction] = {
        each["target_id"]: each["action"] for each in decisions if each["target_id"] not in unfit
    }
    merged = merging.merge(device, known, strategy, decided, ctx.tx.now)
    order = [each["target_id"] for each in _in_order(known)]
    differences = [*merged.differences, *merging.moved(device, order, found["ordered_at"])]
    rejected = [rejection(id, _unfit()) for id in sorted(unfit)]
    if strategy == FavoriteSyncStrategy.PREVIEW:
        merged = Merge()
    else:
        addable, refused = await _addable(ctx, of, merged, device, known)
        rejected += refused
        found = await _write(ctx, of, found, merged, addable, device, known, strategy)
    favorites = await store.all_saved(ctx.db, ctx.viewer_id, kind)
    ctx.tx.after_commit(partial(_measure, strategy, differences, rejected))
    count = len(merged.added) + len(merged.removed)
    return {
        "favorite_list": found,
        "favorites": favorites,
        "applied": {
            "added_count": len(merged.added),
            "removed_count": len(merged.removed),
            "unchanged_count": len(device.saved.keys() | known.keys()) - count,
        },
        "differences": differences,
        "rejected": rejected,
        "token": _token(ctx),
    }


def _token(ctx: Context) -> SyncToken:
    """Place of this sync: what a device knows the server's list of."""
    return SyncToken(ctx.services.signer.event_id(LogOffset(ctx.tx.now, "favorites")))


def _check_token(ctx: Context, token: SyncToken | None) -> None:
    """EXPIRED for a token that is older than what is known of removed favorites."""
    if token is not None and ctx.services.signer.position(token).at < ctx.tx.now - changes.KEPT:
        raise UserError(
            "EXPIRED", "The last sync was too long ago: send the whole list.", field=["baseToken"]
        )


def _check_confirmed(
    device: Device, found: FavoriteList, strategy: FavoriteSyncStrategy, *, confirmed: bool
) -> None:
    empties = strategy == FavoriteSyncStrategy.LOCAL_WINS and not device.saved and found["favorite_count"]
    if empties and not confirmed:
        raise UserError(
            "CONFIRMATION_REQUIRED",
            "This would remove all favorites.",
            field=["confirmed"],
            favorite_list=found,
        )


async def _known(
    ctx: Context,
    kind: Kind,
    local: Sequence[LocalFavorite],
    removed: Sequence[LocalRemoval],
    decisions: Sequence[FavoriteDecision],
) -> tuple[dict[str, Favorite], set[str]]:
    """Favorites of the targets and of the list, by target, and ids of targets that are not of this kind."""
    named: set[str] = {each["target_id"] for each in (*local, *removed, *decisions)}
    unfit: set[str] = {id for id in named if not ids.well_formed(id, kind.prefix)}
    unfit |= {each["target_id"] for each in local if not _mintable(each.get("id"))}
    rows = await store.all_saved(ctx.db, ctx.viewer_id, kind.name)
    known = {each["target_id"]: each for each in rows}
    others = sorted(named - unfit - known.keys())
    if others:
        rows = await store.of_targets(ctx.db, ctx.viewer_id, others)
        known |= {each["target_id"]: each for each in rows}
    return known, unfit


def _unfit() -> UserError:
    return UserError("INVALID_INPUT", "This is no id of such a target, or of a favorite.")


def _mintable(id: str | None) -> bool:
    """True if a device may have minted the id: one that is none stops no other favorite."""
    try:
        ids.minted(id, "favorite")
    except BadUserInput:
        return False
    return True


def _in_order(known: Mapping[str, Favorite]) -> list[Favorite]:
    """Those that are saved, in the server's order."""
    saved = [each for each in known.values() if each["status"] == FavoriteStatus.SAVED]
    return sorted(saved, key=lambda each: (each["rank"], each["_id"]))


async def _addable(
    ctx: Context, kind: Kind, merged: Merge, device: Device, known: Mapping[str, Favorite]
) -> tuple[dict[str, Document], list[Rejection]]:
    """Targets that can be added, and refusals of the others, which `merged` has no more."""
    wanted = sorted(merged.added)
    found = dict(zip(wanted, await kind.read(ctx, wanted), strict=True)) if wanted else {}
    taken = await _taken_ids(ctx, device, [id for id in wanted if id not in known])
    saved = len(_in_order(known)) - len(merged.removed)
    addable: dict[str, Document] = {}
    rejected: list[Rejection] = []
    # The newest first, should there be no room for all.
    for id in sorted(wanted, key=lambda id: merged.added[id], reverse=True):
        try:
            target = check_target(kind, found[id])
            if id in taken:
                raise UserError("ID_TAKEN", "This id is in use.", field=["id"])
            if saved + len(addable) >= MOST_FAVORITES:
                raise UserError("LIMIT_REACHED", "At most {limit} favorites.", limit=MOST_FAVORITES)
        except UserError as refusal:
            rejected.append(rejection(id, refusal))
            del merged.added[id]
        else:
            addable[id] = target
    return addable, rejected


async def _taken_ids(ctx: Context, device: Device, new: Sequence[str]) -> set[str]:
    """Targets for which the device minted ids that something else has."""
    minted = {id: device.ids[id] for id in new if id in device.ids}
    rows = await store.favorites.by_ids(ctx.db, minted.values()) if minted else []
    used = {each["_id"] for each in rows}
    taken = set()
    for target_id, id in minted.items():
        if id in used:
            taken.add(target_id)
        used.add(id)
    return taken


async def _write(
    ctx: Context,
    kind: Kind,
    found: FavoriteList,
    merged: Merge,
    addable: Mapping[str, Document],
    device: Device,
    known: Mapping[str, Favorite],
    strategy: FavoriteSyncStrategy,
) -> FavoriteList:
    """Write additions, removals and the order; returns the list as it is then."""
    before = [each["target_id"] for each in _in_order(known)]
    own = merging.device_orders(device, found["ordered_at"], strategy)
    saved_at = {id: known[id]["saved_at"] for id in before if id not in merged.removed} | merged.added
    order = merging.order_of(device.order if own else before, saved_at)
    reordered = own and [id for id in order if id in set(before)] != [
        id for id in before if id not in merged.removed
    ]
    if not merged.added and not merged.removed and not reordered:
        return await _mark_synced(ctx, found)
    found = await changed_list(
        ctx,
        found,
        by=len(merged.added) - len(merged.removed),
        ordered_at=(device.ordered_at or ctx.tx.now) if reordered else None,
        synced_at=ctx.tx.now,
    )
    if strategy == FavoriteSyncStrategy.LOCAL_WINS:
        await _record(ctx, found, merged)
    for id, at in sorted(merged.removed.items()):
        await unsave(ctx, known[id], FavoriteRemovalReason.SYNC, removed_at=at)
    places = dict(zip(order, ranks.spread(len(order)), strict=True))
    await store.write_ranks(
        ctx.db, found, {known[id]["_id"]: rank for id, rank in places.items() if id not in merged.added}
    )
    for id, at in sorted(merged.added.items()):
        await save(
            ctx,
            kind,
            addable[id],
            user_id=ctx.viewer_id,
            former=known.get(id),
            rank=places[id],
            saved_at=at,
            id=device.ids.get(id),
        )
    return found


async def _mark_synced(ctx: Context, found: FavoriteList) -> FavoriteList:
    """Note the sync of a list that it did not change."""
    initial = {**found, "version": 0} if not found["version"] else {}
    named = ("_id", "user_id", "last_synced_at", "updated_at")
    synced = await ctx.tx.update(
        store.favorite_lists,
        found,
        set={"last_synced_at": ctx.tx.now},
        version=False,
        initial={name: value for name, value in initial.items() if name not in named},
    )
    assert synced is not None
    return synced


async def _record(ctx: Context, found: FavoriteList, merged: Merge) -> None:
    details = {"added": len(merged.added), "removed": len(merged.removed)}
    await record(
        ctx, Act("favorite.list_replaced", "DATA_MODIFIED", resource_id=found["_id"], details=details)
    )


async def _measure(
    strategy: FavoriteSyncStrategy, differences: Sequence[Difference], rejected: Sequence[Any]
) -> None:
    metrics.SYNCED.labels(strategy).inc()
    for each in differences:
        metrics.DIFFERENCES.labels(strategy, each["kind"]).inc()
    for refusal in rejected:
        metrics.REJECTED.labels(refusal["errors"][0]["code"]).inc()
