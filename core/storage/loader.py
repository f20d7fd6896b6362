"""Batch loader: reads by key, cached for one request: a longer life would show one user's data to another."""

from abc import ABC, abstractmethod
from asyncio import Future, shield, wait
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, TypeVar

from aiodataloader import DataLoader

from core.storage.mongo import Database
from core.storage.store import Collection

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
T = TypeVar("T", bound=Mapping[str, Any])

MAX_BATCH = 1000


class Loader(DataLoader[K, V], ABC):
    """Subclasses name key and value (`UserById`) and write `batch_load_fn`.

    Those with `batch = False` are asked for one key, the viewer's, and do not wait for others.
    """

    max_batch_size = MAX_BATCH

    def __init__(self, db: Database, viewer_id: Callable[[], str | None], fields: Sequence[str] = ()) -> None:
        # What is loaded one by one needs more than a level does: `_loading` adds it when somebody asks so.
        self.db = db
        self._viewer_id = viewer_id
        self.fields = fields
        """Keys that are enough, for stores that can leave out others; all, when empty."""
        self._fetched: dict[K, V] = {}
        self._one_by_one = False

    @property
    def viewer_id(self) -> str | None:
        """Viewer id, read only when it is needed: an answer that needs it depends on the viewer."""
        return self._viewer_id()

    @abstractmethod
    async def batch_load_fn(self, keys: list[K]) -> list[V]:
        """Values in the order of the keys."""

    def load(self, key: K) -> "Future[V]":
        """The key's value, loaded with all others that are asked for in the same turn of the loop."""
        return _own(self._loading(key))

    def _loading(self, key: K) -> "Future[V]":
        if not self._one_by_one:
            self._one_by_one = True
            super().__init__()
        if key in self._fetched:
            self.prime(key, self._fetched[key])
        return super().load(key)

    def know(self, key: K, value: V) -> None:
        """Take what was read already, so that it is not read again."""
        self._fetched[key] = value

    async def load_many(self, keys: Iterable[K]) -> list[V]:  # type: ignore[override]
        """The values of several keys; a batch is waited for once, not each of its keys."""
        loading = [self._loading(key) for key in keys]
        for each in loading:
            if not each.done():
                # It neither raises nor cancels what others wait for, and ends the rest of the batch with it.
                await wait([each])
        # All are asked, lest one that failed beside another is said to have been overlooked.
        failed = [error for each in loading if (error := each.exception()) is not None]
        if failed:
            raise failed[0]
        return [each.result() for each in loading]

    async def fetch(self, keys: Iterable[K]) -> dict[K, V]:
        """Values of many keys at once, without a future for each: for a whole level of parents."""
        missing = [key for key in dict.fromkeys(keys) if key not in self._fetched]
        for start in range(0, len(missing), MAX_BATCH):
            part = missing[start : start + MAX_BATCH]
            self._fetched.update(zip(part, await self.batch_load_fn(part), strict=True))
        return self._fetched


_BY_ID: dict[str, type[Loader[str, Any]]] = {}
_OWN_BY_ID: dict[str, type[Loader[str, Any]]] = {}


def by_id(store: Collection[T]) -> type[Loader[str, T | None]]:
    """The loader of a collection's documents by `_id`."""
    if store.name not in _BY_ID:

        class ById(Loader[str, Any]):
            async def batch_load_fn(self, keys: list[str]) -> list[Any]:
                return in_order(keys, await store.by_ids(self.db, keys, fields=self.fields))

        _BY_ID[store.name] = ById
    return _BY_ID[store.name]


def own_by_id(store: Collection[T]) -> type[Loader[str, T | None]]:
    """The loader of the viewer's own documents by `_id`, of a collection that is sharded by its owner."""
    if store.owner is None or store.owner != store.shard_key:
        raise ValueError(f"{store.name!r} is not sharded by its owner.")
    if store.name not in _OWN_BY_ID:

        class OwnById(Loader[str, Any]):
            async def batch_load_fn(self, keys: list[str]) -> list[Any]:
                if self.viewer_id is None:
                    return [None for _ in keys]
                query = {str(store.owner): self.viewer_id, "_id": {"$in": keys}}
                rows = await store.find(self.db, query, limit=max(1, len(keys)), batch=True)
                return in_order(keys, rows)

        _OWN_BY_ID[store.name] = OwnById
    return _OWN_BY_ID[store.name]


def _own(shared: "Future[V]") -> "Future[V]":
    """A wait of one's own: a branch of a document that is given up must not cancel what others wait for."""
    return shared if shared.done() else shield(shared)


def in_order(
    keys: Sequence[K],
    rows: Iterable[Mapping[str, Any]],
    *,
    by: str | Callable[[Any], Any] = "_id",
    missing: Any = None,
) -> list[Any]:
    """Rows in the order of the keys they were asked for, `missing` where there is none."""
    of: Callable[[Any], Any] = itemgetter(by) if isinstance(by, str) else by
    found = {of(row): row for row in rows}
    return [found.get(key, missing) for key in keys]
