"""Chats, messages and their lists."""

from datetime import datetime

from core.graphql import (
    Page,
    batched,
    connection,
    derived,
    extend,
    input_,
    many,
    node,
    one,
    personal,
    told,
    type_,
    unsynced,
)
from core.graphql.common import Entity
from core.ids import Id
from loaders.chat import ChatOfViewer, PeerById
from resolvers.chat import access, presence, reading
from schema.auth import User
from schema.media import Attachment
from stores.chat import AllowedSenders, MessageStatus, PresenceStatus


@node("chat")
class Chat(Entity):
    """The one chat of two people, as you see it."""

    participants: list[User] = many(PeerById, key="participant_ids")
    """Members of the chat, always two: you, then the other person."""
    peer: User = one(PeerById, key="peer_id")
    """Other person in the chat; named "Deleted user" when their account is gone. While you are hidden from
    each other, name and picture are as old as the answer that brought them."""
    last_activity_at: datetime
    """Time of the last message, or of the chat's opening; lists are sorted by it."""
    preview: str | None = told(batched(reading.previews), "messages")
    """Beginning of the last message, on one line, at most 140 characters; null when it has no text."""
    last_message: "Message | None" = told(batched(reading.last_messages), "messages")
    """Latest message that you have not removed; null when there is none."""
    unread_count: int
    """Number of the other person's messages that you have not read."""
    last_sequence: int
    """Sequence of the latest message; 0 when there is none."""
    read_sequence: int
    """Sequence up to which you have read all messages."""
    delivered_sequence: int
    """Sequence up to which a device of yours has received all messages."""
    peer_read_sequence: int = told(batched(reading.peer_read_sequences), "chat_settings")
    """Sequence up to which the other person has read; 0 while one of you has read receipts off."""
    peer_delivered_sequence: int
    """Sequence up to which a device of the other person has received all messages."""
    muted_until: datetime | None = derived(reading.muted_until, "muted_until")
    """Time until which the chat sends no push messages; null when it is not muted."""
    archived: bool
    """True if the chat is archived, out of your inbox; a new message brings it back unless it is muted."""
    can_send: bool = told(batched(access.can_send), "blocks")
    """True if you can send messages: not while you are hidden from each other, or the other's account is
    gone."""
    messages: "Page[Message]" = connection(
        reading.messages,
        batched=True,
        either_end=True,
    )
    """Messages of the chat, ascending by sequence: the last 20 when no size is given, the first 20 when they
    are filtered."""


@node("message")
class Message(Entity):
    """Message in a chat of two people."""

    chat: Chat = told(one(ChatOfViewer, key="chat_id"), "chat_members")
    """Chat that the message is in."""
    sender: User = one(PeerById, key="sender_id")
    """Person who sent the message."""
    text: str | None = told(batched(access.texts, reads=["chat_id", "sealed_text"]), "messages")
    """Text of the message, at most 4,000 characters; null when it was deleted, or has attachments alone."""
    attachments: list[Attachment]
    """Pictures, films and files, at most 10; told of as updates of the message when they become ready."""
    reply_to: "Message | None" = told(batched(reading.replied_to, reads=["reply_to_id"]), "messages")
    """Message that this one answers; null when there is none, or when you removed that."""
    sequence: int
    """Number of the message in its chat: messages are in this order. A number may be missing, none comes
    twice."""
    sent_at: datetime
    """Time at which the message was written, by the sender's clock: to be shown, not to sort by."""
    delivered_at: datetime | None
    """Time at which a device of the recipient received the message; null until then."""
    read_at: datetime | None = told(batched(reading.read_times, reads=reading.READ), "chat_settings")
    """Time at which the recipient read the message; null until then, and while one of you has read receipts
    off. Turning them off or on is told of the chat's last 50 messages: older ones are as when they were
    read."""
    edited_at: datetime | None
    """Time of the last edit of the text; null when there was none."""
    deleted_at: datetime | None
    """Time at which the message was deleted for both; null while it is not. Text and attachments are gone
    then."""
    status: MessageStatus = told(
        batched(reading.statuses, reads=["delivered_at", *reading.READ]), "chat_settings"
    )
    """Delivery status of the message; of older messages as fresh as `readAt`."""


@node("chat_settings")
class ChatSettings(Entity):
    """Settings that hold for all your chats."""

    read_receipts: bool
    """True if others see what you read; when off, you do not see what they read either."""
    show_presence: bool
    """True if people you chat with see when you are there; when off, you do not see them either."""
    allowed_senders: AllowedSenders
    """Permission to begin a chat with you."""
    hide_text_in_push: bool
    """True if push messages leave out what was said."""


@type_
class Presence:
    """Presence of a person: whether they are using the app."""

    user: User = one(PeerById, key="user_id")
    """Person whom the presence is of."""
    status: PresenceStatus
    """Status of the person now, over all their devices."""
    last_seen_at: datetime | None
    """Time at which the person was last there; null when it is not known, and while they are not OFFLINE."""


@extend(User)
class ChatOfUser:
    viewer_chat: Chat | None = personal(
        unsynced(batched(reading.chats_with, reads=["_id"]), "read it with the page that shows the person.")
    )
    """Chat of yours with the person; null when there is none in your list."""
    presence: Presence | None = unsynced(batched(presence.presences), "watch `presenceEvents`.")
    """Presence of this person; null unless you share a chat and both of you show yours."""


@input_
class DeliveryMarkInput:
    """Delivery mark: how far a device has received a chat."""

    chat_id: Id
    """Id of the chat that was received."""
    up_to_sequence: int
    """Sequence up to which the device has received all messages."""
