"""Planted faults of orders that are placed, paid, and not paid."""

from tests.mutation.fault import Fault

PLACING = "resolvers/order/placing.py"
CHARGING = "resolvers/order/charging.py"
OUTCOMES = "resolvers/order/outcomes.py"
EXPIRING = "resolvers/order/expiring.py"
PLACED = ("tests/order/test_placing.py",)
REFUSED = ("tests/order/test_refused_orders.py",)
CAME_OUT = ("tests/order/test_outcomes.py",)

FAULTS = [
    Fault(
        "a quote is ordered again under another key",
        PLACING,
        'if order["key"] != ctx.idempotency_key:',
        "if False:",
        PLACED,
    ),
    Fault(
        "a quote is honored for ever",
        PLACING,
        "if fault is QuoteFault.EXPIRED:",
        "if fault is None:",
        PLACED,
    ),
    Fault(
        "a cart that was changed is ordered as it was quoted",
        PLACING,
        "if fault is not None:\n",
        "if False:\n",
        REFUSED,
    ),
    Fault(
        "an order is placed without its stock",
        PLACING,
        'if held.reservation is None:\n        raise UserError("OUT_OF_STOCK", "Not all of it is in stock.", '
        'field=["quote_token"])',
        "pass",
        REFUSED,
    ),
    Fault(
        "a promotion is used more often than it may be",
        PLACING,
        'if not await count_uses(ctx, quote, order["_id"]):',
        'if await count_uses(ctx, quote, order["_id"]) is None:',
        PLACED,
    ),
    Fault(
        "a second order of a cart leaves the first one waiting, with its stock",
        PLACING,
        "await _replace_unpaid(ctx, quote)",
        "pass",
        PLACED,
    ),
    Fault(
        "an order for nothing waits for a payment",
        PLACING,
        'if order["total"] > 0:',
        "if True:",
        PLACED,
    ),
    Fault(
        "the note of the cart is lost",
        PLACING,
        "{**of_cart, **words}",
        "words",
        PLACED,
    ),
    Fault(
        "an order is written before it is known that somebody can pay it",
        CHARGING,
        "await saved_source(ctx, ctx.viewer_id, method_id)",
        "pass",
        REFUSED,
    ),
    Fault(
        "an order is taken that is too small to charge",
        CHARGING,
        "check_amount(total, currency)",
        "pass",
        PLACED,
    ),
    Fault(
        "a declined payment is told as if all were well",
        CHARGING,
        'if payment["status"] == PaymentStatus.FAILED:',
        "if False:",
        PLACED,
    ),
    Fault(
        "an order is taken at once that is shipped later",
        CHARGING,
        "capture=CaptureTime.LATER,",
        "capture=CaptureTime.AT_ONCE,",
        PLACED,
    ),
    Fault(
        "an order is paid whose time is over",
        CHARGING,
        'if order["status"] != OrderStatus.FAILED and not is_over:',
        "if True:",
        CAME_OUT,
    ),
    Fault(
        "a retry pays for stock that nobody holds",
        CHARGING,
        "await _renew(ctx, order)\n    return order",
        "return order",
        CAME_OUT,
    ),
    Fault(
        "a paid order stays unpaid",
        OUTCOMES,
        "await complete(ctx, order, OrderActor.GATEWAY)",
        "pass",
        PLACED,
    ),
    Fault(
        "what is out of stock is sold",
        OUTCOMES,
        "if held.reservation is None:",
        "if False:",
        CAME_OUT,
    ),
    Fault(
        "what was ordered stays in the cart",
        OUTCOMES,
        'if order["cart_id"] is not None:',
        "if False:",
        PLACED,
    ),
    Fault(
        "a declined payment leaves the cart locked",
        OUTCOMES,
        'if order["status"] == OrderStatus.CREATED:\n        await reopen(ctx, order["user_id"], order["_id"])',
        'if order["status"] == OrderStatus.CREATED:\n        pass',
        PLACED,
    ),
    Fault(
        "what is paid too late is kept",
        OUTCOMES,
        "            await note_step(ctx, order, OrderStepNote.PAID_TOO_LATE, OrderActor.GATEWAY)\n"
        "        await _call_off(ctx, order)",
        "            await note_step(ctx, order, OrderStepNote.PAID_TOO_LATE, OrderActor.GATEWAY)",
        CAME_OUT,
    ),
    Fault(
        "an order that has ended keeps its stock",
        OUTCOMES,
        "await undo(ctx, order)",
        "pass",
        CAME_OUT,
    ),
    Fault(
        "an order that has ended keeps its uses of promotions",
        "resolvers/order/stock.py",
        'await give_back_uses(ctx, order["_id"])',
        "pass",
        PLACED,
    ),
    Fault(
        "an order whose authorization lapsed waits for ever",
        OUTCOMES,
        "else ctx.tx.now + LAPSED",
        "else ctx.tx.now + 100 * LAPSED",
        CAME_OUT,
    ),
    Fault(
        "an order that was paid again is cancelled all the same",
        EXPIRING,
        'if payment["status"] in store.PAID:',
        "if False:",
        CAME_OUT,
    ),
    Fault(
        "an order that was paid in time fails",
        EXPIRING,
        'if order is not None and order["status"] == status:',
        "if order is not None:",
        CAME_OUT,
    ),
    Fault(
        "an order that has ended is still charged",
        EXPIRING,
        "payment = await void(ctx, payment)",
        "pass",
        CAME_OUT,
    ),
]
