"""What a push message says of a new message."""

from core.context import Context, Services
from loaders.chat import ChatSettingsByUser, PeerById
from resolvers.auth.people import full_name
from resolvers.chat.access import cipher_of, text_place
from resolvers.chat.reading import shortened
from stores.chat import Member, Message

NEW_MESSAGE = "New message"


async def announcement(services: Services, row: Member, message: Message) -> tuple[str, str]:
    """Who writes and how it begins; without the text when its reader wants that."""
    ctx = Context(services)
    [sender] = map(full_name, await ctx.load_many(PeerById, [message["sender_id"]]))
    hidden = (await ctx.load(ChatSettingsByUser, row["user_id"]))["hide_text_in_push"]
    if hidden or message["sealed_text"] is None:
        return sender, NEW_MESSAGE
    text = cipher_of(ctx, row).open(message["sealed_text"], place=text_place(message["_id"]))
    return sender, shortened(text)
