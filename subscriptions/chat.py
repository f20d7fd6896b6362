"""Subscriptions to an open chat, and to the presence of people the viewer chats with."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from prometheus_client import Counter

from core import nodes
from core.context import Context
from core.ids import Id, prefix_of
from core.sync.changes import Entry, aspect_of, user_scope
from core.sync.listeners import Signal
from core.sync.topics import follow
from loaders.chat import MessageById
from resolvers.chat import access, presence, reading
from resolvers.feed import TypingIndicator
from stores.chat import Message, chat_scope

Event = dict[str, Any]

RESUMED = Counter("landfall_chat_resumed_total", "Chat streams that a phone resumed.", ["topic"])


async def chat_events(ctx: Context, *, chat_id: Id, after: str | None = None) -> AsyncGenerator[Event, None]:
    """Messages, receipts and typing of one chat."""
    # Signed in, or a phone would take a chat for gone that it may read with a new token.
    assert ctx.viewer_id
    chat = await nodes.to_watch(ctx, chat_id, "chat")
    # Messages deleted for oneself are logged in one's own scope.
    scopes = [chat_scope(chat["_id"]), user_scope(ctx.viewer_id)]
    typists = TypingIndicator()
    if after is not None:
        RESUMED.labels("chatEvents").inc()

    async def participant() -> None:
        ctx.refresh()
        await nodes.to_watch(ctx, chat["_id"], "chat")
        # An idle stream keeps nothing.
        ctx.refresh()

    async def to_event(entry: Entry) -> Event | None:
        if prefix_of(entry["node"]) == "message":
            return await _message_event(ctx, entry, chat["_id"])
        if aspect_of(entry).startswith("receipt:") and entry["node"] == chat["_id"]:
            return await _chat_event(ctx, chat["_id"])
        return None

    async def on_signal(signal: Signal | None) -> list[Event]:
        return [
            {"_type": "ChatTypingChanged", "user_id": user_id, "typing": on}
            for user_id, on in typists.still_typing(signal, but=ctx.viewer_id)
        ]

    events = follow(
        ctx, scopes, after, to_event, authorize=participant, on_signal=on_signal, idle_timeout=typists.wait
    )
    async with aclosing(events):
        async for event in events:
            yield event


async def presence_events(ctx: Context, *, after: str | None = None) -> AsyncGenerator[Event, None]:
    """Presence of the people the viewer chats with."""

    async def nothing(entry: Entry) -> Event | None:
        return None

    async def on_signal(signal: Signal | None) -> list[Event]:
        if not signal or "presence" not in signal:
            return []
        [shown] = await presence.presences(ctx, [{"_id": signal["presence"]}])
        return [{"_type": "PresenceChanged", "presence": shown}] if shown else []

    scopes = [access.inbox_scope(ctx.viewer_id)]
    async with aclosing(follow(ctx, scopes, after, nothing, on_signal=on_signal)) as events:
        async for event in events:
            yield event


async def _message_event(ctx: Context, entry: Entry, chat_id: str) -> Event | None:
    """Event of a message's log entry; None for other chats, and for changes that show elsewhere."""
    id = entry["node"]
    message: Message | None = await ctx.services.live.shared(entry, "node", lambda: ctx.load(MessageById, id))
    if message is None or message["chat_id"] != chat_id:
        return None
    aspect, _, _ = aspect_of(entry).partition(":")
    if aspect not in ("", "hidden"):
        return None
    if not access.sees(ctx.viewer_id, message):
        return {"_type": "MessageDeleted", "deleted_message_id": id} if aspect else None
    if entry["created"] and message["deleted_at"] is None:
        return {"_type": "MessageCreated", "message_edge": reading.message_edge(message)}
    return {"_type": "MessageUpdated", "message": message}


async def _chat_event(ctx: Context, chat_id: Id) -> Event:
    """Event of a receipt: the chat with both sides' marks, as far as the viewer may know them."""
    return {"_type": "ChatUpdated", "chat": await nodes.to_watch(ctx, chat_id, "chat")}
