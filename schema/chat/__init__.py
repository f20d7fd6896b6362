"""Chats, as clients see them."""

from typing import Any

from core import nodes
from core.audit import Audited
from core.graphql import Edge, Page, common, connection, field, mutation, query, subscription
from core.ids import Id
from resolvers.chat import choices, health, moderation, opening, presence, reading, receipts, sending
from schema.chat.events import ChatEvent, PresenceEvent
from schema.chat.reports import ClientQueueInput, MessageReport
from schema.chat.types import Chat, ChatSettings, DeliveryMarkInput, Message, Presence
from schema.media import AttachmentInput
from stores.auth import Role
from subscriptions import chat as live

__all__ = ["Chat", "ChatSettings", "Message", "MessageReport", "Mutation", "Query", "Subscription", "Viewer"]


class Query:
    chat: Chat | None = query(nodes.reader("chat"))
    """Chat of yours by its id; null when it does not exist or you are not in it."""
    message_reports: Page[MessageReport] = query(moderation.message_reports, roles=(Role.MODERATOR,))
    """Reports of messages, latest report first."""


class Viewer:
    chats: Page[Chat] = connection(reading.viewer_chats)
    """Your chats, latest activity first."""
    unread_message_count: int = field(reading.unread_message_count)
    """Number of unread messages in all your chats that are not archived."""
    chat_settings: ChatSettings = field(reading.viewer_settings)
    """Settings that hold for all your chats."""


EPHEMERAL: Any = {"receipt": False, "transaction": False}
VIEWER: Any = {"viewer": (common.Viewer, "You, with your `unreadMessageCount`; null when refused.")}
LISTED = (Edge[Chat], "Edge of the chat in your list; null when refused.")


class Mutation:
    create_chat = mutation(
        opening.create_chat,
        returns={"chat": Chat, "chat_edge": LISTED},
        id="Id of the new chat, minted by the app so that queued messages can name it. If the two of you "
        "have a chat already, that one is returned and your id leads to it for 30 days.",
        user_id="Id of the other person.",
    )
    """Create a chat with somebody, or get the one you have."""
    send_message = mutation(
        sending.send_message,
        refuses="BLOCKED REQUIRED TOO_LONG TOO_MANY UPLOAD_REJECTED USER_UNAVAILABLE",
        returns={
            "message": (Message, "Message with its sequence; null when refused."),
            "message_edge": (Edge[Message], "Edge of the message in the chat's history; null when refused."),
            "chat": (Chat, "Chat with its new preview; null when refused."),
            "chat_edge": LISTED,
            "removed_chat_id": (
                Id,
                "Id of the chat that left the archive, since you wrote in it; null when it was not there.",
            ),
            **VIEWER,
        },
        takes={"attachments": list[AttachmentInput]},
        id="Id of the new message, minted by the app: however often it is sent, it is stored once.",
        chat_id="Id of the chat, its own or the one you minted for `createChat`.",
        text="Text of the message, 1 to 4,000 characters; may be left out when there are attachments.",
        attachments="Attachments of the message, at most 10; their uploads, of purpose CHAT_ATTACHMENT, may "
        "be unfinished.",
        reply_to_id="Id of the message that this one answers, in the same chat.",
        sent_at="Time at which the message was written, by the phone's clock; now when left out, or when "
        "more than five minutes ahead of the server's.",
    )
    """Send a message to the other person of a chat."""
    update_message = mutation(
        sending.update_message,
        refuses="BLOCKED EXPIRED REQUIRED TOO_LONG USER_UNAVAILABLE",
        returns={
            "message": (Message, "Message as it is now; on CONFLICT as it is without your change."),
            "chat": (Chat, "Chat with its preview; null when refused."),
        },
        text="Text of the message, 1 to 4,000 characters; may be empty when there are attachments.",
    )
    """Update the text of a message of yours within 15 minutes."""
    delete_message = mutation(
        sending.delete_message,
        refuses="EXPIRED",
        returns={
            "message": (Message, "Stub that stays of the message, with `deletedAt`; null when refused."),
            "chat": (Chat, "Chat with its preview and count; null when refused."),
            **VIEWER,
        },
    )
    """Delete a message of yours for both of you, within 24 hours; a tombstone takes its place."""
    remove_message = mutation(
        sending.remove_message,
        returns={
            "removed_message_id": (Id, "Id of the message to take out of your lists; null when refused."),
            "chat": (Chat, "Chat with its preview and count; null when refused."),
            **VIEWER,
        },
    )
    """Remove a message from your own devices; the other person keeps it and notices nothing."""
    mark_chats_delivered = mutation(
        receipts.mark_chats_delivered,
        refuses="TOO_MANY",
        returns={"chats": (list[Chat], "Chats marked, as they are now; null when refused.")},
        takes={"marks": list[DeliveryMarkInput]},
        marks="Marks of at most 100 chats. A lower mark than before changes nothing; chats you are not in "
        "are passed over.",
    )
    """Mark messages as received by this device."""
    mark_chat_read = mutation(
        receipts.mark_chat_read,
        returns={
            "chat": (Chat, "Chat with its `unreadCount`; null when refused."),
            **VIEWER,
        },
        up_to_sequence="Sequence up to which you have read all messages. A lower mark than before changes "
        "nothing.",
    )
    """Mark messages of a chat as read."""
    update_chat = mutation(
        choices.update_chat,
        returns={
            "chat": Chat,
            "chat_edge": (Edge[Chat], "Edge of the chat in the list it is in now, archived or not."),
            "removed_chat_id": (Id, "Id of the chat that left the other list; null when it was in none."),
            **VIEWER,
        },
        muted_until="Time until which the chat sends no push messages.",
        archived="True if the chat is archived, out of your inbox.",
    )
    """Update a chat for yourself: mute it, or archive it."""
    update_chat_settings = mutation(
        choices.update_chat_settings,
        returns={
            "chat_settings": (ChatSettings, "Settings as they are now; on CONFLICT without your change.")
        },
        input="Settings to change for all your chats.",
        read_receipts="True if others see what you read, and you see what they read.",
        show_presence="True if people you chat with see when you are there, and you see when they are.",
        allowed_senders="Permission to begin a chat with you.",
        hide_text_in_push="True if push messages leave out what was said.",
    )
    """Update the settings that hold for all your chats."""
    set_chat_typing = mutation(
        presence.set_chat_typing,
        returns={},
        typing="True if you are writing: send true again every three seconds, since it lapses after six.",
        **EPHEMERAL,
    )
    """Set whether the other person sees that you write; nothing is kept of it."""
    record_heartbeat = mutation(
        presence.record_heartbeat,
        returns={"presence": (Presence, "Presence of yours over all your devices; null when refused.")},
        status="Status of this device: ONLINE every 25 seconds while the app is used, AWAY after five "
        "minutes without a touch, OFFLINE when the app goes to the background. Without a heartbeat for a "
        "minute you are offline.",
        **EPHEMERAL,
    )
    """Record that you are there, for people you chat with; nothing is kept of it but when you last were."""
    submit_message_report = mutation(
        moderation.submit_message_report,
        refuses="TOO_LONG",
        returns={
            "message_report": (MessageReport, "Report that you made now, or before; null when refused.")
        },
        reason="Kind of violation to report.",
        note="Note to the moderators, at most 1,000 characters.",
    )
    """Submit a message of the other person to the moderators, with copies of the five nearest to it."""
    decide_message_report = mutation(
        moderation.decide_message_report,
        audit=Audited("chat.report_decided", "DECISION_MADE", "CONTENT", resource="message_report_id"),
        returns={
            "message_report": (
                MessageReport,
                "Report as it was decided, the first time if there were several.",
            ),
            "removed_message_report_id": (Id, "Id of the report that left the list of open ones."),
        },
        decision="Judgment of the moderator: UPHOLD deletes the message for both.",
        roles=(Role.MODERATOR,),
    )
    """Decide about a report; the first decision stands."""
    record_client_health = mutation(
        health.record_client_health,
        refuses="OUT_OF_RANGE TOO_MANY",
        returns={},
        takes={"queues": list[ClientQueueInput]},
        device_id="Id of the device that you are signed in on.",
        queues="Queues of the phone, one per system, at most 50.",
        **EPHEMERAL,
    )
    """Record how the queues of a phone are doing, for all systems; at most once a minute."""


class Subscription:
    chat_events: ChatEvent = subscription(live.chat_events, chat_id="Id of the chat to watch.")
    """Events of a chat of yours, for the screen that has it open."""
    presence_events: PresenceEvent = subscription(live.presence_events)
    """Presence of the people you chat with, as they come and go; nothing of it is replayed."""
