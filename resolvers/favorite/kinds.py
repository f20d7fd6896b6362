"""Kinds of favorites: each says how its targets are read, priced, named and suggested.

A system makes its things savable by declaring one; every rule here is per kind.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

from core import ids
from core.context import Context
from core.errors import ErrorKind, UserError, error_codes
from core.hooks import Hook
from stores.favorite import FavoriteKindName, FavoriteSuggestion

Document = Mapping[str, Any]

error_codes(
    ErrorKind.WRONG_STATUS,
    TARGET_UNAVAILABLE="The target was withdrawn, and cannot be saved any more: drop what is queued for it.",
)


class Rejection(TypedDict):
    """A target that was passed over, and why."""

    target_id: str
    errors: list[dict[str, Any]]


Read = Callable[[Context, Sequence[str]], Awaitable[Sequence[Document | None]]]
Suggest = Callable[[Context, Sequence[str], int], Awaitable[list[FavoriteSuggestion]]]


@dataclass(frozen=True, slots=True)
class Kind:
    """Kind of favorites.

    `read` gives targets in the order of their ids, withdrawn ones included. `suggest` finds what is like the
    targets of these ids, or popular.
    """

    name: FavoriteKindName
    description: str
    prefix: str
    read: Read
    withdrawn: Callable[[Document], bool]
    title: Callable[[Document], str]
    price: Callable[[Document], tuple[int, str] | None]
    in_stock: Callable[[Document], bool]
    suggest: Suggest


KINDS: dict[str, Kind] = {}

history = Hook[[Context, str, FavoriteKindName], list[str]]("favorite.history")
"""Asked for the targets of a kind that a person bought or visited, latest first."""

targets_changed = Hook[[Context, str, FavoriteKindName], None]("favorite.targets_changed")
"""Told, in the unit of work, that a person saved or removed a target of a kind."""


def favorite_kind(kind: Kind) -> Kind:
    """Declare a kind of favorites."""
    if KINDS.setdefault(kind.name, kind) is not kind:
        raise ValueError(f"The kind {kind.name!r} of favorites is declared twice.")
    return kind


def kind_of(target_id: str) -> Kind:
    """Kind of the target with this id; BAD_USER_INPUT for the id of something that cannot be saved."""
    ids.checked(target_id, *(each.prefix for each in KINDS.values()))
    return next(each for each in KINDS.values() if each.prefix == ids.prefix_of(target_id))


def rejection(target_id: str, refusal: UserError) -> Rejection:
    return {"target_id": target_id, "errors": [refusal.document]}


def check_target(kind: Kind, target: Document | None) -> Document:
    """The target, if it may be saved."""
    if target is None:
        raise UserError("NOT_FOUND", "There is no such target.", field=["targetId"])
    if kind.withdrawn(target):
        raise UserError("TARGET_UNAVAILABLE", "This is no longer offered.", field=["targetId"])
    return target


async def to_save(ctx: Context, kind: Kind, target_id: str) -> Document:
    """The target that somebody wants to save."""
    [target] = await kind.read(ctx, [target_id])
    return check_target(kind, target)
