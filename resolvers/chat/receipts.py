"""Receipts: cumulative delivery and read marks, so that late, repeated and reordered ones do no harm."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

from prometheus_client import Histogram

from core import ids, viewers
from core.context import Context
from core.ids import Id
from core.sync.changes import user_scope
from core.values.bounds import check_count
from loaders.chat import Chat
from resolvers import feed
from resolvers.chat.access import both_scopes, change_side, chat_for_update, own_chats, receipts_shown
from stores import chat as store

SEND_TO_DELIVER = Histogram(
    "landfall_chat_delivery_seconds",
    "From a message's acceptance until a device of its recipient says that it has it.",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 5, 30, 300, 3600, 86400),
)
MOST_MARKS = 100
MOST_LOGGED = 500
"""Messages per mark whose new status is logged one by one; older ones show it by their chat's marks."""

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Marks:
    """Delivery and read positions of one side, as sequence numbers that exist in the chat."""

    delivered: int
    read: int


class Delivered(TypedDict):
    chats: list[Chat]


class Read(TypedDict):
    chat: Chat
    viewer: dict[str, Any]


async def mark_chats_delivered(ctx: Context, *, marks: Sequence[Mapping[str, Any]]) -> Delivered:
    """Record what a device has received; chats it may not see are skipped, or one would fail a hundred."""
    check_count(marks, most=MOST_MARKS, field="marks")
    highest: dict[str, int] = {}
    for mark in marks:
        id = ids.checked(mark["chat_id"], "chat")
        highest[id] = max(highest.get(id, 0), mark["up_to_sequence"])
    chats: dict[str, Chat] = {}
    for chat, sequence in zip(await own_chats(ctx, list(highest)), highest.values(), strict=True):
        if chat is not None:
            # Two ids may lead to one chat.
            chats[chat["_id"]] = await _advance(ctx, chats.get(chat["_id"], chat), delivered=sequence)
    return {"chats": list(chats.values())}


async def mark_chat_read(ctx: Context, *, chat_id: Id, up_to_sequence: int) -> Read:
    chat = await chat_for_update(ctx, chat_id)
    chat = await _advance(ctx, chat, delivered=up_to_sequence, read=up_to_sequence)
    return {"chat": chat, "viewer": viewers.document(ctx)}


async def _advance(ctx: Context, chat: Chat, *, delivered: int, read: int = 0) -> Chat:
    """Advance the viewer's marks, never back; a mark beyond the last message is clipped."""
    last = chat["last_sequence"]
    before = Marks(chat["delivered_sequence"], chat["read_sequence"])
    after = Marks(max(before.delivered, min(delivered, last)), max(before.read, min(read, last)))
    if after == before:
        return chat
    told = await _told(ctx, chat, before, after)
    own = await _move_own(ctx, chat, after)
    detail = {"user_id": ctx.viewer_id, "delivered": after.delivered, "read": after.read}
    aspect, scopes = f"receipt:{ctx.viewer_id}", [*both_scopes(chat), store.chat_scope(chat["_id"])]
    if told == before:
        # What the other may not know is logged apart from what they may.
        aspect, scopes = f"{aspect}:own", [user_scope(ctx.viewer_id)]
    else:
        await _move_peers(ctx, chat, before, told)
        await _stamp_messages(ctx, chat, before, told)
    ctx.tx.changed(own, aspect=aspect, scopes=scopes, audience_never_shrinks=True, detail=detail)
    return own


async def _told(ctx: Context, chat: Chat, before: Marks, after: Marks) -> Marks:
    """Marks the other side may see: no change while blocked, read marks only if both enabled receipts."""
    if chat["peer_id"] in await feed.blocked_either_way(ctx):
        return before
    [shown] = await receipts_shown(ctx, [chat["peer_id"]])
    return Marks(after.delivered, after.read if shown else before.read)


async def _move_own(ctx: Context, chat: Chat, marks: Marks) -> Chat:
    changes: dict[str, Any] = {}
    if marks.read > chat["read_sequence"]:
        done = marks.read == chat["last_sequence"]
        changes["unread_count"] = 0 if done else await store.count_unread(ctx.db, chat, marks.read)  # type: ignore[arg-type]
    reached = {"delivered_sequence": marks.delivered, "read_sequence": marks.read}
    own = await change_side(ctx, chat["chat_id"], ctx.viewer_id, at_least=reached, **changes)
    assert own is not None
    return own


async def _move_peers(ctx: Context, chat: Chat, before: Marks, marks: Marks) -> None:
    reached = {"peer_delivered_sequence": marks.delivered}
    if marks.read > before.read:
        reached["peer_read_sequence"] = marks.read
    await change_side(ctx, chat["chat_id"], chat["peer_id"], at_least=reached)


async def _stamp_messages(ctx: Context, chat: Chat, before: Marks, after: Marks) -> None:
    """Stamp the messages between the marks with the time, and log their new status for both."""
    db, now = ctx.tx.db, ctx.tx.now
    stamps = {
        "delivered_at": (before.delivered, after.delivered),
        "read_at": (before.read, after.read),
    }
    updates = [
        {
            "q": {**_received(chat, *between), stamp: None},
            "u": {"$set": {stamp: now, "updated_at": now}},
            "multi": True,
        }
        for stamp, between in stamps.items()
        if between[0] < between[1]
    ]
    if not updates:
        return
    await db.write({"update": store.messages.name, "updates": updates})
    lowest = min(start for start, end in stamps.values() if start < end)
    stamped = await store.messages.find(
        db,
        _received(chat, lowest, max(after.delivered, after.read)),
        sort=[("sequence", -1)],
        limit=MOST_LOGGED,
        fields=("version", "sequence", "created_at"),
    )
    fresh = [
        (now - each["created_at"]).total_seconds() for each in stamped if each["sequence"] > before.delivered
    ]

    async def observe() -> None:
        for seconds in fresh:
            SEND_TO_DELIVER.observe(seconds)

    ctx.tx.after_commit(observe)
    for message in stamped:
        ctx.tx.changed(message, aspect="receipts", scopes=both_scopes(chat), audience_never_shrinks=True)


def _received(chat: Chat, start: int, end: int) -> dict[str, Any]:
    """Filter of messages from the other side, after one number and up to another."""
    return {
        "chat_id": chat["chat_id"],
        "sequence": {"$gt": start, "$lte": end},
        "sender_id": chat["peer_id"],
    }
