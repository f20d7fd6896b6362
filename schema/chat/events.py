"""Events of an open chat, and of the presence of people one chats with."""

from typing import Annotated

from core.graphql import Created, Deleted, Updated, one, type_, union
from core.graphql.common import Event, ResyncRequired
from loaders.chat import PeerById
from schema.auth import User
from schema.chat.types import Chat, Message, Presence


@type_
class ChatTypingChanged(Event):
    """Start or end of the other person's writing; not replayed."""

    user: User | None = one(PeerById, key="user_id")
    """Person who began or stopped writing; null when the account is gone."""
    typing: bool
    """True if the person is writing; false too when nothing was heard of it for six seconds."""


@type_
class PresenceChanged(Event):
    """Change of presence of somebody you chat with; not replayed."""

    presence: Presence
    """Presence of the person as it is now."""


ChatEvent = Annotated[
    Created[Message]
    | Updated[Message]
    | Deleted[Message]
    | Updated[Chat]
    | ChatTypingChanged
    | ResyncRequired,
    union("ChatEvent", "Events of an open chat: messages, edits, receipts and typing."),
]

PresenceEvent = Annotated[
    PresenceChanged | ResyncRequired,
    union("PresenceEvent", "Presence of people you chat with."),
]
