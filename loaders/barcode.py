"""Loaders of barcodes: mappings by number, and what is a person's own, read on its shard."""

from core.storage.loader import Loader, in_order
from stores import barcode as store
from stores.barcode import BarcodeMapping, BarcodeSubmission, StackItem


class MappingsByGtin(Loader[str, list[BarcodeMapping]]):
    """Active mappings by the blind index of a number."""

    async def batch_load_fn(self, keys: list[str]) -> list[list[BarcodeMapping]]:
        found = await store.active(self.db, keys)
        return [found[key] for key in keys]


class OpenSubmissionByGtin(Loader[str, BarcodeSubmission | None]):
    """The viewer's open submission of a number."""

    async def batch_load_fn(self, keys: list[str]) -> list[BarcodeSubmission | None]:
        if self.viewer_id is None:
            return [None for _ in keys]
        query = {"user_id": self.viewer_id, "open_gtin": {"$in": keys}}
        rows = await store.submissions.find(self.db, query, limit=max(1, len(keys)), batch=True)
        return in_order(keys, rows, by="open_gtin")


class ItemsByStack(Loader[str, list[StackItem]]):
    """Items of the viewer's stacks, in their order."""

    async def batch_load_fn(self, keys: list[str]) -> list[list[StackItem]]:
        rows = await store.items_of(self.db, self.viewer_id, keys) if self.viewer_id else []
        found: dict[str, list[StackItem]] = {key: [] for key in keys}
        for row in rows:
            found[row["stack_id"]].append(row)
        return [found[key] for key in keys]
