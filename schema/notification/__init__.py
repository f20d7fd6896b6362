"""Notifications, as clients see them."""

from typing import Any

from core import nodes
from core.graphql import Edge, Page, common, connection, field, mutation, query, subscription
from core.ids import Id
from resolvers.notification import acknowledging, consents, preferences, privacy
from resolvers.notification import inbox as reading
from schema.auth import DataExport
from schema.notification.events import NotificationEvent
from schema.notification.templates import NotificationTemplate, TemplateMutations, TemplateQueries
from schema.notification.types import (
    Notification,
    NotificationDelivery,
    NotificationReceipt,
    NotificationSource,
    Recipient,
)
from subscriptions import notification as live

__all__ = [
    "Edge",
    "Mutation",
    "Notification",
    "NotificationDelivery",
    "NotificationReceipt",
    "NotificationSource",
    "NotificationTemplate",
    "Query",
    "Recipient",
    "Subscription",
    "Viewer",
]


class Query(TemplateQueries):
    notification: Notification | None = query(nodes.reader("notification"))
    """Notification by its id, as you were told of it; null when you were not, or it left your inbox."""
    notification_receipt: NotificationReceipt | None = query(nodes.reader("notification_receipt"))
    """Receipt of yours by its id; null when there is none, or it left your inbox."""
    notification_delivery: NotificationDelivery | None = query(nodes.reader("notification_delivery"))
    """Delivery to you by its id; null when there is none."""
    recipient: Recipient | None = query(nodes.reader("recipient"))
    """Profile by its id: yours, or with NOTIFY_ADMIN that of a member of your organization; else null."""


class Viewer:
    inbox: Page[NotificationReceipt] = connection(reading.viewer_inbox)
    """Your notifications of the last 90 days, latest first."""
    inbox_count: int = field(reading.inbox_count)
    """Number of items in your inbox that you have not seen, up to 1,000."""
    recipient_profile: Recipient = field(preferences.recipient_profile)
    """Your choices for all notifications, with their defaults until you choose."""


VIEWER: Any = {"viewer": (common.Viewer, "You, with your `inboxCount`; null when refused.")}


class Mutation(TemplateMutations):
    acknowledge_notification = mutation(
        acknowledging.acknowledge_notification,
        refuses="OUT_OF_RANGE TOO_LONG",
        returns={
            "notification_receipt": (
                NotificationReceipt,
                "Receipt with its acknowledgment; null when refused.",
            ),
            **VIEWER,
        },
        target="Receipt or notification to acknowledge.",
        response="Text to add, at most 500 characters.",
        location="Place from which you acknowledge.",
        acknowledged_at="Time at which you acknowledged, by the phone's clock; now when left out. Not before "
        "it was sent, and not in the future.",
    )
    """Acknowledge a notification for yourself, which opens it too; later ones return the first."""
    mark_inbox_seen = mutation(
        reading.mark_inbox_seen,
        refuses="TOO_MANY",
        returns={
            "notification_receipts": (
                list[NotificationReceipt],
                "Receipts marked, as they are now; null when refused.",
            ),
            **VIEWER,
        },
        receipt_ids="Ids of at most 100 receipts. Those not in your inbox are passed over.",
    )
    """Mark items of your inbox as seen, which opens their notifications too."""
    set_channel_consent = mutation(
        consents.set_channel_consent,
        refuses="REQUIRED TOO_LONG",
        returns={"recipient": (Recipient, "Profile with the consent; null when refused.")},
        recipient_id="Id of the profile concerned: your own when left out. NOTIFY_ADMIN may name one of a "
        "member of the organization.",
        channel="Channel that you agree to, or opt out of.",
        status="Status of your consent from now on: GRANTED or REVOKED.",
        proof="Proof of the consent, such as the wording agreed to, at most 1,000 characters; needed to "
        "agree to text messages and calls, and for whatever is set for somebody else.",
    )
    """Set your consent to a channel, or with NOTIFY_ADMIN that of a member of your organization; opting out
    holds at once, for messages that wait as well."""
    request_recipient_export = mutation(
        privacy.request_recipient_export,
        returns={
            "data_export": (
                DataExport,
                "Export that is being made; null when refused, and for somebody else's.",
            )
        },
        fresh=True,
        recipient_id="Id of the profile concerned: your own when left out. NOTIFY_ADMIN may name one of a "
        "member of the organization.",
    )
    """Request an export of a profile, with its consents, receipts and deliveries. The link is mailed to the
    person whom it is about; one that is being made is not begun again."""
    erase_recipient = mutation(
        privacy.erase_recipient,
        returns={
            "deleted_recipient_id": (
                Id,
                "Id of the profile, which is gone; null when refused, and where opt-outs stay.",
            ),
            "recipient": (Recipient, "Profile with the opt-outs that stay; null where there are none."),
        },
        fresh=True,
        recipient_id="Id of the profile to erase: your own, or with NOTIFY_ADMIN one of a member of the "
        "organization.",
    )
    """Erase a profile, its consents and the whole inbox, for good; that somebody was told stays under a
    pseudonym, and opt-outs stay so that they are heeded. The person goes on with the defaults."""
    update_notification_preferences = mutation(
        preferences.update_notification_preferences,
        refuses="INVALID_FORMAT TOO_LONG TOO_MANY",
        returns={
            "recipient": (Recipient, "Profile as it is now; on CONFLICT without your change."),
        },
        input="Choices to change for all notifications.",
        takes={"muted_sources": list[NotificationSource]},
        expected_version="Version of your profile that was edited: CONFLICT if there is a newer one. The "
        "last writer wins when left out.",
        preferred_channels="Preferred channels, the first first; others are used for CRITICAL notifications "
        "alone.",
        muted_sources="Sources, at most 50, whose notifications below HIGH reach your inbox alone.",
        quiet_hours="Hours in which nothing below HIGH is sent to you.",
        do_not_call="True if your number is neither called nor texted, whatever the priority.",
        slack_id="Id of yours in Slack, such as `U012AB3CD`.",
        teams_flow_url="URL of a workflow of yours in Microsoft Teams that posts what it is sent.",
    )
    """Update your choices for all notifications; they hold for messages that wait as well."""


class Subscription:
    notification_received: NotificationEvent = subscription(live.notification_received)
    """Notifications as they arrive in your inbox; `changeEvents` tells of all that changes there."""
