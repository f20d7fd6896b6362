"""Deliveries: decided, sent, tried again, given to another channel; their states never move back."""

import asyncio
import random
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog

from core import clock, jobs
from core.context import Context, Services
from core.messages import gettext_noop
from core.ports import CircuitOpen, DeliveryFailed, Permanent, RateReached
from resolvers.notification import channels, consents, metrics, notifying, preferences
from resolvers.notification.reaching import Message, Reach, of_number, reach
from resolvers.notification.sending import REASONS, Outgoing, Taken, devices_for, has_address, send
from resolvers.notification.turns import turn
from resolvers.notification.wording import code_template, words_for
from stores import auth as accounts
from stores import notification as store
from stores.auth import AccountStatus, OwnDevice, User
from stores.notification import (
    FINAL,
    REACHED,
    SYSTEM,
    ConsentSource,
    ConsentStatus,
    Delivery,
    DeliveryFailureReason,
    DeliveryStatus,
    Notification,
    NotificationChannel,
    ReceiptStatus,
    Recipient,
)

logger = structlog.get_logger(__name__)

RETRIES = tuple(timedelta(seconds=seconds) for seconds in (5, 15, 45))
"""Waits between the tries by a channel; after the last another one steps in."""
TRANSACTIONAL_RETRIES = tuple(timedelta(seconds=seconds) for seconds in (10, 60, 600, 3_600, 21_600))
JITTER = 0.2
TURN = timedelta(seconds=5)
"""Wait for a provider that takes no more messages for the moment; it is no try."""
REACHABLE = frozenset({AccountStatus.ACTIVE, AccountStatus.DELETION_SCHEDULED})

UNREACHABLE = code_template(
    "notification.unreachable",
    title=gettext_noop("Somebody could not be reached"),
    message=gettext_noop('No channel reached some of the people you sent "{title}" to.'),
)


async def deliver(services: Services, *, delivery_id: str, notification_id: str) -> None:
    """Send a delivery, hold it back, or suppress it, as the person may be reached when its turn has come."""
    named = {"_id": delivery_id, "notification_id": notification_id}
    # Reads at the same time travel together.
    delivery, notification = await asyncio.gather(
        store.deliveries.by_id(services.db, named), store.notifications.by_id(services.db, notification_id)
    )
    if delivery is None or notification is None or delivery["status"] != DeliveryStatus.QUEUED:
        return
    user_id = delivery["user_id"]
    async with turn(services, delivery["channel"], notification["priority"]):
        user, recipients = await asyncio.gather(
            accounts.users.by_id(services.db, user_id), store.recipients_of(services.db, [user_id])
        )
        await deliver_to(services, notification, delivery, user, recipients[user_id])


async def deliver_to(
    services: Services,
    notification: Notification,
    delivery: Delivery,
    user: User | None,
    recipient: Recipient,
) -> None:
    """Do so with what is known of the person at this moment."""
    if user is None or user["status"] not in REACHABLE:
        await _suppress(services, delivery, DeliveryFailureReason.NO_ADDRESS)
        return
    now = clock.now()
    devices = await devices_for(services, user, delivery["channel"])
    verdict = _reach_by(notification, delivery["channel"], user, recipient, devices, now)
    if verdict.at is None:
        await _suppress(services, delivery, verdict.reason or DeliveryFailureReason.NO_ADDRESS)
    elif verdict.at > now:
        await _later(services, delivery, notification, verdict.at)
    else:
        words = await words_for(services, notification["wording"], user)
        if words is None:
            await _suppress(services, delivery, DeliveryFailureReason.WITHDRAWN)
        else:
            await _send(Outgoing(services, notification, delivery, user, recipient, devices, *words))


def _reach_by(
    notification: Notification,
    channel: NotificationChannel,
    user: User,
    recipient: Recipient,
    devices: Sequence[OwnDevice],
    now: datetime,
) -> Reach:
    return reach(
        message_of(notification),
        channel,
        of_number(recipient, user.get("phone_index")),
        has_address=has_address(user, recipient, channel, devices),
        zone=user["time_zone"],
        now=now,
    )


def message_of(notification: Notification) -> Message:
    return Message(
        notification["priority"],
        notification["source"],
        notification["transactional"],
        notification["expires_at"],
    )


async def _send(out: Outgoing) -> None:
    services, delivery = out.services, out.delivery
    try:
        taken = await send(out)
    except Permanent as failure:
        await _fail(services, delivery, REASONS[failure.code])
    except CircuitOpen:
        await _step_in(out)
    except RateReached:
        at = clock.now() + TURN * random.uniform(1 - JITTER, 1 + JITTER)
        await _later(services, delivery, out.notification, at)
    except DeliveryFailed as problem:
        logger.warning("notification not sent", channel=delivery["channel"], reason=str(problem))
        await _try_again(out)
    except Exception as error:
        # Whatever a library cannot bear must not leave the message without its fallback.
        logger.error("notification not sent", channel=delivery["channel"], error=type(error).__name__)
        await _try_again(out)
    else:
        await conclude(services, delivery, DeliveryStatus.SENT, **_fields_of(taken))
        waited = (clock.now() - out.notification["sent_at"]).total_seconds()
        metrics.ACCEPTED_SECONDS.labels(out.notification["priority"]).observe(waited)


async def _step_in(out: Outgoing) -> None:
    """Let another channel step in at once for a provider that is known to be down, if one may reach them."""
    rows = await store.deliveries_to(out.services.db, out.notification["_id"], out.user["_id"])
    tried = {row["channel"] for row in rows}
    other = channels.fallback(out.delivery["channel"], out.notification["priority"], tried)
    if other is not None and await _may_reach(out, other):
        await _fail(out.services, out.delivery, DeliveryFailureReason.PROVIDER_DOWN)
    else:
        await _try_again(out)


async def _may_reach(out: Outgoing, channel: NotificationChannel) -> bool:
    devices = await devices_for(out.services, out.user, channel)
    verdict = _reach_by(out.notification, channel, out.user, out.recipient, devices, clock.now())
    return verdict.at is not None


async def _fail(services: Services, delivery: Delivery, reason: DeliveryFailureReason) -> None:
    ctx = Context(services)

    async def work() -> None:
        await fail(ctx, delivery, reason)
        jobs.end(ctx.tx)

    await ctx.unit(work)


def _fields_of(taken: Taken) -> dict[str, Any]:
    return {
        "sent_at": clock.now(),
        "provider_ref": taken.provider_ref,
        "segments": taken.segments,
        "address_index": taken.address_index,
    }


async def _try_again(out: Outgoing) -> None:
    """Try again after the next wait of the plan; after the last one the delivery has failed."""
    plan = TRANSACTIONAL_RETRIES if out.notification["transactional"] else RETRIES
    tried = out.delivery["retry_count"]
    if tried >= len(plan):
        reason = DeliveryFailureReason.PROVIDER_DOWN
        await conclude(out.services, out.delivery, DeliveryStatus.FAILED, failure_reason=reason)
        return
    wait = plan[tried] * random.uniform(1 - JITTER, 1 + JITTER)
    metrics.RETRIES.labels(out.delivery["channel"]).inc()
    ctx = Context(out.services)

    async def again() -> None:
        counted = await ctx.tx.update(
            store.deliveries,
            out.delivery,
            set={"retry_count": tried + 1},
            where={"status": DeliveryStatus.QUEUED},
        )
        if counted is not None:
            due_at = ctx.tx.now + wait
            await notifying.enqueue_delivery(ctx, counted, out.notification["priority"], due_at=due_at)

    await ctx.unit(again)


async def _later(services: Services, delivery: Delivery, notification: Notification, at: datetime) -> None:
    """Hold a delivery back until quiet hours end; it is decided anew then."""
    ctx = Context(services)
    await ctx.unit(partial(notifying.enqueue_delivery, ctx, delivery, notification["priority"], due_at=at))


async def _suppress(services: Services, delivery: Delivery, reason: DeliveryFailureReason) -> None:
    await conclude(services, delivery, DeliveryStatus.SUPPRESSED, failure_reason=reason)


async def conclude(
    services: Services, delivery: Mapping[str, Any], status: DeliveryStatus, **fields: Any
) -> None:
    """Move a delivery on, in a unit of work of its own, which ends its job too."""
    ctx = Context(services)

    async def work() -> None:
        await move(ctx, delivery, status, **fields)
        jobs.end(ctx.tx)

    await ctx.unit(work)


async def move(
    ctx: Context, delivery: Mapping[str, Any], status: DeliveryStatus, **fields: Any
) -> Delivery | None:
    """Move a delivery to a state that may follow its own, and what follows from that; None if none may.

    What is told again is no move: the first time stands, and nothing follows a second time.
    """
    before = {"status": {"$in": store.MOVES.before(status)}}
    changed = await ctx.tx.update(store.deliveries, delivery, set={"status": status, **fields}, where=before)
    if changed is None:
        return None
    reason = changed["failure_reason"] or ""
    metrics.DELIVERIES.labels(changed["channel"], status, reason).inc()
    if status in REACHED:
        await _advance_receipt(ctx, changed)
    else:
        await _follow_up(ctx, changed)
    return changed


async def fail(
    ctx: Context, delivery: Mapping[str, Any], reason: DeliveryFailureReason, **fields: Any
) -> Delivery | None:
    """Fail a delivery for good, and keep what the provider knows of the number."""
    opted_out = reason == DeliveryFailureReason.OPTED_OUT
    status = DeliveryStatus.SUPPRESSED if opted_out else DeliveryStatus.FAILED
    moved = await move(ctx, delivery, status, failure_reason=reason, **fields)
    # What is told late or again tells nothing new: the person may have opted in meanwhile.
    if moved is not None and reason in (DeliveryFailureReason.OPTED_OUT, DeliveryFailureReason.LANDLINE):
        await _learn_of_number(ctx, moved, opted_out=opted_out)
    return moved


async def _learn_of_number(ctx: Context, delivery: Delivery, *, opted_out: bool) -> None:
    """Keep what a provider said of the number, if it is still the person's."""
    user_id, channel = delivery["user_id"], delivery["channel"]
    recipient = (await store.recipients_of(ctx.db, [user_id]))[user_id]
    known = await consents.about_number(ctx, recipient)
    if delivery["address_index"] not in (None, known["phone_index"]):
        return
    if not opted_out:
        await preferences.change(ctx, recipient, {**known, "landline": True})
    elif store.consent_to(recipient, channel) != ConsentStatus.REVOKED:
        source = ConsentSource.PROVIDER
        await consents.record_consent(ctx, recipient, channel, ConsentStatus.REVOKED, source)


async def _advance_receipt(ctx: Context, delivery: Delivery) -> None:
    """Let the receipt follow a delivery that got further, if no other channel got as far."""
    status = DeliveryStatus(delivery["status"])
    opened = {"opened_at": delivery["opened_at"]} if status == DeliveryStatus.OPENED else {}
    where = {"opened_at": None, "status": {"$in": store.short_of(status)}}
    await _move_receipt(ctx, delivery, {"status": ReceiptStatus(status), **opened}, where)


async def _move_receipt(
    ctx: Context, delivery: Delivery, fields: Mapping[str, Any], where: Mapping[str, Any]
) -> None:
    """Change a receipt, logged beside it: its own entry says that it is new, to who has not read that yet."""
    receipt = await ctx.tx.update(store.receipts, _receipt_of(delivery), set=fields, where=where)
    if receipt is not None and (scopes := store.receipt_scopes(receipt)):
        ctx.tx.skip_log(receipt)
        ctx.tx.changed(receipt, aspect=store.DELIVERED, scopes=scopes, audience_never_shrinks=True)


def _receipt_of(delivery: Delivery) -> dict[str, str]:
    user_id = delivery["user_id"]
    return {"_id": store.receipt_id(delivery["notification_id"], user_id), "user_id": user_id}


async def _follow_up(ctx: Context, delivery: Delivery) -> None:
    """Let another channel step in for one that failed, and tell the receipt and the sender what became."""
    notification = await store.notifications.by_id(ctx.db, delivery["notification_id"])
    if notification is None:
        return
    rows = await store.deliveries_to(ctx.db, notification["_id"], delivery["user_id"])
    # Channels that end at the same moment conflict here, so that the last one sees that it is the last.
    await ctx.tx.lock_document(store.deliveries, min(rows, key=lambda row: row["_id"]))
    statuses = [row["status"] for row in rows]
    other = _substitute(notification, delivery, rows)
    if other is not None:
        await notifying.deliver_by(ctx, notification, delivery["user_id"], other, fallback_of=delivery["_id"])
        statuses.append(DeliveryStatus.QUEUED)
    await _update_receipt(ctx, delivery, statuses)
    if _unreached(statuses):
        await _tell_sender(ctx, notification)


def _substitute(
    notification: Notification, delivery: Delivery, rows: Sequence[Delivery]
) -> NotificationChannel | None:
    """Channel that steps in for a delivery that failed, or for all that may not be used; None for none."""
    tried, priority = {row["channel"] for row in rows}, notification["priority"]
    if delivery["status"] in (DeliveryStatus.FAILED, DeliveryStatus.BOUNCED):
        other = channels.fallback(delivery["channel"], priority, tried)
        if other is not None:
            return other
    if _unreached([row["status"] for row in rows]):
        return channels.last_resort(priority, notification["channels"], tried)
    return None


def _unreached(statuses: Collection[DeliveryStatus]) -> bool:
    """True if nothing reached the person, and nothing is under way."""
    return all(status in FINAL and status not in REACHED for status in statuses)


async def _update_receipt(ctx: Context, delivery: Delivery, statuses: list[DeliveryStatus]) -> None:
    status = store.furthest(statuses)
    # What the person has opened stays so, whatever becomes of other channels.
    where = {"opened_at": None, "status": {"$ne": status}}
    await _move_receipt(ctx, delivery, {"status": status}, where)


async def _tell_sender(ctx: Context, notification: Notification) -> None:
    """Tell who sent it, if that is a person, once, that some people were not reached."""
    sender = notification["created_by"]
    if sender is None:
        return
    await notifying.notify(
        ctx,
        source=SYSTEM,
        dedupe_key=f"unreachable:{notification['_id']}",
        template_key=UNREACHABLE,
        variables={"title": notification["wording"]["title"] or ""},
        user_ids=[sender],
    )
