"""Deliveries: one message to one person by one channel, and what became of it."""

from datetime import datetime
from typing import Any

from core import ids
from core.storage.indexes import A_TEXT
from core.storage.mongo import Database
from core.storage.moves import Moves
from core.storage.store import Row, collection, index
from stores.notification.kinds import (
    AnsweredBy,
    DeliveryFailureReason,
    DeliveryStatus,
    NotificationChannel,
    ReceiptStatus,
)
from stores.notification.recipients import recipient_id


class Delivery(Row):
    notification_id: str
    """Notification that is delivered, or the flow or security event that auth sent a message about."""
    recipient_id: str
    user_id: str
    channel: NotificationChannel
    attempt: int
    """Round of sending: 1, and one more whenever it is sent anew on purpose."""
    status: DeliveryStatus
    sent_at: datetime | None
    delivered_at: datetime | None
    opened_at: datetime | None
    failure_reason: DeliveryFailureReason | None
    retry_count: int
    provider_ref: str | None
    segments: int | None
    answered_by: AnsweredBy | None
    fallback_of: str | None
    address_index: str | None
    """Blind index of the phone number it went to: replies to it find it."""


FINAL = (
    DeliveryStatus.OPENED,
    DeliveryStatus.FAILED,
    DeliveryStatus.BOUNCED,
    DeliveryStatus.SUPPRESSED,
)
REACHED = (DeliveryStatus.SENT, DeliveryStatus.DELIVERED, DeliveryStatus.OPENED)

MOVES = Moves(
    {
        DeliveryStatus.QUEUED: {
            DeliveryStatus.SENT,
            DeliveryStatus.DELIVERED,
            DeliveryStatus.OPENED,
            DeliveryStatus.FAILED,
            DeliveryStatus.SUPPRESSED,
        },
        DeliveryStatus.SENT: {
            DeliveryStatus.DELIVERED,
            DeliveryStatus.OPENED,
            DeliveryStatus.FAILED,
            DeliveryStatus.BOUNCED,
            DeliveryStatus.SUPPRESSED,
        },
        DeliveryStatus.DELIVERED: {DeliveryStatus.OPENED},
        DeliveryStatus.OPENED: (),
        DeliveryStatus.FAILED: (),
        DeliveryStatus.BOUNCED: (),
        DeliveryStatus.SUPPRESSED: (),
    }
)

deliveries = collection(
    "deliveries",
    Delivery,
    prefix="notification_delivery",
    indexes=[
        index("notification_id", "user_id", "channel", "attempt", unique=True),
        index("provider_ref", partialFilterExpression={"provider_ref": A_TEXT}, serves={"provider_ref": "x"}),
        index(
            "address_index",
            "-created_at",
            partialFilterExpression={"address_index": A_TEXT},
            serves={"address_index": "x"},
        ),
        index("user_id", "-created_at"),
        index("created_at"),
    ],
    shard_key="notification_id",
    versioned=True,
    moves=MOVES,
)

REACH = (
    DeliveryStatus.SUPPRESSED,
    DeliveryStatus.BOUNCED,
    DeliveryStatus.FAILED,
    DeliveryStatus.QUEUED,
    DeliveryStatus.SENT,
    DeliveryStatus.DELIVERED,
    DeliveryStatus.OPENED,
)
"""Statuses by the distance that a message got, the least first."""


def furthest(statuses: list[DeliveryStatus]) -> ReceiptStatus:
    """Status of a receipt, whose deliveries have these."""
    best = max(statuses, key=REACH.index, default=DeliveryStatus.SUPPRESSED)
    return ReceiptStatus.FAILED if best == DeliveryStatus.BOUNCED else ReceiptStatus(best)


def short_of(status: DeliveryStatus) -> list[ReceiptStatus]:
    """Statuses of receipts whose notification did not get as far as this."""
    reached = REACH[: REACH.index(status)]
    return [each for each in ReceiptStatus if DeliveryStatus(each) in reached]


def delivery_id(notification_id: str, user_id: str, channel: NotificationChannel, attempt: int = 1) -> str:
    return ids.derived("notification_delivery", notification_id, user_id, channel, str(attempt))


def new_delivery(
    notification_id: str, user_id: str, channel: NotificationChannel, at: datetime, attempt: int = 1
) -> Delivery:
    """A delivery that waits to be sent."""
    return {
        "_id": delivery_id(notification_id, user_id, channel, attempt),
        "notification_id": notification_id,
        "recipient_id": recipient_id(user_id),
        "user_id": user_id,
        "channel": channel,
        "attempt": attempt,
        "status": DeliveryStatus.QUEUED,
        "sent_at": None,
        "delivered_at": None,
        "opened_at": None,
        "failure_reason": None,
        "retry_count": 0,
        "provider_ref": None,
        "segments": None,
        "answered_by": None,
        "fallback_of": None,
        "address_index": None,
        "version": 1,
        "created_at": at,
        "updated_at": at,
    }


async def deliveries_to(db: Database, notification_id: str, user_id: str) -> list[Delivery]:
    """All deliveries of a notification to one person."""
    return await deliveries.find(db, {"notification_id": notification_id, "user_id": user_id}, limit=100)


async def deliveries_to_all(db: Database, pairs: list[tuple[str, str]]) -> list[Delivery]:
    """Deliveries of several receipts, each named by its notification and person."""
    query: dict[str, Any] = {
        "$or": [
            {"notification_id": notification_id, "user_id": user_id} for notification_id, user_id in pairs
        ]
    }
    return await deliveries.find(db, query) if pairs else []
