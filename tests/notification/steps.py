"""Steps shared by the tests of notifications: telling people, reading inboxes, what was sent."""

from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest

from core import jobs
from core.context import Context, Services
from resolvers.notification import fanning_out, notify
from stores import notification as store
from tests.phone import Phone, key
from tests.phone import refusal as refusal

INBOX = """query($filter: InboxFilterInput) { viewer { inboxCount inbox(filter: $filter) { edges { cursor
  node { id version status indicator seenAt openedAt acknowledgment { method response late }
  notification { id title message priority source requiresAck } } } } } }"""
DELTA = """query($since: SyncToken, $types: [SyncType!]) { viewer { changes(since: $since, types: $types) {
  nodes { __typename id ... on NotificationReceipt { notification { title } } }
  deleted { id typename } token } } }"""
PROFILE = """id version preferredChannels mutedSources quietHours { startsAt endsAt } slackId teamsFlowUrl
  doNotCall landline consents { channel status source proof }"""


async def tell(services: Services, *people: Phone | str, run: bool = True, **told: Any) -> str:
    """Notify people in a unit of work, and let the jobs do the rest; returns the key."""
    user_ids = [each.user_id if isinstance(each, Phone) else each for each in people]
    given = {"source": "SYSTEM", "dedupe_key": key(), "title": "News", **told}
    ctx = Context(services)
    await ctx.unit(partial(notify, ctx, user_ids=user_ids, **given))
    if run:
        await settle(services)
    return str(given["dedupe_key"])


async def queue(services: Services, *people: Phone | str, **told: Any) -> None:
    """Notify people, and leave their deliveries in the queue, as where there are many."""
    await settle(services)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fanning_out, "MOST_AT_ONCE", 0)
        await tell(services, *people, **told, run=False)
        await jobs.run_due(services, limit=1)


async def settle(services: Services) -> None:
    """Run all jobs that are due."""
    while await jobs.run_due(services):
        continue


async def inbox(phone: Phone, **filter: Any) -> list[dict[str, Any]]:
    """Items of a person's inbox, latest first."""
    shown = (await phone.run(INBOX, filter=filter or None))["viewer"]["inbox"]["edges"]
    return [each["node"] for each in shown]


async def titles(phone: Phone, **filter: Any) -> list[str]:
    return [each["notification"]["title"] for each in await inbox(phone, **filter)]


async def unseen(phone: Phone) -> int:
    return int((await phone.run(INBOX))["viewer"]["inboxCount"])


async def acknowledge(phone: Phone, receipt_id: str, **input: Any) -> dict[str, Any]:
    selection = (
        "notificationReceipt { id status indicator openedAt acknowledgment { acknowledgedAt method response "
        "late location { latitude longitude } secondsToAcknowledge } } viewer { inboxCount }"
    )
    return dict(
        await phone.do("acknowledgeNotification", selection, target={"receiptId": receipt_id}, **input)
    )


async def profile(phone: Phone) -> dict[str, Any]:
    return dict((await phone.run(f"{{ viewer {{ recipientProfile {{ {PROFILE} }} }} }}"))["viewer"])[
        "recipientProfile"
    ]


async def stored(services: Services, collection: Any, **query: Any) -> list[dict[str, Any]]:
    return list(await collection.find(services.db, query))


async def deliveries(services: Services, phone: Phone) -> Sequence[tuple[str, str, str | None]]:
    """Channel, status and reason of what was to be sent to a person, by channel."""
    rows = await stored(services, store.deliveries, user_id=phone.user_id)
    return sorted((row["channel"], row["status"], row["failure_reason"]) for row in rows)


async def with_number(services: Services, phone: Phone, *agreed: str) -> str:
    """Give a person a confirmed number, and their consent to channels; returns the number."""
    number = f"+1555{int(phone.user_id[-6:], 36) % 10_000_000:07d}"
    await has_number(services, phone, number)
    for channel in agreed:
        await phone.do(
            "setChannelConsent", "recipient { id }", channel=channel, status="GRANTED", proof="Yes"
        )
    return number


async def has_number(services: Services, phone: Phone, number: str) -> None:
    """Let a number be the confirmed one of a person from now on."""
    crypto = services.crypto
    fields = {
        "phone": crypto.seal(number, place=f"users/{phone.user_id}/phone"),
        "phone_index": crypto.blind(number, place="users/phone"),
        "phone_masked": "••",
    }
    await services.db.write(
        {"update": "users", "updates": [{"q": {"_id": phone.user_id}, "u": {"$set": fields}}]}
    )
