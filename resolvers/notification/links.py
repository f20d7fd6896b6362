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
from stores import auth as accounts
from stores import notification as store
from stores.auth import AccountStatus
from stores.notification import AcknowledgmentMethod, ConsentSource, ConsentStatus, NotificationChannel

PLACE = "notification/links"
EMAIL = NotificationChannel.EMAIL


class LinkAction(StrEnum):
    """Action of a link."""

    ACKNOWLEDGE = "acknowledge"
    UNSUBSCRIBE = "unsubscribe"


PREFIXES = {LinkAction.ACKNOWLEDGE: "notification_delivery", LinkAction.UNSUBSCRIBE: "recipient"}
"""Prefix of the id in a link. Who unsubscribes is a person: mails may be older than what is kept of them."""


def link(services: Services, id: str, action: LinkAction) -> str | None:
    """URL of an action; None where the deployment has no address of its own."""
    origin = services.settings.public_url.rstrip("/")
    return f"{origin}/n/{id}/{action}/{_signature(services, id, action)}" if origin else None


def _signature(services: Services, id: str, action: str) -> str:
    return services.crypto.blind(f"{action} {id}", place=PLACE)


def is_ours(services: Services, id: str, action: str, signature: str) -> bool:
    """True if we made this link."""
    if action not in tuple(LinkAction) or not ids.well_formed(id, PREFIXES[LinkAction(action)]):
        return False
    expected = _signature(services, id, action)
    return hmac.compare_digest(expected.encode(), signature.encode())


async def follow(services: Services, id: str, action: LinkAction) -> None:
    """Do what a link is for, as the person to whom the mail went; nothing once they are gone."""
    ctx = Context(services)
    act = _acknowledge if action == LinkAction.ACKNOWLEDGE else _unsubscribe
    await ctx.unit(partial(act, ctx, id))


async def _acknowledge(ctx: Context, delivery_id: str) -> None:
    delivery = await store.deliveries.by_id(ctx.db, delivery_id)
    if delivery is None or not ids.well_formed(delivery["user_id"], "user"):
        return
    receipt_id = store.receipt_id(delivery["notification_id"], delivery["user_id"])
    receipt = await store.receipts.by_id(ctx.db, {"_id": receipt_id, "user_id": delivery["user_id"]})
    if receipt is not None:
        await acknowledge(ctx, receipt, AcknowledgmentMethod.EMAIL_LINK)


async def _unsubscribe(ctx: Context, recipient_id: str) -> None:
    user = await accounts.users.by_id(ctx.db, ids.sibling(recipient_id, "user"))
    if user is None or user["status"] == AccountStatus.DELETED:
        return
    recipient = (await store.recipients_of(ctx.db, [user["_id"]]))[user["_id"]]
    if store.consent_to(recipient, EMAIL) != ConsentStatus.REVOKED:
        source = ConsentSource.UNSUBSCRIBE_LINK
        await consents.record_consent(ctx, recipient, EMAIL, ConsentStatus.REVOKED, source)
