"""Chats of two: opening them, what is said in them, and how far it came."""

from resolvers.chat.access import (
    can_send,
    chat_scope,
    inbox_scope,
    only_visible,
    own_chats,
    sees,
    tell_owner,
    texts,
    visible_messages,
)
from resolvers.chat.announcing import announcement, exported, parted
from resolvers.chat.choices import update_chat, update_chat_settings
from resolvers.chat.health import report_client_health
from resolvers.chat.moderation import (
    judge_message_report,
    note,
    report_message,
    reported_messages,
    viewer_reports,
)
from resolvers.chat.opening import open_chat
from resolvers.chat.presence import announce, expire, heartbeat, presences, set_typing
from resolvers.chat.reading import (
    MESSAGES,
    READ,
    chat,
    chat_with,
    last_messages,
    messages,
    messages_of_many,
    muted_until,
    peer_read_sequences,
    previews,
    read_times,
    replied_to,
    statuses,
    unread_total,
    viewer_chats,
    viewer_settings,
)
from resolvers.chat.receipts import mark_delivered, mark_read
from resolvers.chat.sending import clear, delete_message, edit_message, send_message
from resolvers.chat.telling import forgotten, receipts_told

__all__ = [
    "MESSAGES",
    "READ",
    "announce",
    "announcement",
    "can_send",
    "chat",
    "chat_scope",
    "chat_with",
    "clear",
    "delete_message",
    "edit_message",
    "expire",
    "exported",
    "forgotten",
    "heartbeat",
    "inbox_scope",
    "judge_message_report",
    "last_messages",
    "mark_delivered",
    "mark_read",
    "messages",
    "messages_of_many",
    "muted_until",
    "note",
    "only_visible",
    "open_chat",
    "own_chats",
    "parted",
    "peer_read_sequences",
    "presences",
    "previews",
    "read_times",
    "receipts_told",
    "replied_to",
    "report_client_health",
    "report_message",
    "reported_messages",
    "sees",
    "send_message",
    "set_typing",
    "statuses",
    "tell_owner",
    "texts",
    "unread_total",
    "update_chat",
    "update_chat_settings",
    "viewer_chats",
    "viewer_reports",
    "viewer_settings",
    "visible_messages",
]
