"""Payment methods and payments as a phone sees them."""

from typing import Any

import pytest

from core.context import Services
from core.erasure import ERASERS, EXPORTERS
from resolvers.order import methods, pay, verify
from resolvers.order.methods import MOST_METHODS
from stores import order as store
from stores.order import CaptureTime
from tests.conftest import NewPhone
from tests.order.conftest import Parcels
from tests.order.steps import ACTION, PAYMENT, Till, refused
from tests.phone import Phone, key, refusal

METHOD = "id version kind cardBrand last4 expMonth expYear default"
ADDED = f"""paymentMethod {{ {METHOD} }} paymentMethodEdge {{ cursor }}
  formerPaymentMethod {{ id default }} {ACTION}"""
LIST = f"{{ viewer {{ paymentMethods {{ edges {{ cursor node {{ {METHOD} }} }} }} }} }}"
DELTA = """query($since: SyncToken) { viewer { changes(since: $since, types: [PAYMENT_METHOD, PAYMENT]) {
  nodes { id ... on Payment { status } } deleted { id typename } token } } }"""


async def added(phone: Phone, token: str = "tok_visa", **more: Any) -> dict[str, Any]:
    return await phone.do("addPaymentMethod", ADDED, gatewayToken=token, **more)


async def listed(phone: Phone) -> list[dict[str, Any]]:
    return [each["node"] for each in (await phone.run(LIST))["viewer"]["paymentMethods"]["edges"]]


async def test_methods_are_added_preferred_and_removed_by_their_owner_alone(
    till: Till, new_phone: NewPhone
) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    visa = (await added(ada))["paymentMethod"]
    assert visa == {
        **{"id": visa["id"], "version": 1, "kind": "CARD", "cardBrand": "visa", "last4": "4242"},
        **{"expMonth": 12, "expYear": 2034, "default": True},
    }
    done = await added(ada, "tok_wallet")
    wallet = done["paymentMethod"]
    assert (wallet["kind"], wallet["default"], done["formerPaymentMethod"]) == ("WALLET", False, None)
    edges = (await ada.run(LIST))["viewer"]["paymentMethods"]["edges"]
    assert [each["node"]["id"] for each in edges] == [wallet["id"], visa["id"]]
    assert edges[0]["cursor"] == done["paymentMethodEdge"]["cursor"]
    selection = "paymentMethod { id default } formerPaymentMethod { id default }"
    for _ in range(2):
        done = await ada.do("setDefaultPaymentMethod", selection, paymentMethodId=wallet["id"])
        assert done["paymentMethod"] == {"id": wallet["id"], "default": True}
    for mutation in ("setDefaultPaymentMethod", "removePaymentMethod"):
        theirs = await grace.do(mutation, "paymentMethod { id }", paymentMethodId=wallet["id"])
        assert [(each["code"], each["field"]) for each in theirs["errors"]] == [
            ("NOT_FOUND", ["paymentMethodId"])
        ]
    shown = "query($id: ID!) { paymentMethod(id: $id) { id } }"
    assert await grace.run(shown, id=wallet["id"]) == {"paymentMethod": None}
    gone = await ada.do(
        "removePaymentMethod",
        "deletedPaymentMethodId paymentMethod { id default }",
        paymentMethodId=wallet["id"],
    )
    assert (gone["deletedPaymentMethodId"], gone["paymentMethod"]) == (
        wallet["id"],
        {"id": visa["id"], "default": True},
    )
    assert [each["id"] for each in await listed(ada)] == [visa["id"]]
    await till.settle()
    kept = [each["token"] for each in till.gateway.ledger.of("payment_method") if each["customer"]]
    assert kept == ["tok_visa"]
    assert till.gateway.asked.count("POST /v1/customers") == 1


async def test_a_token_is_kept_once_however_often_it_is_sent(till: Till, new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    first = await added(ada, idempotencyKey="k")
    again = await added(ada, idempotencyKey="k")
    other = await added(ada)
    assert first["paymentMethod"] == again["paymentMethod"] == other["paymentMethod"]
    assert len(await listed(ada)) == 1


async def test_the_new_one_may_be_the_default(till: Till, new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    visa = (await added(ada))["paymentMethod"]
    done = await added(ada, "tok_amex", makeDefault=True)
    assert done["paymentMethod"]["default"] is True
    assert done["formerPaymentMethod"] == {"id": visa["id"], "default": False}


@pytest.mark.parametrize(
    ("token", "code"),
    [
        ("", "REQUIRED"),
        ("4242424242424242", "INVALID_FORMAT"),
        ("tok_4242 4242", "INVALID_FORMAT"),
        ("tok_" + "x" * 300, "TOO_LONG"),
    ],
)
async def test_what_is_no_token_is_refused_before_any_call(
    till: Till, new_phone: NewPhone, token: str, code: str
) -> None:
    ada = await new_phone("Ada")
    done = await added(ada, token)
    assert [(each["code"], each["field"]) for each in done["errors"]] == [(code, ["gatewayToken"])]
    assert till.gateway.asked == []


async def test_a_declined_card_is_not_kept(till: Till, new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    done = await added(ada, "tok_declined")
    assert done["errors"] == [refusal("PAYMENT_DECLINED", "The bank declined it.", ["gatewayToken"])]
    assert await listed(ada) == []


async def test_a_bank_that_wants_to_see_its_customer_is_a_step_and_the_same_request_again(
    till: Till, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    asked = await added(ada, "tok_3ds", idempotencyKey="k")
    assert [(each["code"], each["retryable"]) for each in asked["errors"]] == [
        ("PAYMENT_ACTION_REQUIRED", True)
    ]
    assert asked["nextAction"]["kind"] == "SDK"
    [setup] = till.gateway.ledger.of("setup_intent")
    till.gateway.ledger.authenticate_setup(setup["id"])
    done = await added(ada, "tok_3ds", idempotencyKey="k")
    assert (done["paymentMethod"]["last4"], done["nextAction"]) == ("3220", None)


async def test_twenty_methods_are_the_most(
    till: Till, new_phone: NewPhone, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MOST_METHODS == 20
    monkeypatch.setattr(methods, "MOST_METHODS", 2)
    ada = await new_phone("Ada")
    await added(ada)
    await added(ada, "tok_amex")
    done = await added(ada, "tok_wallet")
    assert done["errors"] == [refusal("LIMIT_REACHED", f"At most {2} payment methods.", limit=2)]
    assert len(await listed(ada)) == 2


async def test_a_silent_gateway_is_unavailable_and_nothing_is_kept(till: Till, new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    till.gateway.faults.plan(["REFUSE"])  # type: ignore[list-item]
    done = await added(ada, idempotencyKey="k")
    assert [each["code"] for each in done["errors"]] == ["UNAVAILABLE"]
    assert (await added(ada, idempotencyKey="k"))["errors"] == []


async def test_other_devices_learn_of_methods_and_payments(
    till: Till, parcels: Parcels, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    token = (await ada.run(DELTA))["viewer"]["changes"]["token"]
    made = (await added(ada))["paymentMethod"]
    paid = await till.pay(parcels.new(ada.user_id), ada.user_id)
    delta = (await ada.run(DELTA, since=token))["viewer"]["changes"]
    assert delta["nodes"] == [{"id": made["id"]}, {"id": paid["payment"]["_id"], "status": "AUTHORIZED"}]
    await ada.do("removePaymentMethod", "deletedPaymentMethodId", paymentMethodId=made["id"])
    delta = (await ada.run(DELTA, since=delta["token"]))["viewer"]["changes"]
    assert delta["deleted"] == [{"id": made["id"], "typename": "PaymentMethod"}]


async def test_a_payment_is_seen_by_who_sees_its_subject(
    till: Till, parcels: Parcels, new_phone: NewPhone
) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    thing = parcels.new(ada.user_id)
    id = (await till.pay(thing, ada.user_id))["payment"]["_id"]
    shown = f"query($id: ID!) {{ payment(id: $id) {{ {PAYMENT} }} }}"
    payment = (await ada.run(shown, id=id))["payment"]
    assert payment.pop("authorizedUntil") is not None
    assert payment == {
        **{"id": id, "version": 2, "status": "AUTHORIZED", "failureCode": None, "attemptCount": 1},
        "paidWith": {"kind": "CARD", "cardBrand": "visa", "last4": "4242"},
        "amount": {"amount": "100.00", "currencyCode": "EUR"},
        "capturedAmount": {"amount": "0.00"},
        "refundedAmount": {"amount": "0.00"},
        "disputedAmount": {"amount": "0.00"},
    }
    assert await grace.run(shown, id=id) == {"payment": None}
    theirs = await grace.do("confirmPayment", "payment { id }", paymentId=id)
    assert [(each["code"], each["field"]) for each in theirs["errors"]] == [("NOT_FOUND", ["paymentId"])]
    parcels.owners[thing] = grace.user_id
    assert (await grace.run(shown, id=id))["payment"]["status"] == "AUTHORIZED"
    theirs = await grace.do("confirmPayment", "payment { id }", paymentId=id)
    assert [each["code"] for each in theirs["errors"]] == ["FORBIDDEN"]


async def test_a_step_is_shown_again_and_its_outcome_asked_of_the_gateway(
    till: Till, parcels: Parcels, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    paid = await till.pay(parcels.new(ada.user_id), ada.user_id, "tok_3ds")
    named = {"paymentId": paid["payment"]["_id"], "idempotencyKey": "k"}
    selection = f"payment {{ status }} {ACTION} replayed"
    for replayed in (False, True):
        open_still = await ada.do("confirmPayment", selection, **named)
        assert (open_still["payment"]["status"], open_still["replayed"]) == ("REQUIRES_ACTION", replayed)
        assert open_still["nextAction"]["url"].startswith(f"{till.gateway.url}/confirm/")
    [receipt] = await till.services.db.find("receipts", {"_id": f"{ada.user_id}:k"})
    assert "confirm/" not in str(receipt)
    till.gateway.ledger.authenticate(str(paid["payment"]["charge_ref"]), proved=True)
    proved = await ada.do("confirmPayment", selection, **{**named, "idempotencyKey": "l"})
    assert (proved["payment"]["status"], proved["nextAction"]) == ("AUTHORIZED", None)


async def test_a_declined_step_is_told(till: Till, parcels: Parcels, new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    paid = await till.pay(parcels.new(ada.user_id), ada.user_id, "tok_3ds")
    till.gateway.ledger.authenticate(str(paid["payment"]["charge_ref"]), proved=False)
    done = await ada.do("confirmPayment", "payment { status failureCode }", paymentId=paid["payment"]["_id"])
    assert done["payment"] == {"status": "FAILED", "failureCode": "AUTHENTICATION_FAILED"}
    assert done["errors"] == [refusal("PAYMENT_DECLINED", "The payment was declined.")]


async def test_a_saved_method_is_charged_and_verified_for_its_owner_alone(
    till: Till, parcels: Parcels, new_phone: NewPhone
) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    made = (await added(ada))["paymentMethod"]["id"]
    await added(grace, "tok_amex")
    source = {"payment_method_id": made}
    paid = await till.pay(parcels.new(ada.user_id), ada.user_id, source=source)
    assert paid["payment"]["status"] == "AUTHORIZED"
    named = {"payment_method_id": made, "key": "v"}
    assert await verify(till.ctx, owner_id=ada.user_id, **named) is None
    for work in (
        till.pay(parcels.new(grace.user_id), grace.user_id, source=source),
        verify(till.ctx, owner_id=grace.user_id, **named),
    ):
        assert (await refused(work))[0] == "NOT_FOUND"
    for each in till.gateway.ledger.of("payment_method"):
        each["customer"] = None
    assert (await refused(verify(till.ctx, owner_id=ada.user_id, payment_method_id=made, key="w")))[0] == (
        "PAYMENT_DECLINED"
    )


async def test_no_token_is_stored_in_the_clear_logged_or_put_on_record(
    till: Till, parcels: Parcels, new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada")
    await added(ada, "tok_mastercard")
    await till.pay(parcels.new(ada.user_id), ada.user_id, "tok_slow")
    refs = [each["id"] for each in till.gateway.ledger.of("payment_method")]
    for name in ("payments", "payment_methods", "payers", "receipts", "jobs", "audit_entries"):
        rows = str(await services.db.find(name, {}))
        assert [each for each in ("tok_", "cus_", *refs) if each in rows] == [], name


async def test_methods_go_with_the_account_and_payments_stay_without_it(
    till: Till, parcels: Parcels, new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada")
    await added(ada)
    thing = parcels.new(ada.user_id)
    await till.pay(thing, ada.user_id, capture=CaptureTime.AT_ONCE)
    files = {name: rows async for name, rows in EXPORTERS["order"](services, ada.user_id)}
    assert [row["last4"] for row in files["payment_methods"]] == ["4242"]
    assert [(row["status"], row["amount"]) for row in files["payments"]] == [("CAPTURED", 10_000)]
    await ERASERS["order"](services, ada.user_id)
    await till.settle()
    left = await till.payment(thing)
    assert (left["status"], left["captured_amount"], left["paid_with"]) == ("CAPTURED", 10_000, None)
    assert left["owner_id"] != ada.user_id
    assert await store.payment_methods.find(services.db, {"user_id": ada.user_id}) == []
    assert till.gateway.ledger.of("customer") == []
    assert [each async for each in EXPORTERS["order"](services, ada.user_id)] == []


async def test_payments_under_way_end_although_their_owner_has_left(
    till: Till, parcels: Parcels, new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada")
    thing = parcels.new(ada.user_id)
    till.gateway.faults.plan(["REFUSE"])  # type: ignore[list-item]
    given: dict[str, Any] = {"amount": 500, "currency": "EUR", "source": {"token": "tok_visa"}, "key": key()}
    await pay(till.ctx, subject_id=thing, owner_id=ada.user_id, capture=CaptureTime.LATER, **given)
    await ERASERS["order"](services, ada.user_id)
    await till.tried_in_vain()
    await till.later(minutes=2)
    assert (await till.payment(thing))["status"] == "FAILED"
    assert till.money == []
