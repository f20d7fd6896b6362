"""Loaders of favorites: the viewer's of a target, and the order of their lists."""

import asyncio

from core.storage.loader import Loader, in_order
from stores import favorite as store
from stores.favorite import Favorite, FavoriteKindName, FavoriteList, FavoriteStatus, Member

NAMING = ("target_id", "status")


class OwnFavoriteById(Loader[str, Favorite | None]):
    """Favorites of the viewer, removed ones included."""

    async def batch_load_fn(self, keys: list[str]) -> list[Favorite | None]:
        if self.viewer_id is None:
            return [None for _ in keys]
        return in_order(keys, await store.own(self.db, self.viewer_id, keys))


class OwnListById(Loader[str, FavoriteList | None]):
    """Lists of the viewer."""

    async def batch_load_fn(self, keys: list[str]) -> list[FavoriteList | None]:
        if self.viewer_id is None:
            return [None for _ in keys]
        query = {"user_id": self.viewer_id, "_id": {"$in": keys}}
        rows = await store.favorite_lists.find(self.db, query, limit=max(1, len(keys)), batch=True)
        return in_order(keys, rows)


class SavedByViewer(Loader[str, bool | None]):
    """True of a target that the viewer has saved."""

    async def batch_load_fn(self, keys: list[str]) -> list[bool | None]:
        if self.viewer_id is None:
            return [False for _ in keys]
        rows = await store.of_targets(self.db, self.viewer_id, keys, fields=NAMING, batch=True)
        saved = {row["target_id"] for row in rows if row["status"] == FavoriteStatus.SAVED}
        return [key in saved for key in keys]


class FavoriteOfTarget(Loader[str, Favorite | None]):
    """The viewer's favorite of a target."""

    async def batch_load_fn(self, keys: list[str]) -> list[Favorite | None]:
        if self.viewer_id is None:
            return [None for _ in keys]
        rows = await store.of_targets(self.db, self.viewer_id, keys)
        return in_order(keys, [row for row in rows if row["status"] == FavoriteStatus.SAVED], by="target_id")


class MembersOfDefault(Loader[FavoriteKindName, list[Member]]):
    """The viewer's favorites of a kind, in their order."""

    batch = False

    async def batch_load_fn(self, keys: list[FavoriteKindName]) -> list[list[Member]]:
        if self.viewer_id is None:
            return [[] for _ in keys]
        return [await store.members_of_default(self.db, self.viewer_id, key) for key in keys]


class MembersOfNamed(Loader[str, list[Member]]):
    """Members of the viewer's named lists, in their order."""

    async def batch_load_fn(self, keys: list[str]) -> list[list[Member]]:
        if self.viewer_id is None:
            return [[] for _ in keys]
        viewer = self.viewer_id
        return await asyncio.gather(*(store.members_of_named(self.db, viewer, key) for key in keys))
