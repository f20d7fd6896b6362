"""Demo inboxes: what an organization tells its people, partly seen and acknowledged."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from random import Random
from typing import Any

from devstack.seed_chats import Stamps
from stores import notification as store
from stores.notification import (
    SYSTEM,
    AcknowledgmentMethod,
    DeliveryStatus,
    NotificationChannel,
    PriorityLevel,
    ReceiptStatus,
)

Document = dict[str, Any]

CRITICAL, HIGH, MEDIUM, LOW = PriorityLevel
EMAIL = NotificationChannel.EMAIL
NEWS: tuple[tuple[PriorityLevel, bool, str, str], ...] = (
    (LOW, False, "Welcome to Landfall", "Here you find what concerns you, for 90 days."),
    (MEDIUM, False, "Terms of use change in March", "The summary names what is new; nothing is to be done."),
    (
        HIGH,
        True,
        "Water is off in building B",
        "From 14:00 to 16:00 on the third floor. Fill a bottle before.",
    ),
    (
        MEDIUM,
        False,
        "Flu shots on Thursday",
        "In the clinic next to reception, 9:00 to 12:00. No appointment.",
    ),
    (
        CRITICAL,
        True,
        "Fire drill: leave by the stairs",
        "Meet at the gate, then say here that you are outside.",
    ),
    (LOW, False, "Bicycle room has a new lock", "The code is the one of the side door."),
    (
        HIGH,
        True,
        "Sign-in was slow this morning",
        "It works again since 9:40. Tell us here if yours does not.",
    ),
    (MEDIUM, False, "Your export is ready", "The link was mailed to you and is good for a week."),
)
"""Priority, whether an acknowledgment is asked for, title and message, oldest first."""
RESPONSES = ("I am outside", "Understood, thank you", "Works for me", None)


@dataclass
class Inboxes:
    """Documents by collection."""

    notifications: list[Document] = field(default_factory=list)
    receipts: list[Document] = field(default_factory=list)
    deliveries: list[Document] = field(default_factory=list)


def inboxes(maker: Stamps, rng: Random, users: Sequence[Document], end: datetime) -> Inboxes:
    """Inboxes of all people: the last three weeks, the latest item hours ago."""
    made = Inboxes()
    for place, (priority, asks, title, message) in enumerate(NEWS):
        sent_at = end - timedelta(days=(len(NEWS) - 1 - place) * 3, minutes=rng.randrange(30, 300))
        notification = _notification(maker, priority, asks, (title, message), sent_at)
        made.notifications.append(notification)
        # The last two are new to most; what is older was seen by most.
        chance = 0.25 if place >= len(NEWS) - 2 else 0.85
        for user in users:
            if user["created_at"] < sent_at:
                _give(made, notification, user, rng if rng.random() < chance else None)
    return made


def _notification(
    maker: Stamps, priority: PriorityLevel, asks: bool, words: tuple[str, str], sent_at: datetime
) -> Document:
    id = maker.id("notification", sent_at)
    return {
        "_id": id,
        "org_id": "personal",
        "source": SYSTEM,
        "dedupe_key": f"demo:{id}",
        "wording": {"title": words[0], "message": words[1], "template_key": None, "variables": {}},
        "priority": priority,
        "channels": [EMAIL],
        "requires_ack": asks,
        "transactional": False,
        "inbox": True,
        "subject_id": None,
        "incident_id": None,
        "link_url": None,
        "push": {},
        "attachments": [],
        "max_segments": 1,
        "created_by": None,
        "sent_at": sent_at,
        "expires_at": sent_at + timedelta(hours=72),
        "created_at": sent_at,
    }


def _give(made: Inboxes, notification: Document, user: Document, rng: Random | None) -> None:
    """A person's receipt and its delivery; with dice they have seen it, and perhaps acknowledged it."""
    sent_at = notification["sent_at"]
    seen_at = sent_at + timedelta(minutes=rng.randrange(2, 29)) if rng else None
    acknowledges = rng is not None and notification["requires_ack"] and rng.random() < 0.7
    stamps = {"created_at": sent_at, "updated_at": seen_at or sent_at}
    common = {"notification_id": notification["_id"], "user_id": user["_id"]}
    common["recipient_id"] = store.recipient_id(user["_id"])
    made.receipts.append(
        {
            "_id": store.receipt_id(notification["_id"], user["_id"]),
            **common,
            "title": notification["wording"]["title"],
            "message": notification["wording"]["message"],
            **{name: notification[name] for name in ("priority", "source", "subject_id", "link_url")},
            **{name: notification[name] for name in ("requires_ack", "sent_at", "expires_at")},
            "status": ReceiptStatus.OPENED if seen_at else ReceiptStatus.SENT,
            "acknowledgment": _acknowledgment(rng, seen_at) if rng and seen_at and acknowledges else None,
            "acknowledged": acknowledges,
            "seen_at": seen_at,
            "opened_at": seen_at,
            "in_inbox": True,
            "version": 2 if seen_at else 1,
            **stamps,
        }
    )
    made.deliveries.append(
        {
            "_id": store.delivery_id(notification["_id"], user["_id"], EMAIL),
            **common,
            "channel": EMAIL,
            "attempt": 1,
            "status": DeliveryStatus.SENT,
            "sent_at": sent_at + timedelta(seconds=2),
            **dict.fromkeys(("delivered_at", "opened_at", "failure_reason", "provider_ref", "segments")),
            **dict.fromkeys(("answered_by", "fallback_of", "address_index")),
            "retry_count": 0,
            "version": 2,
            "created_at": sent_at,
            "updated_at": sent_at + timedelta(seconds=2),
        }
    )


def _acknowledgment(rng: Random, at: datetime) -> Document:
    return {
        "acknowledged_at": at,
        "received_at": at,
        "method": AcknowledgmentMethod.BUTTON_CLICK,
        "response": rng.choice(RESPONSES),
        "sealed_location": None,
        "late": False,
    }
