"""Notifications, and the receipts by which people have them in their inbox."""

from datetime import datetime, timedelta
from typing import Any, TypedDict

from core import ids
from core.storage.mongo import Database
from core.storage.store import Row, Sealed, collection, entity, index
from core.sync.changes import user_scope
from stores.notification.kinds import (
    AcknowledgmentMethod,
    NotificationChannel,
    PriorityLevel,
    ReceiptStatus,
)

DEDUPED = timedelta(days=30)
"""Time during which another notification with the same source and key adds people to the first."""
INBOX_KEPT = timedelta(days=90)
SENDS_KEPT = timedelta(days=7 * 365)
MOST_COUNTED = 1_000
DELIVERED = "deliveries"
"""Aspect of a receipt in the log: what became of its deliveries."""


class PushOptions(TypedDict, total=False):
    """Options of a notification for its push messages."""

    category: str
    actions: list[str]
    ttl_seconds: int
    silent: bool
    collapse_key: str
    data: dict[str, str]


class MailAttachment(TypedDict):
    name: str
    mime: str
    body: bytes


class Wording(TypedDict):
    """Text of a notification: written out, or a template of the code with its variables."""

    title: str | None
    message: str | None
    template_key: str | None
    variables: dict[str, Any]


class NotificationKey(TypedDict):
    """`_id` is source and key: unique for 30 days, and the way to the notification."""

    _id: str
    notification_id: str
    expires_at: datetime


class NotificationContent(TypedDict):
    """Content of a notification, which `notify` hands to the job that makes it."""

    org_id: str
    source: str
    dedupe_key: str
    wording: Wording
    priority: PriorityLevel
    channels: list[NotificationChannel] | None
    requires_ack: bool
    transactional: bool
    inbox: bool
    subject_id: str | None
    incident_id: str | None
    link_url: str | None
    push: PushOptions
    attachments: list[MailAttachment]
    max_segments: int
    created_by: str | None
    """Person who caused it and is told when nobody can be reached; None for the system."""
    sent_at: datetime
    """Moment of `notify`."""
    expires_at: datetime


class Notification(NotificationContent):
    _id: str
    created_at: datetime


class Acknowledgment(TypedDict):
    acknowledged_at: datetime
    received_at: datetime
    method: AcknowledgmentMethod
    response: str | None
    sealed_location: str | None
    late: bool
    """True if the notification had expired."""


class Receipt(Row):
    """One person's copy of a notification: the item of their inbox, in their language."""

    notification_id: str
    recipient_id: str
    user_id: str
    title: str
    message: str
    priority: PriorityLevel
    source: str
    subject_id: str | None
    link_url: str | None
    requires_ack: bool
    sent_at: datetime
    expires_at: datetime
    status: ReceiptStatus
    acknowledgment: Acknowledgment | None
    acknowledged: bool
    seen_at: datetime | None
    opened_at: datetime | None
    in_inbox: bool
    """False after 90 days: it is kept as a record, and gone from the person's devices."""


def receipt_scopes(receipt: Receipt) -> list[str]:
    return [user_scope(receipt["user_id"])] if receipt["in_inbox"] else []


notifications = collection(
    "notifications",
    Notification,
    prefix="notification",
    indexes=[
        index("created_by", "-created_at"),
        index("created_at"),
    ],
)
notification_keys = collection(
    "notification_keys", NotificationKey, indexes=[index("expires_at", expireAfterSeconds=0)]
)
receipts = entity(
    "notification_receipts",
    Receipt,
    prefix="notification_receipt",
    owner="user_id",
    scopes=receipt_scopes,
    aspects=[DELIVERED],
    audience_never_shrinks=True,
    indexes=[
        index("user_id", "notification_id", unique=True),
        index("notification_id", "status"),
        index("user_id", "in_inbox", "-sent_at", "-_id"),
        index("user_id", "in_inbox", "seen_at"),
        index("in_inbox", "sent_at"),
        index("sent_at"),
    ],
    # An inbox lies whole on one shard: it is what is read most.
    shard_key="user_id",
    sealed=[Sealed("acknowledgment.sealed_location", "notification_receipts/{_id}/location")],
)


def receipt_id(notification_id: str, user_id: str) -> str:
    return ids.derived("notification_receipt", notification_id, user_id)


async def receipts_of(db: Database, notification_id: str, user_ids: list[str]) -> list[Receipt]:
    query = {"notification_id": notification_id, "user_id": {"$in": user_ids}}
    return await receipts.find(db, query, limit=max(1, len(user_ids)))


def key_named(source: str, dedupe_key: str) -> str:
    return f"{source}:{dedupe_key}"


async def unseen_count(db: Database, user_id: str) -> int:
    """Number of items in a person's inbox that they have not seen, up to 1,000."""
    unseen = {"user_id": user_id, "in_inbox": True, "seen_at": None}
    rows = await db.aggregate(
        receipts.name, [{"$match": unseen}, {"$limit": MOST_COUNTED}, {"$count": "number"}]
    )
    return int(rows[0]["number"]) if rows else 0
