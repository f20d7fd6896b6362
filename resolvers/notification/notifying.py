"""The way out to people: `notify` in the transaction of what they are told of, and its fan-out by jobs."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from core import ids, jobs
from core.context import PERSONAL, Context, Services
from core.sync.changes import user_scope
from resolvers.notification import channels as planning
from resolvers.notification import metrics
from resolvers.notification.wording import RENDERERS, text_of, written
from stores import auth as accounts
from stores import notification as store
from stores.auth import AccountStatus, User
from stores.notification import (
    SOURCES,
    Delivery,
    MailAttachment,
    Notification,
    NotificationChannel,
    NotificationContent,
    PriorityLevel,
    PushOptions,
    Receipt,
    ReceiptStatus,
    Recipient,
)

MOST_PEOPLE = 500
"""People of one call; more are told by further calls with the same key."""
CHUNK = 50
"""People of one unit of work."""
EXPIRY = timedelta(hours=72)
LARGEST_ATTACHMENT, MOST_ATTACHMENTS = 256 * 1024, 10
MOST_SEGMENTS = 10
"""Segments of a text message at most."""


async def notify(
    ctx: Context,
    *,
    source: str,
    dedupe_key: str,
    user_ids: Sequence[str],
    title: str | None = None,
    message: str = "",
    template_key: str | None = None,
    variables: Mapping[str, Any] | None = None,
    priority: PriorityLevel = PriorityLevel.MEDIUM,
    channels: Sequence[NotificationChannel] | None = None,
    requires_ack: bool = False,
    subject_id: str | None = None,
    incident_id: str | None = None,
    link_url: str | None = None,
    expires_at: datetime | None = None,
    push: PushOptions | None = None,
    attachments: Sequence[MailAttachment] = (),
    max_segments: int = 1,
    inbox: bool = True,
    transactional: bool = False,
    created_by: str | None = None,
) -> None:
    """Tell people of something, with the transaction that does it: one insert; jobs do the rest.

    For 30 days a second call with the same source and key adds the people who were not told yet, and changes
    nothing else. `channels` are those of the priority when left out, and none at all leave the inbox.
    `transactional` is about something the person did or holds: own mutes do not apply. A text message has up
    to `max_segments` segments; a longer one ends in a link to the whole text. Without `inbox`, and
    with silent pushes, nothing is kept for the person to read.
    """
    if source not in SOURCES:
        raise ValueError(f"The source {source!r} is not declared.")
    if len(user_ids) > MOST_PEOPLE:
        raise ValueError(f"At most {MOST_PEOPLE} people at once.")
    if any(len(each["body"]) > LARGEST_ATTACHMENT for each in attachments):
        raise ValueError(f"An attachment has at most {LARGEST_ATTACHMENT} bytes.")
    if len(attachments) > MOST_ATTACHMENTS:
        raise ValueError(f"A notification has at most {MOST_ATTACHMENTS} attachments.")
    if link_url is not None and not link_url.startswith(("https://", "http://")):
        raise ValueError("A link leads to the web: it becomes one in mails and on pages.")
    if not 1 <= max_segments <= MOST_SEGMENTS:
        raise ValueError(f"A text message has 1 to {MOST_SEGMENTS} segments.")
    if template_key in RENDERERS and inbox:
        raise ValueError("What is written when it is sent has no place in the inbox.")
    if not user_ids:
        return
    options = push or {}
    request: NotificationContent = {
        "org_id": ctx.viewer.org if ctx.viewer else PERSONAL,
        "source": source,
        "dedupe_key": dedupe_key,
        "wording": written(title, message, template_key, variables),
        "priority": priority,
        "channels": None if channels is None else list(channels),
        "requires_ack": requires_ack,
        "transactional": transactional,
        "inbox": inbox and not options.get("silent", False),
        "subject_id": subject_id,
        "incident_id": incident_id,
        "link_url": link_url,
        "push": options,
        "attachments": list(attachments),
        "max_segments": max_segments,
        "created_by": created_by,
        "expires_at": expires_at or ctx.tx.now + EXPIRY,
        "sent_at": ctx.tx.now,
    }
    lane = planning.LANES[priority]
    people = list(dict.fromkeys(user_ids))
    await jobs.enqueue(ctx.tx, "notification.fan_out", lane=lane, request=request, user_ids=people)


async def fan_out(services: Services, *, request: NotificationContent, user_ids: list[str]) -> None:
    """Give each person who was not told yet their receipt and deliveries, some to a unit of work."""
    for start in range(0, len(user_ids), CHUNK):
        people = user_ids[start : start + CHUNK]
        # Before the transaction, in which each read would be a command of its own.
        users, recipients = await asyncio.gather(
            accounts.users.by_ids(services.db, people), store.recipients_of(services.db, people)
        )
        ctx = Context(services)
        await ctx.unit(partial(_tell, ctx, request, users, recipients))


async def _tell(
    ctx: Context, request: NotificationContent, users: list[User], recipients: Mapping[str, Recipient]
) -> None:
    notification, new = await _first(ctx, request)
    told = set() if new else await _told(ctx, notification, [each["_id"] for each in users])
    for user in users:
        if user["_id"] not in told and user["status"] != AccountStatus.DELETED:
            await _give(ctx, notification, user, recipients[user["_id"]])


async def _first(ctx: Context, request: NotificationContent) -> tuple[Notification, bool]:
    """The notification with the request's source and key, made now if there is none, and whether it was."""
    name = store.key_named(request["source"], request["dedupe_key"])
    known = await store.notification_keys.by_id(ctx.db, name)
    if known is not None and known["expires_at"] > ctx.tx.now:
        found = await store.notifications.by_id(ctx.db, known["notification_id"])
        if found is not None:
            return found, False
    made = {**request, "_id": ids.new_id("notification"), "created_at": ctx.tx.now}
    key = {"notification_id": made["_id"], "expires_at": ctx.tx.now + store.DEDUPED}
    await ctx.tx.update(store.notification_keys, name, set=key, initial={}, touch=False)
    metrics.NOTIFIED.labels(request["source"]).inc()
    return await ctx.tx.insert(store.notifications, made), True


async def _told(ctx: Context, notification: Notification, user_ids: list[str]) -> set[str]:
    if notification["inbox"]:
        rows: Sequence[Mapping[str, Any]] = await store.receipts_of(ctx.db, notification["_id"], user_ids)
    else:
        query = {"notification_id": notification["_id"], "user_id": {"$in": user_ids}}
        rows = await store.deliveries.find(ctx.db, query, fields=("user_id",))
    return {row["user_id"] for row in rows}


async def _give(ctx: Context, notification: Notification, user: User, recipient: Recipient) -> None:
    """A person's inbox item, and a job for each channel."""
    channels = planning.planned(notification["priority"], notification["channels"], recipient)
    if notification["inbox"]:
        receipt = _receipt(ctx, notification, user, recipient, reached=bool(channels))
        ctx.tx.late.insert(store.receipts, receipt)
        ctx.tx.changed(receipt, scopes=[user_scope(user["_id"])], created=True, audience_never_shrinks=True)
    for channel in channels:
        await deliver_by(ctx, notification, user["_id"], channel)


def _receipt(
    ctx: Context, notification: Notification, user: User, recipient: Recipient, *, reached: bool
) -> Receipt:
    title, message = text_of(notification["wording"], user["locale"])
    return {
        "_id": store.receipt_id(notification["_id"], user["_id"]),
        "notification_id": notification["_id"],
        "recipient_id": recipient["_id"],
        "user_id": user["_id"],
        "title": title,
        "message": message,
        "priority": notification["priority"],
        "source": notification["source"],
        "subject_id": notification["subject_id"],
        "link_url": notification["link_url"],
        "requires_ack": notification["requires_ack"],
        "sent_at": notification["sent_at"],
        "expires_at": notification["expires_at"],
        "status": ReceiptStatus.QUEUED if reached else ReceiptStatus.SUPPRESSED,
        "acknowledgment": None,
        "acknowledged": False,
        "seen_at": None,
        "opened_at": None,
        "in_inbox": True,
        "version": 1,
        "created_at": ctx.tx.now,
        "updated_at": ctx.tx.now,
    }


async def deliver_by(
    ctx: Context,
    notification: Notification,
    user_id: str,
    channel: NotificationChannel,
    *,
    fallback_of: str | None = None,
) -> None:
    """A delivery to a person by one channel, with the job that sends it."""
    fresh = store.new_delivery(notification["_id"], user_id, channel, ctx.tx.now)
    delivery: Delivery = {**fresh, "fallback_of": fallback_of}
    ctx.tx.late.insert(store.deliveries, delivery)
    await enqueue_delivery(ctx, delivery, notification["priority"])


async def enqueue_delivery(
    ctx: Context, delivery: Delivery, priority: PriorityLevel, *, due_at: datetime | None = None
) -> None:
    """Enqueue the job of a delivery, in the place of the one that is pending."""
    await jobs.enqueue(
        ctx.tx,
        "notification.deliver",
        key=delivery["_id"],
        lane=planning.LANES[priority],
        due_at=due_at,
        delivery_id=delivery["_id"],
        notification_id=delivery["notification_id"],
    )
