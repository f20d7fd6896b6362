"""Replies by text message, and events of providers."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest

from core import clock, jobs
from core.callbacks import KEPT, Webhooks
from core.context import Services
from providers.webhooks import SlackWebhook, TwilioWebhook, slack_signature, twilio_signature
from resolvers.notification import callbacks, replying
from stores import notification as store
from stores.notification import AnsweredBy, DeliveryFailureReason, DeliveryStatus, NotificationChannel
from tests.conftest import NewPhone
from tests.notification.steps import deliveries, inbox, profile, queue, settle, stored, tell, with_number
from tests.phone import Phone, key

SMS, VOICE, EMAIL = NotificationChannel.SMS, NotificationChannel.VOICE, NotificationChannel.EMAIL


async def say(services: Services, number: str, text: str) -> None:
    await replying.reply(services, number=number, said=text, event_id=key())
    await settle(services)


async def texts(services: Services, number: str) -> list[str]:
    """Text messages to a number, latest first."""
    letters = await services.mailer.letters()  # type: ignore[attr-defined]
    return [each["text"] for each in letters if each["to"] == number]


async def consent_of(phone: Phone) -> str:
    return str((await profile(phone))["consents"][0]["status"])


async def test_failure_stop_while_messages_are_queued_suppressed_one_confirmation(
    new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada")
    number = await with_number(services, ada, "SMS")
    await queue(services, ada, channels=[SMS], priority="HIGH")
    await replying.reply(services, number=number, said="Stop.", event_id=key())
    assert await deliveries(services, ada) == [("SMS", "SUPPRESSED", "OPTED_OUT")]
    await settle(services)
    await say(services, number, "STOP")
    assert await texts(services, number) == [
        "Landfall: you get no more text messages from us. Reply START to get them again."
    ]
    [shown, *_] = (await profile(ada))["consents"]
    assert shown == {"channel": "SMS", "status": "REVOKED", "source": "SMS_KEYWORD", "proof": "Stop."}


async def test_start_and_a_yes_of_who_opted_out_grant_consent_again(
    new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada")
    number = await with_number(services, ada, "SMS")
    await say(services, number, "yes")
    assert await texts(services, number) == []
    for word in ("START", "YES", "unstop"):
        await say(services, number, "STOP")
        assert await consent_of(ada) == "REVOKED"
        await say(services, number, word)
        assert await consent_of(ada) == "GRANTED"
    await say(services, number, "HELP")
    assert (await texts(services, number))[0].startswith("Landfall: reply STOP")


async def test_failure_sms_ok_with_nothing_open_ignored_help_text_returned(
    new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada")
    number = await with_number(services, ada, "SMS")
    await tell(services, ada, channels=[SMS], priority="HIGH", title="No answer needed")
    await say(services, number, "OK")
    assert (await texts(services, number))[0].startswith("Landfall: reply STOP")
    assert (await inbox(ada))[0]["acknowledgment"] is None
    await say(services, number, "Who is this?")
    assert len(await texts(services, number)) == 2


async def test_ok_acknowledges_the_newest_open_notification(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    number = await with_number(services, ada, "SMS")
    for title in ("First", "Second"):
        await tell(services, ada, channels=[SMS], priority="HIGH", title=title, requires_ack=True)
        clock.shift(timedelta(seconds=1))
    await say(services, number, "ack")
    second, first = await inbox(ada)
    assert second["acknowledgment"] == {"method": "REPLY_SMS", "response": None, "late": False}
    assert first["acknowledgment"] is None
    await say(services, number, "ok")
    assert (await inbox(ada))[1]["acknowledgment"]["method"] == "REPLY_SMS"


async def test_an_ok_whose_worker_died_acknowledges_one_message_all_the_same(
    new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada")
    number = await with_number(services, ada, "SMS")
    for title in ("First", "Second"):
        await tell(services, ada, channels=[SMS], priority="HIGH", title=title, requires_ack=True)
        clock.shift(timedelta(seconds=1))
    event_id = key()
    for _ in range(2):
        await replying.reply(services, number=number, said="OK", event_id=event_id)
    acknowledged = [each["acknowledgment"] is not None for each in await inbox(ada)]
    assert acknowledged == [True, False]


async def test_a_text_from_an_unknown_number_changes_nothing(services: Services) -> None:
    await say(services, "+15550009999", "STOP")
    assert await texts(services, "+15550009999") == []


async def test_consent_is_for_the_number_it_was_given_for(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    await with_number(services, ada, "SMS")
    other = services.crypto.blind("+15550001111", place="users/phone")
    update = {"q": {"_id": ada.user_id}, "u": {"$set": {"phone_index": other}}}
    await services.db.write({"update": "users", "updates": [update]})
    await tell(services, ada, channels=[SMS], priority="HIGH")
    assert ("SMS", "SUPPRESSED", "NO_CONSENT") in await deliveries(services, ada)


async def texted(services: Services, phone: Phone, ref: str, **told: Any) -> None:
    """Send a text that the provider knows by a reference."""
    await tell(services, phone, channels=[SMS], priority="HIGH", **told)
    [row] = await stored(services, store.deliveries, user_id=phone.user_id, channel="SMS")
    await refer(services, row, ref)


async def refer(services: Services, row: Mapping[str, Any], ref: str) -> None:
    """Let a delivery have a reference: the senders of the tests give none."""
    change = {
        "q": {"_id": row["_id"], "notification_id": row["notification_id"]},
        "u": {"$set": {"provider_ref": ref}},
    }
    await services.db.write({"update": "deliveries", "updates": [change]})


async def test_failure_callback_before_the_send_result_is_stored_kept_5_min_and_applied(
    new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada")
    await with_number(services, ada, "SMS")
    early = callbacks.event(f"ref-{ada.user_id}", status=DeliveryStatus.DELIVERED)
    await callbacks.apply_event(services, event=early)
    await texted(services, ada, f"ref-{ada.user_id}")
    clock.shift(timedelta(minutes=1))
    await settle(services)
    assert ("SMS", "DELIVERED", None) in await deliveries(services, ada)
    assert (await inbox(ada))[0]["indicator"] == "YELLOW"


async def test_an_event_of_an_unknown_message_is_dropped_after_5_minutes(services: Services) -> None:
    unknown = callbacks.event("ref-unknown", status=DeliveryStatus.DELIVERED)
    await callbacks.apply_event(services, event=unknown)
    ran = 0
    for _ in range(72):
        clock.shift(timedelta(seconds=5))
        ran += len(
            await stored(services, jobs.queue, task="notification.apply_event", due_at={"$lte": clock.now()})
        )
        await settle(services)
    assert await stored(services, jobs.queue, task="notification.apply_event") == []
    # After 5 seconds, then about twice as late each time.
    assert ran <= 8


@pytest.mark.parametrize("reason", ["UNREACHABLE", "LANDLINE", "OPTED_OUT"])
async def test_permanent_failures_fall_back_without_a_retry(
    new_phone: NewPhone, services: Services, reason: str
) -> None:
    """Golden case N8: 30003, 30006 and 21610."""
    ada = await new_phone("Ada")
    await with_number(services, ada, "SMS")
    ref = f"ref-{ada.user_id}"
    await texted(services, ada, ref)
    told = callbacks.event(ref, status=DeliveryStatus.FAILED, failure_reason=DeliveryFailureReason(reason))
    await callbacks.apply_event(services, event=told)
    await settle(services)
    shown, found = await profile(ada), await deliveries(services, ada)
    if reason == "OPTED_OUT":
        assert found == [("SMS", "SUPPRESSED", "OPTED_OUT")]
        assert shown["consents"][0]["status"] == "REVOKED"
        assert shown["consents"][0]["source"] == "PROVIDER"
        return
    assert found == [("SMS", "FAILED", reason), ("VOICE", "SUPPRESSED", "NO_CONSENT")]
    assert shown["landline"] is (reason == "LANDLINE")


async def test_failure_voice_mail_answers_answered_by_machine_not_delivered_fallback(
    new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada")
    await with_number(services, ada, "SMS")
    ref = f"ref-{ada.user_id}"
    await texted(services, ada, ref)
    # As a call would be: the channel makes no difference to the event.
    machine = callbacks.event(ref, status=DeliveryStatus.DELIVERED, answered_by=AnsweredBy.MACHINE)
    await callbacks.apply_event(services, event=machine)
    [row, other] = sorted(
        await stored(services, store.deliveries, user_id=ada.user_id), key=lambda row: str(row["channel"])
    )
    assert (row["status"], row["failure_reason"]) == ("FAILED", "MACHINE_ANSWERED")
    assert (row["answered_by"], row["delivered_at"]) == ("MACHINE", None)
    assert (other["channel"], other["fallback_of"]) == ("VOICE", row["_id"])


async def test_a_key_pressed_in_a_call_acknowledges(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    await with_number(services, ada, "SMS")
    ref = f"ref-{ada.user_id}"
    await texted(services, ada, ref, requires_ack=True)
    await callbacks.apply_event(services, event=callbacks.event(ref, digits="2"))
    assert (await inbox(ada))[0]["acknowledgment"] is None
    await callbacks.apply_event(services, event=callbacks.event(ref, digits="1"))
    assert (await inbox(ada))[0]["acknowledgment"]["method"] == "VOICE_KEYPRESS"


@pytest.fixture
def twilio(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(services.extra, Webhooks, Webhooks({"twilio": TwilioWebhook("12345")}))


async def call_back(phone: Phone, *, token: str = "12345", **form: str) -> int:
    """POST a callback as Twilio does; returns the status of the answer."""
    url = phone.url.replace("/graphql", "/hooks/twilio")
    signature = twilio_signature(token, url, {name: [value] for name, value in form.items()})
    async with phone.http.post(url, data=form, headers={"X-Twilio-Signature": signature}) as answer:
        return answer.status


async def test_failure_forged_callback_401_counted_nothing_changes(
    new_phone: NewPhone, services: Services, twilio: None
) -> None:
    ada = await new_phone("Ada")
    number = await with_number(services, ada, "SMS")
    ref = f"SM{ada.user_id}"
    await texted(services, ada, ref)
    forged = {"MessageSid": ref, "MessageStatus": "delivered"}
    assert await call_back(ada, token="other", **forged) == 401
    assert await call_back(ada, token="other", MessageSid="SM1", From=number, Body="STOP") == 401
    await settle(services)
    assert await deliveries(services, ada) == [("SMS", "SENT", None)]
    assert await consent_of(ada) == "GRANTED"


async def test_callbacks_move_deliveries_and_carry_replies(
    new_phone: NewPhone, services: Services, twilio: None
) -> None:
    ada = await new_phone("Ada")
    number = await with_number(services, ada, "SMS")
    ref = f"SM{ada.user_id}"
    await texted(services, ada, ref)
    for status in ("delivered", "sent", "delivered"):
        assert await call_back(ada, MessageSid=ref, MessageStatus=status) == 200
        await settle(services)
    assert await deliveries(services, ada) == [("SMS", "DELIVERED", None)]
    assert await call_back(ada, MessageSid=f"{ref}in", From=number, Body="Stop!") == 200
    await settle(services)
    assert await consent_of(ada) == "REVOKED"


async def forget_events(services: Services) -> None:
    """Let a day more pass than ids of events are kept, and what had an end by then be deleted."""
    clock.shift(KEPT + timedelta(days=1))
    past = {"q": {"expires_at": {"$lte": clock.now()}}, "limit": 0}
    await services.db.write({"delete": "provider_events", "deletes": [past]})


@pytest.mark.parametrize(
    ("history", "status"),
    [
        (("sent", "delivered", "read"), "OPENED"),
        (("sent", "delivered"), "DELIVERED"),
        (("sent", "undelivered"), "FAILED"),
        (("undelivered",), "FAILED"),
        (("sent",), "SENT"),
    ],
)
async def test_callbacks_that_somebody_recorded_move_nothing_when_they_are_told_later_on(
    new_phone: NewPhone, services: Services, twilio: None, history: tuple[str, ...], status: str
) -> None:
    ada = await new_phone("Ada")
    await with_number(services, ada, "SMS")
    ref = f"SM{ada.user_id}"
    await texted(services, ada, ref)
    for each in history:
        assert await call_back(ada, MessageSid=ref, MessageStatus=each) == 200
        await settle(services)
    before = await stored(services, store.deliveries, user_id=ada.user_id)
    assert next(row["status"] for row in before if row["channel"] == "SMS") == status
    await forget_events(services)
    for each in (*history, *reversed(history)):
        assert await call_back(ada, MessageSid=ref, MessageStatus=each) == 200
        await settle(services)
    assert await stored(services, store.deliveries, user_id=ada.user_id) == before


async def test_a_reply_that_somebody_recorded_is_not_heeded_years_later(
    new_phone: NewPhone, services: Services, twilio: None
) -> None:
    ada = await new_phone("Ada")
    number = await with_number(services, ada, "SMS")
    said = {"From": number, "Body": "START"}
    assert await call_back(ada, MessageSid=f"SM{ada.user_id}a", **said) == 200
    assert await call_back(ada, MessageSid=f"SM{ada.user_id}b", From=number, Body="STOP") == 200
    await settle(services)
    assert await consent_of(ada) == "REVOKED"
    await forget_events(services)
    ada = await new_phone(user_id=ada.user_id)
    assert await call_back(ada, MessageSid=f"SM{ada.user_id}a", **said) == 200
    await settle(services)
    assert await consent_of(ada) == "REVOKED"


async def test_an_event_that_is_told_again_leaves_the_time_of_the_first(
    new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada")
    await with_number(services, ada, "SMS")
    ref = f"ref-{ada.user_id}"
    await texted(services, ada, ref)
    for status, field in ((DeliveryStatus.DELIVERED, "delivered_at"), (DeliveryStatus.OPENED, "opened_at")):
        found = []
        for _ in range(2):
            clock.shift(timedelta(minutes=1))
            await callbacks.apply_event(services, event=callbacks.event(ref, status=status))
            [row] = await stored(services, store.deliveries, user_id=ada.user_id)
            found.append((row[field], row["version"]))
        assert found[0] == found[1]


async def test_a_reply_waits_encrypted(new_phone: NewPhone, services: Services, twilio: None) -> None:
    ada = await new_phone("Ada")
    number = await with_number(services, ada, "SMS")
    await settle(services)
    assert await call_back(ada, MessageSid="SMwaits", From=number, Body="Opt out, please") == 200
    [waiting] = await stored(services, jobs.queue, task="callbacks.apply")
    assert number not in repr(waiting)
    assert "please" not in repr(waiting)
    await settle(services)
    assert await consent_of(ada) == "REVOKED"


async def press(phone: Phone, ref: str, *, user: str) -> int:
    """POST what Slack does when somebody presses the button beneath a message."""
    channel, _, ts = ref.partition(":")
    said = {
        "type": "block_actions",
        "user": {"id": user},
        "container": {"channel_id": channel, "message_ts": ts},
        "actions": [{"action_id": "acknowledge", "action_ts": user}],
    }
    body, at = urlencode({"payload": json.dumps(said)}).encode(), str(int(clock.timestamp()))
    headers = {
        "X-Slack-Request-Timestamp": at,
        "X-Slack-Signature": slack_signature("slack", at, body),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    url = phone.url.replace("/graphql", "/hooks/slack")
    async with phone.http.post(url, data=body, headers=headers) as answer:
        return answer.status


async def test_the_button_in_slack_acknowledges_for_the_person_alone(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(services.extra, Webhooks, Webhooks({"slack": SlackWebhook("slack")}))
    ada = await new_phone("Ada")
    await ada.do("updateNotificationPreferences", "recipient { id }", slackId="U012AB3CD")
    await tell(services, ada, channels=[NotificationChannel.SLACK], requires_ack=True)
    ref = f"D{ada.user_id}:1.2"
    [row] = await stored(services, store.deliveries, user_id=ada.user_id)
    await refer(services, row, ref)
    assert await press(ada, ref, user="U999ZZ9ZZ") == 200
    await settle(services)
    assert (await inbox(ada))[0]["acknowledgment"] is None
    assert await press(ada, ref, user="U012AB3CD") == 200
    await settle(services)
    assert (await inbox(ada))[0]["acknowledgment"]["method"] == "BUTTON_CLICK"


async def test_failure_emoji_turns_160_characters_into_ucs_2_segments_counted_anew(
    new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada")
    await with_number(services, ada, "SMS")
    told: dict[str, Any] = {"channels": [SMS], "priority": "HIGH", "title": "x" * 100, "max_segments": 3}
    await tell(services, ada, **told, message="y" * 58)
    await tell(services, ada, **told, message="y" * 57 + "😀")
    rows = await stored(services, store.deliveries, user_id=ada.user_id)
    assert sorted(row["segments"] for row in rows) == [1, 3]
