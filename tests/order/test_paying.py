"""Paying for a thing: attempts, steps, declined cards, and a gateway that is silent or forgets."""

import asyncio
from datetime import timedelta

import pytest

from core import clock, ids
from devstack.gateway import GatewayFault
from resolvers.order import gateway as calls
from resolvers.order import paying
from stores.order import CaptureTime
from tests.order.conftest import Parcels
from tests.order.steps import Till, refused, subject

OWNER = ids.new_id("user")


@pytest.mark.parametrize(
    ("amount", "currency", "limit"), [(49, "USD", 50), (0, "EUR", 50), (9, "KWD", 10), (49, "JPY", 50)]
)
async def test_an_amount_that_is_too_small_is_refused_before_any_call(
    till: Till, amount: int, currency: str, limit: int
) -> None:
    """Golden case O2."""
    thing = subject()
    code, payment = await refused(till.pay(thing, OWNER, amount=amount, currency=currency))
    assert (code, payment) == ("AMOUNT_TOO_SMALL", None)
    with pytest.raises(ValueError, match="round them first"):
        await till.pay(thing, OWNER, amount=5124, currency="KWD")
    assert till.gateway.asked == []


@pytest.mark.parametrize(
    ("capture", "status", "money"),
    [
        (CaptureTime.LATER, "AUTHORIZED", [("HOLD", 10_000)]),
        (CaptureTime.AT_ONCE, "CAPTURED", [("HOLD", 10_000), ("TAKE", 10_000)]),
    ],
)
async def test_a_card_is_charged_once_for_a_key(
    till: Till, parcels: Parcels, capture: CaptureTime, status: str, money: list[tuple[str, int]]
) -> None:
    thing = parcels.new(OWNER)
    first = await till.pay(thing, OWNER, key="k", capture=capture)
    again = await till.pay(thing, OWNER, key="k", capture=capture)
    assert (first["payment"]["status"], first["next_action"]) == (status, None)
    assert again == first
    assert till.money == money
    assert first["payment"]["paid_with"] == {"kind": "CARD", "brand": "visa", "last4": "4242"}
    assert (first["payment"]["sealed_source"], first["payment"]["attempt_count"]) == (None, 1)
    assert parcels.statuses(thing) == ["PENDING", status]
    await till.told()
    await till.later(minutes=3)
    assert (await till.payment(thing))["version"] == first["payment"]["version"]


async def test_two_at_once_are_one_charge(till: Till) -> None:
    thing = subject()
    paid = await asyncio.gather(*(till.pay(thing, OWNER, key="k") for _ in range(3)))
    assert {each["payment"]["status"] for each in paid} <= {"AUTHORIZED", "PENDING"}
    assert (await till.payment(thing))["status"] == "AUTHORIZED"
    assert till.money == [("HOLD", 10_000)]


async def test_another_key_waits_for_the_first_and_then_is_told_of_it(till: Till) -> None:
    thing = subject()
    till.gateway.faults.plan([GatewayFault.REFUSE])
    await till.pay(thing, OWNER)
    code, payment = await refused(till.pay(thing, OWNER))
    assert (code, payment["status"]) == ("PAYMENT_IN_PROGRESS", "PENDING")
    await till.later(seconds=1)
    code, payment = await refused(till.pay(thing, OWNER))
    assert (code, payment["status"]) == ("WRONG_STATUS", "AUTHORIZED")
    assert till.money == [("HOLD", 10_000)]


async def test_declined_card(till: Till, parcels: Parcels) -> None:
    """Row "Declined card": nothing is charged, and another attempt has a gateway key of its own."""
    thing = parcels.new(OWNER)
    no = (await till.pay(thing, OWNER, "tok_insufficient", key="a"))["payment"]
    assert (no["status"], no["failure_code"]) == ("FAILED", "INSUFFICIENT_FUNDS")
    assert (await till.pay(thing, OWNER, "tok_visa", key="a"))["payment"] == no
    yes = (await till.pay(thing, OWNER, "tok_visa", key="b", amount=9_000))["payment"]
    assert (yes["status"], yes["failure_code"], yes["attempt_count"]) == ("AUTHORIZED", None, 2)
    assert till.money == [("HOLD", 9_000)]
    assert [key for key in till.gateway.keys if key.startswith(thing)] == [f"{thing}:1", f"{thing}:2"]
    assert parcels.statuses(thing) == ["PENDING", "FAILED", "PENDING", "AUTHORIZED"]


async def test_five_attempts_within_half_an_hour(till: Till) -> None:
    thing = subject()
    for _ in range(5):
        await till.pay(thing, OWNER, "tok_declined")
    code, payment = await refused(till.pay(thing, OWNER))
    assert (code, payment["attempt_count"]) == ("PAYMENT_ATTEMPTS_EXCEEDED", 5)
    clock.shift(timedelta(minutes=30))
    assert (await till.pay(thing, OWNER))["payment"]["attempt_count"] == 6


async def test_an_unknown_token_fails(till: Till) -> None:
    no = (await till.pay(subject(), OWNER, "tok_unknown"))["payment"]
    assert (no["status"], no["failure_code"]) == ("FAILED", "METHOD_INVALID")


async def test_app_restarted_during_step_up(till: Till, parcels: Parcels) -> None:
    """Row "App restarted during step-up": a replay gives `nextAction` anew."""
    thing = parcels.new(OWNER)
    first = await till.pay(thing, OWNER, "tok_3ds", key="k")
    assert first["payment"]["status"] == "REQUIRES_ACTION"
    assert first["next_action"] is not None
    again = await till.pay(thing, OWNER, "tok_3ds", key="k")
    assert again == first
    till.gateway.ledger.authenticate(str(first["payment"]["charge_ref"]), proved=True)
    proved = await till.pay(thing, OWNER, "tok_3ds", key="k")
    assert (proved["payment"]["status"], proved["next_action"]) == ("AUTHORIZED", None)
    assert parcels.statuses(thing) == ["PENDING", "REQUIRES_ACTION", "AUTHORIZED"]


async def test_a_bank_that_does_not_believe_its_customer(till: Till) -> None:
    thing = subject()
    asked = (await till.pay(thing, OWNER, "tok_3ds"))["payment"]
    till.gateway.ledger.authenticate(str(asked["charge_ref"]), proved=False)
    code, payment = await refused(paying.confirm(till.ctx, asked))
    assert (code, payment["failure_code"]) == ("PAYMENT_DECLINED", "AUTHENTICATION_FAILED")


async def test_gateway_silent_for_5_s(till: Till, parcels: Parcels, monkeypatch: pytest.MonkeyPatch) -> None:
    """Row "Gateway silent for 5 s": PENDING, and a job goes on with the same gateway key after 1, 4, 15 s."""
    assert calls.ANSWER_SECONDS == 5
    monkeypatch.setattr(calls, "ANSWER_SECONDS", 0.2)
    thing = parcels.new(OWNER)
    till.gateway.faults.plan([GatewayFault.HANG, GatewayFault.HANG, GatewayFault.HANG])
    paid = await till.pay(thing, OWNER)
    assert (paid["payment"]["status"], till.money) == ("PENDING", [("HOLD", 10_000)])
    for wait, tries in ((0.9, 1), (0.1, 2), (3.9, 2), (0.1, 3), (14.9, 3), (0.1, 4)):
        await till.later(seconds=wait)
        assert till.gateway.asked.count("POST /v1/payment_intents") == tries, wait
    assert (await till.payment(thing))["status"] == "AUTHORIZED"
    assert till.money == [("HOLD", 10_000)]
    assert parcels.statuses(thing) == ["PENDING", "AUTHORIZED"]


async def test_crash_between_authorization_and_saving_it(till: Till) -> None:
    """Row "Crash between authorization and saving it": found by metadata, no second charge."""
    thing = subject()
    till.gateway.faults.plan([GatewayFault.LOSE] * 4)
    await till.pay(thing, OWNER)
    await till.tried_in_vain()
    assert (await till.payment(thing))["status"] == "PENDING"
    till.gateway.keys.clear()
    await till.later(seconds=100)
    assert (await till.payment(thing))["status"] == "AUTHORIZED"
    assert till.money == [("HOLD", 10_000)]


async def test_a_key_that_the_gateway_forgot_is_a_second_charge_which_is_voided(till: Till) -> None:
    thing = subject()
    till.gateway.faults.plan([GatewayFault.LOSE])
    await till.pay(thing, OWNER)
    till.gateway.keys.clear()
    await till.later(seconds=1)
    assert till.money == [("HOLD", 10_000)] * 2
    await till.later(minutes=3)
    assert till.money == [*[("HOLD", 10_000)] * 2, ("GIVE_UP", 10_000)]
    payment = await till.payment(thing)
    statuses = {each["id"]: each["status"] for each in till.gateway.ledger.of("payment_intent")}
    assert statuses.pop(str(payment["charge_ref"])) == "requires_capture"
    assert list(statuses.values()) == ["canceled"]


async def test_a_charge_of_an_earlier_attempt_is_looked_for_although_the_next_was_answered(
    till: Till,
) -> None:
    """The gateway charged, its answer was lost, and its key forgotten: asked again it declines."""
    thing = subject()
    till.gateway.faults.plan([GatewayFault.LOSE, GatewayFault.DECLINE])
    await till.pay(thing, OWNER)
    till.gateway.keys.clear()
    await till.later(seconds=1)
    assert (await till.payment(thing))["status"] == "FAILED"
    assert (await till.pay(thing, OWNER))["payment"]["status"] == "AUTHORIZED"
    assert till.money == [("HOLD", 10_000)] * 2
    await till.later(minutes=3)
    assert till.money == [*[("HOLD", 10_000)] * 2, ("GIVE_UP", 10_000)]
    assert (await till.payment(thing))["status"] == "AUTHORIZED"


async def test_a_payment_that_the_gateway_never_heard_of_fails_and_may_be_tried_again(till: Till) -> None:
    thing = subject()
    till.gateway.faults.plan([GatewayFault.REFUSE] * 4)
    await till.pay(thing, OWNER)
    await till.tried_in_vain()
    await till.later(minutes=2)
    failed = await till.payment(thing)
    assert (failed["status"], failed["failure_code"]) == ("FAILED", "NOT_CHARGED")
    assert (await till.pay(thing, OWNER))["payment"]["status"] == "AUTHORIZED"


async def test_a_charge_that_turns_up_after_its_payment_failed_is_voided(till: Till) -> None:
    thing = subject()
    till.gateway.faults.plan([GatewayFault.LOSE])
    payment = (await till.pay(thing, OWNER))["payment"]
    await paying.fail(till.ctx, payment, paying.PaymentFailureCode.NOT_CHARGED)
    await till.told()
    assert till.money == [("HOLD", 10_000), ("GIVE_UP", 10_000)]
    assert (await till.payment(thing))["status"] == "FAILED"


async def test_nobody_takes_the_step(till: Till, parcels: Parcels) -> None:
    thing = parcels.new(OWNER)
    await till.pay(thing, OWNER, "tok_3ds")
    for wait in (2, 1, 10):
        await till.later(minutes=wait)
        assert (await till.payment(thing))["status"] == "REQUIRES_ACTION"
    await till.later(hours=1)
    ended = await till.payment(thing)
    assert (ended["status"], ended["failure_code"]) == ("FAILED", "NOT_CHARGED")
    [intent] = till.gateway.ledger.of("payment_intent")
    assert intent["status"] == "canceled"
    assert parcels.statuses(thing) == ["PENDING", "REQUIRES_ACTION", "FAILED"]


async def test_a_slow_bank_is_waited_for(till: Till) -> None:
    thing = subject()
    slow = (await till.pay(thing, OWNER, "tok_slow", capture=CaptureTime.AT_ONCE))["payment"]
    assert slow["status"] == "PENDING"
    for wait in (2, 1, 10, 60, 360, 360):
        await till.later(minutes=wait)
    assert (await till.payment(thing))["status"] == "PENDING"
    till.gateway.ledger.settle(till.gateway.ledger.objects[str(slow["charge_ref"])])
    await till.later(hours=6)
    assert (await till.payment(thing))["status"] == "CAPTURED"


async def test_a_thing_may_be_paid_in_parts(till: Till) -> None:
    """A booking that is moved to a dearer time: the difference is another payment."""
    thing = subject()
    till.gateway.faults.plan([None, GatewayFault.LOSE])
    await till.pay(thing, OWNER)
    await till.pay(thing, OWNER, part="moved", amount=2_000)
    till.gateway.keys.clear()
    await till.later(minutes=3)
    assert (await till.payment(thing))["amount"] == 10_000
    other = await till.payment(thing, "moved")
    assert (other["status"], other["amount"], other["subject_id"]) == ("AUTHORIZED", 2_000, thing)
    assert [kind for kind, _ in till.money].count("GIVE_UP") == till.money.count(("HOLD", 2_000)) - 1


async def test_a_charge_without_its_subject_is_voided(till: Till) -> None:
    await till.gateway_charge(subject())
    await till.told()
    assert till.money == [("HOLD", 500), ("GIVE_UP", 500)]
    await till.gateway_charge("no id of ours")
    await till.told()
    assert till.money[2:] == [("HOLD", 500)]
