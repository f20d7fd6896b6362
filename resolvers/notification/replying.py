"""Replies to text messages: STOP, START, HELP and OK, as keywords say, each answered by one message."""

from functools import partial

import structlog

from core import jobs
from core.callbacks import first_time
from core.context import Context, Services
from core.messages import gettext_noop, language, text
from core.ports import Permanent
from core.security.limits import Rate
from ports.auth import AuthSettings
from resolvers import auth
from resolvers.notification import consents, delivering
from resolvers.notification.acknowledging import acknowledge
from resolvers.notification.keywords import Keyword, keyword
from resolvers.notification.reaching import of_number
from stores import auth as accounts
from stores import notification as store
from stores.notification import (
    REACHED,
    AcknowledgmentMethod,
    ConsentSource,
    ConsentStatus,
    DeliveryFailureReason,
    DeliveryStatus,
    NotificationChannel,
    Receipt,
    Recipient,
    consent_to,
)

logger = structlog.get_logger(__name__)

SMS = NotificationChannel.SMS
MOST_SHARING = 10
"""People with one number, such as a family's, for whom a reply counts."""
ANSWERS = Rate("sms-answers", 20, 3_600)
"""Answers to one number."""
LATEST_SENT = 20
"""Texts to a number among which the one that is answered is looked for."""

STOPPED = gettext_noop("{app}: you get no more text messages from us. Reply START to get them again.")
STARTED = gettext_noop("{app}: you get text messages again. Reply STOP to end them, HELP for help.")
HELP = gettext_noop("{app}: reply STOP to end text messages, START to get them again, OK to acknowledge one.")


async def reply(services: Services, *, number: str, said: str, event_id: str) -> None:
    """Do what a text message asks for, for those whose number it comes from; any other text is ignored.

    Once for an event, although its job may run again after its worker died: one OK acknowledges one message.
    """
    kind = keyword(said)
    if kind is None:
        return
    index = services.crypto.blind(number, place="users/phone")
    for user in await accounts.users_with_number(services.db, index, limit=MOST_SHARING):
        ctx = Context(services)
        done = f"reply:{event_id}:{user['_id']}"
        await ctx.unit(partial(_do, ctx, done, user["_id"], index, kind, said))


async def _do(ctx: Context, done: str, user_id: str, phone_index: str, kind: Keyword, said: str) -> None:
    if not await first_time(ctx, done):
        return
    found = (await store.recipients_of(ctx.db, [user_id]))[user_id]
    answer = await _answer(ctx, of_number(found, phone_index), phone_index, kind, said)
    # Two machines that answer each other would never end.
    if answer is not None and (await ctx.services.limits.take(ANSWERS, phone_index)).allowed:
        await jobs.enqueue(ctx.tx, "notification.answer", user_id=user_id, message=answer)


async def _answer(
    ctx: Context, recipient: Recipient, phone_index: str, kind: Keyword, said: str
) -> str | None:
    """Do it, and return the message to answer with."""
    consent = consent_to(recipient, SMS)
    revoked = consent == ConsentStatus.REVOKED
    if kind is Keyword.STOP:
        return None if revoked else await _stop(ctx, recipient, said)
    if kind is Keyword.START or (kind is Keyword.YES and revoked):
        if consent != ConsentStatus.GRANTED:
            await _consent(ctx, recipient, ConsentStatus.GRANTED, said)
        return STARTED
    if kind is Keyword.ACKNOWLEDGE:
        receipt = await _newest_open(ctx, recipient, phone_index)
        if receipt is not None:
            await acknowledge(ctx, receipt, AcknowledgmentMethod.REPLY_SMS)
            return None
    return None if kind is Keyword.YES or revoked else HELP


async def _stop(ctx: Context, recipient: Recipient, said: str) -> str:
    """Opt out, for what is queued as well."""
    await _consent(ctx, recipient, ConsentStatus.REVOKED, said)
    queued = {"user_id": recipient["user_id"], "channel": SMS, "status": DeliveryStatus.QUEUED}
    for delivery in await store.deliveries.find(ctx.db, queued):
        reason = DeliveryFailureReason.OPTED_OUT
        await delivering.move(ctx, delivery, DeliveryStatus.SUPPRESSED, failure_reason=reason)
    return STOPPED


async def _consent(ctx: Context, recipient: Recipient, status: ConsentStatus, said: str) -> None:
    await consents.record_consent(ctx, recipient, SMS, status, ConsentSource.SMS_KEYWORD, proof=said[:100])


async def _newest_open(ctx: Context, recipient: Recipient, phone_index: str) -> Receipt | None:
    """Receipt of the newest text to the number that asks for an acknowledgment and has none."""
    to_number = {"address_index": phone_index, "user_id": recipient["user_id"]}
    sent = {**to_number, "channel": SMS, "status": {"$in": REACHED}}
    rows = await store.deliveries.find(ctx.db, sent, sort=[("created_at", -1)], limit=LATEST_SENT)
    names = [store.receipt_id(row["notification_id"], row["user_id"]) for row in rows]
    query = {"user_id": recipient["user_id"], "_id": {"$in": names}}
    found = {row["_id"]: row for row in await store.receipts.find(ctx.db, query, limit=LATEST_SENT)}
    receipts = [found[name] for name in names if name in found]
    return next((row for row in receipts if row["requires_ack"] and not row["acknowledged"]), None)


async def answer(services: Services, *, user_id: str, message: str) -> None:
    """Answer a text message; one confirmation is allowed to who has just opted out."""
    user = await accounts.users.by_id(services.db, user_id)
    number = user and auth.phone_number(services, user)
    if user is None or number is None:
        return
    values = {"app": services.get(AuthSettings).app_name}
    written = text(message, values, language(user["locale"]))
    try:
        await services.sms_senders[0].send(to=number, text=written)
    except Permanent as failure:
        # Providers that heed STOP by themselves confirm it, and take nothing more.
        logger.info("text message not answered", reason=failure.code)
