"""Acts of payments on record, and the number of commands that payments take."""

from core import ids
from devstack.gateway import GatewayFault
from resolvers.order import capture, refund, void
from tests.audit.steps import on_record
from tests.conftest import Commands, NewPhone
from tests.order.conftest import Parcels
from tests.order.steps import Till, subject


async def test_each_attempt_and_what_became_of_it_is_on_record(
    till: Till, parcels: Parcels, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    thing = parcels.new(ada.user_id)
    await till.pay(thing, ada.user_id, "tok_declined")
    paid = (await till.pay(thing, ada.user_id))["payment"]
    await capture(till.ctx, paid)
    await refund(till.ctx, paid, 2_500, "r")
    till.gateway.ledger.dispute(str(paid["charge_ref"]), 1_000)
    await till.told()
    entries = await on_record(till.services, resource_id=paid["_id"])
    assert [each["action"].removeprefix("payment.") for each in entries] == [
        *("attempted", "failed", "attempted", "authorized", "captured", "partially_refunded"),
        "dispute_changed",
    ]
    assert {(each["resource_type"], each["subject_id"]) for each in entries} == {("ORDER", ada.user_id)}
    told = [each["details"] for each in entries]
    assert (told[1]["before"], told[1]["after"], told[1]["failure"]) == ("PENDING", "FAILED", "DECLINED")
    assert (told[5]["amount"], told[5]["refunded"], told[5]["currency"]) == (10_000, 2_500, "EUR")
    assert (told[6]["before"], told[6]["after"]) == (0, 1_000)


async def test_a_charge_that_was_released_is_on_record(till: Till) -> None:
    thing = subject()
    till.gateway.faults.plan([GatewayFault.LOSE])
    payment = (await till.pay(thing, ids.new_id("user")))["payment"]
    await void(till.ctx, payment)
    await till.told()
    entries = await on_record(till.services, resource_id=payment["_id"])
    assert [each["action"] for each in entries] == [
        *("payment.attempted", "payment.voided", "payment.charge_released")
    ]


async def test_changes_of_methods_are_on_record_without_a_token(till: Till, new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    for token in ("tok_visa", "tok_amex"):
        made = await ada.do("addPaymentMethod", "paymentMethod { id }", gatewayToken=token)
    named = {"paymentMethodId": made["paymentMethod"]["id"]}
    await ada.do("setDefaultPaymentMethod", "paymentMethod { id }", **named)
    await ada.do("removePaymentMethod", "deletedPaymentMethodId", **named)
    entries = await on_record(till.services, actor_id=ada.user_id, resource_type="ORDER")
    assert [each["action"].removeprefix("payment_method.") for each in entries] == [
        *("added", "added", "default_set", "removed", "default_set")
    ]
    assert "tok_" not in str(entries)


async def test_a_payment_takes_few_commands(till: Till, commands: Commands) -> None:
    """Two units of work: the attempt before the call, and the gateway's word after it."""
    thing, owner = subject(), ids.new_id("user")
    commands.reset()
    paid = await till.pay(thing, owner)
    assert commands.counts["commitTransaction"] == 2
    assert commands.sent <= 20, commands.names
    commands.reset()
    await capture(till.ctx, paid["payment"])
    assert commands.counts["commitTransaction"] == 2
    assert commands.sent <= 20, commands.names
