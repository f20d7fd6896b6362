"""Recipients: a person's choices for notifications, and the proof of what they agreed to."""

from datetime import UTC, datetime
from typing import NotRequired, TypedDict

from core import ids
from core.storage.mongo import Database
from core.storage.store import Row, Sealed, collection, entity, index
from stores.notification.kinds import ConsentSource, ConsentStatus, NotificationChannel


class QuietHours(TypedDict):
    """Hours of the day in the person's zone, `HH:MM`; they may pass midnight."""

    starts_at: str
    ends_at: str


class ChannelConsent(TypedDict):
    channel: NotificationChannel
    status: ConsentStatus
    at: datetime | None
    source: ConsentSource | None
    proof: str | None


class Recipient(Row):
    """`_id` is the person's id under another prefix; none is stored until they choose something."""

    user_id: str
    preferred_channels: list[NotificationChannel]
    muted_sources: list[str]
    quiet_hours: QuietHours | None
    slack_id: str | None
    sealed_teams_flow: str | None
    consents: list[ChannelConsent]
    do_not_call: bool
    landline: bool
    phone_index: NotRequired[str | None]
    """Blind index of the number that consent was given for, and that is known to be a landline or not."""


class Consent(TypedDict):
    """A change of consent, kept as proof."""

    _id: str
    recipient_id: str
    user_id: str | None
    channel: NotificationChannel
    status: ConsentStatus
    at: datetime
    source: ConsentSource
    proof: str | None
    actor_id: str | None


recipients = entity(
    "recipients",
    Recipient,
    prefix="recipient",
    owner="user_id",
    sealed=[Sealed("sealed_teams_flow", "recipients/{_id}/teams_flow")],
)
consents = collection(
    "consents",
    Consent,
    owner="user_id",
    indexes=[index("user_id", "channel", "at")],
    shard_key="user_id",
)


def recipient_id(user_id: str) -> str:
    return ids.sibling(user_id, "recipient")


def default_recipient(user_id: str) -> Recipient:
    """The choices of somebody who has made none."""
    joined = datetime.fromtimestamp(ids.moment_of(user_id), UTC)
    return {
        "_id": recipient_id(user_id),
        "user_id": user_id,
        "preferred_channels": [],
        "muted_sources": [],
        "quiet_hours": None,
        "slack_id": None,
        "sealed_teams_flow": None,
        "consents": [],
        "do_not_call": False,
        "landline": False,
        "version": 0,
        "created_at": joined,
        "updated_at": joined,
    }


def consent_to(recipient: Recipient, channel: NotificationChannel) -> ConsentStatus:
    found = (each["status"] for each in recipient["consents"] if each["channel"] == channel)
    return next(found, ConsentStatus.UNKNOWN)


async def recipients_of(db: Database, user_ids: list[str]) -> dict[str, Recipient]:
    """By person, their choices or the defaults."""
    rows = await recipients.by_ids(db, map(recipient_id, user_ids))
    known = {row["user_id"]: row for row in rows}
    return {user_id: known.get(user_id) or default_recipient(user_id) for user_id in user_ids}
