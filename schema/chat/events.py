"""What an open chat's stream and the inbox's tell."""

from typing import Annotated

from core import viewers
from core.graphql import Created, Updated, local, type_, union
from core.graphql.common import Event, ResyncRequired, Viewer
from core.ids import Id
from schema.chat.types import Chat, Message, Presence
from schema.media import Upload


@type_
class MessageDeleted(Event):
    """A message is gone."""

    deleted_message_id: Id
    """The message."""
    tombstone: Message | None
    """What remains of it when it was deleted for both; null when you deleted it for yourself."""


@type_
class ReceiptUpdated(Event):
    """One of the two has received or read more."""

    user_id: Id
    """Who."""
    delivered_sequence: int
    """They have everything up to this message."""
    read_sequence: int
    """They have read up to this message; stays where it was while one of you has read receipts off."""


@type_
class TypingChanged(Event):
    """The other began or stopped writing; not replayed."""

    user_id: Id
    """Who."""
    typing: bool
    """Whether they write; false too when nothing was heard of it for six seconds."""


@type_
class ChatUpdated(Event):
    """A chat of yours is new or changed."""

    chat: Chat
    """The chat as it is now."""
    viewer: Viewer = local(viewers.shown)
    """You, with your `unreadMessageCount`."""


@type_
class PresenceChanged(Event):
    """Somebody you chat with came, or went; not replayed."""

    presence: Presence
    """How they appear now."""


ChatEvent = Annotated[
    Created[Message] | Updated[Message] | MessageDeleted | ReceiptUpdated | TypingChanged | ResyncRequired,
    union("ChatEvent", "What happens in an open chat."),
]

InboxEvent = Annotated[
    ChatUpdated | Created[Message] | PresenceChanged | Updated[Upload] | ResyncRequired,
    union("InboxEvent", "What happens in all your chats, and to your uploads."),
]
