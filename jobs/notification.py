"""Background work of notifications: fan-out, retention, and the part in erasure and export."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, time
from functools import partial
from typing import Any

from core import clock, ids
from core.context import Context, Services
from core.erasure import on_user_deleted, on_user_export, pages
from core.jobs import Daily, Lane, task
from core.storage.batches import delete_each, each_in_unit
from resolvers.notification import callbacks, delivering, erasing, fanning_out, notifying, replying
from stores import notification as store
from stores.notification import Receipt

task("notification.fan_out")(fanning_out.fan_out)
task(notifying.DELIVER)(delivering.deliver)
task("notification.apply_event")(callbacks.apply_event)
task("notification.answer")(replying.answer)


@task("notification.retain", lane=Lane.BULK, daily_at=Daily(time(3, 30), "UTC"))
async def retain(services: Services) -> None:
    """Take what is older than 90 days out of inboxes, and delete what is older than seven years."""
    now = clock.now()
    past = {"in_inbox": True, "sent_at": {"$lt": now - store.INBOX_KEPT}}
    await each_in_unit(services, store.receipts, past, _take_out)
    former = now - store.SENDS_KEPT
    await store.receipts.delete_all(services.db, {"in_inbox": False, "sent_at": {"$lt": former}})
    await store.deliveries.delete_all(services.db, {"created_at": {"$lt": former}})
    await store.notifications.delete_all(services.db, {"created_at": {"$lt": former}})
    # Nobody reads them again: they only told devices, and may name people.
    unread = {"inbox": False, "created_at": {"$lt": now - store.DEDUPED}}
    await store.notifications.delete_all(services.db, unread)


async def _take_out(ctx: Context, receipt: Receipt) -> None:
    await ctx.tx.update(store.receipts, receipt, set={"in_inbox": False})


@on_user_deleted
async def erase(services: Services, user_id: str) -> None:
    """Delete what a person chose and was told; that somebody was told remains, under a pseudonym."""
    await delete_each(services, store.recipients, {"_id": store.recipient_id(user_id)})
    await _forget(services, user_id)


@task("notification.erase_recipient", lane=Lane.BULK)
async def erase_recipient(services: Services, *, user_id: str, until: datetime) -> None:
    """Erase what a person, who goes on, agreed to and was told up to a moment."""
    await _forget(services, user_id, until)


async def _forget(services: Services, user_id: str, until: datetime | None = None) -> None:
    """Delete a person's consents, and make receipts and deliveries anonymous; up to a moment, if given."""
    past = {} if until is None else {"$lte": until}
    agreed = {"user_id": user_id, **({"at": past} if past else {})}
    own = {"user_id": user_id, **({"created_at": past} if past else {})}
    pseudonym = ids.new_id("recipient")
    await store.short_links.delete_all(services.db, {"user_id": user_id})
    await store.consents.delete_all(services.db, agreed)
    await each_in_unit(services, store.receipts, own, partial(erasing.anonymize_receipt, pseudonym))
    await each_in_unit(services, store.deliveries, own, partial(erasing.anonymize_delivery, pseudonym))


@on_user_export
async def export(services: Services, user_id: str) -> AsyncIterator[tuple[str, Sequence[Mapping[str, Any]]]]:
    """Export a person's profile, consents and receipts, as they read them."""
    own = {"user_id": user_id}
    profile = {"_id": store.recipient_id(user_id)}
    async for rows in pages(services, store.recipients, profile, without=("user_id", "phone_index")):
        yield "recipients", [erasing.recipient(services, row) for row in rows]
    async for rows in pages(services, store.consents, own, without=("user_id", "recipient_id")):
        yield "consents", rows
    async for rows in pages(services, store.receipts, own, without=("user_id", "recipient_id", "in_inbox")):
        yield "receipts", [erasing.receipt(services, row) for row in rows]
    hidden = ("user_id", "recipient_id", "address_index", "provider_ref")
    async for rows in pages(services, store.deliveries, own, without=hidden):
        yield "deliveries", rows
