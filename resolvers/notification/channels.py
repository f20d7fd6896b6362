"""Channels of a message: those of its priority, in the person's order, and those that step in."""

from collections.abc import Collection, Sequence

from core.jobs import Lane
from stores.notification import NotificationChannel, PriorityLevel, Recipient

SMS, VOICE, EMAIL, PUSH, SLACK, TEAMS = NotificationChannel

DEFAULT_CHANNELS: dict[PriorityLevel, tuple[NotificationChannel, ...]] = {
    PriorityLevel.CRITICAL: (SMS, VOICE, PUSH),
    PriorityLevel.HIGH: (SMS, EMAIL, PUSH),
    PriorityLevel.MEDIUM: (EMAIL, PUSH),
    PriorityLevel.LOW: (PUSH,),
}
FALLBACKS = {SMS: VOICE, VOICE: SMS, EMAIL: PUSH, SLACK: EMAIL, TEAMS: EMAIL}
"""Channels that step in for others; that of PUSH depends on the priority."""
LANES = {
    PriorityLevel.CRITICAL: Lane.CRITICAL,
    PriorityLevel.HIGH: Lane.DEFAULT,
    PriorityLevel.MEDIUM: Lane.DEFAULT,
    PriorityLevel.LOW: Lane.BULK,
}


def planned(
    priority: PriorityLevel, wanted: Sequence[NotificationChannel] | None, recipient: Recipient
) -> list[NotificationChannel]:
    """Channels to try, the person's preferred ones first."""
    channels = list(dict.fromkeys(DEFAULT_CHANNELS[priority] if wanted is None else wanted))
    order = recipient["preferred_channels"]
    return sorted(channels, key=lambda each: order.index(each) if each in order else len(order))


def fallback(
    channel: NotificationChannel, priority: PriorityLevel, tried: Collection[NotificationChannel]
) -> NotificationChannel | None:
    """Channel that steps in for one that failed; None when it was tried as well."""
    urgent = priority in (PriorityLevel.CRITICAL, PriorityLevel.HIGH)
    other = FALLBACKS.get(channel, SMS if urgent else EMAIL)
    return None if other in tried else other


def last_resort(
    priority: PriorityLevel,
    wanted: Sequence[NotificationChannel] | None,
    tried: Collection[NotificationChannel],
) -> NotificationChannel | None:
    """Channel for a CRITICAL notification that none of its own may bring to the person; None when tried.

    Nobody is texted or called without consent, whatever is at stake, and many have no app.
    """
    if priority != PriorityLevel.CRITICAL or wanted is not None or EMAIL in tried:
        return None
    return EMAIL
