"""Callbacks of the gateway: in any order, late, doubled or forged, a payment never goes back."""

import random
from typing import Any

import pytest

from core import callbacks, ids
from devstack.gateway.events import signed
from resolvers.order import applying, capture, reconciling
from resolvers.order.gateway import gateway
from stores.order import CaptureTime
from tests.order.conftest import Parcels
from tests.order.steps import Till, subject

OWNER = ids.new_id("user")


async def stored(till: Till, events: list[dict[str, Any]]) -> int:
    """Number of the events that are stored."""
    rows = await callbacks.taken.by_ids(till.services.db, [f"stripe:{each['id']}" for each in events])
    return len(rows)


async def test_webhook_repeated_and_out_of_order(till: Till, parcels: Parcels) -> None:
    """Golden case O4, and the row "Webhook bad signature / repeated / out of order"."""
    thing = parcels.new(OWNER)
    payment = (await till.pay(thing, OWNER))["payment"]
    till.gateway.ledger.capture(str(payment["charge_ref"]))
    created, authorized, succeeded = till.gateway.events.waiting
    assert [each["type"].partition(".")[2] for each in (created, authorized, succeeded)] == [
        *("created", "amount_capturable_updated", "succeeded")
    ]
    again = {**succeeded, "id": "evt_another"}
    told = ((succeeded, True), (authorized, True), (succeeded, False), (again, False), (created, True))
    for event, is_news in told:
        till.gateway.asked.clear()
        assert await till.gateway.events.send(till.gateway.http, event) == 200
        await till.settle()
        assert bool(till.gateway.asked) is is_news, event
        assert (await till.payment(thing))["status"] == "CAPTURED"
    assert await stored(till, [created, authorized, succeeded]) == 3
    assert parcels.statuses(thing) == ["PENDING", "AUTHORIZED", "CAPTURED"]


async def test_webhook_with_a_bad_signature(till: Till) -> None:
    thing = subject()
    payment = (await till.pay(thing, OWNER, "tok_3ds"))["payment"]
    till.gateway.ledger.authenticate(str(payment["charge_ref"]), proved=True)
    headers = {"Stripe-Signature": signed(b"{}")}
    async with till.gateway.http.post(till.gateway.events.url, data=b"[]", headers=headers) as answer:
        assert answer.status == 401
    await till.settle()
    assert (await till.payment(thing))["status"] == "REQUIRES_ACTION"
    await till.told()
    assert (await till.payment(thing))["status"] == "AUTHORIZED"


@pytest.mark.parametrize("seed", range(3))
async def test_shuffled_and_doubled_events_end_where_the_gateway_is(till: Till, seed: int) -> None:
    till.gateway.events.doubled, till.gateway.events.shuffled = True, random.Random(seed)
    thing = subject()
    payment = (await till.pay(thing, OWNER))["payment"]
    await capture(till.ctx, payment)
    till.gateway.ledger.refund({"payment_intent": payment["charge_ref"], "amount": "2500"})
    till.gateway.ledger.dispute(str(payment["charge_ref"]), 1_000)
    await till.told()
    now = await till.payment(thing)
    assert (now["status"], now["refunded_amount"], now["disputed_amount"]) == (
        "PARTIALLY_REFUNDED",
        2_500,
        1_000,
    )


async def test_an_event_that_overtakes_the_capture_passes_through_it(till: Till, parcels: Parcels) -> None:
    thing = parcels.new(OWNER)
    payment = (await till.pay(thing, OWNER))["payment"]
    ledger, ref = till.gateway.ledger, str(payment["charge_ref"])
    ledger.capture(ref)
    ledger.refund({"payment_intent": ref, "amount": "10000"})
    await till.gateway.events.send(till.gateway.http, till.gateway.events.waiting[-1])
    await till.settle()
    assert parcels.statuses(thing) == ["PENDING", "AUTHORIZED", "CAPTURED", "REFUNDED"]


async def test_an_older_word_of_the_gateway_is_not_applied(till: Till) -> None:
    """Two jobs ask; the one that asked first comes last."""
    thing = subject()
    payment = (await till.pay(thing, OWNER, capture=CaptureTime.AT_ONCE))["payment"]
    ref = str(payment["charge_ref"])
    early = await gateway(till.ctx).find(ref)
    till.gateway.ledger.dispute(ref, 4_000)
    await till.told()
    now = await applying.settle(till.ctx, payment, early)
    assert now["disputed_amount"] == 4_000


async def test_an_event_is_asked_about_again_while_the_gateway_is_silent(
    till: Till, monkeypatch: pytest.MonkeyPatch
) -> None:
    thing = subject()
    payment = (await till.pay(thing, OWNER))["payment"]
    till.gateway.ledger.capture(str(payment["charge_ref"]))
    asked: list[str] = []

    async def silent(call: str, work: Any) -> Any:
        asked.append(call)
        work.close()
        raise reconciling.Retryable("Silent.")

    with monkeypatch.context() as patch:
        patch.setattr(reconciling, "answered", silent)
        await till.gateway.events.send(till.gateway.http, till.gateway.events.waiting[-1])
        await till.settle()
    assert asked == ["find"]
    assert (await till.payment(thing))["status"] == "AUTHORIZED"
    await till.later(seconds=2)
    assert (await till.payment(thing))["status"] == "CAPTURED"
