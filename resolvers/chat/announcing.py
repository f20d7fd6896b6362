"""Messages outside the chat: push notifications to the recipient, and exports to the author."""

from collections.abc import Mapping, Sequence
from typing import Any

from core.context import Context, Services
from loaders.chat import ChatSettingsByUser, PeerById
from loaders.feed import BlockedEitherWayByUser
from resolvers import auth
from resolvers.chat.access import cipher_of, text_place
from resolvers.chat.reading import shortened
from stores import chat as store
from stores.chat import Member, Message

NEW_MESSAGE = "New message"


async def is_blocked(services: Services, row: Member) -> bool:
    """True if the two have been hidden from each other since."""
    return row["peer_id"] in await Context(services).load(BlockedEitherWayByUser, row["user_id"])


async def announcement(services: Services, row: Member, message: Message) -> tuple[str, str]:
    """Title and body of a push: the sender and the text's beginning, or no text if the reader hides it."""
    ctx = Context(services)
    [sender] = map(auth.full_name, await ctx.load_many(PeerById, [message["sender_id"]]))
    hidden = (await ctx.load(ChatSettingsByUser, row["user_id"]))["hide_text_in_push"]
    if hidden or message["sealed_text"] is None:
        return sender, NEW_MESSAGE
    text = cipher_of(ctx, row).open(message["sealed_text"], place=text_place(message["_id"]))
    return sender, shortened(text)


async def exported(
    services: Services, user_id: str, messages: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Messages of one author as plain rows."""
    ids = list({message["chat_id"] for message in messages})
    sides = {row["chat_id"]: row for row in await store.members_of(services.db, user_id, ids)}
    ctx = Context(services)
    return [
        {
            **{name: message[name] for name in message if name not in ("sealed_text", "hidden_for")},
            "text": sealed
            and cipher_of(ctx, sides[message["chat_id"]]).open(sealed, place=text_place(message["id"])),
        }
        for message in messages
        if (sealed := message["sealed_text"]) is None or message["chat_id"] in sides
    ]
