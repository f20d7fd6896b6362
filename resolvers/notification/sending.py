"""Sending by each channel: the message in the channel's form, handed to its provider."""

import html
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from core import messages
from core.context import Services
from core.messages import gettext_noop
from core.ports import (
    CircuitOpen,
    FailureCode,
    MailAttachment,
    Permanent,
    PushPriority,
    RateReached,
    Retryable,
    SlackPoster,
    TeamsPoster,
    VoiceCaller,
)
from resolvers import auth
from resolvers.notification import short_links, sms_segments
from resolvers.notification.links import LinkAction, link
from resolvers.notification.preferences import teams_flow
from stores import auth as accounts
from stores.auth import OwnDevice, User
from stores.notification import (
    Delivery,
    DeliveryFailureReason,
    Notification,
    NotificationChannel,
    Recipient,
)

ACKNOWLEDGE = gettext_noop("Acknowledge: {url}")
UNSUBSCRIBE = gettext_noop("Get no more of these mails: {url}")
PRESS = gettext_noop("Press 1 to acknowledge.")
BUTTON = gettext_noop("Acknowledge")
REASONS: Mapping[FailureCode, DeliveryFailureReason] = {
    FailureCode.UNREACHABLE: DeliveryFailureReason.UNREACHABLE,
    FailureCode.LANDLINE: DeliveryFailureReason.LANDLINE,
    FailureCode.OPTED_OUT: DeliveryFailureReason.OPTED_OUT,
    FailureCode.UNREGISTERED: DeliveryFailureReason.NO_ADDRESS,
    FailureCode.REFUSED: DeliveryFailureReason.REFUSED,
    FailureCode.NO_PROVIDER: DeliveryFailureReason.NO_PROVIDER,
}


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message on its way to one person by one channel, in their language."""

    services: Services
    notification: Notification
    delivery: Delivery
    user: User
    recipient: Recipient
    devices: Sequence[OwnDevice]
    """Those that a push goes to; of other channels none."""
    title: str
    message: str

    @property
    def text(self) -> str:
        """Title, message and link below each other."""
        return "\n\n".join(filter(None, (self.title, self.message, self.notification["link_url"])))


@dataclass(frozen=True, slots=True)
class Taken:
    """Answer of a provider that took the message."""

    provider_ref: str | None = None
    segments: int | None = None
    address_index: str | None = None


async def devices_for(services: Services, user: User, channel: NotificationChannel) -> list[OwnDevice]:
    """Devices that a message goes to by this channel."""
    if channel != NotificationChannel.PUSH:
        return []
    return await accounts.devices_with_push(services.db, user["_id"])


def has_address(
    user: User, recipient: Recipient, channel: NotificationChannel, devices: Sequence[OwnDevice]
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
    return bool(devices)


async def send(out: Outgoing) -> Taken:
    """Hand the message to the channel's provider."""
    return await SENDERS[out.delivery["channel"]](out)


async def _push(out: Outgoing) -> Taken:
    notification, options = out.notification, out.notification["push"]
    seconds = options.get("ttl_seconds")
    reached = await auth.push(
        out.services,
        out.devices,
        title=out.title,
        text=out.message,
        data=_push_data(notification),
        # The platform shows one of equal key: a message that was sent twice after all is seen once.
        collapse=options.get("collapse_key") or out.delivery["_id"],
        ttl=None if seconds is None else timedelta(seconds=seconds),
        silent=options.get("silent", False),
        category=options.get("category") or ("ACKNOWLEDGE" if notification["requires_ack"] else ""),
        priority=PushPriority(notification["priority"]),
    )
    if not reached:
        raise Permanent(FailureCode.UNREGISTERED, "No device was reached.")
    return Taken()


def _push_data(notification: Notification) -> dict[str, str]:
    said = {
        "notificationId": notification["_id"] if notification["inbox"] else "",
        "priority": str(notification["priority"]),
        "subjectId": notification["subject_id"] or "",
        "linkUrl": notification["link_url"] or "",
        "actions": ",".join(notification["push"].get("actions", [])),
    }
    return {**{name: value for name, value in said.items() if value}, **notification["push"].get("data", {})}


async def _mail(out: Outgoing) -> Taken:
    links = _links(out)
    attached = [
        MailAttachment(each["name"], each["mime"], each["body"]) for each in out.notification["attachments"]
    ]
    sent = await out.services.mailer.send(
        to=out.user["email"],
        subject=out.title,
        text="\n\n".join([out.text, *links.values()]),
        html=_page(out, links),
        headers=_headers(out),
        attachments=attached,
        key=out.delivery["_id"],
    )
    return Taken(provider_ref=sent.provider_ref or None)


def _links(out: Outgoing) -> dict[LinkAction, str]:
    """Links of a mail, in the person's language; none where the deployment has no address of its own."""
    told = {LinkAction.UNSUBSCRIBE: UNSUBSCRIBE}
    if out.notification["requires_ack"]:
        told = {LinkAction.ACKNOWLEDGE: ACKNOWLEDGE, **told}
    language = messages.language(out.user["locale"])
    urls = {action: _link(out, action) for action in told}
    return {
        action: messages.text(told[action], {"url": url}, language) for action, url in urls.items() if url
    }


def _link(out: Outgoing, action: LinkAction) -> str | None:
    named = out.delivery["_id"] if action == LinkAction.ACKNOWLEDGE else out.recipient["_id"]
    return link(out.services, named, action)


def _headers(out: Outgoing) -> dict[str, str]:
    """One-click unsubscription (RFC 8058)."""
    url = _link(out, LinkAction.UNSUBSCRIBE)
    if url is None:
        return {}
    return {"List-Unsubscribe": f"<{url}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}


def _page(out: Outgoing, links: Mapping[LinkAction, str]) -> str:
    """The mail as HTML, of nothing but escaped text and links."""
    parts = [f"<h1>{html.escape(out.title)}</h1>"]
    parts += [f"<p>{html.escape(each)}</p>" for each in out.message.split("\n\n") if each]
    named = [out.notification["link_url"], *links.values()]
    parts += [f"<p>{_linked(each)}</p>" for each in named if each]
    return f"<!doctype html><html><body>{''.join(parts)}</body></html>"


def _linked(text: str) -> str:
    """A text that ends in a URL, which may be followed."""
    label, _, url = text.rpartition(" ")
    return f'{html.escape(label)} <a href="{html.escape(url)}">{html.escape(url)}</a>'


def _number(out: Outgoing) -> str:
    number = auth.phone_number(out.services, out.user)
    if number is None:
        raise Permanent(FailureCode.UNREACHABLE, "There is no number.")
    return number


async def _text(out: Outgoing) -> Taken:
    """By the first SMS provider that takes it."""
    number, text = _number(out), await _fitted(out)
    segments = sms_segments.count(text).segments
    problems: list[Retryable] = []
    for sender in out.services.sms_senders:
        try:
            sent = await sender.send(to=number, text=text)
        except Retryable as failed:
            problems.append(failed)
        else:
            index = out.user.get("phone_index")
            return Taken(sent.provider_ref or None, segments, address_index=index)
    raise min(problems, key=_lasting)


def _lasting(problem: Retryable) -> int:
    """Order of what keeps a message back: a turn that comes soon, a failure, a provider left alone."""
    return 0 if isinstance(problem, RateReached) else 2 if isinstance(problem, CircuitOpen) else 1


async def _fitted(out: Outgoing) -> str:
    """The text within the segments it may have; a longer one ends in a link to the whole of it."""
    most = out.notification["max_segments"]
    if sms_segments.count(out.text).segments <= most:
        return out.text
    url = await short_links.shortened(out.services, out.delivery) if out.notification["inbox"] else None
    return sms_segments.fit(out.text, most, "..." if url is None else f"... {url}")


async def _call(out: Outgoing) -> Taken:
    """A call that reads the message aloud, and waits for a key."""
    language = messages.language(out.user["locale"])
    asked = [messages.text(PRESS, language=language)] if out.notification["requires_ack"] else []
    # How to acknowledge comes early: a long message is not read to its end.
    text = " ".join(filter(None, (f"{out.title}.", *asked, out.message)))
    sent = await out.services.get(VoiceCaller).send(to=_number(out), text=text, language=language)
    return Taken(sent.provider_ref or None, address_index=out.user.get("phone_index"))


async def _slack(out: Outgoing) -> Taken:
    asked = out.notification["requires_ack"]
    label = messages.text(BUTTON, language=messages.language(out.user["locale"])) if asked else ""
    sent = await out.services.get(SlackPoster).send(
        to=out.recipient["slack_id"] or "",
        title=out.title,
        text=out.message,
        link=out.notification["link_url"] or "",
        acknowledge=label,
    )
    return Taken(sent.provider_ref or None)


async def _teams(out: Outgoing) -> Taken:
    sent = await out.services.get(TeamsPoster).send(
        to=teams_flow(out.services, out.recipient),
        title=out.title,
        text=out.message,
        link=out.notification["link_url"] or "",
    )
    return Taken(sent.provider_ref or None)


SENDERS: dict[Any, Callable[[Outgoing], Awaitable[Taken]]] = {
    NotificationChannel.PUSH: _push,
    NotificationChannel.EMAIL: _mail,
    NotificationChannel.SMS: _text,
    NotificationChannel.VOICE: _call,
    NotificationChannel.SLACK: _slack,
    NotificationChannel.TEAMS: _teams,
}
