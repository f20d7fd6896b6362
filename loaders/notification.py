"""Loaders of notifications."""

from core.storage.loader import Loader, in_order
from stores import notification as store
from stores.notification import Receipt, Recipient


class OwnReceiptById(Loader[str, Receipt | None]):
    """Receipts of the viewer that are in the inbox."""

    async def batch_load_fn(self, keys: list[str]) -> list[Receipt | None]:
        if self.viewer_id is None:
            return [None for _ in keys]
        query = {"user_id": self.viewer_id, "_id": {"$in": keys}}
        rows = await store.receipts.find(self.db, query, limit=max(1, len(keys)), batch=True)
        return in_order(keys, [row for row in rows if row["in_inbox"]])


class RecipientByUser(Loader[str, Recipient]):
    """A person's choices for notifications, or the defaults until they choose."""

    async def batch_load_fn(self, keys: list[str]) -> list[Recipient]:
        found = await store.recipients_of(self.db, keys)
        return [found[key] for key in keys]
