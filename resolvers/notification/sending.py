"""Sending by each channel: the message in the channel's form, handed to its provider."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from core.context import Services
from resolvers import auth
from resolvers.notification.wording import text_of
from stores import auth as accounts
from stores.auth import User
from stores.notification import (
    Delivery,
    DeliveryFailureReason,
    Notification,
    NotificationChannel,
    Recipient,
)


class Unsendable(Exception):
    """The message will not get there by this channel, however often it is tried."""

    def __init__(self, reason: DeliveryFailureReason) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message on its way to one person by one channel."""

    services: Services
    notification: Notification
    delivery: Delivery
    user: User
    recipient: Recipient

    @property
    def wording(self) -> tuple[str, str]:
        """Title and text in the person's language."""
        return text_of(self.notification["wording"], self.user["locale"])

    @property
    def text(self) -> str:
        """Title, text and link below each other."""
        return "\n\n".join(part for part in (*self.wording, self.notification["link_url"] or "") if part)


@dataclass(frozen=True, slots=True)
class Taken:
    """Answer of a provider that took the message."""

    provider_ref: str | None = None
    segments: int | None = None
    address_index: str | None = None


async def has_address(
    services: Services, user: User, recipient: Recipient, channel: NotificationChannel
) -> bool:
    """True if the person has a confirmed address, number or device for the channel."""
    match channel:
        case NotificationChannel.EMAIL:
            return bool(user["email"]) and user["email_verified"]
        case NotificationChannel.SMS | NotificationChannel.VOICE:
            return bool(user.get("phone"))
        case NotificationChannel.SLACK:
            return recipient["slack_id"] is not None
        case NotificationChannel.TEAMS:
            return recipient["sealed_teams_flow"] is not None
    return bool(await accounts.devices_with_push(services.db, user["_id"]))


async def send(out: Outgoing) -> Taken:
    """Hand the message to the channel's provider; `Unsendable` where there is none."""
    sender = SENDERS.get(out.delivery["channel"])
    if sender is None:
        raise Unsendable(DeliveryFailureReason.NO_PROVIDER)
    return await sender(out)


async def _push(out: Outgoing) -> Taken:
    title, text = out.wording
    notification, options = out.notification, out.notification["push"]
    reached = await auth.push(
        out.services,
        out.user["_id"],
        title=title,
        text=text,
        data=_push_data(notification),
        # The platform shows one of equal key: a message that was sent twice after all is seen once.
        collapse=options.get("collapse_key") or out.delivery["_id"],
    )
    if not reached:
        raise Unsendable(DeliveryFailureReason.UNREACHABLE)
    return Taken()


def _push_data(notification: Notification) -> dict[str, str]:
    options = notification["push"]
    said = {
        "notificationId": notification["_id"],
        "priority": str(notification["priority"]),
        "subjectId": notification["subject_id"] or "",
        "linkUrl": notification["link_url"] or "",
        "actions": "ACKNOWLEDGE" if notification["requires_ack"] else "",
    }
    return {**{name: value for name, value in said.items() if value}, **options.get("data", {})}


async def _mail(out: Outgoing) -> Taken:
    title, _ = out.wording
    await out.services.mailer.send(to=out.user["email"], subject=title, text=out.text)
    return Taken()


async def _text(out: Outgoing) -> Taken:
    number = auth.phone_number(out.services, out.user)
    if number is None:
        raise Unsendable(DeliveryFailureReason.NO_ADDRESS)
    await out.services.sms_senders[0].send(to=number, text=out.text)
    return Taken(address_index=out.user.get("phone_index"))


SENDERS: dict[Any, Callable[[Outgoing], Awaitable[Taken]]] = {
    NotificationChannel.PUSH: _push,
    NotificationChannel.EMAIL: _mail,
    NotificationChannel.SMS: _text,
}
"""By channel; one that is missing has no provider in this version."""
