"""Opening of chats: one for each pair, whoever begins it and however often."""

from datetime import timedelta
from typing import Any, TypedDict

from core import clock, ids
from core.context import Context
from core.errors import UserError
from core.ids import Id
from core.security.limits import Rate
from core.storage import mongo
from core.sync.changes import user_scope
from loaders.chat import Chat, ChatSettingsByUser
from loaders.feed import FollowToViewer
from resolvers import auth
from resolvers.chat.access import both_scopes, change_side, peers_scope
from resolvers.chat.reading import chat_edge
from stores import chat as store
from stores.chat import AllowedSenders

ALIAS_KEPT = timedelta(days=30)
ALIAS_RATE = Rate("chat-aliases", 200, 86_400)
CHAT_RATE = Rate("chats", 20, 86_400)


class Opened(TypedDict):
    chat: Chat
    chat_edge: dict[str, Any]


async def create_chat(ctx: Context, *, id: Id | None = None, user_id: Id) -> Opened:
    """Open the chat with a person: a new one, or the existing one, to which the client's id then leads."""
    ids.checked(user_id, "user")
    chat_id = ids.minted(id, "chat")
    if user_id == ctx.viewer_id:
        raise UserError("FORBIDDEN", "You cannot chat with yourself.", field=["userId"])
    existing = await store.chat_of_pair(ctx.db, ctx.viewer_id, user_id)
    if existing is not None:
        chat = await _opened_again(ctx, existing["_id"], chat_id)
    else:
        await _check_allowed(ctx, user_id)
        await ctx.limit(CHAT_RATE)
        chat = await _begin(ctx, chat_id, user_id)
    return {"chat": chat, "chat_edge": chat_edge(ctx, chat)}


async def _check_allowed(ctx: Context, user_id: str) -> None:
    [person] = await auth.visible_people(ctx, [user_id])
    if person is None:
        raise UserError("NOT_FOUND", "There is no such person.", field=["userId"])
    wish = (await ctx.load(ChatSettingsByUser, user_id))["allowed_senders"]
    if wish == AllowedSenders.EVERYONE:
        return
    if wish == AllowedSenders.NOBODY or await ctx.load(FollowToViewer, user_id) is None:
        raise UserError("FORBIDDEN", "This person does not take messages from you.", field=["userId"])


async def _begin(ctx: Context, chat_id: str, peer_id: str) -> Chat:
    key = ctx.services.crypto.new_data_key(place=f"chats/{chat_id}")
    common = {
        "pair_key": store.pair_key(ctx.viewer_id, peer_id),
        "data_key": key,
        "created_at": ctx.tx.now,
    }
    # Where the other opened it since our snapshot: run again, and find theirs.
    await ctx.tx.insert(store.chats, {"_id": chat_id, **common}, taken=mongo.run_again)
    own = {**common, **_side(ctx, chat_id, ctx.viewer_id, peer_id), "started": True}
    await ctx.tx.insert(store.members, own)
    await ctx.tx.insert(store.members, {**common, **_side(ctx, chat_id, peer_id, ctx.viewer_id)})
    chat = store.as_chat(own)  # type: ignore[arg-type]
    ctx.tx.changed(chat, scopes=[user_scope(ctx.viewer_id)], created=True)
    ctx.tx.granted(ctx.viewer_id, peers_scope(peer_id))
    return chat


def _side(ctx: Context, chat_id: str, user_id: str, peer_id: str) -> dict[str, Any]:
    return {
        "_id": store.row_id(chat_id, user_id),
        "chat_id": chat_id,
        "user_id": user_id,
        "peer_id": peer_id,
        "started": False,
        "peer_gone": False,
        "archived": False,
        "muted_until": None,
        "last_activity_at": ctx.tx.now,
        "last_sequence": 0,
        "last_message_id": None,
        "unread_count": 0,
        "delivered_sequence": 0,
        "read_sequence": 0,
        "peer_delivered_sequence": 0,
        "peer_read_sequence": 0,
        "version": 1,
        "updated_at": ctx.tx.now,
    }


async def _opened_again(ctx: Context, chat_id: str, asked_id: str) -> Chat:
    """The pair's chat, in the viewer's list from now on."""
    if asked_id != chat_id:
        await _alias(ctx, asked_id, chat_id)
    [own] = await store.members_of(ctx.db, ctx.viewer_id, [chat_id])
    if own["started"]:
        return store.as_chat(own)
    chat = await change_side(ctx, chat_id, ctx.viewer_id, started=True)
    assert chat is not None
    ctx.tx.changed(chat, scopes=both_scopes(chat), created=True)
    if not own.get("blocked"):
        ctx.tx.granted(ctx.viewer_id, peers_scope(chat["peer_id"]))
    return chat


async def _alias(ctx: Context, alias: str, chat_id: str) -> None:
    """Alias of a chat id, for queues that were filled offline under the id the phone minted."""
    known = await store.aliases.by_id(ctx.db, alias)
    taken = known is not None and known["user_id"] != ctx.viewer_id
    if taken or await store.chats.by_id(ctx.db, alias) is not None:
        raise UserError("ID_TAKEN", "This id is in use.", field=["id"])
    if known is None:
        await ctx.limit(ALIAS_RATE)
        row = {"chat_id": chat_id, "user_id": ctx.viewer_id, "expires_at": clock.now() + ALIAS_KEPT}
        await ctx.tx.insert(store.aliases, {"_id": alias, **row})
