"""Derived changes: nodes that read differently though their own row did not change are published again."""

from collections.abc import Mapping, Sequence
from typing import Any

from core.context import Context, Services
from core.storage.batches import each_in_unit
from core.sync.changes import user_scope
from resolvers.chat.access import tell_owner
from stores import chat as store
from stores.chat import Member, Message

Document = Mapping[str, Any]

BATCH = 50
"""Chats per transaction."""


def sides_told(ctx: Context, message: Document) -> None:
    """Publish both sides again: the preview or the number of unread messages changed."""
    scopes = [user_scope(message["sender_id"]), user_scope(message["recipient_id"])]
    ctx.tx.changed({"_id": message["chat_id"]}, scopes=scopes, audience_never_shrinks=True)


async def replies_told(ctx: Context, message: Message, to: Sequence[str]) -> None:
    """Publish the replies to a message again: they do not show it any more."""
    for id in await store.replies_to(ctx.db, message):
        ctx.tx.reshown(id, to=to)


async def forgotten(ctx: Context, messages: Sequence[Message]) -> None:
    """Publish what referred to deleted messages, now that they are gone altogether."""
    sides = [
        store.row_id(message["chat_id"], user_id)
        for message in messages
        for user_id in (message["sender_id"], message["recipient_id"])
    ]
    gone = {message["_id"] for message in messages}
    for row in await store.members.by_ids(ctx.db, sides):
        if row["last_message_id"] in gone:
            ctx.tx.reshown(row["chat_id"], to=[row["user_id"]])
    for message in messages:
        await replies_told(ctx, message, (message["sender_id"], message["recipient_id"]))


async def receipts_told(services: Services, user_id: str) -> None:
    """Publish all of a person's chats again, to both sides: read times became visible or hidden."""
    await each_in_unit(services, store.members, {"user_id": user_id}, _receipts_of, size=BATCH)


async def _receipts_of(ctx: Context, row: Member) -> None:
    read = row["read_sequence"] or row["peer_read_sequence"]
    peer = await store.member_of(ctx.db, row["peer_id"], row["chat_id"]) if read else None
    for side in (row, peer) if read else ():
        if side is not None and tell_owner(ctx, store.as_chat(side)):
            ctx.tx.reread(side["user_id"], store.chat_scope(side["chat_id"]))
