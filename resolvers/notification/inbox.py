"""A person's inbox: access to receipts, notifications and deliveries, the list, and what was seen."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypedDict

from core import ids, viewers
from core.context import Context
from core.ids import Id
from core.nodes import guard
from core.paging import PageArgs, Sort
from core.storage.loader import by_id
from core.values.bounds import check_count
from loaders.notification import DeliveriesByReceipt, OwnReceiptById
from stores import notification as store
from stores.notification import INDICATORS, Delivery, Receipt, ReceiptIndicator, ReceiptStatus

Document = Mapping[str, Any]

LATEST: Sort = (("sent_at", -1), ("_id", -1))
MOST_SEEN = 100

SHOWN = (
    "title",
    "message",
    "priority",
    "source",
    "subject_id",
    "link_url",
    "requires_ack",
    "sent_at",
    "expires_at",
)
"""Fields of a notification that a recipient sees; their receipt has them in their language."""


class InboxFilter(TypedDict, total=False):
    """Filter of the inbox."""

    unacknowledged: bool | None
    """True to list only those that ask for an acknowledgment and have none."""
    from_: datetime | None
    """Time from which on the notifications were sent, included."""


class Seen(TypedDict):
    notification_receipts: list[Receipt]
    viewer: dict[str, Any]


@guard("notification_receipt", sync="NOTIFICATION_RECEIPT", collection=store.receipts.name)
async def visible_receipts(ctx: Context, wanted: Sequence[str]) -> list[Receipt | None]:
    """Receipts of the viewer, while they are in the inbox."""
    return await ctx.load_many(OwnReceiptById, wanted)


@guard("notification")
async def visible_notifications(ctx: Context, wanted: Sequence[str]) -> list[dict[str, Any] | None]:
    """Notifications as the viewer was told of them."""
    if ctx.viewer is None:
        return [None for _ in wanted]
    receipt_ids = [store.receipt_id(id, ctx.viewer_id) for id in wanted]
    return [each and notification_of(each) for each in await visible_receipts(ctx, receipt_ids)]


@guard("notification_delivery")
async def visible_deliveries(ctx: Context, wanted: Sequence[str]) -> list[Delivery | None]:
    """Deliveries to the viewer."""
    found = await ctx.load_many(by_id(store.deliveries), wanted)
    viewer = ctx.viewer_id_or_none
    return [each if each and each["user_id"] == viewer else None for each in found]


def notification_of(receipt: Document) -> dict[str, Any]:
    """The notification of a receipt, as its recipient sees it."""
    return {"_id": receipt["notification_id"], **{name: receipt[name] for name in SHOWN}}


def indicator(receipt: Document) -> ReceiptIndicator:
    return ReceiptIndicator.GREEN if receipt["acknowledged"] else INDICATORS[receipt["status"]]


def own_inbox(user_id: str) -> dict[str, Any]:
    return {"user_id": user_id, "in_inbox": True}


async def viewer_inbox(
    ctx: Context, viewer: Document, *, filter: InboxFilter | None = None, args: PageArgs
) -> dict[str, Any]:
    """Connection of the viewer's inbox, latest first."""
    narrowed = filter or {}
    query = own_inbox(ctx.viewer_id)
    if narrowed.get("unacknowledged"):
        query |= {"requires_ack": True, "acknowledged": False}
    if (since := narrowed.get("from_")) is not None:
        query |= {"sent_at": {"$gte": since}}
    return await store.receipts.page(ctx.db, query, LATEST, args)


def edge(receipt: Receipt) -> dict[str, Any]:
    return store.receipts.edge(own_inbox(receipt["user_id"]), LATEST, receipt)


async def inbox_count(ctx: Context, viewer: Document) -> int:
    return await store.unseen_count(ctx.db, ctx.viewer_id)


async def deliveries(ctx: Context, receipts: Sequence[Document]) -> list[list[Delivery]]:
    """Deliveries of each receipt, first made first."""
    named = [(each["notification_id"], each["user_id"]) for each in receipts]
    return await ctx.load_many(DeliveriesByReceipt, named)


async def deliveries_of(ctx: Context, *, source: str, dedupe_key: str, user_id: str) -> list[Delivery]:
    """Deliveries to a person, for the system that told them by this source and key."""
    key = await store.notification_keys.by_id(ctx.db, store.key_named(source, dedupe_key))
    return await store.deliveries_to(ctx.db, key["notification_id"], user_id) if key else []


async def mark_inbox_seen(ctx: Context, *, receipt_ids: Sequence[Id]) -> Seen:
    """Mark items of the viewer's inbox as seen; what is not in it is passed over."""
    check_count(receipt_ids, most=MOST_SEEN, field="receipt_ids")
    wanted = [ids.checked(each, "notification_receipt") for each in dict.fromkeys(receipt_ids)]
    found = [each for each in await visible_receipts(ctx, wanted) if each is not None]
    seen = [each if each["seen_at"] else await _see(ctx, each) for each in found]
    return {"notification_receipts": seen, "viewer": viewers.document(ctx)}


async def _see(ctx: Context, receipt: Receipt) -> Receipt:
    marked = {"seen_at": ctx.tx.now, **opened(receipt, ctx.tx.now)}
    return await ctx.tx.update(store.receipts, receipt, set=marked) or receipt


def opened(receipt: Document, at: datetime) -> dict[str, Any]:
    """Fields of a receipt that the person has opened, by whatever channel first."""
    return {"status": ReceiptStatus.OPENED, "opened_at": receipt["opened_at"] or at}
