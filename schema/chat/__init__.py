"""Chats, as clients see them."""

from core.binding import connection, field, mutation, query, subscription
from resolvers import chat
from schema.chat import inputs, moderation
from schema.chat.events import ChatEvent, InboxEvent
from schema.chat.moderation import MessageReport, MessageReportConnection
from schema.chat.types import Chat, ChatConnection, ChatSettings, Message
from stores.auth import Role
from subscriptions import chat as live

__all__ = ["Chat", "ChatSettings", "Message", "MessageReport", "Mutation", "Query", "Subscription", "Viewer"]


class Query:
    chat: Chat | None = query(chat.chat)
    """A chat of yours; NOT_FOUND when it does not exist or you are not in it."""


class Viewer:
    chats: ChatConnection = connection(
        chat.viewer_chats,
        first=15,
        archived="The archived ones instead of the others.",
        query="Only with people whose name or handle has a word that begins so; at most 100 characters.",
    )
    """Your chats, latest activity first."""
    chat_with: Chat | None = field(chat.chat_with, user_id="The other person.")
    """Your chat with somebody; null when there is none."""
    unread_total: int = field(chat.unread_total)
    """Unread messages of all your chats that are not archived."""
    chat_settings: ChatSettings = field(chat.viewer_settings)
    """What holds for all your chats."""
    message_reports: MessageReportConnection = connection(
        chat.viewer_reports, roles=(Role.MODERATOR,), status="Only those in this state."
    )
    """Reported messages, latest report first."""


class Mutation:
    open_chat = mutation(chat.open_chat, inputs.OpenChatInput, inputs.OpenChatPayload)
    """Begin a chat with somebody, or get the one you have."""
    send_message = mutation(chat.send_message, inputs.SendMessageInput, inputs.SendMessagePayload)
    """Say something."""
    edit_message = mutation(chat.edit_message, inputs.EditMessageInput, inputs.EditMessagePayload)
    """Change a message of yours within 15 minutes."""
    delete_message = mutation(chat.delete_message, inputs.DeleteMessageInput, inputs.DeleteMessagePayload)
    """Delete a message for yourself, or one of yours for both."""
    mark_delivered = mutation(chat.mark_delivered, inputs.MarkDeliveredInput, inputs.MarkDeliveredPayload)
    """Say which messages this device has."""
    mark_read = mutation(chat.mark_read, inputs.MarkReadInput, inputs.MarkReadPayload)
    """Say which messages you have read."""
    update_chat = mutation(chat.update_chat, inputs.UpdateChatInput, inputs.UpdateChatPayload)
    """Mute or archive a chat."""
    update_chat_settings = mutation(
        chat.update_chat_settings, inputs.UpdateChatSettingsInput, inputs.UpdateChatSettingsPayload
    )
    """Change what holds for all your chats."""
    set_typing = mutation(
        chat.set_typing, inputs.SetTypingInput, inputs.SetTypingPayload, receipt=False, transaction=False
    )
    """Let the other see that you write; nothing is kept of it."""
    heartbeat = mutation(
        chat.heartbeat, inputs.HeartbeatInput, inputs.HeartbeatPayload, receipt=False, transaction=False
    )
    """Let people you chat with see that you are there; nothing is kept of it but when you last were."""
    report_message = mutation(
        chat.report_message, moderation.ReportMessageInput, moderation.ReportMessagePayload
    )
    """Show the moderators a message of the other, and the five nearest to it."""
    judge_message_report = mutation(
        chat.judge_message_report,
        moderation.JudgeMessageReportInput,
        moderation.JudgeMessageReportPayload,
        roles=(Role.MODERATOR,),
    )
    """Agree with a report, or not."""
    report_client_health = mutation(
        chat.report_client_health,
        moderation.ReportClientHealthInput,
        moderation.ReportClientHealthPayload,
        receipt=False,
        transaction=False,
    )
    """Say how the phone's queues are doing, for all systems; at most once a minute."""


class Subscription:
    chat_events: ChatEvent = subscription(
        live.chat_events, chat_id="The chat to watch.", after="Resume after the event with this `eventId`."
    )
    """What happens in a chat of yours, while it is open."""
    inbox_events: InboxEvent = subscription(
        live.inbox_events, after="Resume after the event with this `eventId`."
    )
    """What happens in all your chats, and to your uploads. A message has the same `eventId` here and in
    `chatEvents`."""
