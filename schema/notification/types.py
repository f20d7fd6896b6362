"""Notifications, receipts, deliveries and recipients, as clients see them."""

from datetime import datetime

from core import discovery
from core.graphql import batched, derived, key, local, node, told, type_, unsynced, visible
from core.graphql.common import URL, Entity, Node
from core.graphql.enums import declared_enum
from core.ids import Id
from core.values.times import LocalTime
from resolvers.notification import acknowledging, inbox, preferences
from stores.notification import (
    SOURCES,
    AcknowledgmentMethod,
    AnsweredBy,
    ConsentSource,
    ConsentStatus,
    DeliveryFailureReason,
    DeliveryStatus,
    NotificationChannel,
    PriorityLevel,
    ReceiptIndicator,
    ReceiptStatus,
)

# Every system names its own sources where it resolves: read them all first.
discovery.systems("resolvers")
NotificationSource = declared_enum(
    "NotificationSource",
    "Source of a notification: the part of the service that tells of something.",
    SOURCES,
)


@node("notification")
class Notification(Node):
    """Notification: something that people are told of, as one of them reads it."""

    title: str
    """Title of the notification, at most 120 characters, in the language of the person's account."""
    message: str
    """Text of the notification, at most 4,000 characters; empty when the title says it all."""
    priority: PriorityLevel
    """Priority of the notification, which chooses the channels."""
    source: NotificationSource  # type: ignore[valid-type]
    """Source of the notification."""
    subject: Node | None = visible("subject_id")
    """Thing that the notification is about; null when there is none, or it is hidden from you."""
    subject_id: Id | None
    """Id of the thing that the notification is about; null when there is none."""
    link_url: URL | None
    """URL to open for more; null when there is none."""
    sent_at: datetime
    """Time at which the notification was sent."""
    expires_at: datetime
    """Time after which the notification is sent to nobody any more."""
    requires_ack: bool
    """True if people are asked to acknowledge the notification."""


@type_
class NotificationPlace:
    """Place on Earth from which a notification was acknowledged."""

    latitude: float
    """Latitude of the place in degrees (WGS 84)."""
    longitude: float
    """Longitude of the place in degrees (WGS 84)."""


@type_
class NotificationAcknowledgment:
    """Acknowledgment of a notification; the first of a person stands."""

    acknowledged_at: datetime
    """Time at which the person acknowledged, offline perhaps; not before it was sent."""
    received_at: datetime
    """Time at which the server learned of the acknowledgment."""
    method: AcknowledgmentMethod
    """Method by which the person acknowledged."""
    response: str | None
    """Text that the person added, at most 500 characters; null when there is none."""
    location: NotificationPlace | None
    """Place that the person added; null when there is none."""
    seconds_to_acknowledge: int
    """Number of seconds from the sending to the acknowledgment."""
    late: bool
    """True if the notification had expired by then."""


@node("notification_delivery")
class NotificationDelivery(Node):
    """Delivery of a notification to one person by one channel."""

    channel: NotificationChannel
    """Channel of the delivery."""
    status: DeliveryStatus
    """Status of the delivery, which never moves back."""
    accepted_at: datetime | None = key("sent_at")
    """Time at which the provider took the message; null before."""
    delivered_at: datetime | None
    """Time at which the message arrived, as the provider says; null before, or when it does not say."""
    opened_at: datetime | None
    """Time at which the person opened the message; null before."""
    failure_reason: DeliveryFailureReason | None
    """Reason for a failed or suppressed delivery; null otherwise."""
    retry_count: int
    """Number of times that the message was tried again."""
    segments: int | None
    """Number of segments of a text message; null for other channels, and before it is sent."""
    answered_by: AnsweredBy | None
    """Kind of the answer to a call; null for other channels, and when it is not known."""


@node("notification_receipt")
class NotificationReceipt(Entity):
    """Receipt of a notification: the item of one person's inbox, with what became of it."""

    notification: Notification = derived(inbox.notification_of, "notification_id", *inbox.SHOWN)
    """Notification that the receipt is of."""
    recipient: "Recipient | None" = unsynced(
        batched(preferences.recipients_of, reads=["user_id"]), "read it with `recipientProfile`."
    )
    """Profile of the person whom the receipt is of; null for others than that person."""
    status: ReceiptStatus
    """Status of the receipt, the furthest over all channels."""
    indicator: ReceiptIndicator = derived(inbox.indicator, "status", "acknowledged")
    """Color by which the receipt is shown at a glance."""
    acknowledgment: NotificationAcknowledgment | None = local(
        acknowledging.acknowledgment_of, "_id", "acknowledgment", "sent_at"
    )
    """Acknowledgment of the person; null until there is one."""
    deliveries: list[NotificationDelivery] = unsynced(
        batched(inbox.deliveries, reads=["notification_id", "user_id"]), "read the receipt again."
    )
    """Deliveries of the notification to the person, at most 100, first made first."""
    seen_at: datetime | None
    """Time at which the person saw the item in the inbox; null until then."""
    opened_at: datetime | None
    """Time at which the person first opened the notification, by whatever channel; null until then."""


@type_
class NotificationQuietHours:
    """Quiet hours of a person, in the time zone of their account; they may pass midnight."""

    starts_at: LocalTime
    """Time of day at which quiet hours start."""
    ends_at: LocalTime
    """Time of day at which quiet hours end, excluded."""


@type_
class ChannelConsent:
    """Consent of a person to one channel."""

    channel: NotificationChannel
    """Channel that the consent is about."""
    status: ConsentStatus
    """Status of the consent; UNKNOWN until the person says something."""
    changed_at: datetime | None = key("at")
    """Time of the last change; null while it is UNKNOWN."""
    source: ConsentSource | None
    """Source of the last change; null while it is UNKNOWN."""
    proof: str | None
    """Proof of the last change, such as the wording that was agreed to; null when there is none."""


@node("recipient")
class Recipient(Entity):
    """Recipient of notifications: a person's choices of channels, mutes and quiet hours, and their consents.

    Address, number and time zone are those of their account."""

    preferred_channels: list[NotificationChannel]
    """Preferred channels, at most six, the first first. Empty: no preference. Others are used for CRITICAL
    notifications alone."""
    muted_sources: list[NotificationSource]  # type: ignore[valid-type]
    """Sources, at most 50, whose notifications below HIGH reach the inbox alone."""
    quiet_hours: NotificationQuietHours | None
    """Hours in which nothing below HIGH is sent; it follows when they end. Null when there are none."""
    slack_id: str | None
    """Id of the person in Slack; null when there is none."""
    teams_flow_url: URL | None = local(preferences.teams_flow_url, "_id", "user_id", "sealed_teams_flow")
    """URL of the person's workflow in Microsoft Teams; null when there is none, and for others than that
    person."""
    consents: list[ChannelConsent] = told(batched(preferences.consents, reads=preferences.OF_NUMBER), "users")
    """Consents to the channels, one of each of the six. UNKNOWN for text messages and calls since the person
    has another number than the one they agreed for."""
    do_not_call: bool
    """True if the person's number is neither called nor texted, whatever the priority."""
    landline: bool = told(batched(preferences.landlines, reads=preferences.OF_NUMBER), "users")
    """True if the provider says that the person's number takes no text messages."""


__all__ = [
    "ChannelConsent",
    "Notification",
    "NotificationDelivery",
    "NotificationReceipt",
    "NotificationSource",
    "Recipient",
]
