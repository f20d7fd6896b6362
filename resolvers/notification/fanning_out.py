"""Fan-out of a notification by jobs: each person's receipt and deliveries; few are made at once."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, NamedTuple

from core import clock, ids, jobs
from core.context import Context, Services
from core.jobs import Job
from core.sync.changes import user_scope
from resolvers.notification import channels as planning
from resolvers.notification import delivering, metrics, notifying
from resolvers.notification.turns import KEYED
from resolvers.notification.wording import text_of
from stores import auth as accounts
from stores import notification as store
from stores.auth import AccountStatus, User
from stores.notification import (
    Delivery,
    Notification,
    NotificationContent,
    NotificationKey,
    Receipt,
    ReceiptStatus,
    Recipient,
)

CHUNK = 50
"""People of one unit of work."""
MOST_AT_ONCE = 3
"""Deliveries of a unit that its worker makes itself: as many as one person has by CRITICAL priority."""
FRESH = timedelta(seconds=1)
"""Age up to which what was read of a person decides whether they may be reached."""


class Named(Exception):
    """Another fan-out has made the notification meanwhile."""


class Given(NamedTuple):
    """A delivery that was written, with what its job would have to read."""

    notification: Notification
    delivery: Delivery
    user: User
    recipient: Recipient


class Begun(NamedTuple):
    """A delivery whose job this worker has claimed already."""

    job: Job
    given: Given


async def fan_out(services: Services, *, request: NotificationContent, user_ids: list[str]) -> None:
    """Give each person who was not told yet their receipt and deliveries, some to a unit of work."""
    for start in range(0, len(user_ids), CHUNK):
        people, last = user_ids[start : start + CHUNK], start + CHUNK >= len(user_ids)
        while not await _chunk(services, request, people, last=last):
            continue


async def _chunk(services: Services, request: NotificationContent, people: list[str], *, last: bool) -> bool:
    """Tell some of them, in a unit of work; False if what was read before it has changed."""
    read_at, name = clock.now(), store.key_named(request["source"], request["dedupe_key"])
    # Before the transaction, in which each read would be a command of its own.
    key, users, recipients = await asyncio.gather(
        store.notification_keys.by_id(services.db, name),
        accounts.users.by_ids(services.db, people),
        store.recipients_of(services.db, people),
    )
    ctx = Context(services)
    try:
        begun = await ctx.unit(partial(_tell, ctx, request, key, users, recipients, last=last))
    except Named:
        return False
    await asyncio.gather(*(_deliver(services, each, read_at) for each in begun))
    return True


async def _deliver(services: Services, begun: Begun, read_at: datetime) -> None:
    """Make a delivery with what is at hand.

    What is older, or waits for a turn, is read anew: the person may have opted out.
    """
    fresh = clock.now() - read_at < FRESH and begun.given.delivery["channel"] in KEYED
    work = partial(delivering.deliver_to, services, *begun.given) if fresh else None
    await jobs.perform(services, begun.job, work)


async def _tell(
    ctx: Context,
    request: NotificationContent,
    key: NotificationKey | None,
    users: list[User],
    recipients: Mapping[str, Recipient],
    *,
    last: bool,
) -> list[Begun]:
    """Tell these people; returns the deliveries that are ours to make."""
    notification, new = await _first(ctx, request, key)
    told = set() if new else await _told(ctx, notification, [each["_id"] for each in users])
    given: list[Given] = []
    for user in users:
        if user["_id"] not in told and user["status"] != AccountStatus.DELETED:
            given += _give(ctx, notification, user, recipients[user["_id"]])
    if last:
        jobs.end(ctx.tx)
    if len(given) <= MOST_AT_ONCE:
        return [Begun(await _claimed(ctx, each), each) for each in given]
    for each in given:
        await notifying.enqueue_delivery(ctx, each.delivery, notification["priority"])
    return []


async def _first(
    ctx: Context, request: NotificationContent, known: NotificationKey | None
) -> tuple[Notification, bool]:
    """The notification with the request's source and key, made now if there is none, and whether it was."""
    if known is not None and known["expires_at"] > ctx.tx.now:
        found = await store.notifications.by_id(ctx.db, known["notification_id"])
        if found is not None:
            return found, False
    id = ids.new_id("notification")
    await _name(ctx, request, known, id)
    metrics.NOTIFIED.labels(request["source"]).inc()
    made = {**request, "_id": id, "created_at": ctx.tx.now}
    return await ctx.tx.insert(store.notifications, made), True


async def _name(
    ctx: Context, request: NotificationContent, known: NotificationKey | None, notification_id: str
) -> None:
    """Let source and key name this notification from now on; `Named` when they name another since."""
    name = store.key_named(request["source"], request["dedupe_key"])
    key = {"notification_id": notification_id, "expires_at": ctx.tx.now + store.DEDUPED}
    if known is None:
        # It travels with the next command.
        await ctx.tx.insert(store.notification_keys, {"_id": name, **key}, taken=Named)
        return
    unchanged = {"expires_at": known["expires_at"]}
    if await ctx.tx.update(store.notification_keys, name, set=key, where=unchanged, touch=False) is None:
        raise Named


async def _told(ctx: Context, notification: Notification, user_ids: list[str]) -> set[str]:
    if notification["inbox"]:
        rows: Sequence[Mapping[str, Any]] = await store.receipts_of(ctx.db, notification["_id"], user_ids)
    else:
        query = {"notification_id": notification["_id"], "user_id": {"$in": user_ids}}
        rows = await store.deliveries.find(ctx.db, query, fields=("user_id",))
    return {row["user_id"] for row in rows}


def _give(ctx: Context, notification: Notification, user: User, recipient: Recipient) -> list[Given]:
    """A person's inbox item, and a delivery for each channel."""
    channels = planning.planned(notification["priority"], notification["channels"], recipient)
    if notification["inbox"]:
        receipt = _receipt(ctx, notification, user, recipient, reached=bool(channels))
        ctx.tx.late.insert(store.receipts, receipt)
        ctx.tx.changed(receipt, scopes=[user_scope(user["_id"])], created=True, audience_never_shrinks=True)
    added = [notifying.add_delivery(ctx, notification, user["_id"], channel) for channel in channels]
    return [Given(notification, delivery, user, recipient) for delivery in added]


async def _claimed(ctx: Context, given: Given) -> Job:
    """The job of a delivery, as this worker's."""
    return await notifying.claim_delivery(ctx, given.delivery, given.notification["priority"])


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
