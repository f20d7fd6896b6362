"""Callbacks of carriers: signed by Standard Webhooks, in a tracking service's words."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from multidict import CIMultiDict

from core import clock
from core.callbacks import Callback, EventKind, Forged, Told
from devstack.carrier import SECRET, callback
from ports.order import Carrier
from providers.carrier_webhook import CarrierWebhook
from providers.webhooks import standard_signature

AT = datetime(2026, 6, 1, 12, tzinfo=UTC)


def read(body: bytes, headers: dict[str, str], secret: str = SECRET) -> Told:
    return CarrierWebhook(secret).read(Callback("", CIMultiDict(headers), body))


def told(carrier: str = "DHL", status: str = "in_transit", **how: Any) -> Any:
    [event] = read(*callback(carrier, "0034", status, at=AT, **how)).events
    return event


def test_a_step_is_told_by_its_parcels_number() -> None:
    event = told(id="evt_1", place="Leipzig, DE")
    assert (event["kind"], event["id"], event["provider_ref"]) == (EventKind.CHANGED, "evt_1", "0034")
    assert (event["code"], event["sender"], event["text"]) == ("IN_TRANSIT", "DHL", "Leipzig, DE")
    assert (event["at"], event["fingerprint"]) == (AT, f"0034:IN_TRANSIT:{AT.isoformat()}")


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("in_transit", "IN_TRANSIT"),
        ("out_for_delivery", "OUT_FOR_DELIVERY"),
        ("available_for_pickup", "OUT_FOR_DELIVERY"),
        ("delivered", "DELIVERED"),
        ("return_to_sender", "RETURNED"),
        ("failure", "EXCEPTION"),
        ("error", "EXCEPTION"),
    ],
)
def test_words_of_the_service(word: str, status: str) -> None:
    assert told(status=word)["code"] == status


@pytest.mark.parametrize(
    ("name", "carrier"),
    [
        ("DHL", Carrier.DHL),
        ("DHLPaket", Carrier.DHL),
        ("FedEx", Carrier.FEDEX),
        ("ups", Carrier.UPS),
        ("Yodel", Carrier.OTHER),
        ("", Carrier.OTHER),
    ],
)
def test_names_of_carriers(name: str, carrier: Carrier) -> None:
    assert told(carrier=name)["sender"] == carrier


@pytest.mark.parametrize("status", ["pre_transit", "unknown", "", "cancelled"])
def test_words_that_move_nothing(status: str) -> None:
    assert read(*callback("DHL", "0034", status, at=AT)) == Told([])


@pytest.mark.parametrize(
    "change",
    [
        {"tracking_code": ""},
        {"tracking_code": "9" * 51},
        {"updated_at": "yesterday"},
        {"updated_at": "2026-06-01T12:00:00"},
        {"status": None},
    ],
)
def test_what_says_nothing_of_a_parcel(change: dict[str, Any]) -> None:
    tracker = {"tracking_code": "0034", "carrier": "DHL", "status": "delivered", "updated_at": AT.isoformat()}
    for said in ({"result": {**tracker, **change}}, {"result": []}, {}, []):
        assert read(*signed(orjson.dumps(said))) == Told([])


def signed(body: bytes) -> tuple[bytes, dict[str, str]]:
    stamp = str(int(clock.timestamp()))
    signature = standard_signature(SECRET, "evt_1", stamp, body)
    return body, {"webhook-id": "evt_1", "webhook-timestamp": stamp, "webhook-signature": signature}


def test_forged_ones_are_refused_before_they_are_read() -> None:
    body, headers = callback("DHL", "0034", "delivered")
    for changed in ({"webhook-id": "evt_2"}, {"webhook-signature": "v1,"}, {"webhook-timestamp": "x"}):
        with pytest.raises(Forged):
            read(body, {**headers, **changed})
    with pytest.raises(Forged):
        read(body + b" ", headers)
    with pytest.raises(Forged):
        read(body, {})


def test_a_secret_that_is_none() -> None:
    with pytest.raises(ValueError, match="whsec_ and base64"):
        CarrierWebhook("whsec_!")
