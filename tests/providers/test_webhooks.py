"""Signatures of providers, checked with published values, and what their callbacks tell."""

import base64
from collections.abc import Iterator
from urllib.parse import urlencode

import orjson
import pytest
from multidict import CIMultiDict

from core import clock
from core.callbacks import Callback, EventKind, Forged, Told
from providers.twilio import permanent
from providers.webhooks import (
    MailWebhook,
    SlackWebhook,
    TwilioWebhook,
    slack_signature,
    standard_signature,
    twilio_signature,
)

URL = "https://landfall.example/hooks/twilio"
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@pytest.fixture(autouse=True)
def _still() -> Iterator[None]:
    clock.stop()
    yield
    clock.reset()


def test_twilio_signs_as_its_own_library_does() -> None:
    form = {
        "CallSid": ["CA1234567890ABCDE"],
        "Caller": ["+14158675309"],
        "Digits": ["1234"],
        "From": ["+14158675309"],
        "To": ["+18005551212"],
    }
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert twilio_signature("12345", url, form) == "RSOYDt4T1cUTdK1PDd93/VVr8B8="


def test_standard_webhooks_sign_as_the_standard_shows() -> None:
    said = standard_signature(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}')
    assert said == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def of_twilio(webhook: TwilioWebhook, token: str = "tok", **form: str) -> Told:
    signature = twilio_signature(token, URL, {name: [value] for name, value in form.items()})
    headers = CIMultiDict({"x-twilio-signature": signature})
    return webhook.read(Callback(URL, headers, urlencode(form).encode()))


@pytest.mark.parametrize(
    ("form", "kind", "further"),
    [
        ({"MessageSid": "SM1", "MessageStatus": "sent"}, EventKind.SENT, {}),
        ({"MessageSid": "SM1", "MessageStatus": "delivered"}, EventKind.DELIVERED, {}),
        (
            {"MessageSid": "SM1", "MessageStatus": "undelivered", "ErrorCode": "30006"},
            EventKind.FAILED,
            {"code": "LANDLINE"},
        ),
        (
            {"MessageSid": "SM1", "MessageStatus": "undelivered", "ErrorCode": "30003"},
            EventKind.FAILED,
            {"code": "UNREACHABLE"},
        ),
        ({"CallSid": "CA1", "CallStatus": "busy"}, EventKind.FAILED, {}),
        (
            {"CallSid": "CA1", "CallStatus": "completed", "AnsweredBy": "human"},
            EventKind.DELIVERED,
            {"answered_by": "HUMAN"},
        ),
        (
            {"CallSid": "CA1", "CallStatus": "completed", "AnsweredBy": "machine_start"},
            EventKind.DELIVERED,
            {"answered_by": "MACHINE"},
        ),
        ({"CallSid": "CA1", "CallStatus": "in-progress", "Digits": "1"}, EventKind.KEY, {"digits": "1"}),
        (
            {"MessageSid": "SM2", "SmsStatus": "received", "From": "+15550199", "Body": "STOP"},
            EventKind.REPLY,
            {"sender": "+15550199", "text": "STOP"},
        ),
    ],
)
def test_twilio_tells_of_texts_calls_keys_and_replies(
    form: dict[str, str], kind: EventKind, further: dict[str, str]
) -> None:
    told = of_twilio(TwilioWebhook("other", "tok"), **form)
    [event] = told.events
    blank = dict.fromkeys(("code", "answered_by", "digits", "sender", "text"), "")
    named = {"id": event["id"], "kind": kind, "provider_ref": form.get("MessageSid") or form["CallSid"]}
    assert event == {**blank, **further, **named, "at": clock.now()}
    assert (told.body, told.mime) == ("<Response/>", "text/xml")


def test_states_that_say_nothing_new_are_no_events() -> None:
    assert of_twilio(TwilioWebhook("tok"), MessageSid="SM1", MessageStatus="queued").events == []
    assert of_twilio(TwilioWebhook("tok"), Hello="World").events == []


def test_each_state_is_an_event_of_its_own() -> None:
    webhook = TwilioWebhook("tok")
    told = [
        of_twilio(webhook, MessageSid="SM1", MessageStatus=each) for each in ("sent", "delivered", "sent")
    ]
    first, second, again = (each.events[0]["id"] for each in told)
    assert first == again != second


@pytest.mark.parametrize("signature", ["", "x", "\udcff", "RSOYDt4T1cUTdK1PDd93/VVr8B8="])
def test_a_forged_callback_of_twilio_is_refused(signature: str) -> None:
    headers = CIMultiDict({"X-Twilio-Signature": signature})
    with pytest.raises(Forged):
        TwilioWebhook("tok").read(Callback(URL, headers, b"MessageSid=SM1&MessageStatus=sent"))
    with pytest.raises(Forged):
        of_twilio(TwilioWebhook("tok"), "other", MessageSid="SM1", MessageStatus="sent")


def of_mail(body: bytes, *, age: int = 0, prefix: str = "webhook", id: str = "msg_1") -> Told:
    at = str(int(clock.timestamp()) - age)
    signature = f"v1,other {standard_signature(SECRET, 'msg_1', at, body)}"
    headers = CIMultiDict({f"{prefix}-id": id, f"{prefix}-timestamp": at, f"{prefix}-signature": signature})
    return MailWebhook(SECRET).read(Callback(URL, headers, body))


@pytest.mark.parametrize("prefix", ["webhook", "svix"])
def test_mail_services_tell_what_became_of_a_mail(prefix: str) -> None:
    body = b'{"type": "email.bounced", "data": {"message_id": "<m1@landfall.example>"}}'
    [event] = of_mail(body, prefix=prefix).events
    assert (event["id"], event["kind"]) == ("msg_1", EventKind.BOUNCED)
    assert event["provider_ref"] == "m1@landfall.example"


@pytest.mark.parametrize("body", [b"{", b"[]", b"{}", b'{"type": "email.opened", "data": 1}'])
def test_what_is_no_event_of_a_mail_tells_nothing(body: bytes) -> None:
    assert of_mail(body).events == []


@pytest.mark.parametrize("age", [301, -301])
def test_a_mail_event_that_is_old_or_ahead_is_refused(age: int) -> None:
    with pytest.raises(Forged):
        of_mail(b"{}", age=age)


def test_a_mail_event_under_another_id_is_refused() -> None:
    with pytest.raises(Forged):
        of_mail(b"{}", id="msg_2")
    with pytest.raises(Forged):
        MailWebhook(SECRET).read(Callback(URL, CIMultiDict(), b"{}"))


def test_a_secret_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="whsec_"):
        MailWebhook("whsec_***")
    assert base64.b64decode(SECRET.removeprefix("whsec_"), validate=True)


def of_slack(body: bytes, *, age: int = 0, secret: str = "slack") -> Told:
    at = str(int(clock.timestamp()) - age)
    headers = CIMultiDict(
        {"X-Slack-Request-Timestamp": at, "X-Slack-Signature": slack_signature("slack", at, body)}
    )
    return SlackWebhook(secret).read(Callback(URL, headers, body))


def test_slack_is_answered_its_challenge() -> None:
    assert of_slack(b'{"type": "url_verification", "challenge": "abc"}').body == "abc"
    assert of_slack(b'{"type": "event_callback"}', age=300) == Told()


def pressed(**changes: object) -> bytes:
    said = {
        "type": "block_actions",
        "user": {"id": "U012AB3CD"},
        "container": {"channel_id": "D1", "message_ts": "1.2"},
        "actions": [{"action_id": "acknowledge", "action_ts": "9.1"}],
        **changes,
    }
    return urlencode({"payload": orjson.dumps(said).decode()}).encode()


def test_slack_tells_who_pressed_the_button_that_acknowledges() -> None:
    [event] = of_slack(pressed()).events
    assert (event["id"], event["kind"]) == ("D1:1.2:9.1", EventKind.ACKNOWLEDGED)
    assert (event["provider_ref"], event["sender"]) == ("D1:1.2", "U012AB3CD")


@pytest.mark.parametrize(
    "changes",
    [
        {"type": "view_submission"},
        {"actions": [{"action_id": "other", "action_ts": "9.1"}]},
        {"actions": ["acknowledge"]},
        {"actions": None},
        {"user": None},
        {"container": "D1"},
    ],
)
def test_what_else_is_pressed_in_slack_tells_nothing(changes: dict[str, object]) -> None:
    assert of_slack(pressed(**changes)) == Told()


def test_a_forged_or_old_callback_of_slack_is_refused() -> None:
    with pytest.raises(Forged):
        of_slack(b"{}", secret="other")
    for age in (301, -301):
        with pytest.raises(Forged):
            of_slack(b"{}", age=age)


def test_slack_signs_as_it_documents() -> None:
    """Value of Slack's page "Verifying requests from Slack"."""
    body = (
        "token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V"
        "&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text="
        "&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F"
        "96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    said = slack_signature("8f742231b10e8888abcd99yyyzzz85a5", "1531420618", body.encode())
    assert said == "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("30003", "UNREACHABLE"),
        (21610, "OPTED_OUT"),
        (None, None),
        ("", None),
        ("²", None),
        ("9" * 5_000, None),
    ],
)
def test_a_code_of_twilio_is_five_digits(code: object, reason: str | None) -> None:
    assert permanent(code) == reason
