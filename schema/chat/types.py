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
from stores.chat import MessageStatus, PresenceState, WhoCanMessage


@node("chat")
class Chat(Entity):
    """The one chat of two people, as you see it."""

    participants: list[User] = many(PeerById, key="participant_ids")
    """The two people, you first."""
    peer: User = one(PeerById, key="peer_id")
    """The other one; named "Deleted user" when their account is gone. While you are hidden from each other,
    as old as the answer you have them from."""
    last_activity_at: datetime
    """When the last message was accepted, or the chat was opened: lists are sorted by it."""
    preview: str | None = told(batched(reading.previews), "messages")
    """How the last message begins, on one line, at most 140 characters; null when it has no text."""
    last_message: "Message | None" = told(batched(reading.last_messages), "messages")
    """The latest message; null when there is none."""
    unread_count: int
    """Messages of the other that you have not read."""
    last_sequence: int
    """The number of the latest message; 0 when there is none."""
    read_sequence: int
    """You have read up to this message."""
    delivered_sequence: int
    """A device of yours has said that it has everything up to this message."""
    peer_read_sequence: int = told(batched(reading.peer_read_sequences), "chat_settings")
    """The other has read up to this message; 0 while one of you has read receipts off."""
    peer_delivered_sequence: int
    """A device of the other has everything up to this message."""
    muted_until: datetime | None = derived(reading.muted_until, "muted_until")
    """No push messages until then; null when not muted."""
    archived: bool
    """Whether it is kept out of the list; a new message brings it back unless it is muted."""
    can_send: bool = told(batched(access.can_send), "blocks")
    """False when you are hidden from each other, or the other's account is gone."""
    messages: "Page[Message]" = connection(
        reading.messages,
        batched=True,
        either_end=True,
    )
    """Messages of the chat, ascending by sequence: the last 20 when no size is given, the first 20 when they
    are filtered."""


@node("message")
class Message(Entity):
    """Something said in a chat."""

    chat: Chat = told(one(ChatOfViewer, key="chat_id"), "chat_members")
    """The chat it was said in."""
    sender: User = one(PeerById, key="sender_id")
    """Who said it."""
    text: str | None = told(batched(access.texts, reads=["chat_id", "sealed_text"]), "messages")
    """At most 4,000 characters; null when deleted, or when there are attachments alone."""
    attachments: list[Attachment]
    """Pictures, films and files, at most 10; told of as updates of the message when they become ready."""
    reply_to: "Message | None" = told(batched(reading.replied_to, reads=["reply_to_id"]), "messages")
    """The message it answers; null when none, or when you deleted that."""
    sequence: int
    """Its number in the chat: messages are in this order. A number may be missing, none comes twice."""
    sent_at: datetime
    """When its sender's device says it was written: to be shown, not to sort by."""
    delivered_at: datetime | None
    """When a device of the recipient had it; null until then."""
    read_at: datetime | None = told(batched(reading.read_times, reads=reading.READ), "chat_settings")
    """When its recipient read it; null until then, and while one of you has read receipts off. Turning them
    off or on is told of the chat's last 50 messages: older ones are as when they were read."""
    edited_at: datetime | None
    """When its text last changed; null if never."""
    deleted_at: datetime | None
    """When its sender deleted it for both; null if not. Text and attachments are gone then."""
    status: MessageStatus = told(
        batched(reading.statuses, reads=["delivered_at", *reading.READ]), "chat_settings"
    )
    """How far it has come; as `readAt` is, of older messages."""


@node("chat_settings")
class ChatSettings(Entity):
    """What holds for all your chats."""

    read_receipts: bool
    """Whether others see what you read; when off, you do not see what they read either."""
    show_presence: bool
    """Whether people you chat with see when you are there; when off, you do not see them either."""
    who_can_message: WhoCanMessage
    """Who may begin a chat with you."""
    hide_text_in_push: bool
    """Whether push messages leave out what was said."""


@type_
class Presence:
    """Whether a person is there."""

    user: User = one(PeerById, key="user_id")
    """The person."""
    state: PresenceState
    """Whether they are there now."""
    last_seen_at: datetime | None
    """When they were last there; null when not known, or while they are."""


@extend(User)
class ChatOfUser:
    viewer_chat: Chat | None = personal(
        unsynced(batched(reading.chats_with, reads=["_id"]), "read it with the page that shows the person.")
    )
    """Chat of yours with them; null when there is none in your list."""
    presence: Presence | None = unsynced(batched(presence.presences), "watch `presenceEvents`.")
    """Whether they are there; null unless you share a chat and both of you show it."""


@input_
class DeliveryMarkInput:
    """How far a device has received a chat."""

    chat_id: Id
    """The chat."""
    up_to_sequence: int
    """Everything up to this message."""
