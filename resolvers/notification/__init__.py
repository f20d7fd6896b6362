"""Notifications; for other systems: the one way to send people a message."""

from resolvers.notification.inbox import deliveries_of
from resolvers.notification.notifying import notify
from resolvers.notification.wording import code_template, rendered
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
    "deliveries_of",
    "notification_source",
    "notify",
    "rendered",
]
