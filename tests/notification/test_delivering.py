"""Deliveries: what is sent, held back, tried again and given to another channel."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from core import clock
from core.context import Context, Services
from core.ports import CircuitOpen, DeliveryFailed, FailureCode, Permanent, Retryable, Sent, SlackPoster
from resolvers.notification import delivering, rendered
from stores import notification as store
from stores.notification import DeliveryFailureReason, DeliveryStatus, NotificationChannel
from tests.chat.steps import registered
from tests.conftest import NewPhone
from tests.notification.steps import deliveries, inbox, queue, settle, stored, tell, with_number
from tests.phone import Phone

SMS, VOICE, EMAIL, PUSH, SLACK, TEAMS = NotificationChannel


@dataclass
class Broken:
    """A provider that takes nothing."""

    tried: list[str] = field(default_factory=list)
    problem: DeliveryFailed = field(default_factory=lambda: Retryable("It is down."))

    async def send(self, *, to: str, **message: Any) -> Sent:
        self.tried.append(to)
        raise self.problem


@pytest.fixture
def broken_mail(services: Services, monkeypatch: pytest.MonkeyPatch) -> Broken:
    broken = Broken()
    monkeypatch.setattr(services, "mailer", broken)
    return broken


async def sent(services: Services, *to: str) -> list[tuple[str, str]]:
    """Channel and title of what went out to these addresses, latest first."""
    letters = await services.mailer.letters()  # type: ignore[attr-defined]
    return [(each["channel"], each["subject"]) for each in letters if each["to"] in to]


def email_of(phone: Phone) -> str:
    return f"{phone.user_id}@example.com"


async def test_a_message_goes_out_by_the_channels_of_its_priority(
    new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada")
    token = await registered(ada)
    await tell(services, ada, title="Ship sails", message="At noon")
    assert sorted(await sent(services, token, email_of(ada))) == [
        ("email", "Ship sails"),
        ("push", "Ship sails"),
    ]
    assert await deliveries(services, ada) == [("EMAIL", "SENT", None), ("PUSH", "SENT", None)]
    [item] = await inbox(ada)
    assert (item["status"], item["indicator"]) == ("SENT", "GRAY")
    await tell(services, ada, title="Quiet news", priority="LOW")
    assert await sent(services, email_of(ada)) == [("email", "Ship sails")]


async def test_a_delivery_that_was_sent_is_not_sent_again(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    await tell(services, ada, channels=[EMAIL])
    [row] = await stored(services, store.deliveries, user_id=ada.user_id)
    named = {"delivery_id": row["_id"], "notification_id": row["notification_id"]}
    await delivering.deliver(services, **named)
    assert await sent(services, email_of(ada)) == [("email", "News")]


async def test_messages_in_quiet_hours_go_out_at_their_end(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    now = clock.now()
    hours = {
        "startsAt": f"{now - timedelta(hours=1):%H:%M}",
        "endsAt": f"{now + timedelta(hours=1):%H:%M}",
    }
    await ada.do("updateNotificationPreferences", "recipient { id }", quietHours=hours)
    await tell(services, ada, title="Later", channels=[EMAIL])
    await tell(services, ada, title="At once", channels=[EMAIL], priority="HIGH")
    await tell(services, ada, title="Never", channels=[EMAIL], expires_at=now + timedelta(minutes=10))
    assert await sent(services, email_of(ada)) == [("email", "At once")]
    clock.shift(timedelta(hours=1))
    await settle(services)
    assert await sent(services, email_of(ada)) == [("email", "Later"), ("email", "At once")]
    assert sorted(await deliveries(services, ada)) == [
        ("EMAIL", "SENT", None),
        ("EMAIL", "SENT", None),
        ("EMAIL", "SUPPRESSED", "EXPIRED"),
    ]


async def test_an_opt_out_holds_for_what_is_queued(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    await queue(services, ada, channels=[EMAIL])
    await ada.do("setChannelConsent", "recipient { id }", channel="EMAIL", status="REVOKED")
    await settle(services)
    assert await deliveries(services, ada) == [("EMAIL", "SUPPRESSED", "OPTED_OUT")]
    assert await sent(services, email_of(ada)) == []


@pytest.mark.parametrize(
    ("transactional", "waits"), [(False, (5, 15, 45)), (True, (10, 60, 600, 3_600, 21_600))]
)
async def test_a_provider_that_is_down_is_tried_again_and_another_channel_steps_in(
    new_phone: NewPhone,
    services: Services,
    broken_mail: Broken,
    transactional: bool,
    waits: tuple[int, ...],
) -> None:
    ada = await new_phone("Ada")
    await tell(services, ada, channels=[EMAIL], transactional=transactional)
    to = email_of(ada)
    for number, wait in enumerate(waits):
        assert broken_mail.tried.count(to) == number + 1
        clock.shift(timedelta(seconds=wait * 0.79))
        await settle(services)
        assert broken_mail.tried.count(to) == number + 1
        clock.shift(timedelta(seconds=wait * 0.42))
        await settle(services)
    assert broken_mail.tried.count(to) == len(waits) + 1
    assert await deliveries(services, ada) == [
        ("EMAIL", "FAILED", "PROVIDER_DOWN"),
        ("PUSH", "SUPPRESSED", "NO_ADDRESS"),
    ]
    ada = await new_phone(user_id=ada.user_id)
    [item] = await inbox(ada)
    assert (item["status"], item["indicator"]) == ("FAILED", "RED")


async def test_a_broken_provider_stops_no_other_channel(
    new_phone: NewPhone, services: Services, broken_mail: Broken
) -> None:
    ada = await new_phone("Ada")
    await registered(ada)
    await tell(services, ada)
    assert await deliveries(services, ada) == [("EMAIL", "QUEUED", None), ("PUSH", "SENT", None)]
    assert (await inbox(ada))[0]["status"] == "SENT"


async def test_slack_teams_and_calls_have_providers_too(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    number = await with_number(services, ada, "VOICE")
    slack_id, flow = f"U{ada.user_id[-10:].upper()}", f"https://flows.example.com/{ada.user_id}"
    await ada.do("updateNotificationPreferences", "recipient { id }", slackId=slack_id, teamsFlowUrl=flow)
    await tell(services, ada, channels=[SLACK, TEAMS, VOICE], priority="HIGH", requires_ack=True)
    assert sorted(await sent(services, slack_id, flow, number)) == [
        ("slack", "News"),
        ("teams", "News"),
        ("voice", "Call"),
    ]
    letters = await services.mailer.letters()  # type: ignore[attr-defined]
    [spoken] = [each["text"] for each in letters if each["to"] == number]
    assert spoken == "News. Press 1 to acknowledge."


async def test_a_channel_without_a_provider_gives_way_to_another(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await new_phone("Ada")
    await ada.do("updateNotificationPreferences", "recipient { id }", slackId="U012AB3CD")
    unset = Broken(problem=Permanent(FailureCode.NO_PROVIDER, "None is set up."))
    monkeypatch.setitem(services.extra, SlackPoster, unset)
    await tell(services, ada, channels=[SLACK])
    assert await deliveries(services, ada) == [
        ("EMAIL", "SENT", None),
        ("SLACK", "FAILED", "NO_PROVIDER"),
    ]
    rows = {row["channel"]: row for row in await stored(services, store.deliveries, user_id=ada.user_id)}
    assert rows["EMAIL"]["fallback_of"] == rows["SLACK"]["_id"]


async def test_failure_delivered_after_opened_ignored(new_phone: NewPhone, services: Services) -> None:
    """Row "DELIVERED" after "OPENED", and the golden case N8."""
    ada = await new_phone("Ada")
    await tell(services, ada, channels=[EMAIL])
    [row] = await stored(services, store.deliveries, user_id=ada.user_id)
    D = DeliveryStatus
    shown = []
    for status in (D.DELIVERED, D.SENT, D.OPENED, D.DELIVERED, D.FAILED):
        ctx = Context(services)
        fields = {"opened_at": clock.now()} if status == D.OPENED else {}

        async def move(ctx: Context = ctx, to: DeliveryStatus = status, said: Any = fields) -> None:
            await delivering.move(ctx, row, to, **said)

        await ctx.unit(move)
        [current] = await stored(services, store.deliveries, user_id=ada.user_id)
        shown.append(current["status"])
    assert shown == ["DELIVERED", "DELIVERED", "OPENED", "OPENED", "OPENED"]
    [item] = await inbox(ada)
    assert (item["status"], item["indicator"]) == ("OPENED", "YELLOW")
    await tell(services, ada, channels=[EMAIL], title="Bounced")
    rows = await stored(services, store.deliveries, user_id=ada.user_id, status="SENT")
    await delivering.conclude(services, rows[0], D.BOUNCED, failure_reason=DeliveryFailureReason.BOUNCED)
    assert ("EMAIL", "BOUNCED", "BOUNCED") in await deliveries(services, ada)


async def test_what_was_seen_in_the_inbox_stays_so(
    new_phone: NewPhone, services: Services, broken_mail: Broken
) -> None:
    ada = await new_phone("Ada")
    await tell(services, ada, channels=[EMAIL])
    [item] = await inbox(ada)
    await ada.do("markInboxSeen", "viewer { id }", receiptIds=[item["id"]])
    clock.shift(timedelta(minutes=5))
    for _ in range(4):
        await settle(services)
        clock.shift(timedelta(minutes=1))
    assert ("EMAIL", "FAILED", "PROVIDER_DOWN") in await deliveries(services, ada)
    assert (await inbox(ada))[0]["status"] == "OPENED"


async def test_a_person_reads_what_became_of_each_channel(new_phone: NewPhone, services: Services) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    await tell(services, ada)
    [item] = await inbox(ada)
    read = """query($id: ID!) { notificationReceipt(id: $id) {
      recipient { id } notification { subject { id } }
      deliveries { id channel status failureReason retryCount acceptedAt segments answeredBy } } }"""
    shown = (await ada.run(read, id=item["id"]))["notificationReceipt"]
    told = {each["channel"]: (each["status"], each["failureReason"]) for each in shown["deliveries"]}
    assert told == {"EMAIL": ("SENT", None), "PUSH": ("SUPPRESSED", "NO_ADDRESS")}
    own = "query($id: ID!) { notificationDelivery(id: $id) { id } }"
    id = shown["deliveries"][0]["id"]
    assert await ada.run(own, id=id) == {"notificationDelivery": {"id": id}}
    assert await grace.run(own, id=id) == {"notificationDelivery": None}


@rendered("tests.rendered")
async def told_when_sent(
    services: Services, user: Mapping[str, Any], variables: Mapping[str, Any]
) -> tuple[str, str] | None:
    return (f"{variables['greeting']}, {user['first_name']}", "") if variables["greeting"] else None


async def test_texts_that_are_written_when_they_are_sent_are_never_stored(
    new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada")
    written = {"title": None, "template_key": "tests.rendered", "inbox": False, "channels": [EMAIL]}
    await tell(services, ada, **written, variables={"greeting": "Hello"})
    await tell(services, ada, **written, variables={"greeting": None})
    assert await sent(services, email_of(ada)) == [("email", "Hello, Ada")]
    assert await deliveries(services, ada) == [("EMAIL", "SENT", None), ("EMAIL", "SUPPRESSED", "WITHDRAWN")]
    with pytest.raises(ValueError, match="has no place in the inbox"):
        await tell(services, ada, **{**written, "inbox": True}, variables={})


@pytest.mark.parametrize(
    ("code", "reason"), [(FailureCode.UNREACHABLE, "UNREACHABLE"), (FailureCode.REFUSED, "REFUSED")]
)
async def test_a_permanent_failure_falls_back_without_a_retry(
    new_phone: NewPhone, services: Services, broken_mail: Broken, code: FailureCode, reason: str
) -> None:
    broken_mail.problem = Permanent(code, "Gone.")
    ada = await new_phone("Ada")
    await registered(ada)
    await tell(services, ada, channels=[EMAIL])
    assert broken_mail.tried == [email_of(ada)]
    assert await deliveries(services, ada) == [("EMAIL", "FAILED", reason), ("PUSH", "SENT", None)]


async def test_failure_sms_provider_down_circuit_opens_voice_used_other_channels_unaffected(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await new_phone("Ada")
    await registered(ada)
    await with_number(services, ada, "SMS", "VOICE")
    down = Broken(problem=CircuitOpen("It was not asked."))
    monkeypatch.setattr(services, "sms_senders", (down, down))
    await tell(services, ada, priority="HIGH", channels=[SMS, PUSH])
    assert len(down.tried) == 2
    found = {channel: (status, reason) for channel, status, reason in await deliveries(services, ada)}
    assert found["SMS"] == ("FAILED", "PROVIDER_DOWN")
    assert found["PUSH"] == ("SENT", None)
    assert found["VOICE"] == ("SENT", None)


async def test_mails_bring_one_click_unsubscription_html_and_attachments(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await new_phone("Ada")
    public = services.settings.model_copy(update={"public_url": "https://landfall.example"})
    monkeypatch.setattr(services, "settings", public)
    taking = Taking()
    monkeypatch.setattr(services, "mailer", taking)
    file = {"name": "visit.ics", "mime": "text/calendar", "body": b"BEGIN:VCALENDAR"}
    await tell(services, ada, channels=[EMAIL], title="<b>", attachments=[file], requires_ack=True)
    [mail] = taking.mails
    url = mail["headers"]["List-Unsubscribe"]
    assert url.startswith("<https://landfall.example/n/recipient_")
    assert mail["headers"]["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert "<h1>&lt;b&gt;</h1>" in mail["html"]
    assert f'href="{url[1:-1]}"' in mail["html"]
    [attached] = mail["attachments"]
    assert (attached.name, attached.mime, attached.data) == ("visit.ics", "text/calendar", b"BEGIN:VCALENDAR")
    [row] = await stored(services, store.deliveries, user_id=ada.user_id)
    assert (row["status"], row["provider_ref"]) == ("SENT", "mail-1")


@dataclass
class Taking:
    """A mailer that takes everything."""

    mails: list[dict[str, Any]] = field(default_factory=list)
    ref: str = "mail-1"

    async def send(self, **mail: Any) -> Sent:
        self.mails.append(mail)
        return Sent(self.ref)
