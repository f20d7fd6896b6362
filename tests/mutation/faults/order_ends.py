"""Planted faults of orders, returns and charges that would never come to their end."""

from tests.mutation.fault import Fault

SETTLING = "resolvers/order/settling.py"
OUTCOMES = "resolvers/order/outcomes.py"
REFUNDING = "resolvers/order/refunding.py"
RETURNING = "resolvers/order/returning.py"
CARRIERS = "resolvers/order/carriers.py"
APPLYING = "resolvers/order/applying.py"
EXPIRING = "resolvers/order/expiring.py"
SETTLED = ("tests/order/test_settling.py",)
CARRIED = ("tests/order/test_carriers.py",)
FULFILLED = ("tests/order/test_fulfilling.py",)
REFUNDED = ("tests/order/test_refunds.py",)
RETURNED = ("tests/order/test_returns.py",)

FAULTS = [
    Fault(
        "a refund that failed at the bank counts as given back",
        APPLYING,
        "    if any(each.failed for each in charge.refunds):\n",
        "    if False:\n",
        SETTLED,
    ),
    Fault(
        "a refund that failed at the bank is asked for never again",
        APPLYING,
        "RefundStatus.REFUSED if each.failed else RefundStatus.DONE",
        "RefundStatus.DONE",
        SETTLED,
    ),
    Fault(
        "a packed order is cancelled behind the packer's back",
        EXPIRING,
        "    if not can_cancel(order):\n",
        "    if False:\n",
        FULFILLED,
    ),
    Fault(
        "money is kept, or not taken, since the gateway was silent for two hours",
        SETTLING,
        "    await again(ctx, task, waits, min(round + 1, last), key=key, **named)\n",
        "    await again(ctx, task, waits, round + 1, key=key, **named)\n",
        SETTLED,
    ),
    Fault(
        "a charge that the bank still works on counts as given back",
        SETTLING,
        "    if charge.may_hold_money:\n",
        "    if False:\n",
        SETTLED,
    ),
    Fault(
        "a carrier whose clock is ahead is not believed ever after",
        CARRIERS,
        'min(event["at"], ctx.tx.now)',
        'event["at"]',
        CARRIED,
    ),
    Fault(
        "of the parcels of one number only the first moves",
        CARRIERS,
        "            order = await shipping.put_parcel(ctx, order, told, OrderActor.CARRIER)\n",
        "            return await shipping.put_parcel(ctx, order, told, OrderActor.CARRIER) and None\n",
        CARRIED,
    ),
    Fault(
        "nobody learns that a parcel left unpaid when the payment lapses as it leaves",
        OUTCOMES,
        '            await recording.tell_support(ctx, payment, recording.SHIPPED_UNPAID, order["_id"])\n',
        "            pass\n",
        CARRIED,
    ),
    Fault(
        "nobody asks the customer to pay again after a lapse",
        OUTCOMES,
        "            await ask_to_pay_again(ctx, order, payment, is_sent=is_sent)\n",
        "            pass\n",
        ("tests/order/test_outcomes.py",),
    ),
    Fault(
        "what is paid again for goods that are gone is only promised",
        OUTCOMES,
        "            await take_soon(ctx, payment)\n",
        "            pass\n",
        CARRIED,
    ),
    Fault(
        "goods of a refunded order that never left are gone from the stock",
        REFUNDING,
        "        await take_unshipped_back(ctx, order)\n",
        "",
        REFUNDED,
    ),
    Fault(
        "goods of a refunded order that were sent are in the stock again",
        "resolvers/order/stock.py",
        'each["quantity"] - each["shipped_quantity"] for each',
        'each["quantity"] for each',
        REFUNDED,
    ),
    Fault(
        "a return waits for ever for a refund of which nothing is left",
        RETURNING,
        '    if not back["refund_amount"] or order["status"] == OrderStatus.REFUNDED:\n',
        "    if False:\n",
        RETURNED,
    ),
    Fault(
        "returns of a refunded order wait for ever",
        REFUNDING,
        "            await _end_return(ctx, order_return_id)\n",
        "            pass\n",
        RETURNED,
    ),
    Fault(
        "a return whose erasure died half-way can be decided by nobody",
        RETURNING,
        '    order = order or await store.orders.by_id(ctx.db, back["order_id"])\n',
        "",
        RETURNED,
    ),
    Fault(
        "suggestions are made for nobody",
        "resolvers/order/following.py",
        '    """Have what is made of a person\'s purchases made anew."""\n    if is_erased(order):',
        "    if False:",
        ("tests/order/test_following.py",),
    ),
    Fault(
        "one word of the customer is good for many orders",
        "resolvers/order/repeating.py",
        "wish.confirmation_token or ctx.idempotency_key",
        "ctx.idempotency_key",
        ("tests/order/test_repeating.py",),
    ),
    Fault(
        "staff read addresses through payments and nobody knows",
        "resolvers/order/access.py",
        'nodes.READ["payment"] = _on_record("payment.read", "owner_id")',
        "",
        ("tests/order/test_fulfilling.py",),
    ),
]
