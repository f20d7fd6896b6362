"""Batched reads by key, living for one request: a longer life would show one user's data to another."""

from abc import abstractmethod
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from aiodataloader import DataLoader

from core.mongo import Database

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Loader(DataLoader, Generic[K, V]):  # type: ignore[misc]
    """Subclasses name key and value (`UserById`) and write `batch`."""

    max_batch_size = 1000

    def __init__(self, db: Database, viewer_id: str | None) -> None:
        super().__init__()
        self.db = db
        self.viewer_id = viewer_id

    @abstractmethod
    async def batch(self, keys: list[K]) -> Sequence[V]:
        """Values in the order of the keys."""

    async def batch_load_fn(self, keys: list[K]) -> list[V]:
        return list(await self.batch(keys))


def in_order(
    keys: Sequence[K],
    rows: Iterable[Mapping[str, Any]],
    *,
    by: str | Callable[[Any], Any] = "_id",
    missing: Any = None,
) -> list[Any]:
    """Rows in the order of the keys they were asked for, `missing` where there is none."""
    of = (lambda row: row[by]) if isinstance(by, str) else by
    found = {of(row): row for row in rows}
    return [found.get(key, missing) for key in keys]
