"""Favorites for other systems: kinds of their own, news of targets, and what a person saved."""

from resolvers.favorite.access import saved_by_viewer, saved_targets
from resolvers.favorite.kinds import Kind, favorite_kind, history, targets_changed
from resolvers.favorite.products import PRODUCT
from resolvers.favorite.telling import still_true, target_event
from resolvers.favorite.withdrawing import target_withdrawn
from stores.favorite import FavoriteKindName, FavoriteTargetEventKind

__all__ = [
    "PRODUCT",
    "FavoriteKindName",
    "FavoriteTargetEventKind",
    "Kind",
    "favorite_kind",
    "history",
    "saved_by_viewer",
    "saved_targets",
    "still_true",
    "target_event",
    "target_withdrawn",
    "targets_changed",
]
