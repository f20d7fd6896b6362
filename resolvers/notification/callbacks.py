"""Events of providers: what became of a message, in any order, and perhaps before we know of it."""

from datetime import datetime, timedelta
from functools import partial
from typing import NotRequired, TypedDict

from core import clock, jobs
from core.callbacks import EventKind, ProviderEvent, on_provider_event
from core.context import Context, Services
from core.ports import FailureCode
from resolvers.notification import delivering, metrics, replying
from resolvers.notification.acknowledging import acknowledge
from resolvers.notification.sending import REASONS
from stores import notification as store
from stores.notification import (
    AcknowledgmentMethod,
    AnsweredBy,
    Delivery,
    DeliveryFailureReason,
    DeliveryStatus,
)

EARLY_KEPT = timedelta(minutes=5)
"""Time that an event waits for a message whose sending is not stored yet."""
RECHECKED = timedelta(seconds=5)
ACKNOWLEDGE_KEY = "1"
ANSWERS = (EventKind.KEY, EventKind.ACKNOWLEDGED)
"""Kinds of events that tell what a person answered, and not what became of the message."""


class DeliveryEvent(TypedDict):
    """Event of a provider about a message that it took."""

    provider_ref: str
    at: datetime
    status: DeliveryStatus | None
    failure_reason: DeliveryFailureReason | None
    answered_by: AnsweredBy | None
    digits: str | None
    """Keys that were pressed during a call."""
    acknowledged_by: NotRequired[str | None]
    """The provider's id of who pressed the button that acknowledges the message."""


def event(
    provider_ref: str,
    *,
    status: DeliveryStatus | None = None,
    failure_reason: DeliveryFailureReason | None = None,
    answered_by: AnsweredBy | None = None,
    digits: str | None = None,
    at: datetime | None = None,
) -> DeliveryEvent:
    return {
        "provider_ref": provider_ref,
        "at": at or clock.now(),
        "status": status,
        "failure_reason": failure_reason,
        "answered_by": answered_by,
        "digits": digits,
    }


@on_provider_event("twilio", "vonage", "mail", "slack")
async def told(services: Services, event: ProviderEvent) -> None:
    """Take what a provider tells of: a reply, or what became of a message."""
    if event["kind"] == EventKind.REPLY:
        await replying.reply(services, number=event["sender"], said=event["text"], event_id=event["id"])
    else:
        await apply_event(services, event=_read(event))


def _read(event: ProviderEvent) -> DeliveryEvent:
    kind, code, answered = event["kind"], event["code"], event["answered_by"]
    return {
        "provider_ref": event["provider_ref"],
        "at": event["at"],
        "status": None if kind in ANSWERS else DeliveryStatus(kind),
        "failure_reason": REASONS[FailureCode(code)] if code else None,
        "answered_by": AnsweredBy(answered) if answered else None,
        "digits": event["digits"] or None,
        "acknowledged_by": event["sender"] if kind == EventKind.ACKNOWLEDGED else None,
    }


async def apply_event(services: Services, *, event: DeliveryEvent) -> None:
    """Apply an event to its delivery; one of an unknown message waits for five minutes, then is dropped."""
    found = await store.deliveries.first(services.db, {"provider_ref": event["provider_ref"]})
    ctx = Context(services)
    if found is not None:
        await ctx.unit(partial(_apply, ctx, found, event))
    elif clock.now() - event["at"] < EARLY_KEPT:
        await ctx.unit(partial(_wait, ctx, event))
    else:
        metrics.EVENTS.labels("unknown").inc()


async def _wait(ctx: Context, event: DeliveryEvent) -> None:
    # Twice as long each time: providers also tell of what others sent with the same account.
    later = ctx.tx.now + max(RECHECKED, ctx.tx.now - event["at"])
    due_at = min(later, event["at"] + EARLY_KEPT)
    await jobs.enqueue(ctx.tx, "notification.apply_event", due_at=due_at, event=event)


async def _apply(ctx: Context, delivery: Delivery, event: DeliveryEvent) -> None:
    if event["digits"] == ACKNOWLEDGE_KEY:
        await _acknowledge(ctx, delivery, AcknowledgmentMethod.VOICE_KEYPRESS)
    presser = event.get("acknowledged_by")
    if presser is not None and await _is_recipient(ctx, delivery, presser):
        await _acknowledge(ctx, delivery, AcknowledgmentMethod.BUTTON_CLICK)
    status = event["status"]
    if event["answered_by"] == AnsweredBy.MACHINE:
        reason = DeliveryFailureReason.MACHINE_ANSWERED
        moved = await delivering.fail(ctx, delivery, reason, answered_by=AnsweredBy.MACHINE)
    elif status == DeliveryStatus.BOUNCED:
        bounced = DeliveryFailureReason.BOUNCED
        moved = await delivering.move(ctx, delivery, DeliveryStatus.BOUNCED, failure_reason=bounced)
    elif status == DeliveryStatus.FAILED:
        reason = event["failure_reason"] or DeliveryFailureReason.UNREACHABLE
        moved = await delivering.fail(ctx, delivery, reason)
    elif status is not None:
        moved = await delivering.move(ctx, delivery, status, **_moments(event))
    else:
        return
    metrics.EVENTS.labels("applied" if moved else "ignored").inc()


def _moments(event: DeliveryEvent) -> dict[str, object]:
    """Fields that a state brings, beside itself."""
    name = {DeliveryStatus.DELIVERED: "delivered_at", DeliveryStatus.OPENED: "opened_at"}.get(
        DeliveryStatus(event["status"] or "")
    )
    fields: dict[str, object] = {name: event["at"]} if name else {}
    return {**fields, "answered_by": event["answered_by"]} if event["answered_by"] else fields


async def _is_recipient(ctx: Context, delivery: Delivery, slack_id: str) -> bool:
    """True if the member of Slack is the person to whom the message went: it may have been shared."""
    user_id = delivery["user_id"]
    return (await store.recipients_of(ctx.db, [user_id]))[user_id]["slack_id"] == slack_id


async def _acknowledge(ctx: Context, delivery: Delivery, method: AcknowledgmentMethod) -> None:
    receipt_id = store.receipt_id(delivery["notification_id"], delivery["user_id"])
    named = {"_id": receipt_id, "user_id": delivery["user_id"]}
    receipt = await store.receipts.by_id(ctx.db, named)
    if receipt is not None:
        await acknowledge(ctx, receipt, method)
