"""Ends of orders: unpaid, declined too often, out of stock, paid too late, and lapsed."""

from core.context import Services
from core.erasure import ERASERS
from core.jobs.enqueueing import queue
from devstack.gateway import GatewayFault
from jobs import catalog as stock_jobs
from resolvers.catalog import release_stock
from resolvers.order import expiring
from resolvers.order.stock import holder_of
from resolvers.order.waits import CALL_OFF, PAY_ON, RECONCILE
from stores.order import Order
from tests.cart.steps import added, codes, quoted, set_stock, shown
from tests.catalog.steps import within
from tests.conftest import NewPhone
from tests.notification.steps import titles
from tests.order.placing import CREATED, PAID, level, order_now, ordered, place, retry, steps
from tests.order.steps import Till
from tests.phone import Phone

NOT_PAID = ("FAILED", "SYSTEM", "NOT_PAID")
OUT_OF_STOCK = ("FAILED", "SYSTEM", "OUT_OF_STOCK")
CONFIRMED = "payment { status subject { ... on Order { status } } }"


async def prove(till: Till, order: Order) -> None:
    """The customer takes the step that their bank wants, and nobody is told of it yet."""
    payment = await till.payment(order["_id"])
    till.gateway.ledger.authenticate(str(payment["charge_ref"]), proved=True)


async def test_an_unpaid_order_lets_its_cart_go_and_then_fails(
    till: Till, services: Services, new_phone: NewPhone, ada: Phone, variant: str
) -> None:
    order = await ordered(services, ada, variant, paid=False)
    assert (await shown(ada))["status"] == "CHECKING_OUT"
    await till.later(minutes=14, seconds=59)
    ada = await new_phone(user_id=ada.user_id)
    assert (await shown(ada))["status"] == "CHECKING_OUT"
    await till.later(seconds=1)
    assert (await shown(ada))["status"] == "ACTIVE"
    assert (await order_now(services, order["_id"]))["status"] == "CREATED"
    await till.later(minutes=14, seconds=59)
    assert (await order_now(services, order["_id"]))["status"] == "CREATED"
    await till.later(seconds=1)
    ended = await order_now(services, order["_id"])
    assert steps(ended) == [CREATED, NOT_PAID]
    assert (await till.payment(order["_id"]))["status"] == "VOIDED"
    assert (till.money, await level(services, variant)) == ([], (40, 40, 0))
    ada = await new_phone(user_id=ada.user_id)
    assert (await shown(ada))["itemCount"] == 2
    assert codes(await retry(ada, order["_id"])) == [("EXPIRED", ["orderId"])]


async def test_an_order_whose_payment_was_never_asked_for_fails(
    till: Till, services: Services, ada: Phone, variant: str
) -> None:
    """The process died between the order and its payment, and nobody came back."""
    order = await ordered(services, ada, variant, paid=False)
    await services.db.write({"delete": "payments", "deletes": [{"q": {}, "limit": 0}]})
    yes = await retry(ada, order["_id"], "tok_declined")
    assert codes(yes) == [("PAYMENT_DECLINED", None)]
    await till.later(minutes=30)
    assert steps(await order_now(services, order["_id"])) == [CREATED, NOT_PAID]


async def test_five_attempts_and_the_order_has_failed(
    till: Till, services: Services, ada: Phone, variant: str
) -> None:
    await added(ada, variant, 2)
    order = (await place(ada, "tok_declined"))["order"]
    for _ in range(4):
        no = await retry(ada, order["id"], "tok_declined")
        assert codes(no) == [("PAYMENT_DECLINED", None)]
        assert no["order"]["status"] == "CREATED"
    early = await retry(ada, order["id"])
    assert codes(early) == [("PAYMENT_ATTEMPTS_EXCEEDED", None)]
    await till.settle()
    late = await retry(ada, order["id"])
    assert (codes(late), late["errors"][0]["limit"]) == ([("PAYMENT_ATTEMPTS_EXCEEDED", None)], 5)
    assert steps(late["order"]) == [CREATED, NOT_PAID]
    assert (till.money, await level(services, variant)) == ([], (40, 40, 0))


async def test_a_second_attempt_waits_for_the_first(
    till: Till, services: Services, ada: Phone, variant: str
) -> None:
    order = await ordered(services, ada, variant, paid=False)
    wait = await retry(ada, order["_id"])
    assert codes(wait) == [("PAYMENT_IN_PROGRESS", None)]
    assert (wait["order"]["id"], wait["payment"]["status"]) == (order["_id"], "REQUIRES_ACTION")


async def test_what_is_paid_is_not_paid_again(
    till: Till, services: Services, ada: Phone, variant: str
) -> None:
    order = await ordered(services, ada, variant)
    again = await retry(ada, order["_id"])
    assert codes(again) == [("WRONG_STATUS", ["status"])]
    assert till.money == [("HOLD", 2_490)]


async def test_a_retry_renews_the_hold(
    till: Till, services: Services, new_phone: NewPhone, ada: Phone, variant: str
) -> None:
    await set_stock(services, variant, 2)
    await added(ada, variant, 2)
    order = (await place(ada, "tok_declined"))["order"]
    await till.later(minutes=16)
    await stock_jobs.expire_holds(services)
    assert await level(services, variant) == (2, 2, 0)
    ada = await new_phone(user_id=ada.user_id)
    no = await retry(ada, order["id"], "tok_declined")
    assert (codes(no), await level(services, variant)) == ([("PAYMENT_DECLINED", None)], (2, 0, 0))
    await within(services, release_stock, holder_of(order["id"]))
    gone = await retry(ada, order["id"])
    assert codes(gone) == [("OUT_OF_STOCK", None)]
    assert (gone["order"]["status"], till.money) == ("CREATED", [])


async def test_hold_expired_before_payment_stock_gone(
    till: Till, services: Services, new_phone: NewPhone, ada: Phone, variant: str
) -> None:
    """Row "Hold expired before payment; stock gone": void, order FAILED, code OUT_OF_STOCK, cart restored."""
    order = await ordered(services, ada, variant, paid=False)
    await till.later(minutes=16)
    await stock_jobs.expire_holds(services)
    await set_stock(services, variant, 1)
    await prove(till, order)
    ada = await new_phone(user_id=ada.user_id)
    payment = await till.payment(order["_id"])
    told = await ada.do("confirmPayment", CONFIRMED, paymentId=payment["_id"])
    assert told["payment"]["subject"] == {"status": "FAILED"}
    await till.settle()
    assert steps(await order_now(services, order["_id"])) == [CREATED, OUT_OF_STOCK]
    assert (await till.payment(order["_id"]))["status"] == "VOIDED"
    assert till.money == [("HOLD", 2_490), ("GIVE_UP", 2_490)]
    assert ((await shown(ada))["itemCount"], await level(services, variant)) == (2, (1, 1, 0))


async def test_commit_of_a_hold_released_meanwhile(
    till: Till, services: Services, ada: Phone, variant: str
) -> None:
    """Row "Commit of a hold released meanwhile": falls short, as above; told to who pays."""
    await added(ada, variant, 2)
    till.gateway.faults.plan([GatewayFault.REFUSE])
    sent = {"quoteToken": (await quoted(ada))["token"], "idempotencyKey": "k"}
    order = (await place(ada, **sent))["order"]
    await within(services, release_stock, holder_of(order["id"]))
    short = await place(ada, **sent)
    assert (short["order"]["status"], short["payment"]["status"]) == ("FAILED", "AUTHORIZED")
    await till.settle()
    assert steps(await order_now(services, order["id"])) == [CREATED, OUT_OF_STOCK]
    assert till.money == [("HOLD", 2_490), ("GIVE_UP", 2_490)]
    assert ((await shown(ada))["itemCount"], (await shown(ada))["status"]) == (2, "ACTIVE")


async def test_paid_after_the_order_became_failed_or_cancelled(
    till: Till, services: Services, new_phone: NewPhone, ada: Phone, variant: str
) -> None:
    """Row "Paid after the order became FAILED or CANCELLED": charge voided or refunded, timeline note."""
    order = await ordered(services, ada, variant, paid=False)
    till.gateway.faults.plan([GatewayFault.REFUSE])
    await till.later(minutes=30)
    assert (await till.payment(order["_id"]))["wish"] == "VOID"
    await prove(till, order)
    await till.told()
    await till.later(minutes=2)
    late = ("FAILED", "GATEWAY", "PAID_TOO_LATE")
    assert steps(await order_now(services, order["_id"])) == [CREATED, NOT_PAID, late]
    assert till.money == [("HOLD", 2_490), ("GIVE_UP", 2_490)]
    assert (await till.payment(order["_id"]))["status"] == "VOIDED"
    assert await level(services, variant) == (40, 40, 0)


async def test_a_charge_that_turns_up_after_the_order_failed_is_noted(
    till: Till, services: Services, ada: Phone, variant: str
) -> None:
    """The gateway charged, its answer was lost, and it was away until the order's time was over."""
    await added(ada, variant, 2)
    till.gateway.faults.plan([GatewayFault.LOSE])
    order = (await place(ada))["order"]
    await queue.delete_all(services.db, {"task": {"$in": [PAY_ON, RECONCILE]}})
    await till.later(minutes=30)
    assert (await till.payment(order["id"]))["status"] == "VOIDED"
    await till.later(minutes=2)
    late = ("FAILED", "GATEWAY", "PAID_TOO_LATE")
    assert steps(await order_now(services, order["id"])) == [CREATED, NOT_PAID, late]
    assert till.money == [("HOLD", 2_490), ("GIVE_UP", 2_490)]


async def lapsed(till: Till, services: Services, phone: Phone, variant: str) -> Order:
    order = await ordered(services, phone, variant)
    till.gateway.ledger.lapse(str((await till.payment(order["_id"]))["charge_ref"]))
    await till.told()
    return await order_now(services, order["_id"])


LAPSED = ("PROCESSING", "GATEWAY", "PAYMENT_LAPSED")


async def test_authorization_lapsed(
    till: Till, services: Services, new_phone: NewPhone, ada: Phone, variant: str
) -> None:
    """Row "Authorization lapsed": payment FAILED, order PROCESSING, customer asked to pay again."""
    order = await lapsed(till, services, ada, variant)
    assert steps(order) == [CREATED, PAID, LAPSED]
    assert await titles(ada) == [f"Order #{order['number']} has to be paid again"]
    await till.later(days=2)
    ada = await new_phone(user_id=ada.user_id)
    no = await retry(ada, order["_id"], "tok_declined")
    assert (codes(no), no["order"]["status"]) == ([("PAYMENT_DECLINED", None)], "PROCESSING")
    yes = await retry(ada, order["_id"])
    again = ("PROCESSING", "GATEWAY", "PAID_AGAIN")
    assert (yes["errors"], steps(yes["order"])) == ([], [CREATED, PAID, LAPSED, again])
    await till.later(days=2)
    assert (await order_now(services, order["_id"]))["status"] == "PROCESSING"
    assert await level(services, variant) == (38, 38, 2)


async def test_a_lapse_that_nobody_mends_cancels_the_order_after_three_days(
    till: Till, services: Services, ada: Phone, variant: str
) -> None:
    order = await lapsed(till, services, ada, variant)
    await till.later(days=2, hours=23, minutes=59)
    assert (await order_now(services, order["_id"]))["status"] == "PROCESSING"
    await till.later(minutes=1)
    ended = ("CANCELLED", "SYSTEM", "NOT_PAID")
    assert steps(await order_now(services, order["_id"])) == [CREATED, PAID, LAPSED, ended]
    assert await level(services, variant) == (40, 40, 0)


async def test_what_was_voided_in_the_gateways_own_pages_ends_its_order(
    till: Till, services: Services, ada: Phone, variant: str
) -> None:
    order = await ordered(services, ada, variant)
    till.gateway.ledger.cancel(str((await till.payment(order["_id"]))["charge_ref"]))
    await till.told()
    ended = await order_now(services, order["_id"])
    assert (ended["status"], await level(services, variant)) == ("CANCELLED", (40, 40, 0))


async def test_who_leaves_leaves_no_unpaid_order(
    till: Till, services: Services, ada: Phone, variant: str
) -> None:
    order = await ordered(services, ada, variant, paid=False)
    await ERASERS["order"](services, ada.user_id)
    await till.settle()
    ended = await order_now(services, order["_id"])
    assert (ended["status"], ended["user_id"] != ada.user_id) == ("FAILED", True)
    assert (await till.payment(order["_id"]))["status"] == "VOIDED"
    assert await level(services, variant) == (40, 40, 0)


async def test_who_leaves_after_a_lapse_leaves_nothing_that_waits(
    till: Till, services: Services, ada: Phone, variant: str
) -> None:
    order = await lapsed(till, services, ada, variant)
    await ERASERS["order"](services, ada.user_id)
    await till.later(days=3)
    assert (await order_now(services, order["_id"]))["status"] == "CANCELLED"


async def test_what_waits_for_a_payment_lets_paid_orders_be(
    till: Till, services: Services, ada: Phone, variant: str
) -> None:
    """Jobs that began beside the payment, or were late."""
    order = await ordered(services, ada, variant)
    for work in (expiring.reopen_cart, expiring.expire, expiring.end_lapsed):
        await work(services, order_id=order["_id"])
    assert await order_now(services, order["_id"]) == order
    assert await level(services, variant) == (38, 38, 2)


async def test_what_is_paid_too_late_is_voided_though_nobody_asked_for_it_before(
    till: Till, services: Services, ada: Phone, variant: str
) -> None:
    order = await ordered(services, ada, variant, paid=False)
    await expiring.expire(services, order_id=order["_id"])
    await queue.delete_all(services.db, {"task": CALL_OFF})
    await prove(till, order)
    await till.told()
    assert till.money == [("HOLD", 2_490), ("GIVE_UP", 2_490)]
