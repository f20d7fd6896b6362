"""Loaders of notifications."""

from core.storage.loader import Loader, in_order
from stores import notification as store
from stores.notification import Delivery, Receipt, Recipient


class OwnReceiptById(Loader[str, Receipt | None]):
    """Receipts of the viewer that are in the inbox."""

    async def batch_load_fn(self, keys: list[str]) -> list[Receipt | None]:
        if self.viewer_id is None:
            return [None for _ in keys]
        query = {"user_id": self.viewer_id, "_id": {"$in": keys}}
        rows = await store.receipts.find(self.db, query, limit=max(1, len(keys)), batch=True)
        return in_order(keys, [row for row in rows if row["in_inbox"]])


class DeliveriesByReceipt(Loader[tuple[str, str], list[Delivery]]):
    """Deliveries of a receipt, named by its notification and person, first made first."""

    async def batch_load_fn(self, keys: list[tuple[str, str]]) -> list[list[Delivery]]:
        found: dict[tuple[str, str], list[Delivery]] = {key: [] for key in keys}
        for row in await store.deliveries_to_all(self.db, keys):
            found[row["notification_id"], row["user_id"]].append(row)
        return [sorted(found[key], key=lambda row: (row["created_at"], row["_id"])) for key in keys]


class RecipientByUser(Loader[str, Recipient]):
    """A person's choices for notifications, or the defaults until they choose."""

    async def batch_load_fn(self, keys: list[str]) -> list[Recipient]:
        found = await store.recipients_of(self.db, keys)
        return [found[key] for key in keys]
