"""Records of what auth sends by itself, beside those of notifications: providers tell of them alike."""

from functools import partial

from core import clock
from core.context import Context, Services
from core.hooks import on
from resolvers import auth
from resolvers.auth import SentMessage
from resolvers.notification import metrics
from stores import notification as store
from stores.notification import DeliveryStatus, NotificationChannel


@on(auth.message_sent)
async def record_sent(services: Services, message: SentMessage) -> None:
    """Record a message that a provider has taken; once, however often it is told."""
    ctx = Context(services)
    await ctx.unit(partial(_record, ctx, message))


async def _record(ctx: Context, message: SentMessage) -> None:
    channel = NotificationChannel(message.channel)
    id = store.delivery_id(message.about, message.user_id, channel, message.number)
    named = {"_id": id, "notification_id": message.about}
    if await store.deliveries.by_id(ctx.db, named) is not None:
        return
    fresh = store.new_delivery(message.about, message.user_id, channel, ctx.tx.now, message.number)
    taken = {
        "status": DeliveryStatus.SENT,
        "sent_at": clock.now(),
        "provider_ref": message.provider_ref or None,
    }
    await ctx.tx.insert(store.deliveries, {**fresh, **taken})
    metrics.DELIVERIES.labels(channel, DeliveryStatus.SENT, "").inc()
