"""Numbers that change hands: whose consent, whose opt-out, whose landline."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from core import ids, jobs
from core.context import Services
from core.ports import FailureCode, Permanent, Sent
from resolvers.notification import callbacks, replying
from stores import notification as store
from stores.notification import DeliveryFailureReason, DeliveryStatus, NotificationChannel
from tests.conftest import NewPhone
from tests.notification.steps import (
    deliveries,
    has_number,
    inbox,
    profile,
    settle,
    stored,
    tell,
    with_number,
)
from tests.phone import Phone, key

SMS, VOICE = NotificationChannel.SMS, NotificationChannel.VOICE
CONSENT = "recipient { id consents { channel status } }"


async def say(services: Services, number: str, text: str) -> None:
    await replying.reply(services, number=number, said=text, event_id=key())
    await settle(services)


async def consent_of(phone: Phone, channel: str = "SMS") -> str:
    shown = (await profile(phone))["consents"]
    return str(next(each["status"] for each in shown if each["channel"] == channel))


async def moved(services: Services, phone: Phone) -> tuple[str, str]:
    """A person with consent who got another number since; returns the former and the new one."""
    former = await with_number(services, phone, "SMS", "VOICE")
    new = former.replace("+1555", "+1444")
    await has_number(services, phone, new)
    return former, new


@dataclass
class Texts:
    """A provider of text messages that takes everything, or refuses it."""

    problem: Exception | None = None
    asked: list[str] = field(default_factory=list)

    async def send(self, *, to: str, text: str) -> Sent:
        self.asked.append(text)
        if self.problem is not None:
            raise self.problem
        return Sent("")


async def test_a_start_by_who_has_a_persons_former_number_grants_nothing(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await new_phone("Ada")
    former, _ = await moved(services, ada)
    await ada.do("setChannelConsent", CONSENT, channel="VOICE", status="REVOKED")
    await has_number(services, ada, former.replace("+1555", "+1333"))
    texts = Texts()
    monkeypatch.setattr(services, "sms_senders", (texts,))
    for word in ("STOP", "START", "HELP"):
        await say(services, former, word)
    assert texts.asked == []
    await tell(services, ada, channels=[SMS], priority="HIGH")
    assert ("SMS", "SUPPRESSED", "NO_CONSENT") in await deliveries(services, ada)


async def test_a_stop_is_heeded_from_who_only_ever_got_codes(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    number = await with_number(services, ada)
    await say(services, number, "STOP")
    assert await consent_of(ada) == "REVOKED"


async def test_people_who_share_a_number_stop_together(new_phone: NewPhone, services: Services) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    number = await with_number(services, ada, "SMS")
    await has_number(services, grace, number)
    await grace.do("setChannelConsent", CONSENT, channel="SMS", status="GRANTED", proof="Yes")
    await say(services, number, "stop")
    assert [await consent_of(each) for each in (ada, grace)] == ["REVOKED", "REVOKED"]


async def test_consent_to_texts_at_a_new_number_is_none_to_calls_there(
    new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada")
    await moved(services, ada)
    await ada.do("setChannelConsent", CONSENT, channel="SMS", status="GRANTED", proof="Yes, anew")
    assert (await consent_of(ada), await consent_of(ada, "VOICE")) == ("GRANTED", "UNKNOWN")
    await tell(services, ada, channels=[SMS, VOICE], priority="HIGH")
    assert await deliveries(services, ada) == [("SMS", "SENT", None), ("VOICE", "SUPPRESSED", "NO_CONSENT")]


async def test_a_profile_shows_no_consent_to_a_former_number(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    former, _ = await moved(services, ada)
    shown = [(each["status"], each["proof"]) for each in (await profile(ada))["consents"][:2]]
    assert shown == [("UNKNOWN", None), ("UNKNOWN", None)]
    done = await ada.do("updateNotificationPreferences", CONSENT, doNotCall=True)
    assert {each["status"] for each in done["recipient"]["consents"]} == {"UNKNOWN"}
    await has_number(services, ada, former)
    assert (await consent_of(ada), await consent_of(ada, "VOICE")) == ("GRANTED", "GRANTED")


async def failed(services: Services, phone: Phone, reason: DeliveryFailureReason) -> None:
    """A text to the person's number fails as the provider tells."""
    await tell(services, phone, channels=[SMS], priority="HIGH")
    [row] = await stored(services, store.deliveries, user_id=phone.user_id, channel="SMS", status="SENT")
    ref = ids.new_id("job")
    named = {"_id": row["_id"], "notification_id": row["notification_id"]}
    change = {"q": named, "u": {"$set": {"provider_ref": ref}}}
    await services.db.write({"update": "deliveries", "updates": [change]})
    told = callbacks.event(ref, status=DeliveryStatus.FAILED, failure_reason=reason)
    for _ in range(2):
        await callbacks.apply_event(services, event=told)


async def test_a_landline_is_forgotten_with_the_number(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    number = await with_number(services, ada, "SMS")
    await failed(services, ada, DeliveryFailureReason.LANDLINE)
    assert (await profile(ada))["landline"] is True
    await has_number(services, ada, number.replace("+1555", "+1444"))
    assert (await profile(ada))["landline"] is False
    await ada.do("setChannelConsent", CONSENT, channel="SMS", status="GRANTED", proof="Yes")
    await tell(services, ada, channels=[SMS], priority="HIGH")
    assert ("SMS", "SENT", None) in await deliveries(services, ada)


@pytest.mark.parametrize("reason", [DeliveryFailureReason.LANDLINE, DeliveryFailureReason.OPTED_OUT])
async def test_what_a_provider_says_of_a_former_number_is_not_held_against_the_new(
    new_phone: NewPhone, services: Services, reason: DeliveryFailureReason
) -> None:
    ada = await new_phone("Ada")
    number = await with_number(services, ada, "SMS")
    await tell(services, ada, channels=[SMS], priority="HIGH")
    [row] = await stored(services, store.deliveries, user_id=ada.user_id)
    await has_number(services, ada, number.replace("+1555", "+1444"))
    await ada.do("setChannelConsent", CONSENT, channel="SMS", status="GRANTED", proof="Yes")
    named = {"_id": row["_id"], "notification_id": row["notification_id"]}
    ref = f"former-{ada.user_id}"
    await services.db.write(
        {"update": "deliveries", "updates": [{"q": named, "u": {"$set": {"provider_ref": ref}}}]}
    )
    told = callbacks.event(ref, status=DeliveryStatus.FAILED, failure_reason=reason)
    await callbacks.apply_event(services, event=told)
    shown = await profile(ada)
    assert (shown["consents"][0]["status"], shown["landline"]) == ("GRANTED", False)


async def test_a_refusal_that_is_told_again_revokes_nothing_that_was_granted_since(
    new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada")
    number = await with_number(services, ada, "SMS")
    await failed(services, ada, DeliveryFailureReason.OPTED_OUT)
    assert len(await stored(services, store.consents, user_id=ada.user_id, status="REVOKED")) == 1
    [row] = await stored(services, store.deliveries, user_id=ada.user_id)
    await say(services, number, "START")
    told = callbacks.event(
        row["provider_ref"],
        status=DeliveryStatus.FAILED,
        failure_reason=DeliveryFailureReason.OPTED_OUT,
    )
    await callbacks.apply_event(services, event=told)
    assert await consent_of(ada) == "GRANTED"


async def test_an_ok_acknowledges_what_went_to_the_number_alone(
    new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada")
    number = await with_number(services, ada, "SMS")
    await tell(services, ada, channels=[SMS], priority="HIGH", requires_ack=True)
    new = number.replace("+1555", "+1444")
    await has_number(services, ada, new)
    for each in (number, new):
        await say(services, each, "OK")
    assert (await inbox(ada))[0]["acknowledgment"] is None


async def test_an_answer_that_the_provider_refuses_for_good_is_not_tried_again(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await new_phone("Ada")
    number = await with_number(services, ada, "SMS")
    # A provider that heeds STOP by itself takes no confirmation.
    texts = Texts(Permanent(FailureCode.OPTED_OUT, "Twilio answered 400, error 21610."))
    monkeypatch.setattr(services, "sms_senders", (texts,))
    await say(services, number, "STOP")
    assert len(texts.asked) == 1
    assert await stored(services, jobs.queue, task="notification.answer") == []


async def test_a_machine_that_answers_every_answer_gets_20_an_hour(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await new_phone("Ada")
    number = await with_number(services, ada, "SMS")
    texts: Any = Texts()
    monkeypatch.setattr(services, "sms_senders", (texts,))
    monkeypatch.setattr(services.limits, "scale", 1.0)
    for _ in range(25):
        await say(services, number, "OK")
    assert len(texts.asked) == 20
    await say(services, number, "STOP")
    assert await consent_of(ada) == "REVOKED"


async def test_a_start_said_again_is_put_on_record_once(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    number = await with_number(services, ada, "SMS")
    for _ in range(3):
        await say(services, number, "START")
    assert len(await stored(services, store.consents, user_id=ada.user_id)) == 1
