"""Signed links of mails: to acknowledge and to unsubscribe, for who holds the mail, without a sign-in.

GET shows a page and POST acts, so that scanners of mails, which follow links, do neither.
"""

import hmac
from enum import StrEnum
from functools import partial

from core import ids
from core.context import Context, Services
from resolvers.notification import consents
from resolvers.notification.acknowledging import acknowledge
from stores import notification as store
from stores.notification import AcknowledgmentMethod, ConsentSource, ConsentStatus, Delivery

PLACE = "notification/links"


class LinkAction(StrEnum):
    """Action of a link."""

    ACKNOWLEDGE = "acknowledge"
    UNSUBSCRIBE = "unsubscribe"


def link(services: Services, delivery_id: str, action: LinkAction) -> str | None:
    """URL of an action; None where the deployment has no address of its own."""
    origin = services.settings.public_url.rstrip("/")
    return (
        f"{origin}/n/{delivery_id}/{action}/{_signature(services, delivery_id, action)}" if origin else None
    )


def _signature(services: Services, delivery_id: str, action: str) -> str:
    return services.crypto.blind(f"{action} {delivery_id}", place=PLACE)


async def linked(services: Services, delivery_id: str, action: str, signature: str) -> Delivery | None:
    """Delivery of a link; None unless its signature is ours."""
    if action not in tuple(LinkAction) or not ids.well_formed(delivery_id, "notification_delivery"):
        return None
    expected = _signature(services, delivery_id, action)
    if not hmac.compare_digest(expected.encode(), signature.encode()):
        return None
    return await store.deliveries.by_id(services.db, delivery_id)


async def follow(services: Services, delivery: Delivery, action: str) -> None:
    """Do what a link is for, as the person to whom the mail went."""
    ctx = Context(services)
    act = _acknowledge if action == LinkAction.ACKNOWLEDGE else _unsubscribe
    await ctx.unit(partial(act, ctx, delivery))


async def _acknowledge(ctx: Context, delivery: Delivery) -> None:
    receipt_id = store.receipt_id(delivery["notification_id"], delivery["user_id"])
    receipt = await store.receipts.by_id(ctx.db, {"_id": receipt_id, "user_id": delivery["user_id"]})
    if receipt is not None:
        await acknowledge(ctx, receipt, AcknowledgmentMethod.EMAIL_LINK)


async def _unsubscribe(ctx: Context, delivery: Delivery) -> None:
    user_id, channel = delivery["user_id"], delivery["channel"]
    recipient = (await store.recipients_of(ctx.db, [user_id]))[user_id]
    if store.consent_to(recipient, channel) != ConsentStatus.REVOKED:
        source = ConsentSource.UNSUBSCRIBE_LINK
        await consents.record_consent(ctx, recipient, channel, ConsentStatus.REVOKED, source)
