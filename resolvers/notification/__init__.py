"""Notifications; for other systems: the one way to send people a message."""

from resolvers.notification.notifying import notify
from resolvers.notification.wording import code_template
from stores.notification import (
    MailAttachment,
    NotificationChannel,
    PriorityLevel,
    PushOptions,
    notification_source,
)

__all__ = [
    "MailAttachment",
    "NotificationChannel",
    "PriorityLevel",
    "PushOptions",
    "code_template",
    "notification_source",
    "notify",
]
