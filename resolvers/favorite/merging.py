"""Merge of a device's list of favorites with the server's, as the later act of each target decides.

Pure: the result does not depend on the order in which the items come. What a device does not list is kept,
since absence alone never deletes; saved and removed at the same moment, it is saved.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NotRequired, TypedDict

from core.ids import Id
from stores.favorite import (
    Favorite,
    FavoriteDifferenceKind,
    FavoriteStatus,
    FavoriteSyncAction,
    FavoriteSyncStrategy,
)

ADD, REMOVE, KEEP = FavoriteSyncAction.ADD, FavoriteSyncAction.REMOVE, FavoriteSyncAction.KEEP


class LocalFavorite(TypedDict):
    """Favorite of a device's list."""

    id: NotRequired[Id | None]
    """Id that the device minted for the favorite, if it saved the target offline; ignored when the server has
    the target."""
    target_id: Id
    """Id of the target that was saved."""
    position: int
    """Position of the target in the device's list; only the order counts."""
    saved_at: datetime
    """Time at which the target was saved, by the phone's clock; one in the future counts as now."""


class LocalRemoval(TypedDict):
    """Removal of a favorite on a device."""

    target_id: Id
    """Id of the target that was removed."""
    removed_at: datetime
    """Time at which the target was removed, by the phone's clock; one in the future counts as now."""


class Difference(TypedDict):
    """Difference between a device's list and the server's."""

    target_id: str
    kind: FavoriteDifferenceKind
    local_at: datetime | None
    server_at: datetime | None
    proposal: FavoriteSyncAction


@dataclass(slots=True)
class Device:
    """A device's list: times by target, none later than the server's, and its order."""

    saved: dict[str, datetime]
    removed: dict[str, datetime]
    order: list[str]
    ids: dict[str, str]
    ordered_at: datetime | None


@dataclass(slots=True)
class Merge:
    """Merge of two lists: additions and removals with their times, by target, to be written."""

    added: dict[str, datetime] = field(default_factory=dict)
    removed: dict[str, datetime] = field(default_factory=dict)
    differences: list[Difference] = field(default_factory=list)


def device(
    local: Sequence[LocalFavorite],
    removed: Sequence[LocalRemoval],
    ordered_at: datetime | None,
    now: datetime,
) -> Device:
    """The list that a device sends; of two entries of a target the later counts, saved if they are equal."""
    saved: dict[str, datetime] = {}
    gone: dict[str, datetime] = {}
    for each in local:
        saved[each["target_id"]] = max(saved.get(each["target_id"], each["saved_at"]), each["saved_at"])
    for removal in removed:
        id, at = removal["target_id"], removal["removed_at"]
        gone[id] = max(gone.get(id, at), at)
    saved = {id: min(at, now) for id, at in saved.items()}
    gone = {id: min(at, now) for id, at in gone.items()}
    listed = {id: at for id, at in saved.items() if id not in gone or at >= gone[id]}
    places = sorted(local, key=lambda each: (each["position"], each["target_id"]))
    return Device(
        saved=listed,
        removed={id: at for id, at in gone.items() if id not in listed},
        order=[id for id in dict.fromkeys(each["target_id"] for each in places) if id in listed],
        ids={each["target_id"]: minted for each in reversed(places) if (minted := each.get("id"))},
        ordered_at=min(ordered_at, now) if ordered_at else None,
    )


def merge(
    device: Device,
    known: Mapping[str, Favorite],
    strategy: FavoriteSyncStrategy,
    decisions: Mapping[str, FavoriteSyncAction],
    now: datetime,
) -> Merge:
    """Merge all targets that the device or the server knows; `decisions` come first."""
    merged = Merge()
    for id in sorted({*device.saved, *device.removed, *known, *decisions}):
        action, difference = _settled(device, known.get(id), id, strategy)
        if difference is not None:
            merged.differences.append({**difference, "proposal": action})
        action = decisions.get(id, action)
        saved = _is_saved(known.get(id))
        if action == ADD and not saved:
            merged.added[id] = device.saved.get(id, now)
        elif action == REMOVE and saved:
            merged.removed[id] = device.removed.get(id, now)
    return merged


def _settled(
    device: Device, known: Favorite | None, id: str, strategy: FavoriteSyncStrategy
) -> tuple[FavoriteSyncAction, Difference | None]:
    local_at = device.saved.get(id) or device.removed.get(id)
    action, kind = _by_time(device.saved.get(id), device.removed.get(id), known)
    if strategy == FavoriteSyncStrategy.LOCAL_WINS:
        action = ADD if id in device.saved else REMOVE
    elif strategy == FavoriteSyncStrategy.SERVER_WINS:
        action = KEEP
    if kind is None:
        return action, None
    server_at = None
    if known is not None:
        server_at = known["saved_at"] if _is_saved(known) else known["removed_at"]
    return action, {
        "target_id": id,
        "kind": kind,
        "local_at": local_at,
        "server_at": server_at,
        "proposal": action,
    }


def _by_time(
    saved_at: datetime | None, removed_at: datetime | None, known: Favorite | None
) -> tuple[FavoriteSyncAction, FavoriteDifferenceKind | None]:
    """The MERGE table: by what the device says of a target, and what the server knows of it."""
    saved = _is_saved(known)
    if saved_at is not None:
        if saved:
            return KEEP, None
        if known is None or known["removed_at"] is None:
            return ADD, FavoriteDifferenceKind.ONLY_LOCAL
        later = saved_at >= known["removed_at"]
        return (ADD if later else REMOVE), FavoriteDifferenceKind.REMOVED_ON_SERVER
    if known is None or not saved:
        return KEEP, None
    if removed_at is None:
        return KEEP, FavoriteDifferenceKind.ONLY_SERVER
    return (REMOVE if known["saved_at"] < removed_at else KEEP), FavoriteDifferenceKind.REMOVED_LOCALLY


def moved(device: Device, server_order: Sequence[str], ordered_at: datetime | None) -> list[Difference]:
    """Targets that both have, at different places among those."""
    common = set(device.saved) & set(server_order)
    here = [id for id in device.order if id in common]
    there = [id for id in server_order if id in common]
    return [
        {
            "target_id": id,
            "kind": FavoriteDifferenceKind.POSITION,
            "local_at": device.ordered_at,
            "server_at": ordered_at,
            "proposal": KEEP,
        }
        for id, other in zip(here, there, strict=True)
        if id != other
    ]


def device_orders(device: Device, ordered_at: datetime | None, strategy: FavoriteSyncStrategy) -> bool:
    """True if the device's order counts: it was made later, or the device has its way."""
    if strategy != FavoriteSyncStrategy.MERGE:
        return strategy == FavoriteSyncStrategy.LOCAL_WINS
    return device.ordered_at is not None and (ordered_at is None or device.ordered_at > ordered_at)


def order_of(base: Sequence[str], saved_at: Mapping[str, datetime]) -> list[str]:
    """Order of all that is saved: newcomers on top, newest first, then the others as they were."""
    kept = [id for id in base if id in saved_at]
    newcomers = saved_at.keys() - set(kept)
    by_target = sorted(newcomers)
    return [*sorted(by_target, key=lambda id: saved_at[id], reverse=True), *kept]


def _is_saved(known: Favorite | None) -> bool:
    return known is not None and known["status"] == FavoriteStatus.SAVED
