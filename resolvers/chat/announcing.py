"""Messages outside the chat: push notifications to the recipient, and exports to the author."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from core import messages
from core.context import Context, Services
from core.messages import gettext_noop
from loaders.chat import ChatSettingsByUser, PeerById
from loaders.feed import BlockedEitherWayByUser
from resolvers import auth, notification
from resolvers.chat.access import cipher_of, text_place
from resolvers.chat.reading import muted_until, shortened
from stores import chat as store
from stores.auth import User
from stores.chat import Member, Message
from stores.notification import NotificationChannel

NEW_MESSAGE = gettext_noop("New message")
SOURCE = notification.notification_source("CHAT", "Messages that arrive in chats.")
MESSAGE = "chat.message"


async def is_blocked(services: Services, row: Member) -> bool:
    """True if the two have been hidden from each other since."""
    return row["peer_id"] in await Context(services).load(BlockedEitherWayByUser, row["user_id"])


async def to_announce(services: Services, message_id: str) -> tuple[Message, Member] | None:
    """Message, with the side of its recipient; None once a device has it, or where no push is wanted."""
    message = await store.messages.by_id(services.db, message_id)
    if message is None or message["deleted_at"] or message["delivered_at"]:
        return None
    recipient = message["recipient_id"]
    row = await store.member_of(services.db, recipient, message["chat_id"])
    if row is None or recipient in message["hidden_for"] or muted_until(row):
        return None
    return None if await is_blocked(services, row) else (message, row)


async def announce(services: Services, *, message_id: str) -> None:
    """Push a message unless a device of the recipient has confirmed it; a second call pushes nothing."""
    found = await to_announce(services, message_id)
    if found is None:
        return
    message, _ = found
    ctx = Context(services)
    pushed = partial(
        notification.notify,
        ctx,
        source=SOURCE,
        dedupe_key=message_id,
        template_key=MESSAGE,
        variables={"message_id": message_id},
        channels=[NotificationChannel.PUSH],
        user_ids=[message["recipient_id"]],
        inbox=False,
        push={
            "collapse_key": message["chat_id"],
            "data": {"kind": "MESSAGE", "chatId": message["chat_id"], "messageId": message_id},
        },
    )
    await ctx.unit(pushed)


@notification.rendered(MESSAGE)
async def written(services: Services, user: User, variables: Mapping[str, Any]) -> tuple[str, str] | None:
    """Title and body of a push, which are stored nowhere; None once it is not wanted any more."""
    found = await to_announce(services, variables["message_id"])
    if found is None:
        return None
    message, row = found
    return await announcement(services, row, message, messages.language(user["locale"]))


async def announcement(services: Services, row: Member, message: Message, language: str) -> tuple[str, str]:
    """Title and body of a push: the sender and the text's beginning, or no text if the reader hides it."""
    ctx = Context(services)
    [sender] = map(auth.full_name, await ctx.load_many(PeerById, [message["sender_id"]]))
    hidden = (await ctx.load(ChatSettingsByUser, row["user_id"]))["hide_text_in_push"]
    if hidden or message["sealed_text"] is None:
        return sender, messages.text(NEW_MESSAGE, language=language)
    text = cipher_of(ctx, row).open(message["sealed_text"], place=text_place(message["_id"]))
    return sender, shortened(text)


async def exported(
    services: Services, user_id: str, said: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Messages of one author as plain rows."""
    ids = list({message["chat_id"] for message in said})
    sides = {row["chat_id"]: row for row in await store.members_of(services.db, user_id, ids)}
    ctx = Context(services)
    return [
        {
            **{name: message[name] for name in message if name not in ("sealed_text", "hidden_for")},
            "text": sealed
            and cipher_of(ctx, sides[message["chat_id"]]).open(sealed, place=text_place(message["id"])),
        }
        for message in said
        if (sealed := message["sealed_text"]) is None or message["chat_id"] in sides
    ]
