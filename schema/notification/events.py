"""Events of a person's inbox."""

from typing import Annotated

from core.graphql import Edge, type_, union
from core.graphql.common import Event, ResyncRequired, Viewer
from schema.notification.types import NotificationReceipt


@type_
class NotificationReceived(Event):
    """A notification that has arrived in your inbox."""

    notification_receipt_edge: Edge[NotificationReceipt]
    """Edge of the receipt at the top of your inbox."""
    viewer: Viewer
    """You, with your `inboxCount`."""


NotificationEvent = Annotated[
    NotificationReceived | ResyncRequired,
    union("NotificationEvent", "Notifications that arrive in your inbox."),
]
