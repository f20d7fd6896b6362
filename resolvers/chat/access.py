"""Access guards of chats, messages and settings, and the scopes of their changes."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from core import nodes
from core.context import Context
from core.errors import ErrorKind, UserError, error_codes
from core.hooks import on
from core.nodes import guard, reader_scopes
from core.security.crypto import Cipher
from core.sync.changes import user_scope
from loaders.chat import Chat, ChatOfAlias, ChatOfViewer, ChatSettingsByUser, MessageById, PeersByUser
from resolvers import auth, feed
from stores import chat as store
from stores.chat import ChatSettings, Message

Document = Mapping[str, Any]

error_codes(
    ErrorKind.FORBIDDEN,
    BLOCKED="You and this person are hidden from each other.",
    USER_UNAVAILABLE="This person has left, and cannot be written to any more.",
)


@on(auth.keepers)
def peers_scope(user_id: str) -> str:
    """Scope of a person's chat partners, who keep their name and picture."""
    return f"peers:{user_id}"


@on(reader_scopes)
async def chat_partners(ctx: Context) -> list[str]:
    """The people the viewer chats with."""
    return [peers_scope(peer) for peer in await ctx.load(PeersByUser, ctx.viewer_id)]


def inbox_scope(user_id: str) -> str:
    """Scope of ephemeral signals for a person; nothing is logged for it."""
    return f"inbox:{user_id}"


def both_scopes(chat: Document) -> list[str]:
    return [user_scope(chat["user_id"]), user_scope(chat["peer_id"])]


def tell_owner(ctx: Context, chat: Document | None) -> bool:
    """Log a change of a chat for the owner of that side; False if the chat is not in their list."""
    if chat is None or not chat["started"]:
        return False
    own = chat["user_id"]
    ctx.tx.changed(chat, aspect=f"own:{own}", scopes=[user_scope(own)])
    return True


@guard("chat", sync="CHAT", owner="user_id", collection="chat_members")
async def own_chats(ctx: Context, wanted: Sequence[str]) -> Sequence[Chat | None]:
    """Chats the viewer is in, under any id that leads to them."""
    if ctx.viewer is None:
        return [None for _ in wanted]
    found = dict(zip(wanted, await ctx.load_many(ChatOfViewer, wanted), strict=True))
    unknown = [id for id, chat in found.items() if chat is None]
    if unknown:
        real = await ctx.load_many(ChatOfAlias, unknown)
        aliased = {alias: chat_id for alias, chat_id in zip(unknown, real, strict=True) if chat_id}
        behind = await ctx.load_many(ChatOfViewer, list(aliased.values()))
        found |= dict(zip(aliased, behind, strict=True))
    return [own if (own := found[id]) and own["started"] else None for id in wanted]


async def chat_for_update(ctx: Context, id: str, *, field: str | None = None) -> Chat:
    """The viewer's side of a chat to act in."""
    return cast("Chat", await nodes.for_update(ctx, store.chats, id, field=field))


async def change_side(
    ctx: Context,
    chat_id: str,
    user_id: str,
    *,
    where: Document | None = None,
    inc: Mapping[str, int] | None = None,
    at_least: Mapping[str, int] | None = None,
    **changes: Any,
) -> Chat | None:
    """Change one side of a chat if it still matches `where`; return the chat as its owner sees it now.

    What is given by `at_least` rises to that, and never falls.
    """
    change = {"$set": {**changes, "updated_at": ctx.tx.now}, "$inc": {"version": 1, **(inc or {})}}
    side = {"_id": store.row_id(chat_id, user_id), "user_id": user_id, **(where or {})}
    answer = await ctx.tx.db.write(
        {
            "findAndModify": store.members.name,
            "query": side,
            "update": {**change, "$max": at_least} if at_least else change,
            "new": True,
        }
    )
    return store.as_chat(answer["value"]) if answer["value"] is not None else None


@guard("message", sync="MESSAGE", owner="sender_id", collection="messages")
async def visible_messages(ctx: Context, wanted: Sequence[str]) -> Sequence[Message | None]:
    """Messages of the viewer's chats, without those they deleted for themselves."""
    return only_visible(ctx, await ctx.load_many(MessageById, wanted))


def only_visible(ctx: Context, found: Sequence[Message | None]) -> list[Message | None]:
    viewer = ctx.viewer_id_or_none
    return [each if each and viewer and sees(viewer, each) else None for each in found]


def sees(user_id: str, message: Message) -> bool:
    between = user_id in (message["sender_id"], message["recipient_id"])
    return between and user_id not in message["hidden_for"]


async def own_message_for_update(ctx: Context, id: str) -> Message:
    """The viewer's own message, unless it is deleted: deleting beats editing."""
    message = await nodes.for_update(ctx, store.messages, id)
    if message["sender_id"] != ctx.viewer_id:
        raise UserError("FORBIDDEN", "Only its sender may do this.", field=["messageId"])
    if message["deleted_at"] is not None:
        raise UserError("NOT_FOUND", "The message was deleted.", field=["messageId"])
    return message


@guard("chat_settings", sync="CHAT_SETTINGS", collection="chat_settings")
async def own_settings(ctx: Context, wanted: Sequence[str]) -> Sequence[ChatSettings | None]:
    if ctx.viewer is None:
        return [None for _ in wanted]
    own = await ctx.load(ChatSettingsByUser, ctx.viewer_id)
    return [own if id == own["_id"] else None for id in wanted]


async def check_reachable(ctx: Context, chat: Document) -> None:
    """Raise unless the other person can be written to: BLOCKED, or USER_UNAVAILABLE if they are gone."""
    if chat["peer_gone"]:
        raise UserError("USER_UNAVAILABLE", "This person has left.", field=["chatId"])
    if chat["peer_id"] in await feed.blocked_either_way(ctx):
        raise UserError("BLOCKED", "You and this person are hidden from each other.", field=["chatId"])


@on(feed.parting)
async def part(ctx: Context, user_id: str) -> None:
    """Mark both sides of the chat as blocked: a message in flight writes a side too, so the two conflict."""
    await _divided(ctx, user_id, blocked=True)


@on(feed.rejoining)
async def rejoin(ctx: Context, user_id: str) -> None:
    await _divided(ctx, user_id, blocked=False)


async def _divided(ctx: Context, user_id: str, *, blocked: bool) -> None:
    """Block or unblock both sides; they keep each other's names only while they can write to each other."""
    chat = await store.chat_of_pair(ctx.db, ctx.viewer_id, user_id)
    sides = ((ctx.viewer_id, user_id), (user_id, ctx.viewer_id)) if chat else ()
    where = {"blocked": True} if not blocked else {"blocked": {"$ne": True}}
    for side, other in sides:
        assert chat is not None
        shown = await change_side(ctx, chat["_id"], side, where=where, blocked=blocked)
        if tell_owner(ctx, shown):
            (ctx.tx.revoked if blocked else ctx.tx.granted)(side, peers_scope(other))


async def can_send(ctx: Context, chats: Sequence[Document]) -> list[bool]:
    blocked_either_way = await feed.blocked_either_way(ctx)
    return [not chat["peer_gone"] and chat["peer_id"] not in blocked_either_way for chat in chats]


async def receipts_shown(ctx: Context, peers: Sequence[str]) -> list[bool]:
    """Read receipts by peer: True if both they and the viewer enabled them."""
    everybody = [ctx.viewer_id, *peers]
    chosen = dict(zip(everybody, await ctx.load_many(ChatSettingsByUser, everybody), strict=True))
    own = chosen[ctx.viewer_id]["read_receipts"]
    return [own and chosen[peer]["read_receipts"] for peer in peers]


def peer_of(ctx: Context, message: Document) -> str:
    own = message["sender_id"] == ctx.viewer_id
    return str(message["recipient_id"] if own else message["sender_id"])


def cipher_of(ctx: Context, chat: Document) -> Cipher:
    """Cipher of the chat's own key: a text taken out of the database opens with it alone."""
    return ctx.services.crypto.cipher(chat["data_key"], place=_key_place(chat["chat_id"]))


def _key_place(chat_id: str) -> str:
    return f"chats/{chat_id}"


def text_place(message_id: str) -> str:
    return f"messages/{message_id}/text"


async def texts(ctx: Context, messages: Sequence[Document]) -> list[str | None]:
    """Texts of messages, decrypted only when a query selects them."""
    ciphers = await _ciphers(ctx, {each["chat_id"] for each in messages if each["sealed_text"] is not None})
    return [
        None
        if (sealed := each["sealed_text"]) is None
        else ciphers[each["chat_id"]].open(sealed, place=text_place(each["_id"]))
        for each in messages
    ]


async def _ciphers(ctx: Context, chat_ids: Iterable[str]) -> dict[str, Cipher]:
    """Ciphers of chats whose messages the viewer may see."""
    found: dict[str, Cipher] = {}
    unknown = []
    for id in chat_ids:
        cipher = ctx.services.crypto.remembered(place=_key_place(id))
        if cipher is None:
            unknown.append(id)
        else:
            found[id] = cipher
    chats = await ctx.load_many(ChatOfViewer, unknown) if unknown else ()
    return found | {chat["_id"]: cipher_of(ctx, chat) for chat in chats if chat}
