"""Security alerts to account owners."""

import contextlib

from core.context import Services
from core.jobs import task
from core.ports import DeliveryFailed
from resolvers.auth import sent
from resolvers.auth.push import push
from resolvers.auth.sent import SentMessage
from stores import auth as store
from stores.auth import SecurityEvent, SecurityEventKind

TOLD: dict[SecurityEventKind, tuple[str, str]] = {
    SecurityEventKind.NEW_DEVICE: ("New sign-in", "Somebody signed in to your account on a new device."),
    SecurityEventKind.LOCKED: ("Account locked", "Your account was locked for a while."),
    SecurityEventKind.REUSE_DETECTED: (
        "A device was signed out",
        "An old sign-in of one of your devices was used again, perhaps by somebody else. It was ended.",
    ),
    SecurityEventKind.PASSWORD_CHANGED: ("Password changed", "Your password was changed."),
    SecurityEventKind.TWO_FACTOR_CHANGED: ("Second factor changed", "Your second factor was changed."),
    SecurityEventKind.KEY_ADDED: ("Key added", "A passkey or device key was added to your account."),
    SecurityEventKind.KEY_REMOVED: ("Key removed", "A passkey or device key of your account was removed."),
    SecurityEventKind.EXPORT: ("Export of your data", "An export of your data was asked for."),
    SecurityEventKind.DELETION: (
        "Deletion of your account",
        "Deletion of your account was asked for, or called off.",
    ),
}
ADVICE = "If this was not you, change your password and end the sessions you do not know."


@task("auth.alert")
async def alert(services: Services, *, event_id: str) -> None:
    """Send one message per event; nothing in it that a stranger at the mailbox could use."""
    event = await store.security_events.by_id(services.db, event_id)
    user = event and await store.users.by_id(services.db, event["user_id"])
    if event is None or user is None or not user["email"]:
        return
    subject, text = TOLD[event["kind"]]
    data = {"type": "SECURITY_ALERT", "eventId": event_id}
    # Its devices may be unreachable or not theirs any more: the mail goes out in any case.
    with contextlib.suppress(DeliveryFailed):
        devices = await store.devices_with_push(services.db, user["_id"])
        await push(services, devices, title=subject, text=text, data=data, collapse=event_id)
    letter = f"{text}\n{_where(event)}\n{ADVICE}"
    taken = await services.mailer.send(to=user["email"], subject=subject, text=letter, key=event_id)
    await sent.tell(services, SentMessage(event_id, user["_id"], "EMAIL", 1, taken.provider_ref))


def _where(event: SecurityEvent) -> str:
    device = event["device"]["name"] if event["device"] else "unknown device"
    place = event["approx_location"] or event["ip_masked"] or "unknown place"
    return f"{event['at']:%Y-%m-%d %H:%M} UTC, {device}, {place}."
