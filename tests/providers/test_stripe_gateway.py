"""Stripe's adapter against the gateway that pretends: requests, states, and what is lost on the way."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import ClientSession

from core import clock, ids
from core.ports import FailureCode, Permanent, Retryable
from devstack.gateway import KEY, Gateway, GatewayFault
from ports.order import (
    Charge,
    ChargeStatus,
    Declined,
    GatewayRefund,
    Instrument,
    NextActionKind,
    PaymentFailureCode,
    PaymentMethodKind,
    Source,
)
from providers import stripe_charges
from providers.stripe_gateway import StripeGateway

RETURN = "https://app.example.com/paid"


@pytest.fixture
async def pretended() -> AsyncIterator[Gateway]:
    async with Gateway().running() as running:
        yield running


@pytest.fixture
async def stripe(pretended: Gateway, http: ClientSession) -> StripeGateway:
    return StripeGateway(http, KEY, pretended.url, RETURN)


async def charged(stripe: StripeGateway, token: str = "tok_visa", **changes: Any) -> Charge:
    source = changes.pop("source", Source(token))
    subject = changes.pop("subject_id", None) or ids.new_id("order")
    given = {
        "amount": 1099,
        "currency": "EUR",
        "part": "",
        "attempt": 1,
        "capture": False,
        "key": f"{subject}:1",
        **changes,
    }
    return await stripe.authorize(source, subject_id=subject, **given)


@pytest.mark.parametrize(
    ("intent", "status"),
    [
        ({"status": "requires_payment_method"}, ChargeStatus.PENDING),
        ({"status": "requires_payment_method", "last_payment_error": {"code": "x"}}, ChargeStatus.FAILED),
        ({"status": "requires_confirmation"}, ChargeStatus.PENDING),
        ({"status": "requires_action"}, ChargeStatus.REQUIRES_ACTION),
        ({"status": "processing"}, ChargeStatus.PENDING),
        ({"status": "requires_capture"}, ChargeStatus.AUTHORIZED),
        ({"status": "succeeded"}, ChargeStatus.CAPTURED),
        ({"status": "canceled", "cancellation_reason": "requested_by_customer"}, ChargeStatus.VOIDED),
        ({"status": "canceled", "cancellation_reason": None}, ChargeStatus.VOIDED),
        ({"status": "canceled", "cancellation_reason": "automatic"}, ChargeStatus.LAPSED),
        ({"status": "something_new"}, ChargeStatus.PENDING),
    ],
)
def test_states_of_a_payment_intent(intent: dict[str, Any], status: ChargeStatus) -> None:
    """Golden case O3."""
    assert stripe_charges.status(intent) == status


async def test_an_amount_is_reserved_and_taken(stripe: StripeGateway) -> None:
    subject = ids.new_id("order")
    held = await charged(stripe, subject_id=subject)
    assert (held.status, held.amount, held.captured, held.currency) == (
        ChargeStatus.AUTHORIZED,
        1099,
        0,
        "EUR",
    )
    assert (held.subject_id, held.attempt) == (subject, 1)
    assert held.paid_with == Instrument(PaymentMethodKind.CARD, "visa", "4242", 12, 2034)
    assert held.capture_before is not None
    assert timedelta(days=6.9) < held.capture_before - clock.now() < timedelta(days=7.1)
    taken = await stripe.capture(held.ref, key="c")
    assert (taken.status, taken.captured) == (ChargeStatus.CAPTURED, 1099)
    assert await stripe.find(held.ref) == taken
    assert await stripe.charges_for(subject) == [taken]
    assert await stripe.charges_for(ids.new_id("order")) == []


async def test_amounts_travel_in_stripes_units(stripe: StripeGateway, pretended: Gateway) -> None:
    held = await charged(stripe, amount=500, currency="ISK")
    assert held.amount == 500
    assert pretended.ledger.objects[held.ref]["amount"] == 50000
    with pytest.raises(ValueError, match="between two steps"):
        await charged(stripe, amount=5124, currency="KWD")


async def test_what_comes_again_under_its_key_is_done_once_and_shown_as_it_is_now(
    stripe: StripeGateway, pretended: Gateway
) -> None:
    subject = ids.new_id("order")
    first = await charged(stripe, subject_id=subject)
    taken = await stripe.capture(first.ref, key="c")
    assert await charged(stripe, subject_id=subject) == taken
    assert await stripe.capture(first.ref, key="c") == taken
    assert [each.kind for each in pretended.ledger.entries] == ["HOLD", "TAKE"]
    with pytest.raises(Permanent, match="IdempotencyError"):
        await charged(stripe, subject_id=subject, amount=1100)


@pytest.mark.parametrize(
    ("token", "failure"),
    [
        ("tok_declined", PaymentFailureCode.DECLINED),
        ("tok_insufficient", PaymentFailureCode.INSUFFICIENT_FUNDS),
        ("tok_expired", PaymentFailureCode.EXPIRED_CARD),
        ("tok_cvc", PaymentFailureCode.INCORRECT_DETAILS),
    ],
)
async def test_a_declined_card_is_a_charge_that_failed(
    stripe: StripeGateway, token: str, failure: PaymentFailureCode
) -> None:
    subject = ids.new_id("order")
    for _ in range(2):
        said = await charged(stripe, token, subject_id=subject)
        assert (said.status, said.failure, said.holds_money) == (ChargeStatus.FAILED, failure, False)


async def test_an_unknown_token_is_declined(stripe: StripeGateway) -> None:
    with pytest.raises(Declined) as refused:
        await charged(stripe, "tok_unknown")
    assert refused.value.failure == PaymentFailureCode.METHOD_INVALID


async def test_a_bank_asks_for_its_customer(
    stripe: StripeGateway, pretended: Gateway, http: ClientSession
) -> None:
    asked = await charged(stripe, "tok_3ds")
    assert asked.status == ChargeStatus.REQUIRES_ACTION
    url = f"{pretended.url}/confirm/{asked.ref}"
    assert asked.next_action == {"kind": NextActionKind.REDIRECT, "url": url, "client_secret": None}
    async with http.get(url) as page:
        assert "Pay 10.99 EUR?" in await page.text()
    said = http.post(url, data={"proved": "yes"}, allow_redirects=False)
    async with said as answer:
        assert (answer.status, answer.headers["Location"]) == (302, RETURN)
    proved = await stripe.find(asked.ref)
    assert (proved.status, proved.next_action) == (ChargeStatus.AUTHORIZED, None)
    other = await charged(stripe, "tok_3ds")
    pretended.ledger.authenticate(other.ref, proved=False)
    failed = await stripe.find(other.ref)
    assert (failed.status, failed.failure) == (ChargeStatus.FAILED, PaymentFailureCode.AUTHENTICATION_FAILED)


async def test_without_a_place_to_come_back_to_the_sdk_shows_the_step(
    pretended: Gateway, http: ClientSession
) -> None:
    asked = await charged(StripeGateway(http, KEY, pretended.url, ""), "tok_3ds")
    secret = pretended.ledger.objects[asked.ref]["client_secret"]
    assert asked.next_action == {"kind": NextActionKind.SDK, "url": None, "client_secret": secret}


async def test_a_saved_method_is_charged_while_its_owner_is_away(stripe: StripeGateway) -> None:
    customer = await stripe.new_customer("user_1", key="customer")
    kept = await stripe.save_method(customer, "tok_mastercard", key="m")
    assert (kept.instrument.brand, kept.instrument.last4, kept.next_action) == ("mastercard", "4444", None)
    held = await charged(stripe, source=Source(kept.ref, customer), capture=True)
    assert held.status == ChargeStatus.CAPTURED
    await stripe.forget_method(kept.ref)
    await stripe.forget_method(kept.ref)
    with pytest.raises(Declined):
        await charged(stripe, source=Source(kept.ref, customer))
    await stripe.forget_customer(customer)
    await stripe.forget_customer(customer)


async def test_a_saved_method_whose_bank_wants_its_owner_asks_for_a_step(
    stripe: StripeGateway, pretended: Gateway
) -> None:
    customer = await stripe.new_customer("user_1", key="customer")
    asked = await stripe.save_method(customer, "tok_3ds", key="m")
    assert asked.next_action is not None
    [setup] = pretended.ledger.of("setup_intent")
    pretended.ledger.authenticate_setup(setup["id"])
    kept = await stripe.save_method(customer, "tok_3ds", key="m")
    assert (kept.ref, kept.next_action) == (asked.ref, None)
    subject = ids.new_id("order")
    for _ in range(2):
        held = await charged(stripe, source=Source(kept.ref, customer), subject_id=subject)
        assert held.status == ChargeStatus.REQUIRES_ACTION
        assert held.next_action is not None
    pretended.ledger.authenticate(held.ref, proved=True)
    assert (await stripe.find(held.ref)).status == ChargeStatus.AUTHORIZED


async def test_a_declined_card_is_not_kept(stripe: StripeGateway) -> None:
    customer = await stripe.new_customer("user_1", key="customer")
    with pytest.raises(Declined) as refused:
        await stripe.save_method(customer, "tok_declined", key="m")
    assert refused.value.failure == PaymentFailureCode.DECLINED


async def test_what_is_given_up_and_what_lapsed_are_told_apart(
    stripe: StripeGateway, pretended: Gateway
) -> None:
    held, other = await charged(stripe), await charged(stripe)
    assert (await stripe.void(held.ref, key="v")).status == ChargeStatus.VOIDED
    pretended.ledger.lapse(other.ref)
    assert (await stripe.find(other.ref)).status == ChargeStatus.LAPSED
    for each, said in ((held, ChargeStatus.VOIDED), (other, ChargeStatus.LAPSED)):
        assert (await stripe.capture(each.ref, key=f"c{each.ref}")).status == said


async def test_what_was_taken_is_given_back_but_no_more(stripe: StripeGateway) -> None:
    taken = await charged(stripe, capture=True, amount=10000)
    back = await stripe.refund(taken.ref, amount=3000, currency="EUR", name="first", key="r1")
    assert (back.captured, back.refunded, back.refunds) == (10000, 3000, (GatewayRefund("first", 3000),))
    assert await stripe.refund(taken.ref, amount=3000, currency="EUR", name="first", key="r1") == back
    with pytest.raises(Permanent, match="amount_too_large"):
        await stripe.refund(taken.ref, amount=7001, currency="EUR", name="more", key="r2")
    assert (await stripe.void(taken.ref, key="v")).status == ChargeStatus.CAPTURED


async def test_a_dispute_takes_money_away_until_it_is_won(stripe: StripeGateway, pretended: Gateway) -> None:
    taken = await charged(stripe, capture=True, amount=10000)
    dispute = pretended.ledger.dispute(taken.ref, 4000)
    assert (await stripe.find(taken.ref)).disputed == 4000
    with pytest.raises(Permanent, match="charge_disputed"):
        await stripe.refund(taken.ref, amount=7000, currency="EUR", name="r", key="r")
    pretended.ledger.close_dispute(dispute["id"], won=True)
    assert (await stripe.find(taken.ref)).disputed == 0


async def test_a_lost_answer_is_found_by_its_key_or_its_subject(
    stripe: StripeGateway, pretended: Gateway
) -> None:
    subject = ids.new_id("order")
    pretended.faults.plan([GatewayFault.LOSE])
    with pytest.raises(Retryable):
        await charged(stripe, subject_id=subject)
    [found] = await stripe.charges_for(subject)
    assert found.status == ChargeStatus.AUTHORIZED
    assert await charged(stripe, subject_id=subject) == found
    assert [each.kind for each in pretended.ledger.entries] == ["HOLD"]


async def test_a_gateway_that_is_down_may_be_asked_again(
    stripe: StripeGateway, pretended: Gateway, http: ClientSession
) -> None:
    pretended.faults.plan([GatewayFault.REFUSE])
    with pytest.raises(Retryable):
        await charged(stripe)
    assert pretended.ledger.entries == []
    with pytest.raises(Retryable):
        await StripeGateway(http, KEY, "http://127.0.0.1:9", "").find("pi_1")


@pytest.mark.parametrize(("key", "code"), [("", FailureCode.NO_PROVIDER), ("sk_other", FailureCode.REFUSED)])
async def test_without_the_right_key_nothing_is_charged(
    pretended: Gateway, http: ClientSession, key: str, code: FailureCode
) -> None:
    with pytest.raises(Permanent) as refused:
        await charged(StripeGateway(http, key, pretended.url, ""))
    assert refused.value.code == code
    assert pretended.ledger.objects == {}
