"""Push messages in the words of each platform (FCM HTTP v1): Android, Apple and the web."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from core import clock
from core.ports import PushPriority

SOUND = "default"
CRITICAL_SOUND = {"critical": 1, "name": SOUND, "volume": 1.0}
"""Sound that overrides the switch and Do Not Disturb; Apple asks for an entitlement."""

APPLE: dict[PushPriority, dict[str, Any]] = {
    PushPriority.CRITICAL: {"interruption-level": "critical", "sound": CRITICAL_SOUND},
    PushPriority.HIGH: {"interruption-level": "time-sensitive", "sound": SOUND},
    PushPriority.MEDIUM: {"interruption-level": "active", "sound": SOUND},
    PushPriority.LOW: {"interruption-level": "passive"},
}
ANDROID: dict[PushPriority, dict[str, Any]] = {
    PushPriority.CRITICAL: {"notification_priority": "PRIORITY_MAX", "sound": SOUND, "visibility": "PUBLIC"},
    PushPriority.HIGH: {"notification_priority": "PRIORITY_HIGH", "sound": SOUND},
    PushPriority.MEDIUM: {"notification_priority": "PRIORITY_DEFAULT", "sound": SOUND},
    PushPriority.LOW: {"notification_priority": "PRIORITY_LOW"},
}
WEB_URGENCY = {
    PushPriority.CRITICAL: "high",
    PushPriority.HIGH: "high",
    PushPriority.MEDIUM: "normal",
    PushPriority.LOW: "low",
}
URGENT = frozenset({PushPriority.CRITICAL, PushPriority.HIGH})
LONGEST_APPLE_COLLAPSE = 64
LONGEST_TEXT = 2_000
"""Bytes of a text: a message has 4,096 with its title and its data, and a larger one is refused for good."""


@dataclass(frozen=True, slots=True)
class Look:
    """Options of a push message: its look, and its lifetime under way."""

    collapse: str
    ttl: timedelta | None
    silent: bool
    category: str
    priority: PushPriority


def message_of(title: str, text: str, data: Mapping[str, str], look: Look) -> dict[str, Any]:
    """A `Message` of FCM without its token."""
    category = {"category": look.category} if look.category else {}
    shown = {} if look.silent else {"notification": {"title": title, "body": _cut(text)}}
    # Android has no categories: the app draws the actions by what is in the data.
    return {
        **shown,
        "data": {**data, **category},
        "android": _android(look),
        "apns": _apple(look),
        "webpush": {"headers": _web_headers(look)},
    }


def _cut(text: str) -> str:
    """The text, or its beginning: the app has all of it."""
    whole = text.encode(errors="replace")
    if len(whole) <= LONGEST_TEXT:
        return text
    return whole[: LONGEST_TEXT - 3].decode(errors="ignore").rstrip() + "…"


def _android(look: Look) -> dict[str, Any]:
    tag = {"tag": look.collapse} if look.collapse else {}
    return {
        "priority": "HIGH" if look.priority in URGENT and not look.silent else "NORMAL",
        **({"collapse_key": look.collapse} if look.collapse else {}),
        **({"ttl": f"{_seconds(look.ttl)}s"} if look.ttl is not None else {}),
        **({} if look.silent else {"notification": {**ANDROID[look.priority], **tag}}),
    }


def _apple(look: Look) -> dict[str, Any]:
    headers = {
        "apns-push-type": "background" if look.silent else "alert",
        # Apple refuses silent ones of a higher priority.
        "apns-priority": "5" if look.silent or look.priority == PushPriority.LOW else "10",
    }
    if look.collapse:
        headers["apns-collapse-id"] = look.collapse.encode()[:LONGEST_APPLE_COLLAPSE].decode(errors="ignore")
    if look.ttl is not None:
        headers["apns-expiration"] = str(int(clock.timestamp()) + _seconds(look.ttl))
    category = {"category": look.category} if look.category else {}
    aps = {"content-available": 1} if look.silent else {**APPLE[look.priority], **category}
    return {"headers": headers, "payload": {"aps": aps}}


def _web_headers(look: Look) -> dict[str, str]:
    ttl = {"TTL": str(_seconds(look.ttl))} if look.ttl is not None else {}
    return {"Urgency": WEB_URGENCY[look.priority], **ttl}


def _seconds(ttl: timedelta | None) -> int:
    return max(0, int(ttl.total_seconds())) if ttl else 0
