"""Callbacks of Vonage: signatures, delivery receipts and replies."""

from collections.abc import Iterator
from urllib.parse import urlencode

import orjson
import pytest
from multidict import CIMultiDict

from core import clock
from core.callbacks import Callback, EventKind, Forged, Told
from providers.vonage import VonageWebhook, vonage_signature

URL = "https://landfall.example/hooks/vonage"


@pytest.fixture(autouse=True)
def _still() -> Iterator[None]:
    clock.stop()
    yield
    clock.reset()


def told(secret: str = "secret", *, json: bool = False, age: int = 0, **said: str) -> Told:
    fields = {**said, "timestamp": str(int(clock.timestamp()) - age)}
    fields["sig"] = vonage_signature("secret", fields).upper()
    body = orjson.dumps(fields) if json else urlencode(fields).encode()
    return VonageWebhook(secret).read(Callback(URL, CIMultiDict(), body))


def test_vonage_signs_as_its_own_library_does() -> None:
    """Value of the tests of vonage-python-sdk."""
    said = vonage_signature("secret", {"a": "1", "b": "2", "timestamp": "1461605396"})
    assert said == "a321e824b9b816be7c3f28859a31749a098713d39f613c80d455bbaffae1cd24"
    apart = vonage_signature("secret", {"a": "1&b=2", "timestamp": "1461605396"})
    assert apart == vonage_signature("secret", {"a": "1_b_2", "timestamp": "1461605396", "sig": "any"})


@pytest.mark.parametrize("json", [False, True])
@pytest.mark.parametrize(
    ("status", "error", "kind", "code"),
    [
        ("accepted", "0", EventKind.SENT, ""),
        ("delivered", "0", EventKind.DELIVERED, ""),
        ("expired", "1", EventKind.FAILED, ""),
        ("failed", "3", EventKind.FAILED, "UNREACHABLE"),
        ("rejected", "6", EventKind.FAILED, "REFUSED"),
    ],
)
def test_vonage_tells_what_became_of_a_text(
    json: bool, status: str, error: str, kind: EventKind, code: str
) -> None:
    receipt = {"messageId": "M1", "msisdn": "15550199", "status": status, "err-code": error}
    [event] = told(json=json, **receipt).events
    assert (event["id"], event["provider_ref"]) == (f"M1:{status}", "M1")
    assert (event["kind"], event["code"]) == (kind, code)


def test_vonage_brings_replies() -> None:
    [event] = told(messageId="M2", msisdn="15550199", to="15550100", text="STOP & go = no").events
    assert (event["kind"], event["sender"]) == (EventKind.REPLY, "+15550199")
    assert event["text"] == "STOP & go = no"


def test_what_says_nothing_new_is_no_event() -> None:
    assert told(messageId="M1", status="buffered").events == []
    assert told(hello="world").events == []


def test_a_forged_or_old_callback_of_vonage_is_refused() -> None:
    with pytest.raises(Forged):
        told("other", messageId="M1", status="delivered")
    for age in (301, -301):
        with pytest.raises(Forged):
            told(age=age, messageId="M1", status="delivered")
    for body in (b"", b"{}", b"[", b"messageId=M1&status=delivered", b"sig=\xff&timestamp=1"):
        with pytest.raises(Forged):
            VonageWebhook("secret").read(Callback(URL, CIMultiDict(), body))
