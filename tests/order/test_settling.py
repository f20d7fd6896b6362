"""Capture, void and refund: of two who want otherwise one is refused, and a silent gateway is asked again."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core import clock, ids
from devstack.gateway import GatewayFault
from resolvers.order import capture, refund, refund_of, void
from stores import order as store
from stores.catalog import SUPPORT
from stores.order import CaptureTime, Payment
from tests.conftest import NewPhone
from tests.notification.steps import titles
from tests.order.conftest import Parcels
from tests.order.steps import Till, refused, subject
from tests.phone import granted, sign_in_directly

OWNER = ids.new_id("user")
HELD, TAKEN, GIVEN_UP = ("HOLD", 10_000), ("TAKE", 10_000), ("GIVE_UP", 10_000)


async def held(till: Till, thing: str | None = None, **how: Any) -> Payment:
    return (await till.pay(thing or subject(), OWNER, **how))["payment"]


async def taken(till: Till, thing: str | None = None) -> Payment:
    return await held(till, thing, capture=CaptureTime.AT_ONCE)


async def test_what_is_held_is_taken_once(till: Till) -> None:
    payment = await held(till)
    done = await capture(till.ctx, payment)
    assert (done["status"], done["captured_amount"], done["wish"]) == ("CAPTURED", 10_000, None)
    assert await capture(till.ctx, payment) == done
    code, current = await refused(void(till.ctx, payment))
    assert (code, current) == ("WRONG_STATUS", done)
    assert till.money == [HELD, TAKEN]


async def test_what_is_held_is_given_up_once(till: Till) -> None:
    payment = await held(till)
    done = await void(till.ctx, payment)
    assert (done["status"], done["failure_code"]) == ("VOIDED", None)
    assert await void(till.ctx, payment) == done
    code, current = await refused(capture(till.ctx, payment))
    assert (code, current["status"]) == ("WRONG_STATUS", "VOIDED")
    assert till.money == [HELD, GIVEN_UP]


async def test_capture_against_void_one_wins(till: Till) -> None:
    """Golden case O6, as far as payments go."""
    for _ in range(10):
        payment = await held(till)
        both = await asyncio.gather(
            refused(capture(till.ctx, payment)), refused(void(till.ctx, payment)), return_exceptions=True
        )
        [lost] = [each for each in both if not isinstance(each, AssertionError)]
        assert lost[0] == "WRONG_STATUS"
        await till.settle()
        status = (await till.payment(payment["subject_id"]))["status"]
        assert till.money == [HELD, TAKEN if status == "CAPTURED" else GIVEN_UP]
        till.gateway.ledger.entries.clear()


@pytest.mark.parametrize("fault", [GatewayFault.REFUSE, GatewayFault.LOSE])
async def test_a_silent_gateway_is_asked_again_to_capture(till: Till, fault: GatewayFault) -> None:
    payment = await held(till)
    till.gateway.faults.plan([fault] * 2)
    assert (await capture(till.ctx, payment))["status"] == "AUTHORIZED"
    await till.later(minutes=1)
    assert (await till.payment(payment["subject_id"]))["status"] == "AUTHORIZED"
    await till.later(minutes=5)
    done = await till.payment(payment["subject_id"])
    assert (done["status"], done["wish"]) == ("CAPTURED", None)
    assert till.money == [HELD, TAKEN]


async def test_after_five_tries_support_is_told(till: Till, new_phone: NewPhone) -> None:
    sue = await new_phone("Sue")
    await granted(till.services, sue, SUPPORT)
    payment = await held(till)
    till.gateway.faults.plan([GatewayFault.REFUSE] * 5)
    await capture(till.ctx, payment)
    for minutes in (1, 5, 20, 60):
        await sign_in_directly(till.services, sue, sue.user_id)
        assert await titles(sue) == []
        await till.later(minutes=minutes)
    await sign_in_directly(till.services, sue, sue.user_id)
    assert await titles(sue) == ["A payment needs a look"]


async def test_what_nobody_captured_is_captured_a_day_before_it_lapses(till: Till) -> None:
    """Golden case O10: a Visa card lasts 4 d 18 h."""
    clock.shift(datetime(2026, 6, 1, tzinfo=UTC) + timedelta(days=3650) - clock.now())
    begun = clock.now()
    payment = await held(till, token="tok_visa_merchant")
    until = payment["authorized_until"]
    assert until is not None
    assert abs(until - begun - timedelta(days=4, hours=18)) <= timedelta(seconds=1)
    await till.later(days=3, hours=17, minutes=59)
    assert (await till.payment(payment["subject_id"]))["status"] == "AUTHORIZED"
    await till.later(minutes=1)
    assert (await till.payment(payment["subject_id"]))["status"] == "CAPTURED"
    assert till.money == [HELD, TAKEN]


async def test_authorization_lapsed(till: Till) -> None:
    """Row "Authorization lapsed": payment FAILED, and it may be paid again."""
    payment = await held(till)
    till.gateway.ledger.lapse(str(payment["charge_ref"]))
    await till.told()
    lapsed = await till.payment(payment["subject_id"])
    assert (lapsed["status"], lapsed["failure_code"]) == ("FAILED", "AUTHORIZATION_LAPSED")
    assert (await held(till, payment["subject_id"]))["status"] == "AUTHORIZED"


async def test_a_payment_that_is_called_off_while_the_gateway_is_silent(till: Till) -> None:
    till.gateway.faults.plan([GatewayFault.LOSE] * 1)
    payment = await held(till)
    assert (await void(till.ctx, payment))["status"] == "VOIDED"
    await till.later(minutes=2)
    assert till.money == [HELD, GIVEN_UP]
    assert (await till.payment(payment["subject_id"]))["status"] == "VOIDED"


async def test_paid_after_it_was_called_off(till: Till) -> None:
    """Row "Paid after the order became FAILED or CANCELLED": the charge is given back."""
    payment = await held(till, token="tok_slow", capture=CaptureTime.AT_ONCE)
    assert (await void(till.ctx, payment))["status"] == "PENDING"
    till.gateway.ledger.settle(till.gateway.ledger.objects[str(payment["charge_ref"])])
    await till.told()
    assert till.money == [HELD, TAKEN, ("GIVE_BACK", 10_000)]
    ended = await till.payment(payment["subject_id"])
    assert (ended["status"], ended["captured_amount"]) == ("VOIDED", 0)


async def test_refund_above_what_is_left_and_two_at_once(till: Till) -> None:
    """Golden case O8, and the row "Refund above what is left; two at once"."""
    for _ in range(5):
        payment = await taken(till)
        part = await refund(till.ctx, payment, 3_000, "first")
        assert (part["status"], part["refunded_amount"]) == ("PARTIALLY_REFUNDED", 3_000)
        both = await asyncio.gather(
            refund(till.ctx, payment, 3_000, "a"),
            refund(till.ctx, payment, 5_000, "b"),
            return_exceptions=True,
        )
        [lost] = [each for each in both if isinstance(each, Exception)]
        assert getattr(lost, "code", lost) == "REFUND_EXCEEDS_PAID"
        now = await till.payment(payment["subject_id"])
        left = 10_000 - now["refunded_amount"]
        assert left in (4_000, 2_000)
        code, current = await refused(refund(till.ctx, payment, 4_100, "too much"))
        assert (code, current["refunded_amount"]) == ("REFUND_EXCEEDS_PAID", now["refunded_amount"])
        done = await refund(till.ctx, payment, left, "rest")
        assert (done["status"], done["refunded_amount"]) == ("REFUNDED", 10_000)
        assert sum(amount for kind, amount in till.money if kind == "GIVE_BACK") == 10_000
        till.gateway.ledger.entries.clear()


async def test_all_is_given_back_at_once_and_once_for_a_key(till: Till, parcels: Parcels) -> None:
    payment = await taken(till, parcels.new(OWNER))
    for _ in range(2):
        done = await refund(till.ctx, payment, 10_000, "all")
        assert (done["status"], done["refunded_amount"]) == ("REFUNDED", 10_000)
    assert till.money == [HELD, TAKEN, ("GIVE_BACK", 10_000)]
    await till.told()
    assert parcels.statuses(payment["subject_id"]) == ["PENDING", "CAPTURED", "REFUNDED"]


async def test_what_is_only_held_cannot_be_given_back(till: Till) -> None:
    code, payment = await refused(refund(till.ctx, await held(till), 1, "r"))
    assert (code, payment["refunds"]) == ("REFUND_EXCEEDS_PAID", [])


@pytest.mark.parametrize("fault", [GatewayFault.REFUSE, GatewayFault.LOSE])
async def test_a_silent_gateway_is_asked_again_for_a_refund(till: Till, fault: GatewayFault) -> None:
    payment = await taken(till)
    till.gateway.faults.plan([fault])
    waits = await refund(till.ctx, payment, 4_000, "r")
    assert (waits["status"], waits["refunded_amount"], store.refundable(waits)) == ("CAPTURED", 0, 6_000)
    assert (await refused(refund(till.ctx, payment, 6_001, "more")))[0] == "REFUND_EXCEEDS_PAID"
    await till.later(minutes=1)
    done = await till.payment(payment["subject_id"])
    assert (done["status"], done["refunded_amount"]) == ("PARTIALLY_REFUNDED", 4_000)
    assert refund_of(done, "r") == {"key": "r", "amount": 4_000, "status": "DONE"}
    assert till.money == [HELD, TAKEN, ("GIVE_BACK", 4_000)]


async def test_a_refund_whose_key_the_gateway_forgot_is_not_given_back_again(till: Till) -> None:
    payment = await taken(till)
    till.gateway.faults.plan([GatewayFault.LOSE])
    await refund(till.ctx, payment, 4_000, "r")
    till.gateway.keys.clear()
    await till.later(minutes=1)
    done = await till.payment(payment["subject_id"])
    assert (done["status"], done["refunded_amount"]) == ("PARTIALLY_REFUNDED", 4_000)
    assert refund_of(done, "r") == {"key": "r", "amount": 4_000, "status": "DONE"}
    assert till.money == [HELD, TAKEN, ("GIVE_BACK", 4_000)]


async def test_what_the_gateway_does_not_give_back_is_free_for_another_refund(till: Till) -> None:
    payment = await taken(till)
    # Staff gave it back in the gateway's own pages, and the event of it is late.
    till.gateway.ledger.refund({"payment_intent": payment["charge_ref"], "amount": "8000"})
    code, current = await refused(refund(till.ctx, payment, 3_000, "r"))
    assert code == "REFUND_EXCEEDS_PAID"
    assert refund_of(current, "r") == {"key": "r", "amount": 3_000, "status": "REFUSED"}
    await till.told()
    assert (await till.payment(payment["subject_id"]))["refunded_amount"] == 8_000
    assert (await refund(till.ctx, payment, 2_000, "rest"))["status"] == "REFUNDED"


async def test_chargeback_opened_then_won(till: Till, new_phone: NewPhone) -> None:
    """Row "Chargeback opened, then won": disputedAmount up, then down; SUPPORT told."""
    sue = await new_phone("Sue")
    await granted(till.services, sue, SUPPORT)
    payment = await taken(till)
    dispute = till.gateway.ledger.dispute(str(payment["charge_ref"]), 4_000)
    await till.told()
    disputed = await till.payment(payment["subject_id"])
    assert (disputed["status"], disputed["disputed_amount"]) == ("CAPTURED", 4_000)
    assert await titles(sue) == ["A payment is disputed"]
    assert (await refused(refund(till.ctx, payment, 6_001, "r")))[0] == "REFUND_EXCEEDS_PAID"
    assert "POST /v1/refunds" not in till.gateway.asked
    till.gateway.ledger.close_dispute(dispute["id"], won=True)
    await till.told()
    assert (await till.payment(payment["subject_id"]))["disputed_amount"] == 0
    assert await titles(sue) == ["A payment is disputed"]


async def test_a_refund_that_fails_at_the_bank_is_given_back_no_more(till: Till, new_phone: NewPhone) -> None:
    sue = await new_phone("Sue")
    await granted(till.services, sue, SUPPORT)
    payment = await taken(till)
    await refund(till.ctx, payment, 4_000, "first")
    [first] = till.gateway.ledger.of("refund")
    till.gateway.ledger.fail_refund(first["id"])
    await till.told()
    failed = await till.payment(payment["subject_id"])
    assert (failed["status"], failed["refunded_amount"]) == ("PARTIALLY_REFUNDED", 0)
    assert [each["status"] for each in failed["refunds"]] == ["REFUSED"]
    assert await titles(sue) == ["A refund has failed"]
    again = await refund(till.ctx, payment, 10_000, "second")
    assert (again["status"], again["refunded_amount"]) == ("REFUNDED", 10_000)
    till.gateway.ledger.fail_refund(till.gateway.ledger.of("refund")[-1]["id"])
    await till.told()
    failed = await till.payment(payment["subject_id"])
    assert (failed["status"], failed["refunded_amount"]) == ("REFUNDED", 0)
    assert await titles(sue) == ["A refund has failed"] * 2


async def test_a_gateway_that_was_silent_for_hours_is_asked_on_to_capture(till: Till) -> None:
    payment = await held(till)
    till.gateway.faults.plan([GatewayFault.REFUSE] * 6)
    await capture(till.ctx, payment)
    for minutes in (1, 5, 20, 60, 60):
        await till.later(minutes=minutes)
        assert till.money == [HELD]
    await till.later(minutes=60)
    assert till.money == [HELD, TAKEN]
    assert (await till.payment(payment["subject_id"]))["status"] == "CAPTURED"


async def test_a_gateway_that_was_silent_for_hours_is_asked_on_for_a_refund(till: Till) -> None:
    payment = await taken(till)
    till.gateway.faults.plan([GatewayFault.REFUSE] * 6)
    await refund(till.ctx, payment, 4_000, "r")
    for minutes in (1, 5, 20, 60, 60, 60):
        await till.later(minutes=minutes)
    done = await till.payment(payment["subject_id"])
    assert refund_of(done, "r") == {"key": "r", "amount": 4_000, "status": "DONE"}
    assert till.money == [HELD, TAKEN, ("GIVE_BACK", 4_000)]


async def test_a_charge_that_nobody_wants_is_asked_for_until_it_is_gone(
    till: Till, new_phone: NewPhone
) -> None:
    sue = await new_phone("Sue")
    await granted(till.services, sue, SUPPORT)
    await till.gateway_charge(subject())
    till.gateway.faults.plan([GatewayFault.REFUSE] * 7)
    await till.told()
    for seconds in (10, 60, 600, 3_600, 21_600, 21_600):
        await till.later(seconds=seconds)
        assert till.money == [("HOLD", 500)]
    await till.later(seconds=21_600)
    assert till.money == [("HOLD", 500), ("GIVE_UP", 500)]
    await sign_in_directly(till.services, sue, sue.user_id)
    assert await titles(sue) == ["A payment needs a look"]


async def test_a_charge_that_the_bank_still_works_on_is_given_back_when_it_is_done(till: Till) -> None:
    """Nobody waits for it, and the gateway's events are lost."""
    till.gateway.faults.plan([GatewayFault.LOSE])
    payment = await held(till, token="tok_slow", capture=CaptureTime.AT_ONCE)
    await void(till.ctx, payment)
    for hours in (1, 6, 6, 6):
        await till.later(hours=hours)
    intents = till.gateway.ledger.objects.values()
    till.gateway.ledger.settle(next(each for each in intents if each["object"] == "payment_intent"))
    await till.later(hours=6)
    assert till.money == [HELD, TAKEN, ("GIVE_BACK", 10_000)]
