"""Acknowledgments: by the button of the app, a reply, a link or a key; the first one stands."""

from datetime import datetime
from typing import Any, TypedDict

from core import ids, nodes, viewers
from core.audit import Act, record
from core.context import Context
from core.errors import UserError
from core.ids import Id
from core.one_of import one_of
from core.security.access import NOT_ALLOWED
from core.security.limits import Rate
from core.values.bounds import check_length
from resolvers.notification import inbox
from stores import notification as store
from stores.notification import Acknowledgment, AcknowledgmentMethod, Receipt

ACKNOWLEDGMENTS = Rate("acknowledgments", 30, 60)
LONGEST_RESPONSE = 500


@one_of
class NotificationTarget(TypedDict, total=False):
    """Receipt or notification to acknowledge: one of the two."""

    receipt_id: Id | None
    """Id of your receipt of the notification."""
    notification_id: Id | None
    """Id of the notification, as push messages bring it."""


class AcknowledgmentPlace(TypedDict):
    """Place from which a notification is acknowledged."""

    latitude: float
    """Latitude of the place in degrees (WGS 84), -90 to 90."""
    longitude: float
    """Longitude of the place in degrees (WGS 84), -180 to 180."""


class Acknowledged(TypedDict):
    notification_receipt: Receipt
    viewer: dict[str, Any]


async def acknowledge_notification(
    ctx: Context,
    *,
    target: NotificationTarget,
    response: str | None = None,
    location: AcknowledgmentPlace | None = None,
    acknowledged_at: datetime | None = None,
) -> Acknowledged:
    """Acknowledge a notification for oneself; later ones return the first."""
    await ctx.limit(ACKNOWLEDGMENTS)
    check_length(response or "", most=LONGEST_RESPONSE, field="response")
    _check_place(location)
    receipt = await _target(ctx, target)
    done = await acknowledge(
        ctx,
        receipt,
        AcknowledgmentMethod.BUTTON_CLICK,
        response=response,
        location=location,
        acknowledged_at=acknowledged_at,
    )
    return {"notification_receipt": done, "viewer": viewers.document(ctx)}


async def _target(ctx: Context, target: NotificationTarget) -> Receipt:
    receipt_id = target.get("receipt_id")
    if receipt_id is not None:
        ids.checked(receipt_id, "notification_receipt")
        others = await store.receipts.by_id(ctx.db, receipt_id)
        if others is not None and others["user_id"] != ctx.viewer_id:
            raise UserError("FORBIDDEN", NOT_ALLOWED, field=["target", "receipt_id"])
        return await nodes.for_update(ctx, store.receipts, receipt_id, field="target")
    notification_id = ids.checked(str(target.get("notification_id")), "notification")
    own = store.receipt_id(notification_id, ctx.viewer_id)
    return await nodes.for_update(ctx, store.receipts, own, field="target")


def _check_place(location: AcknowledgmentPlace | None) -> None:
    for name, most in (("latitude", 90), ("longitude", 180)):
        if location is not None and not -most <= float(location[name]) <= most:  # type: ignore[literal-required]
            raise UserError("OUT_OF_RANGE", "Not a place on Earth.", field=["location", name], limit=most)


async def acknowledge(
    ctx: Context,
    receipt: Receipt,
    method: AcknowledgmentMethod,
    *,
    response: str | None = None,
    location: AcknowledgmentPlace | None = None,
    acknowledged_at: datetime | None = None,
) -> Receipt:
    """Acknowledge a receipt for its recipient, whoever asks: a device, a reply, a link."""
    if receipt["acknowledgment"] is not None:
        return receipt
    at = max(receipt["sent_at"], min(acknowledged_at or ctx.tx.now, ctx.tx.now))
    acknowledgment: Acknowledgment = {
        "acknowledged_at": at,
        "received_at": ctx.tx.now,
        "method": method,
        "response": response,
        "sealed_location": location and _sealed(ctx, receipt, location),
        "late": at >= receipt["expires_at"],
    }
    fields = {"acknowledgment": acknowledgment, "acknowledged": True, **inbox.opened(receipt, at)}
    first = {"acknowledged": False}
    done = await ctx.tx.update(store.receipts, receipt, set=fields, where=first)
    if done is None:
        return await store.receipts.by_id(ctx.db, receipt) or receipt
    act = Act(
        "notification.acknowledged",
        resource_type="NOTIFICATION",
        resource_id=receipt["notification_id"],
        actor_id=receipt["user_id"],
        details={"method": method},
    )
    await record(ctx, act)
    return done


def location_place(receipt_id: str) -> str:
    return f"notification_receipts/{receipt_id}/location"


def _sealed(ctx: Context, receipt: Receipt, location: AcknowledgmentPlace) -> str:
    return ctx.services.crypto.seal_values(location, place=location_place(receipt["_id"]))


def acknowledgment_of(ctx: Context, receipt: dict[str, Any]) -> dict[str, Any] | None:
    """The acknowledgment of a receipt as its recipient sees it."""
    found: Acknowledgment | None = receipt["acknowledgment"]
    if found is None:
        return None
    sealed = found["sealed_location"]
    place = location_place(receipt["_id"])
    seconds = (found["acknowledged_at"] - receipt["sent_at"]).total_seconds()
    return {
        **found,
        "location": ctx.services.crypto.open_values(sealed, place=place) if sealed else None,
        "seconds_to_acknowledge": max(0, round(seconds)),
    }
