"""Messages: send, edit and delete."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypedDict

from core import clock, ids, jobs, nodes, viewers
from core.context import Context
from core.errors import UserError
from core.hooks import on
from core.ids import Id
from core.security.limits import Rate
from core.sync.changes import user_scope
from core.uploads import finished, release
from core.values.bounds import check_length
from loaders.chat import Chat, ChatOfViewer, MessageById
from resolvers import media
from resolvers.chat.access import (
    both_scopes,
    change_side,
    chat_for_update,
    check_reachable,
    cipher_of,
    own_message_for_update,
    peers_scope,
    tell_owner,
    text_place,
)
from resolvers.chat.reading import chat_edge, message_edge
from resolvers.chat.telling import replies_told, sides_told
from stores import chat as store
from stores.chat import Message
from stores.media import Attachment

PURPOSE = "CHAT_ATTACHMENT"
LONGEST_TEXT = 4_000
MESSAGE_RATE = Rate("messages", 60, 60)
EDIT_RATE = Rate("message-edits", 60, 60)
AHEAD = timedelta(minutes=5)
EDITABLE = timedelta(minutes=15)
DELETABLE = timedelta(hours=24)
ARCHIVED_EVERY = 10
"""Messages sent between two passes that leave older ones out of first syncs."""
PUSH_AFTER = timedelta(seconds=2)

Document = Mapping[str, Any]


class Sent(TypedDict):
    message: Message
    message_edge: dict[str, Any]
    chat: Chat
    chat_edge: dict[str, Any]
    removed_chat_id: str | None
    viewer: dict[str, Any]


class Edited(TypedDict):
    message: Message
    chat: Chat


class Deleted(TypedDict):
    message: Message
    chat: Chat
    viewer: dict[str, Any]


class Removed(TypedDict):
    removed_message_id: Id
    chat: Chat
    viewer: dict[str, Any]


async def send_message(
    ctx: Context,
    *,
    id: Id | None = None,
    chat_id: Id,
    text: str | None = None,
    attachments: Sequence[Document] = (),
    reply_to_id: Id | None = None,
    sent_at: datetime | None = None,
) -> Sent:
    """Send a message: stored once, whatever idempotency key it is sent under and however often."""
    message_id = ids.minted(id, "message")
    if id is not None and (known := await store.messages.by_id(ctx.db, id)):
        return await _sent_before(ctx, known)
    await ctx.limit(MESSAGE_RATE)
    chat = await chat_for_update(ctx, chat_id)
    ctx.tx.contend(f"numbers of {chat['chat_id']}")
    said = checked_text(text)
    if said is None and not attachments:
        raise UserError("REQUIRED", "A message needs text or an attachment.", field=["text"])
    await check_reachable(ctx, chat)
    if reply_to_id is not None:
        await _check_reply(ctx, chat, reply_to_id)
    attached = await media.attach(ctx, attachments, purpose=PURPOSE, record_id=message_id)
    message = await _store(ctx, chat, message_id, said, attached, reply_to_id, sent_at)
    own = await _tell_both(ctx, chat, message)
    _keep_for_the_answer(ctx, own, message)
    await jobs.enqueue(ctx.tx, "chat.push", due_at=ctx.tx.now + PUSH_AFTER, message_id=message["_id"])
    if message["sequence"] % ARCHIVED_EVERY == 0:
        due = ctx.tx.now + PUSH_AFTER
        await jobs.enqueue(ctx.tx, "chat.age", due_at=due, chat_id=chat["_id"], sequence=message["sequence"])
    return _sent(ctx, message, own, unarchived=chat["archived"])


def _keep_for_the_answer(ctx: Context, chat: Chat, message: Message) -> None:
    """Prime the loaders with the rows just written, so that the answer reads nothing again."""

    async def know() -> None:
        ctx.loader(ChatOfViewer).know(chat["_id"], chat)
        ctx.loader(MessageById).know(message["_id"], message)

    ctx.tx.after_commit(know)


async def _sent_before(ctx: Context, message: Message) -> Sent:
    if message["sender_id"] != ctx.viewer_id:
        raise UserError("ID_TAKEN", "This id is in use.", field=["id"])
    return _sent(ctx, message, await chat_for_update(ctx, message["chat_id"]))


def _sent(ctx: Context, message: Message, chat: Chat, *, unarchived: bool = False) -> Sent:
    return {
        "message": message,
        "message_edge": message_edge(message),
        "chat": chat,
        "chat_edge": chat_edge(ctx, chat),
        "removed_chat_id": chat["_id"] if unarchived else None,
        "viewer": viewers.document(ctx),
    }


def checked_text(text: str | None) -> str | None:
    """The text, None when there is none."""
    said = text or ""
    check_length(said, most=LONGEST_TEXT, field="text")
    return said or None


async def _check_reply(ctx: Context, chat: Document, reply_to_id: str) -> None:
    answered = await nodes.for_update(ctx, store.messages, reply_to_id, field="replyToId")
    if answered["chat_id"] != chat["chat_id"]:
        raise UserError("NOT_FOUND", "There is no such message in this chat.", field=["replyToId"])


async def _store(
    ctx: Context,
    chat: Chat,
    id: str,
    text: str | None,
    attachments: Sequence[Attachment],
    reply_to_id: str | None,
    sent_at: datetime | None,
) -> Message:
    now = ctx.tx.now
    return await ctx.tx.insert(
        store.messages,
        {
            "_id": id,
            "chat_id": chat["chat_id"],
            "sender_id": ctx.viewer_id,
            "recipient_id": chat["peer_id"],
            # Both sides are written in this transaction, so that no two messages get one number and numbers
            # are in the order of commits: a client that has one can have all before it.
            "sequence": chat["last_sequence"] + 1,
            "sealed_text": text and cipher_of(ctx, chat).seal(text, place=text_place(id)),
            "attachments": list(attachments),
            "reply_to_id": reply_to_id,
            "sent_at": sent_at if sent_at and sent_at <= now + AHEAD else now,
            "delivered_at": None,
            "read_at": None,
            "edited_at": None,
            "deleted_at": None,
            "hidden_for": [],
        },
    )


async def _tell_both(ctx: Context, chat: Chat, message: Message) -> Chat:
    """Update both sides of the chat and the recipient's unread count; return the sender's side."""
    now = ctx.tx.now
    latest = {
        "last_activity_at": now,
        "last_sequence": message["sequence"],
        "last_message_id": message["_id"],
        "started": True,
        "updated_at": now,
    }
    muted = {"$gt": [{"$ifNull": ["$muted_until", now]}, now]}
    received = {
        **latest,
        "version": {"$add": ["$version", 1]},
        "unread_count": {"$add": ["$unread_count", 1]},
        # A chat that is both muted and archived stays archived.
        "archived": {"$and": ["$archived", muted]},
    }
    # Absolute values are safe: the side was read in this transaction, which conflicts with other writers.
    sent = {**latest, "version": chat["version"] + 1, "archived": False}
    await store.change_both(ctx.tx.db, chat, own={"$set": sent}, peers=[{"$set": received}])
    shown = {**chat, **sent}
    ctx.tx.changed(shown, scopes=both_scopes(shown), audience_never_shrinks=True)
    if message["sequence"] == 1:
        # Now it is in the other's list as well.
        ctx.tx.granted(chat["peer_id"], peers_scope(ctx.viewer_id))
    return shown


async def update_message(
    ctx: Context, *, message_id: Id, text: str, expected_version: int | None = None
) -> Edited:
    await ctx.limit(EDIT_RATE)
    message = await own_message_for_update(ctx, message_id)
    if clock.now() - message["created_at"] > EDITABLE:
        raise UserError(
            "EXPIRED",
            "Messages can be edited for {limit} minutes.",
            field=["messageId"],
            limit=EDITABLE // timedelta(minutes=1),
        )
    chat = await chat_for_update(ctx, message["chat_id"])
    await check_reachable(ctx, chat)
    own = {"_id": store.row_id(chat["chat_id"], ctx.viewer_id), "user_id": ctx.viewer_id}
    await ctx.tx.lock_document(store.members, own)
    said = checked_text(text)
    if said is None and not message["attachments"]:
        raise UserError("REQUIRED", "A message needs text or an attachment.", field=["text"])
    sealed = said and cipher_of(ctx, chat).seal(said, place=text_place(message_id))
    edit = {"sealed_text": sealed, "edited_at": ctx.tx.now}
    changed = await ctx.tx.edit(store.messages, message, edit, expected_version=expected_version)
    if chat["last_sequence"] == changed["sequence"]:
        # Its preview is another.
        ctx.tx.changed(chat, scopes=both_scopes(chat), audience_never_shrinks=True)
    return {"message": changed, "chat": chat}


async def delete_message(ctx: Context, *, message_id: Id) -> Deleted:
    """Clear the message for both; its number and its place remain."""
    message = await nodes.for_update(ctx, store.messages, message_id)
    chat = await chat_for_update(ctx, message["chat_id"])
    if message["sender_id"] != ctx.viewer_id:
        raise UserError("FORBIDDEN", "Only its sender may delete it for both.", field=["messageId"])
    if message["deleted_at"] is None:
        if clock.now() - message["created_at"] > DELETABLE:
            raise UserError(
                "EXPIRED",
                "Messages can be deleted for both for {limit} hours.",
                field=["messageId"],
                limit=DELETABLE // timedelta(hours=1),
            )
        message = await clear(ctx, message)
    return {"message": message, "chat": chat, "viewer": viewers.document(ctx)}


async def remove_message(ctx: Context, *, message_id: Id) -> Removed:
    """Hide the message on the viewer's own devices; the other side notices nothing."""
    message = await nodes.for_update(ctx, store.messages, message_id)
    chat = await chat_for_update(ctx, message["chat_id"])
    chat = await _hide(ctx, chat, message)
    return {"removed_message_id": message_id, "chat": chat, "viewer": viewers.document(ctx)}


async def clear(ctx: Context, message: Message) -> Message:
    """Clear a message's content, and uncount it if its recipient has not read it."""
    nothing: dict[str, Any] = {"sealed_text": None, "attachments": [], "deleted_at": ctx.tx.now}
    cleared = await ctx.tx.update(store.messages, message, set=nothing)
    assert cleared is not None
    if message["attachments"]:
        await release(ctx, message["_id"])
    if message["recipient_id"] not in message["hidden_for"]:
        await _one_unread_less(ctx, message)
    sides_told(ctx, message)
    return cleared


@on(finished(PURPOSE))
async def attachment_finished(ctx: Context, upload: Document) -> None:
    """Publish an attachment's end to both: it can be shown, or will never be."""
    message = await store.messages.by_id(ctx.db, upload["record_id"])
    if message is not None:
        await ctx.tx.update(store.messages, message, where={"deleted_at": None}, version=False)


async def _one_unread_less(ctx: Context, message: Message) -> None:
    unread = {"read_sequence": {"$lt": message["sequence"]}, "unread_count": {"$gt": 0}}
    chat_id, recipient = message["chat_id"], message["recipient_id"]
    await change_side(ctx, chat_id, recipient, where=unread, inc={"unread_count": -1})


async def _hide(ctx: Context, chat: Chat, message: Message) -> Chat:
    hidden = [*message["hidden_for"], ctx.viewer_id]
    changed = await ctx.tx.update(store.messages, message, set={"hidden_for": hidden}, touch=False)
    assert changed is not None
    ctx.tx.skip_log(changed)
    ctx.tx.changed(changed, aspect=f"hidden:{ctx.viewer_id}", scopes=[user_scope(ctx.viewer_id)])
    await replies_told(ctx, message, to=[ctx.viewer_id])
    if message["recipient_id"] == ctx.viewer_id and message["deleted_at"] is None:
        await _one_unread_less(ctx, message)
    latest = chat["last_message_id"] == message["_id"]
    changes: dict[str, Any] = {"last_message_id": await _message_before(ctx, message)} if latest else {}
    shown = await change_side(ctx, chat["chat_id"], ctx.viewer_id, **changes)
    assert shown is not None
    tell_owner(ctx, shown)
    return shown


async def _message_before(ctx: Context, message: Message) -> str | None:
    query = {
        "chat_id": message["chat_id"],
        "sequence": {"$lt": message["sequence"]},
        "hidden_for": {"$ne": ctx.viewer_id},
    }
    before = await store.messages.first(ctx.db, query, sort=[("sequence", -1)])
    return before["_id"] if before else None
