"""Chats, as clients see them."""

from typing import Any

from core import nodes
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
LISTED = (Edge[Chat], "The chat's place in your list.")


class Mutation:
    create_chat = mutation(
        opening.create_chat,
        returns={"chat": Chat, "chat_edge": LISTED},
        id="The chat's id, if you mint one so that queued messages can name it. If the two of you have a "
        "chat already, that one is returned and your id leads to it for 30 days.",
        user_id="The person.",
    )
    """Create a chat with somebody, or get the one you have."""
    send_message = mutation(
        sending.send_message,
        refuses="BLOCKED REQUIRED TOO_LONG TOO_MANY UPLOAD_REJECTED USER_UNAVAILABLE",
        returns={
            "message": (Message, "The message with its sequence; null when refused."),
            "message_edge": (Edge[Message], "Its place in the history."),
            "chat": (Chat, "The chat with its new preview."),
            "chat_edge": LISTED,
        },
        takes={"attachments": list[AttachmentInput]},
        id="The message's id, if you mint one: however often it is sent, it is stored once.",
        chat_id="The chat, under its id or one you minted for `createChat`.",
        text="1 to 4,000 characters; may be left out when there are attachments.",
        attachments="At most 10; their uploads, of purpose CHAT_ATTACHMENT, may be unfinished.",
        reply_to_id="The message it answers, of the same chat.",
        sent_at="When it was written, by your clock; more than five minutes ahead of ours is taken as now.",
    )
    """Say something."""
    update_message = mutation(
        sending.update_message,
        refuses="BLOCKED EXPIRED REQUIRED TOO_LONG USER_UNAVAILABLE",
        returns={
            "message": (Message, "Message as it is now; on CONFLICT as it is without your change."),
            "chat": (Chat, "Chat with its preview; null when refused."),
        },
        text="1 to 4,000 characters; may be empty when there are attachments.",
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
        returns={"chats": (list[Chat], "The chats as they are now.")},
        takes={"marks": list[DeliveryMarkInput]},
        marks="At most 100 chats. A lower mark than before changes nothing; chats you are not in are passed "
        "over.",
    )
    """Mark messages as received by this device."""
    mark_chat_read = mutation(
        receipts.mark_chat_read,
        returns={
            "chat": (Chat, "The chat with its count."),
            **VIEWER,
        },
        up_to_sequence="Everything up to this message. A lower mark than before changes nothing.",
    )
    """Mark messages of a chat as read."""
    update_chat = mutation(
        choices.update_chat,
        returns={
            "chat": Chat,
            "chat_edge": (Edge[Chat], "Its place in the list it is in now, archived or not."),
            "removed_chat_id": (Id, "Id of the chat that left the other list; null when it was in none."),
            **VIEWER,
        },
        muted_until="No push messages until then; null ends it; left out: unchanged.",
        archived="Keep it out of the list; left out: unchanged.",
    )
    """Update a chat for yourself: mute it, or archive it."""
    update_chat_settings = mutation(
        choices.update_chat_settings,
        refuses="REQUIRED",
        returns={"chat_settings": (ChatSettings, "The settings as they are now.")},
        input="What holds for all your chats; what is left out stays.",
        read_receipts="Let others see what you read, and see what they read.",
        show_presence="Let people you chat with see when you are there, and see them.",
        who_can_message="Who may begin a chat with you.",
        hide_text_in_push="Leave out of push messages what was said.",
    )
    """Update the settings that hold for all your chats."""
    set_chat_typing = mutation(
        presence.set_chat_typing,
        returns={},
        typing="Say true about every three seconds while you write: it is forgotten after six.",
        **EPHEMERAL,
    )
    """Set whether the other sees that you write; nothing is kept of it."""
    record_heartbeat = mutation(
        presence.record_heartbeat,
        returns={"presence": (Presence, "Over all your devices.")},
        status="ONLINE every 25 seconds while the app is used, AWAY after five minutes without a touch, "
        "OFFLINE when it goes to the background. Without a word for a minute you are offline.",
        **EPHEMERAL,
    )
    """Record that you are there, for people you chat with; nothing is kept of it but when you last were."""
    submit_message_report = mutation(
        moderation.submit_message_report,
        refuses="TOO_LONG",
        returns={
            "message_report": (MessageReport, "Report of yours; the first one, if you reported it before.")
        },
        reason="Why.",
        note="What the moderators should know; at most 1,000 characters.",
    )
    """Submit a message of the other to the moderators, with the five nearest to it."""
    decide_message_report = mutation(
        moderation.decide_message_report,
        returns={
            "message_report": (
                MessageReport,
                "Report as it was judged, the first time if there were several.",
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
        device_id="The device you are signed in on.",
        queues="At most 50; no more than once a minute.",
        **EPHEMERAL,
    )
    """Record how the queues of a phone are doing, for all systems; at most once a minute."""


class Subscription:
    chat_events: ChatEvent = subscription(live.chat_events, chat_id="The chat to watch.")
    """What happens in a chat of yours, while it is open."""
    presence_events: PresenceEvent = subscription(live.presence_events)
    """Presence of the people you chat with, as they come and go; nothing of it is replayed."""
