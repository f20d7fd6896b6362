"""What the chat's mutations take and answer."""

from datetime import datetime

from core.binding import input_, type_
from core.binding.common import MutationInput, Payload
from core.ids import Id
from schema.chat.types import Chat, ChatEdge, ChatSettings, Message, MessageEdge, Presence
from schema.media import AttachmentInput
from stores.chat import PresenceState, WhoCanMessage


@input_
class OpenChatInput(MutationInput):
    """Whom to talk to."""

    id: Id | None
    """The chat's id, if you mint one so that queued messages can name it. If the two of you have a chat
    already, that one is returned and your id leads to it for 30 days."""
    user_id: Id
    """The person."""


@type_
class OpenChatPayload(Payload):
    """The chat with that person."""

    chat: Chat | None
    """The chat; null when refused."""
    chat_edge: ChatEdge | None
    """Its place in your list."""


@input_
class SendMessageInput(MutationInput):
    """A new message."""

    id: Id | None
    """The message's id, if you mint one: however often it is sent, it is stored once."""
    chat_id: Id
    """The chat, under its id or one you minted for `openChat`."""
    text: str | None
    """1 to 4,000 characters; may be left out when there are attachments."""
    attachments: list[AttachmentInput] = []
    """At most 10; their uploads, of purpose CHAT_ATTACHMENT, may be unfinished."""
    reply_to_id: Id | None
    """The message it answers, of the same chat."""
    sent_at: datetime | None
    """When it was written, by your clock; more than five minutes ahead of ours is taken as now."""


@type_
class SendMessagePayload(Payload):
    """The message, accepted."""

    message: Message | None
    """The message with its sequence; null when refused."""
    message_edge: MessageEdge | None
    """Its place in the history."""
    chat: Chat | None
    """The chat with its new preview."""
    chat_edge: ChatEdge | None
    """The chat's place at the top of your list."""


@input_
class EditMessageInput(MutationInput):
    """A new text for a message of yours, within 15 minutes."""

    id: Id
    """The message."""
    text: str
    """1 to 4,000 characters; may be empty when there are attachments."""
    expected_version: int | None
    """The version you edited; CONFLICT if it has changed since."""


@type_
class EditMessagePayload(Payload):
    """The edited message."""

    message: Message | None
    """The message as it is now; on CONFLICT as it is without your change."""


@input_
class DeleteMessageInput(MutationInput):
    """A message to delete."""

    id: Id
    """The message."""
    for_everyone: bool = False
    """For both of you, leaving a tombstone: your own messages, within 24 hours. Otherwise for you alone."""


@type_
class DeleteMessagePayload(Payload):
    """The message is gone."""

    deleted_message_id: Id | None
    """Take it out of your list, or show that it was deleted for both."""
    chat: Chat | None
    """The chat with its preview and count."""


@input_
class DeliveryMarkInput:
    """How far a device has received a chat."""

    chat_id: Id
    """The chat."""
    up_to_sequence: int
    """Everything up to this message."""


@input_
class MarkDeliveredInput(MutationInput):
    """What this device has received."""

    marks: list[DeliveryMarkInput]
    """At most 100 chats. A lower mark than before changes nothing; chats you are not in are passed over."""


@type_
class MarkDeliveredPayload(Payload):
    """What was received is marked."""

    chats: list[Chat] | None
    """The chats as they are now."""


@input_
class MarkReadInput(MutationInput):
    """What you have read."""

    chat_id: Id
    """The chat."""
    up_to_sequence: int
    """Everything up to this message. A lower mark than before changes nothing."""


@type_
class MarkReadPayload(Payload):
    """What was read is marked."""

    chat: Chat | None
    """The chat with its count."""
    unread_total: int | None
    """Unread messages of all chats that are not archived."""


@input_
class UpdateChatInput(MutationInput):
    """How you keep a chat."""

    id: Id
    """The chat."""
    muted_until: datetime | None
    """No push messages until then; null ends it; left out: unchanged."""
    archived: bool | None
    """Keep it out of the list; left out: unchanged."""


@type_
class UpdateChatPayload(Payload):
    """The chat as you keep it now."""

    chat: Chat | None
    """The chat; null when refused."""


@input_
class UpdateChatSettingsInput(MutationInput):
    """What holds for all your chats; what is left out stays."""

    read_receipts: bool | None
    """Let others see what you read, and see what they read."""
    show_presence: bool | None
    """Let people you chat with see when you are there, and see them."""
    who_can_message: WhoCanMessage | None
    """Who may begin a chat with you."""
    hide_text_in_push: bool | None
    """Leave out of push messages what was said."""


@type_
class UpdateChatSettingsPayload(Payload):
    """Your settings."""

    chat_settings: ChatSettings | None
    """The settings as they are now."""


@input_
class SetTypingInput(MutationInput):
    """Whether you are writing."""

    chat_id: Id
    """Where."""
    is_typing: bool
    """Say true about every three seconds while you write: it is forgotten after six."""


@type_
class SetTypingPayload(Payload):
    """The other is told, if they have the chat open."""


@input_
class HeartbeatInput(MutationInput):
    """That you are there."""

    state: PresenceState
    """ONLINE every 25 seconds while the app is used, AWAY after five minutes without a touch, OFFLINE when
    it goes to the background. Without a word for a minute you are offline."""


@type_
class HeartbeatPayload(Payload):
    """How you appear."""

    presence: Presence | None
    """Over all your devices."""
