"""Reach of a person on a channel: whether and when a message may be sent to them.

The one place that decides: consent, Do Not Call, mutes, own choice of channels, and the quiet hours of the
law and of the person, in the person's zone.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from core import zones
from core.zones import Gap
from stores.notification import (
    ConsentStatus,
    DeliveryFailureReason,
    NotificationChannel,
    PriorityLevel,
    QuietHours,
    Recipient,
    consent_to,
)

CALLED = frozenset({NotificationChannel.SMS, NotificationChannel.VOICE})
"""Channels that need consent beforehand (TCPA), and have quiet hours by law."""
URGENT = frozenset({PriorityLevel.CRITICAL, PriorityLevel.HIGH})
LEGAL_QUIET_HOURS: QuietHours = {"starts_at": "21:00", "ends_at": "08:00"}
"""47 CFR 64.1200(c)(1), in the person's zone; the end excluded."""
ROUNDS = 4
"""Windows that may follow each other before a person is taken to be never reachable."""


@dataclass(frozen=True, slots=True)
class Reach:
    """Verdict: the moment from which the message may go out, or the reason why it never may."""

    at: datetime | None = None
    reason: DeliveryFailureReason | None = None


@dataclass(frozen=True, slots=True)
class Message:
    """Message to be sent, as far as the decision depends on it."""

    priority: PriorityLevel
    source: str
    transactional: bool
    expires_at: datetime

    @property
    def urgent(self) -> bool:
        return self.priority in URGENT


def of_number(recipient: Recipient, phone_index: str | None) -> Recipient:
    """The recipient without what they agreed to, or a provider said, of another number than theirs is now."""
    if recipient.get("phone_index") == phone_index:
        return recipient
    left = [
        each
        for each in recipient["consents"]
        if each["channel"] not in CALLED or each["status"] != ConsentStatus.GRANTED
    ]
    return {**recipient, "consents": left, "landline": False}


def reach(
    message: Message,
    channel: NotificationChannel,
    recipient: Recipient,
    *,
    has_address: bool,
    zone: str,
    now: datetime,
) -> Reach:
    """Decide whether and when a message may be sent to a person by a channel."""
    reason = _forbidden(message, channel, recipient, has_address=has_address)
    if reason is not None:
        return Reach(reason=reason)
    if now >= message.expires_at:
        return Reach(reason=DeliveryFailureReason.EXPIRED)
    at = _after_quiet_hours(list(_quiet_hours(message, channel, recipient)), zone, now)
    if at is None:
        return Reach(reason=DeliveryFailureReason.QUIET_HOURS)
    if at >= message.expires_at:
        return Reach(reason=DeliveryFailureReason.EXPIRED)
    return Reach(at=at)


def _forbidden(
    message: Message, channel: NotificationChannel, recipient: Recipient, *, has_address: bool
) -> DeliveryFailureReason | None:
    """Reason for which the channel may not be used at any time."""
    consent = consent_to(recipient, channel)
    preferred = recipient["preferred_channels"]
    muted = message.source in recipient["muted_sources"]
    if consent == ConsentStatus.REVOKED:
        return DeliveryFailureReason.OPTED_OUT
    if channel in CALLED and recipient["do_not_call"]:
        return DeliveryFailureReason.DO_NOT_CALL
    if muted and not message.urgent and not message.transactional:
        return DeliveryFailureReason.MUTED
    if preferred and channel not in preferred and message.priority != PriorityLevel.CRITICAL:
        return DeliveryFailureReason.NOT_PREFERRED
    if not has_address:
        return DeliveryFailureReason.NO_ADDRESS
    if channel in CALLED and consent != ConsentStatus.GRANTED:
        return DeliveryFailureReason.NO_CONSENT
    if channel == NotificationChannel.SMS and recipient["landline"]:
        return DeliveryFailureReason.LANDLINE
    return None


def _quiet_hours(
    message: Message, channel: NotificationChannel, recipient: Recipient
) -> Iterator[QuietHours]:
    """Windows in which the message is held back, by law or by the person's own choice."""
    if message.urgent:
        return
    if channel in CALLED:
        yield LEGAL_QUIET_HOURS
    own = recipient["quiet_hours"]
    if own is not None and (channel in CALLED or not message.transactional):
        yield own


def _after_quiet_hours(windows: list[QuietHours], zone: str, now: datetime) -> datetime | None:
    """First moment outside of all windows; None where they leave none."""
    at = now
    for _ in range(ROUNDS):
        ends = [end for each in windows if (end := quiet_until(each, zone, at)) is not None]
        if not ends:
            return at
        at = max(ends)
    return None


def quiet_until(window: QuietHours, zone: str, moment: datetime) -> datetime | None:
    """End of the quiet hours that hold at a moment in a zone; None when none do."""
    wall = zones.wall_time(zone, moment)
    begins, ends = time.fromisoformat(window["starts_at"]), time.fromisoformat(window["ends_at"])
    clock = wall.time()
    within = begins <= clock < ends if begins < ends else clock >= begins or clock < ends
    if not within:
        return None
    day = wall.date() if clock < ends else wall.date() + timedelta(days=1)
    end = zones.instant(zone, datetime.combine(day, ends), Gap.FIRST_VALID)
    # Clocks that went back show the end twice: the first one ended it.
    return end if end > moment else None
