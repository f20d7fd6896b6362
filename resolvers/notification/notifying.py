"""The way out to people: `notify` in the transaction of what they are told of; jobs do the rest."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from core import jobs
from core.context import PERSONAL, Context
from core.jobs import Job
from resolvers.notification import channels as planning
from resolvers.notification.wording import RENDERERS, written
from stores import notification as store
from stores.notification import (
    SOURCES,
    Delivery,
    MailAttachment,
    Notification,
    NotificationChannel,
    NotificationContent,
    PriorityLevel,
    PushOptions,
)

MOST_PEOPLE = 500
"""People of one call; more are told by further calls with the same key."""
EXPIRY = timedelta(hours=72)
LARGEST_ATTACHMENT, MOST_ATTACHMENTS = 256 * 1024, 10
DELIVER = "notification.deliver"
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


async def deliver_by(
    ctx: Context,
    notification: Notification,
    user_id: str,
    channel: NotificationChannel,
    *,
    fallback_of: str | None = None,
) -> None:
    """A delivery to a person by one channel, with the job that sends it."""
    delivery = add_delivery(ctx, notification, user_id, channel, fallback_of=fallback_of)
    await enqueue_delivery(ctx, delivery, notification["priority"])


def add_delivery(
    ctx: Context,
    notification: Notification,
    user_id: str,
    channel: NotificationChannel,
    *,
    fallback_of: str | None = None,
) -> Delivery:
    """A delivery to a person by one channel, which needs a job yet."""
    fresh = store.new_delivery(notification["_id"], user_id, channel, ctx.tx.now)
    delivery: Delivery = {**fresh, "fallback_of": fallback_of}
    ctx.tx.late.insert(store.deliveries, delivery)
    return delivery


async def enqueue_delivery(
    ctx: Context, delivery: Delivery, priority: PriorityLevel, *, due_at: datetime | None = None
) -> None:
    """Enqueue the job of a delivery, in the place of the one that is pending."""
    await jobs.enqueue(ctx.tx, DELIVER, due_at=due_at, **_job_of(delivery, priority))


async def claim_delivery(ctx: Context, delivery: Delivery, priority: PriorityLevel) -> Job:
    """Enqueue the job of a delivery as one that this worker has claimed."""
    return await jobs.enqueue_claimed(ctx.tx, DELIVER, **_job_of(delivery, priority))


def _job_of(delivery: Delivery, priority: PriorityLevel) -> dict[str, Any]:
    return {
        "key": delivery["_id"],
        "lane": planning.LANES[priority],
        "delivery_id": delivery["_id"],
        "notification_id": delivery["notification_id"],
    }
