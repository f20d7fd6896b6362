"""Background work of chats."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

from core import clock
from core.context import Context, Services
from core.erasure import on_user_deleted, on_user_export, pages
from core.jobs import Lane, task
from core.storage.batches import batches_in_unit, delete_each, each_in_unit
from core.storage.indexes import due
from core.sync import changes
from resolvers.chat import access, announcing, moderation, presence, sending, telling
from stores import chat as store
from stores.chat import Member, Message

BATCH = 100
FIRST_SYNC = 50
"""Messages per chat in a first sync; a new device reads on through the history."""
TOMBSTONES_KEPT = timedelta(days=90)
RECHECKED = timedelta(days=2)
"""Activity window of the recheck: a chat quiet for longer was rechecked when it fell quiet."""


task("chat.push")(announcing.announce)


@task("chat.presence", every=timedelta(seconds=10))
async def expire_presence(services: Services) -> None:
    """Publish the absence of people whose heartbeats stopped."""
    while await presence.expire(services):
        continue


@task("chat.age")
async def archive(services: Services, *, chat_id: str, sequence: int) -> None:
    """Exclude from first syncs what is older than a chat's latest fifty messages."""
    query = {
        "chat_id": chat_id,
        "sequence": {"$gt": sequence - 2 * FIRST_SYNC, "$lte": sequence - FIRST_SYNC},
    }
    rows = await store.messages.find(services.db, query, limit=FIRST_SYNC, fields=("_id",))
    if rows:
        await changes.archive(services.db, [row["_id"] for row in rows])


@task("chat.receipts_told")
async def receipts_told(services: Services, *, user_id: str) -> None:
    """Publish that read times became visible or hidden."""
    await telling.receipts_told(services, user_id)


@task("chat.recheck", lane=Lane.BULK, every=timedelta(days=1))
async def recheck_unread(services: Services) -> None:
    """Reconcile the unread counts of recently active chats."""
    lately = {"last_activity_at": {"$gte": clock.now() - RECHECKED}}
    async for rows in store.members.batches(services.db, lately, size=BATCH):
        for row in rows:
            await _recheck(services, row)


async def _recheck(services: Services, row: Member) -> None:
    if row["unread_count"] == await store.count_unread(services.db, row, row["read_sequence"]):
        return
    ctx = Context(services)

    async def mend() -> None:
        # Counted in the transaction that corrects it, so that no message can come between.
        now = await store.member_of(ctx.db, row["user_id"], row["chat_id"]) or row
        unread = await store.count_unread(ctx.db, now, now["read_sequence"])
        mended = await access.change_side(ctx, row["chat_id"], row["user_id"], unread_count=unread)
        access.tell_owner(ctx, mended)

    await ctx.unit(mend)


@task("chat.purge", lane=Lane.BULK, every=timedelta(days=1))
async def purge_tombstones(services: Services) -> None:
    """Delete tombstones after 90 days."""

    async def purge(ctx: Context, rows: list[Message]) -> None:
        await telling.forgotten(ctx, rows)
        for row in rows:
            await ctx.tx.delete(store.messages, row)

    gone = due("deleted_at", clock.now() - TOMBSTONES_KEPT)
    await batches_in_unit(services, store.messages, gone, purge, size=BATCH)


@on_user_deleted
async def erase(services: Services, user_id: str) -> None:
    """Clear the person's messages; the chats remain for their partners, who cannot send any more."""
    # Leave first: a message in flight commits before that, and is cleared as well.
    await each_in_unit(services, store.members, {"user_id": user_id}, _leave, size=BATCH)
    said = {"sender_id": user_id, "deleted_at": None}
    await each_in_unit(services, store.messages, said, sending.clear, size=BATCH)
    # By the person and of the person: the copies in them are theirs.
    reported = {"$or": [{"reporter_id": user_id}, {"reported_id": user_id}]}
    await delete_each(services, store.reports, reported)
    await delete_each(services, store.settings, {"_id": store.settings_id(user_id)})
    await store.aliases.delete_all(services.db, {"user_id": user_id})
    await store.last_seen.delete_all(services.db, {"_id": user_id})
    await store.health.delete_all(services.db, {"user_id": user_id})


@on_user_export
async def export(services: Services, user_id: str) -> AsyncIterator[tuple[str, Sequence[Mapping[str, Any]]]]:
    """Export the person's own messages, decrypted, and their settings; others' messages are theirs."""
    said = {"sender_id": user_id, "deleted_at": None}
    async for rows in pages(services, store.messages, said):
        yield "messages", await announcing.exported(services, user_id, rows)
    own = {"user_id": user_id}
    for name, collection, query, without in (
        ("chats", store.members, own, ("data_key", "pair_key")),
        ("settings", store.settings, own, ()),
        ("last_seen", store.last_seen, {"_id": user_id}, ()),
        ("client_health", store.health, own, ()),
    ):
        async for rows in pages(services, collection, query, without=without):
            yield name, rows
    async for rows in pages(services, store.reports, {"reporter_id": user_id}):
        yield "reports", [moderation.exported_report(services, row) for row in rows]


async def _leave(ctx: Context, row: Member) -> None:
    access.tell_owner(ctx, await access.change_side(ctx, row["chat_id"], row["peer_id"], peer_gone=True))
    await ctx.tx.delete(store.members, row)
