"""Suggestions of what to save, and what was counted of notices."""

from datetime import datetime, timedelta
from typing import TypedDict

from core.storage.store import collection, index
from stores.favorite.kinds import FavoriteKindName, FavoriteSuggestionReason

DISMISSALS_KEPT = timedelta(days=90)
COUNTS_KEPT = timedelta(days=2)


class FavoriteSuggestion(TypedDict):
    target_id: str
    reason: FavoriteSuggestionReason
    score: float


class FavoriteSuggestions(TypedDict):
    """Last computed suggestions; `_id` is `user|kind`."""

    _id: str
    user_id: str
    kind: FavoriteKindName
    suggestions: list[FavoriteSuggestion]
    computed_at: datetime


class FavoriteDismissal(TypedDict):
    """A suggestion that is not wanted for now; `_id` is `user|target`."""

    _id: str
    user_id: str
    kind: FavoriteKindName
    target_id: str
    expires_at: datetime


class FavoriteNoticeCount(TypedDict):
    """Number of notices of one person on one day of theirs; `_id` is `user|date`."""

    _id: str
    user_id: str
    count: int
    expires_at: datetime


favorite_suggestions = collection(
    "favorite_suggestions",
    FavoriteSuggestions,
    owner="user_id",
    indexes=[index("user_id", "_id")],
    shard_key="user_id",
)
favorite_dismissals = collection(
    "favorite_dismissals",
    FavoriteDismissal,
    owner="user_id",
    indexes=[index("user_id", "_id"), index("expires_at", expireAfterSeconds=0)],
    shard_key="user_id",
)
favorite_notice_counts = collection(
    "favorite_notices",
    FavoriteNoticeCount,
    owner="user_id",
    indexes=[index("user_id", "_id"), index("expires_at", expireAfterSeconds=0)],
    shard_key="user_id",
)


def key_of_suggestions(user_id: str, kind: FavoriteKindName) -> dict[str, str]:
    return {"_id": f"{user_id}|{kind}", "user_id": user_id}


def key_of_dismissal(user_id: str, target_id: str) -> dict[str, str]:
    return {"_id": f"{user_id}|{target_id}", "user_id": user_id}


def key_of_count(user_id: str, local_date: str) -> dict[str, str]:
    return {"_id": f"{user_id}|{local_date}", "user_id": user_id}
