"""Callbacks of Stripe: golden case O1, and which charge an event is about."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from multidict import CIMultiDict

from core import clock
from core.callbacks import Callback, EventKind, Forged, Told
from devstack.gateway.events import signed
from providers.stripe_webhook import StripeWebhook, stripe_signature

SECRET = "whsec_test"
AT = 1700000000
PAYLOAD = b'{"id":"evt_1","object":"event","type":"payment_intent.succeeded","created":1700000000}'
GOLDEN = "6dd5d46907f37103cc9bcd993555a4a3853823979456236808cfe6fc5af4c842"


@pytest.fixture(autouse=True)
def _then() -> Iterator[None]:
    """It is the moment that the golden case was signed at."""
    clock.stop()
    clock.shift(datetime.fromtimestamp(AT, UTC) - clock.now())
    yield
    clock.reset()


def read(header: str, body: bytes = PAYLOAD, *secrets: str) -> Told:
    headers = CIMultiDict({"Stripe-Signature": header})
    return StripeWebhook(secrets or [SECRET]).read(Callback("", headers, body))


def test_stripe_signs_time_and_body() -> None:
    assert stripe_signature(SECRET, str(AT), PAYLOAD) == GOLDEN


@pytest.mark.parametrize(
    ("late", "good"), [(0, True), (300, True), (301, False), (-300, True), (-301, False)]
)
def test_a_signature_is_good_for_five_minutes(late: int, good: bool) -> None:
    clock.shift(timedelta(seconds=late))
    if good:
        assert read(f"t={AT},v1={GOLDEN}") == Told([])
    else:
        with pytest.raises(Forged):
            read(f"t={AT},v1={GOLDEN}")


def test_one_right_signature_of_several_is_enough() -> None:
    assert read(f"t={AT},v1={'0' * 64},v0=x,v1={GOLDEN}") == Told([])
    assert read(f"t={AT},v1={GOLDEN}", PAYLOAD, "whsec_new", SECRET) == Told([])


@pytest.mark.parametrize(
    "header",
    [
        "",
        f"t={AT}",
        f"v1={GOLDEN}",
        f"t={AT},v0={GOLDEN}",
        f"t={AT},v1={'0' * 64}",
        f"t={AT + 1},v1={GOLDEN}",
        f"t=now,v1={GOLDEN}",
        f"t={'9' * 400},v1={GOLDEN}",
        f"t={AT},v1=\udcff",
    ],
)
def test_webhook_bad_signature(header: str) -> None:
    with pytest.raises(Forged):
        read(header)


def test_the_same_json_with_blanks_is_another_body() -> None:
    again = orjson.dumps(orjson.loads(PAYLOAD), option=orjson.OPT_INDENT_2)
    with pytest.raises(Forged):
        read(f"t={AT},v1={GOLDEN}", again)


def told(type: str, changed: dict[str, object], id: str = "evt_1") -> Told:
    body = orjson.dumps({"id": id, "type": type, "data": {"object": changed}})
    return read(signed(body, SECRET), body)


@pytest.mark.parametrize(
    ("type", "changed"),
    [
        ("payment_intent.succeeded", {"id": "pi_1", "object": "payment_intent"}),
        ("charge.dispute.created", {"id": "dp_1", "object": "dispute", "payment_intent": "pi_1"}),
        ("charge.refunded", {"id": "ch_1", "object": "charge", "payment_intent": "pi_1"}),
    ],
)
def test_an_event_tells_which_charge_has_changed(type: str, changed: dict[str, object]) -> None:
    [event] = told(type, changed).events
    assert (event["id"], event["kind"], event["provider_ref"]) == ("evt_1", EventKind.CHANGED, "pi_1")


def test_what_says_the_same_has_the_same_fingerprint() -> None:
    intent = {"id": "pi_1", "object": "payment_intent", "status": "succeeded", "amount_received": 5}
    more = {**intent, "amount_received": 6}
    first, again, other, later = (
        told(type, changed, id).events[0]["fingerprint"]
        for type, changed, id in (
            ("a", intent, "evt_1"),
            ("a", intent, "evt_2"),
            ("b", intent, "evt_3"),
            ("a", more, "evt_4"),
        )
    )
    assert first == again
    assert len({first, other, later}) == 3


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"{}",
        b'{"id":"e","type":"customer.created","data":{"object":{"id":"cus_1","object":"customer"}}}',
    ],
)
def test_an_event_about_no_charge_tells_nothing(body: bytes) -> None:
    assert read(signed(body, SECRET), body) == Told([])
