"""Reads of chats and their history."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Any, TypedDict

from core import clock, paging
from core.context import Context
from core.errors import BadUserInput
from core.paging import DEFAULT_PAGE, KeysetPage, PageArgs
from core.values import text, words
from loaders.chat import Chat, ChatOfViewer, ChatSettingsByUser, ChatWithPeer, MessageById, PeerById
from resolvers import auth
from resolvers.chat.access import (
    only_visible,
    peer_of,
    receipts_shown,
    texts,
    visible_messages,
)
from stores import chat as store
from stores.chat import ChatSettings, Message, MessageStatus

Document = Mapping[str, Any]

PREVIEW = 140
LONGEST_QUERY = 100
MOST_SEARCHED = 1_000
"""Chats, latest first, among whose peers a name is searched."""


class ChatView(StrEnum):
    """Tab of the list of chats."""

    INBOX = "INBOX"
    """Chats that are not archived."""
    ARCHIVED = "ARCHIVED"
    """Chats that are archived."""


class ChatFilter(TypedDict, total=False):
    """Filter of the list of chats."""

    query: str | None
    """Words of names or handles, at most 100 characters: each may be the beginning of a word."""
    view: ChatView | None
    """Tab of the list; INBOX when left out."""


class MessageFilter(TypedDict, total=False):
    """Filter of a chat's history."""

    after_sequence: int | None
    """Sequence that the messages come after, 0 or more: what came since an app last looked."""
    updated_from: datetime | None
    """Moment since when the messages were created, edited, deleted, received or read; some come again."""


async def viewer_chats(
    ctx: Context, viewer: Document, *, filter: ChatFilter | None = None, args: PageArgs
) -> dict[str, Any]:
    """The viewer's chats, latest activity first."""
    given = filter or ChatFilter()
    archived = given.get("view") is ChatView.ARCHIVED
    name = text.line(given.get("query") or "")
    if len(name) > LONGEST_QUERY:
        raise BadUserInput(f"`query` has at most {LONGEST_QUERY} characters.")
    listed: dict[str, Any] = {"user_id": ctx.viewer_id, "started": True, "archived": archived}
    if name:
        listed["peer_id"] = {"$in": await _peers_named(ctx, listed, name)}
    listing = chat_listing(ctx, archived, name)
    found = await store.members.page(ctx.db, listed, store.LATEST, args, listing=listing, shown=store.as_chat)
    loader = ctx.loader(ChatOfViewer)
    assert isinstance(loader, ChatOfViewer)
    loader.know_all([edge["node"] for edge in found["edges"]])
    return found


def chat_listing(ctx: Context, archived: bool = False, query: str = "") -> paging.Listing:
    return paging.Listing("chats", user=ctx.viewer_id, archived=archived, query=query)


def chat_edge(ctx: Context, chat: Document) -> dict[str, Any]:
    """The chat's edge in the list it is in."""
    return paging.edge_of(chat_listing(ctx, chat["archived"]), store.LATEST, chat)


async def _peers_named(ctx: Context, listed: Document, name: str) -> list[str]:
    """Latest peers with a word in their name that begins so."""
    rows = await store.members.find(
        ctx.db, listed, sort=store.LATEST, limit=MOST_SEARCHED, fields=("peer_id",)
    )
    peers = await ctx.load_many(PeerById, [row["peer_id"] for row in rows])
    return [
        peer["_id"]
        for peer in peers
        if words.begins(auth.full_name(peer), name) or words.begins(peer["handle"] or "", name)
    ]


async def chats_with(ctx: Context, people: Sequence[Document]) -> list[Chat | None]:
    """The viewer's chats with people; None where there is none in the list."""
    if ctx.viewer is None:
        return [None for _ in people]
    found = await ctx.load_many(ChatWithPeer, [person["_id"] for person in people])
    return [chat if chat and chat["started"] else None for chat in found]


async def unread_message_count(ctx: Context, viewer: Document) -> int:
    """Unread messages of all chats that are not archived."""
    return await store.unread_message_count(ctx.db, ctx.viewer_id)


async def viewer_settings(ctx: Context, viewer: Document) -> ChatSettings:
    return await ctx.load(ChatSettingsByUser, ctx.viewer_id)


def muted_until(chat: Document) -> datetime | None:
    until: datetime | None = chat["muted_until"]
    return until if until and until > clock.now() else None


async def last_messages(ctx: Context, chats: Sequence[Document]) -> list[Message | None]:
    ids = [chat["last_message_id"] for chat in chats if chat["last_message_id"]]
    found = {row["_id"]: row for row in only_visible(ctx, await ctx.load_many(MessageById, ids)) if row}
    return [found.get(chat["last_message_id"]) for chat in chats]


async def previews(ctx: Context, chats: Sequence[Document]) -> list[str | None]:
    """Previews: the beginnings of the chats' latest messages."""
    latest = await last_messages(ctx, chats)
    said = iter(await texts(ctx, [message for message in latest if message]))
    begun = [next(said) if message else None for message in latest]
    return [None if text is None else shortened(text) for text in begun]


def shortened(text: str) -> str:
    """Shorten a text to one line of at most 140 characters."""
    line = " ".join(text[: PREVIEW * 4].split())
    return line if len(line) <= PREVIEW else f"{line[: PREVIEW - 1].rstrip()}…"


async def peer_read_sequences(ctx: Context, chats: Sequence[Document]) -> list[int]:
    shown = await receipts_shown(ctx, [chat["peer_id"] for chat in chats])
    return [chat["peer_read_sequence"] if visible else 0 for chat, visible in zip(chats, shown, strict=True)]


async def messages(
    ctx: Context,
    chats: Sequence[Document],
    *,
    filter: MessageFilter | None = None,
    args: PageArgs,
) -> list[dict[str, Any]]:
    """A page of messages of each chat; all newest pages in one command."""
    given = filter or MessageFilter()
    after_sequence, since = given.get("after_sequence"), given.get("updated_from")
    if after_sequence is not None and after_sequence < 0:
        raise BadUserInput("`afterSequence` is 0 or more.")
    forward = after_sequence is not None or since is not None or args.after is not None
    if args.first is None and args.last is None:
        args = replace(args, first=DEFAULT_PAGE, before=None) if forward else replace(args, last=DEFAULT_PAGE)
    listings = [message_listing(chat["_id"], since) for chat in chats]
    pages = [paging.parse_page(listing, store.BY_SEQUENCE, args) for listing in listings]
    where = _wanted(ctx, after_sequence, since)
    rows = await _pages(ctx, chats, pages, where, paging.projection(args, store.BY_SEQUENCE))
    return [
        paging.connection(listing, store.BY_SEQUENCE, page, each)
        for listing, page, each in zip(listings, pages, rows, strict=True)
    ]


def _wanted(ctx: Context, after_sequence: int | None, since: datetime | None) -> list[Document]:
    where: list[Document] = [{"hidden_for": {"$ne": ctx.viewer_id}}]
    if after_sequence is not None:
        where.append({"sequence": {"$gt": after_sequence}})
    if since is not None:
        # What was written before it may be committed after it: a repeat does no harm, a gap would.
        where.append({"updated_at": {"$gte": clock.earlier(since, ctx.services.live.overlap)}})
    return where


async def _pages(
    ctx: Context,
    chats: Sequence[Document],
    pages: Sequence[KeysetPage],
    where: Sequence[Document],
    fields: Sequence[str],
) -> list[list[Message]]:
    if len(chats) > 1 and len(set(pages)) == 1:
        page = pages[0]
        rows = await store.messages.per_parent(
            ctx.db,
            "chat_id",
            [chat["_id"] for chat in chats],
            sort=paging.sort_order(store.BY_SEQUENCE, page),
            limit=page.size + 1,
            where={"$and": [*where, paging.after_filter(store.BY_SEQUENCE, page)]},
            fields=fields,
        )
        return [rows.get(chat["_id"], []) for chat in chats]
    found = []
    for chat, page in zip(chats, pages, strict=True):
        query = {"$and": [{"chat_id": chat["_id"]}, *where, paging.after_filter(store.BY_SEQUENCE, page)]}
        order = paging.sort_order(store.BY_SEQUENCE, page)
        size = page.size + 1
        found.append(await store.messages.find(ctx.db, query, sort=order, limit=size, fields=fields))
    return found


def message_listing(chat_id: str, since: datetime | None = None) -> paging.Listing:
    return paging.Listing("messages", chat=chat_id, since=since)


def message_edge(message: Document) -> dict[str, Any]:
    return paging.edge_of(message_listing(message["chat_id"]), store.BY_SEQUENCE, message)


async def replied_to(ctx: Context, messages: Sequence[Document]) -> list[Message | None]:
    """The messages replied to; None at top level, and for one that the viewer deleted."""
    wanted = [each["reply_to_id"] for each in messages if each["reply_to_id"]]
    found = {row["_id"]: row for row in await visible_messages(ctx, wanted) if row} if wanted else {}
    return [found.get(each["reply_to_id"]) for each in messages]


async def statuses(ctx: Context, messages: Sequence[Document]) -> list[MessageStatus]:
    read = await read_times(ctx, messages)
    return [
        MessageStatus.READ
        if at
        else MessageStatus.DELIVERED
        if message["delivered_at"]
        else MessageStatus.SENT
        for message, at in zip(messages, read, strict=True)
    ]


READ = ("read_at", "recipient_id", "sender_id")
"""Fields of a message that `read_times` reads."""


async def read_times(ctx: Context, messages: Sequence[Document]) -> list[datetime | None]:
    """Read times of messages; also None when one of the two disabled receipts."""
    read = [message for message in messages if message["read_at"]]
    # Settings are loaded only for messages that were read.
    shown = await receipts_shown(ctx, [peer_of(ctx, message) for message in read]) if read else []
    times = {
        message["_id"]: message["read_at"] for message, visible in zip(read, shown, strict=True) if visible
    }
    return [times.get(message["_id"]) for message in messages]
