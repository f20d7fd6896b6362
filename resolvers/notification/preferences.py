"""Preferences: a person's channels, mutes and quiet hours."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict, Unpack, cast
from urllib.parse import urlsplit

from core import grants, ids, nodes
from core.context import Context, Services
from core.errors import UserError, check_version
from core.hooks import on
from core.nodes import guard
from core.values.bounds import check_count, check_length
from core.values.times import LocalTime
from loaders.auth import UserById
from loaders.notification import RecipientByUser
from resolvers import auth
from resolvers.notification.reaching import of_number
from stores import notification as store
from stores.auth import AccountStatus, org_of
from stores.notification import ChannelConsent, ConsentStatus, NotificationChannel, Recipient
from stores.notification.roles import NOTIFY_ADMIN

Document = Mapping[str, Any]

SLACK_ID = re.compile(r"[UW][A-Z0-9]{5,20}", re.ASCII)
LONGEST_URL = 2_000
MOST_SOURCES = 50
OF_NUMBER = ("user_id", "phone_index", "consents", "landline")
"""Keys of a profile by which it is known what holds for the person's number."""


class QuietHours(TypedDict):
    """Hours of the day in the person's time zone; they may pass midnight."""

    starts_at: LocalTime
    """Time of day at which quiet hours start."""
    ends_at: LocalTime
    """Time of day at which quiet hours end, excluded."""


class NotificationPreferences(TypedDict, total=False):
    """Choices for all notifications."""

    preferred_channels: list[NotificationChannel]
    muted_sources: list[str]
    quiet_hours: QuietHours | None
    do_not_call: bool
    slack_id: str | None
    teams_flow_url: str | None


class Changed(TypedDict):
    recipient: Recipient


@guard("recipient", sync="RECIPIENT", collection=store.recipients.name)
async def visible_recipients(ctx: Context, wanted: Sequence[str]) -> list[Recipient | None]:
    """One's own profile, with its defaults until something is chosen; for administrators those of members."""
    if ctx.viewer is None:
        return [None for _ in wanted]
    people = [ids.sibling(id, "user") for id in wanted]
    seen = [each for each in people if each == ctx.viewer_id]
    seen += await _members(ctx, [each for each in people if each != ctx.viewer_id])
    profiles = dict(zip(seen, await ctx.load_many(RecipientByUser, seen), strict=True))
    return [profiles.get(each) for each in people]


async def _members(ctx: Context, people: Sequence[str]) -> list[str]:
    """Those of the people who belong to the organization whose notifications the viewer administers."""
    if not people or not await grants.holds(ctx, NOTIFY_ADMIN):
        return []
    found = await ctx.load_many(UserById, people)
    return [
        each["_id"]
        for each in found
        if each and each["status"] != AccountStatus.DELETED and org_of(each) == ctx.org
    ]


async def to_change(ctx: Context, recipient_id: str | None) -> Recipient:
    """Profile to act on: the viewer's own, or one they may see; NOT_FOUND for others."""
    if recipient_id is None:
        return await ctx.load(RecipientByUser, ctx.viewer_id)
    return await nodes.for_update(ctx, store.recipients, recipient_id)


async def recipient_profile(ctx: Context, viewer: Document) -> Recipient:
    return await ctx.load(RecipientByUser, ctx.viewer_id)


async def consents(ctx: Context, recipients: Sequence[Document]) -> list[list[ChannelConsent]]:
    """Consent of each to each channel, UNKNOWN where nothing was said for the number they have now."""
    return [_by_channel(each) for each in await _of_numbers(ctx, recipients)]


def _by_channel(recipient: Recipient) -> list[ChannelConsent]:
    said = {each["channel"]: each for each in recipient["consents"]}
    return [said.get(channel) or _unsaid(channel) for channel in NotificationChannel]


async def landlines(ctx: Context, recipients: Sequence[Document]) -> list[bool]:
    """Per profile, True if the number that the person has now is known to take no text messages."""
    return [each["landline"] for each in await _of_numbers(ctx, recipients)]


async def _of_numbers(ctx: Context, recipients: Sequence[Document]) -> list[Recipient]:
    """Profiles without what is known of former numbers, as sending reads them."""
    users = await ctx.load_many(UserById, [each["user_id"] for each in recipients])
    return [
        of_number(cast("Recipient", each), user.get("phone_index") if user else None)
        for each, user in zip(recipients, users, strict=True)
    ]


@on(auth.number_changed)
async def show_anew(ctx: Context, user_id: str) -> None:
    """Show a person's profile anew on their devices, where they have one: consent is of a number."""
    found = await store.recipients.by_id(ctx.db, store.recipient_id(user_id))
    if found is not None:
        ctx.tx.reshown(found["_id"], to=[user_id])


def _unsaid(channel: NotificationChannel) -> ChannelConsent:
    return {"channel": channel, "status": ConsentStatus.UNKNOWN, "at": None, "source": None, "proof": None}


def teams_flow_place(recipient_id: str) -> str:
    return f"recipients/{recipient_id}/teams_flow"


def teams_flow_url(ctx: Context, recipient: Any) -> str | None:
    """URL of a person's workflow in Teams, for that person: who knows it can post there."""
    own = recipient["user_id"] == ctx.viewer_id_or_none
    return teams_flow(ctx.services, recipient) or None if own else None


def teams_flow(services: Services, recipient: Any) -> str:
    """URL of a person's workflow in Teams; empty where there is none."""
    sealed = recipient["sealed_teams_flow"]
    return services.crypto.open(sealed, place=teams_flow_place(recipient["_id"])) if sealed else ""


async def update_notification_preferences(
    ctx: Context, *, expected_version: int | None = None, **preferences: Unpack[NotificationPreferences]
) -> Changed:
    """Update the choices; without a version the last writer wins."""
    current = await ctx.load(RecipientByUser, ctx.viewer_id)
    check_version(expected_version, current["version"], recipient=current)
    return {"recipient": await change(ctx, current, _checked(ctx, current, preferences))}


def _checked(ctx: Context, current: Recipient, given: NotificationPreferences) -> dict[str, Any]:
    fields: dict[str, Any] = dict(given)
    for name, most in (("preferred_channels", len(NotificationChannel)), ("muted_sources", MOST_SOURCES)):
        if name in fields:
            check_count(fields[name], most=most, field=name)
            fields[name] = list(dict.fromkeys(fields[name]))
    hours = fields.get("quiet_hours")
    if hours is not None and hours["starts_at"] == hours["ends_at"]:
        raise UserError(
            "INVALID_INPUT", "They must not end when they start.", field=["quiet_hours", "ends_at"]
        )
    slack_id = fields.get("slack_id")
    if slack_id is not None and not SLACK_ID.fullmatch(slack_id):
        raise UserError("INVALID_FORMAT", "This is not the id of a Slack member.", field=["slack_id"])
    if "teams_flow_url" in fields:
        fields["sealed_teams_flow"] = _sealed(ctx, current, fields.pop("teams_flow_url"))
    return fields


def _sealed(ctx: Context, recipient: Recipient, url: str | None) -> str | None:
    if url is None:
        return None
    check_length(url, most=LONGEST_URL, field="teams_flow_url")
    if not _is_https(url):
        raise UserError("INVALID_FORMAT", "This is not an address of a workflow.", field=["teams_flow_url"])
    return ctx.services.crypto.seal(url, place=teams_flow_place(recipient["_id"]))


def _is_https(url: str) -> bool:
    """True for an address on the web, reached by https, that names no account."""
    try:
        parts = urlsplit(url)
        good_port = parts.port != 0
    except ValueError:
        return False
    return parts.scheme == "https" and bool(parts.hostname) and parts.username is None and good_port


async def change(ctx: Context, recipient: Recipient, fields: Mapping[str, Any]) -> Recipient:
    """Change a person's profile, which is stored when they choose something for the first time."""
    if recipient["version"] == 0:
        first = {**recipient, **fields, "version": 1, "updated_at": ctx.tx.now}
        return await ctx.tx.insert(store.recipients, first)
    return await ctx.tx.edit(store.recipients, recipient, fields)


async def recipients_of(ctx: Context, receipts: Sequence[Document]) -> list[Recipient | None]:
    """Profile of each receipt's person, for that person alone."""
    return await visible_recipients(ctx, [store.recipient_id(each["user_id"]) for each in receipts])
