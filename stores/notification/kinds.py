"""Words of notifications: priorities, channels, and the states of receipts and deliveries."""

from collections.abc import Mapping
from enum import StrEnum


class PriorityLevel(StrEnum):
    """Priority of a notification, an incident, an issue or a task."""

    CRITICAL = "CRITICAL"
    """Life, safety or the service is at stake: the message interrupts, by several channels at once."""
    HIGH = "HIGH"
    """Attention is needed soon: the message is not held back by quiet hours or mutes."""
    MEDIUM = "MEDIUM"
    """Ordinary news, which wait until quiet hours end."""
    LOW = "LOW"
    """News that may be missed without harm."""


class NotificationChannel(StrEnum):
    """Channel by which a notification reaches a person."""

    SMS = "SMS"
    """Text message to the person's phone number."""
    VOICE = "VOICE"
    """Call to the person's phone number, with the message read aloud."""
    EMAIL = "EMAIL"
    """Mail to the person's confirmed address."""
    PUSH = "PUSH"
    """Push message to the person's devices."""
    SLACK = "SLACK"
    """Direct message in Slack."""
    TEAMS = "TEAMS"
    """Card in Microsoft Teams."""


class ReceiptStatus(StrEnum):
    """Status of a receipt: the furthest that the notification got over all channels."""

    QUEUED = "QUEUED"
    """No channel has taken the message yet."""
    SENT = "SENT"
    """A provider has taken the message."""
    DELIVERED = "DELIVERED"
    """A provider has confirmed that the message arrived."""
    OPENED = "OPENED"
    """The person has opened the message, or seen it in the inbox."""
    FAILED = "FAILED"
    """All channels that were tried have failed."""
    SUPPRESSED = "SUPPRESSED"
    """No channel may or can reach the person: the message is in the inbox alone."""


class ReceiptIndicator(StrEnum):
    """Color by which a receipt is shown at a glance."""

    GREEN = "GREEN"
    """The person has acknowledged the notification."""
    YELLOW = "YELLOW"
    """The notification has arrived, and is not acknowledged."""
    RED = "RED"
    """All channels that were tried have failed."""
    GRAY = "GRAY"
    """Nothing is known yet, or no channel may reach the person."""


class DeliveryStatus(StrEnum):
    """Status of a delivery by one channel."""

    QUEUED = "QUEUED"
    """The message waits to be sent, or to be sent again."""
    SENT = "SENT"
    """The provider has taken the message."""
    DELIVERED = "DELIVERED"
    """The provider has confirmed that the message arrived."""
    OPENED = "OPENED"
    """The person has opened the message. Final."""
    FAILED = "FAILED"
    """The message could not be sent, or did not arrive. Final."""
    BOUNCED = "BOUNCED"
    """The address has given the message back. Final."""
    SUPPRESSED = "SUPPRESSED"
    """The message may not be sent by this channel, or has no address: see `failureReason`. Final."""


class DeliveryFailureReason(StrEnum):
    """Reason why a delivery failed or was suppressed."""

    NO_ADDRESS = "NO_ADDRESS"
    """The person has no confirmed address, number or device for the channel."""
    NO_CONSENT = "NO_CONSENT"
    """The person has not agreed to the channel."""
    OPTED_OUT = "OPTED_OUT"
    """The person has opted out of the channel."""
    DO_NOT_CALL = "DO_NOT_CALL"
    """The person's number is not to be called or texted."""
    LANDLINE = "LANDLINE"
    """The number is a landline, which takes no text messages."""
    MUTED = "MUTED"
    """The person has muted the source of the notification."""
    NOT_PREFERRED = "NOT_PREFERRED"
    """The person has chosen other channels."""
    EXPIRED = "EXPIRED"
    """The notification expired before it could be sent."""
    QUIET_HOURS = "QUIET_HOURS"
    """Quiet hours leave no time at which the channel may be used."""
    UNREACHABLE = "UNREACHABLE"
    """The provider cannot reach the address."""
    REFUSED = "REFUSED"
    """The provider has refused the message for good."""
    NO_PROVIDER = "NO_PROVIDER"
    """The deployment has no provider for the channel."""
    PROVIDER_DOWN = "PROVIDER_DOWN"
    """The provider did not take the message, however often it was tried."""
    MACHINE_ANSWERED = "MACHINE_ANSWERED"
    """A voice mailbox or another machine answered the call."""
    BOUNCED = "BOUNCED"
    """The address has given the message back."""
    WITHDRAWN = "WITHDRAWN"
    """The thing that the message tells of is gone, hidden, or was read meanwhile."""


class AnsweredBy(StrEnum):
    """Kind of the answer to a call."""

    HUMAN = "HUMAN"
    """A person answered the call."""
    MACHINE = "MACHINE"
    """A voice mailbox, a fax or another machine answered the call."""


class AcknowledgmentMethod(StrEnum):
    """Method by which a person acknowledged a notification."""

    BUTTON_CLICK = "BUTTON_CLICK"
    """The button of the app or of the push message."""
    REPLY_SMS = "REPLY_SMS"
    """A text message in reply."""
    EMAIL_LINK = "EMAIL_LINK"
    """The link in a mail, followed and confirmed."""
    EMAIL_OPEN = "EMAIL_OPEN"
    """A mail that was opened, where the sender lets that count."""
    VOICE_KEYPRESS = "VOICE_KEYPRESS"
    """A key pressed during the call."""


class ConsentStatus(StrEnum):
    """Status of a person's consent to a channel."""

    GRANTED = "GRANTED"
    """The person agreed to messages by the channel."""
    REVOKED = "REVOKED"
    """The person opted out of the channel."""
    UNKNOWN = "UNKNOWN"
    """The person has said neither: text messages and calls are not sent then."""


class ConsentSource(StrEnum):
    """Source of a change of consent."""

    APP = "APP"
    """The person, in the app."""
    ADMIN = "ADMIN"
    """An administrator, with proof."""
    SMS_KEYWORD = "SMS_KEYWORD"
    """A text message with a keyword such as STOP."""
    UNSUBSCRIBE_LINK = "UNSUBSCRIBE_LINK"
    """The link of a mail, or a mail program's button to unsubscribe."""
    PROVIDER = "PROVIDER"
    """The provider, whose list says that the person opted out."""


INDICATORS: Mapping[ReceiptStatus, ReceiptIndicator] = {
    ReceiptStatus.QUEUED: ReceiptIndicator.GRAY,
    ReceiptStatus.SENT: ReceiptIndicator.GRAY,
    ReceiptStatus.DELIVERED: ReceiptIndicator.YELLOW,
    ReceiptStatus.OPENED: ReceiptIndicator.YELLOW,
    ReceiptStatus.FAILED: ReceiptIndicator.RED,
    ReceiptStatus.SUPPRESSED: ReceiptIndicator.GRAY,
}

SOURCES: dict[str, str] = {}
"""Sources of notifications with their descriptions: each system declares its own."""


def notification_source(name: str, description: str) -> str:
    """Declare a source of notifications, which people may mute."""
    if name in SOURCES:
        raise ValueError(f"The source {name!r} is declared twice.")
    SOURCES[name] = description
    return name


SYSTEM = notification_source("SYSTEM", "The service itself, about itself.")
AUDIT = notification_source("AUDIT", "The audit log, about its integrity.")
