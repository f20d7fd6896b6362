"""Planted faults of what becomes of orders: cancellation, parcels, refunds and returns."""

from tests.mutation.fault import Fault

CANCELLING = "resolvers/order/cancelling.py"
STOCK = "resolvers/order/stock.py"
SHIPPING = "resolvers/order/shipping.py"
FULFILLING = "resolvers/order/fulfilling.py"
CARRIERS = "resolvers/order/carriers.py"
REFUNDING = "resolvers/order/refunding.py"
RETURNING = "resolvers/order/returning.py"
READING = "resolvers/order/reading.py"
ACCESS = "resolvers/order/access.py"
SETTLING = "resolvers/order/settling.py"
WEBHOOKS = "providers/webhooks.py"
CANCELLED = ("tests/order/test_cancelling.py",)
PACKED = ("tests/order/test_fulfilling.py",)
CARRIED = ("tests/order/test_carriers.py",)
REFUNDED = ("tests/order/test_refunds.py",)
RETURNED = ("tests/order/test_returns.py",)
HOOKED = ("tests/providers/test_carrier_webhook.py",)

FAULTS = [
    Fault(
        "an order is cancelled whose parcel waits for the carrier",
        READING,
        'each["status"] == FulfillmentStatus.PENDING for each',
        'each["status"] in store.UNSENT for each',
        CANCELLED,
    ),
    Fault(
        "those who pack cancel orders of customers",
        CANCELLING,
        "if not own and not await grants.holds(ctx, SUPPORT):",
        "if False:",
        CANCELLED,
    ),
    Fault(
        "what was sold to a cancelled order is gone for good",
        STOCK,
        'await _restock(ctx, order, {each["line_id"]: each["quantity"] for each in order["lines"]}, "cancelled")',
        "pass",
        CANCELLED,
    ),
    Fault(
        "what was held for a cancelled order stays held",
        STOCK,
        '    await release_stock(ctx, holder_of(order["_id"]))\n',
        "",
        CANCELLED,
    ),
    Fault(
        "a promotion counts as used by an order that was cancelled",
        STOCK,
        '    await give_back_uses(ctx, order["_id"])\n',
        "",
        CANCELLED,
    ),
    Fault(
        "a cancelled order is paid all the same",
        CANCELLING,
        "if payment is not None:",
        "if False:",
        CANCELLED,
    ),
    Fault(
        "an order is cancelled in a version that its customer has not seen",
        CANCELLING,
        'check_version(expected_version, order["version"], order=order)',
        "pass",
        CANCELLED,
    ),
    Fault(
        "money is not given back that was captured before the cancellation",
        SETTLING,
        "        if left := store.refundable(payment):\n            await give_back_soon(ctx, payment, left, key)\n",
        "",
        CANCELLED,
    ),
    Fault(
        "an order is shipped whose payment lapsed",
        SHIPPING,
        'return payment["status"] in COVERS and payment["wish"] not in LET_GO',
        "return True",
        PACKED,
    ),
    Fault(
        "an unpaid order is packed",
        SHIPPING,
        'if order["status"] == OrderStatus.CREATED or not is_paid(',
        "if not is_paid(",
        PACKED,
    ),
    Fault(
        "parcels of the shop are shipped and not charged",
        SHIPPING,
        "        await take_soon(ctx, payment)\n",
        "        pass\n",
        PACKED,
    ),
    Fault(
        "one parcel of two makes the order shipped",
        SHIPPING,
        'if any(line["shipped_quantity"] < line["quantity"] for line in order["lines"]):',
        "if False:",
        PACKED,
    ),
    Fault(
        "one parcel of two that arrives makes the order delivered",
        SHIPPING,
        'arrived = all(each["status"] == FulfillmentStatus.DELIVERED',
        'arrived = any(each["status"] == FulfillmentStatus.DELIVERED',
        PACKED,
    ),
    Fault(
        "an older word of a carrier moves a parcel back",
        SHIPPING,
        'return any(each["at"] > event["at"] for each in parcel["events"])',
        "return False",
        CARRIED,
    ),
    Fault(
        "a line is packed twice",
        FULFILLING,
        'left = line["quantity"] - before[line["line_id"]]',
        'left = line["quantity"]',
        PACKED,
    ),
    Fault(
        "what is named twice in a parcel counts once",
        FULFILLING,
        'wanted[each["line_id"]] = wanted.get(each["line_id"], 0) + each["quantity"]',
        'wanted[each["line_id"]] = each["quantity"]',
        PACKED,
    ),
    Fault(
        "a parcel leaves although its payment lapsed since it was packed",
        FULFILLING,
        'if parcel["status"] in store.UNSENT:',
        "if False:",
        PACKED,
    ),
    Fault(
        "steps of parcels lie in the future",
        FULFILLING,
        "at = min(occurred_at or ctx.tx.now, ctx.tx.now)",
        "at = occurred_at or ctx.tx.now",
        PACKED,
    ),
    Fault(
        "an event of one carrier moves the parcel of another",
        CARRIERS,
        'return (parcel["tracking_number"], parcel["carrier"]) == (event["provider_ref"], event["sender"])',
        'return parcel["tracking_number"] == event["provider_ref"]',
        CARRIED,
    ),
    Fault(
        "a number that a carrier uses again moves an old order",
        CARRIERS,
        'return max(theirs, key=lambda order: order["created_at"]',
        'return min(theirs, key=lambda order: order["created_at"]',
        CARRIED,
    ),
    Fault(
        "anybody says where parcels are",
        WEBHOOKS,
        "any(hmac.compare_digest(each, good) for each in signatures)",
        "signatures",
        HOOKED,
    ),
    Fault(
        "a recorded callback is good for ever",
        WEBHOOKS,
        "if not recent(at) or not any",
        "if not any",
        CARRIED,
    ),
    Fault(
        "an order does not show what was given back",
        REFUNDING,
        "        await _show(ctx, payment)\n",
        "        pass\n",
        REFUNDED,
    ),
    Fault(
        "an order is refunded by a part",
        REFUNDING,
        'if payment["status"] == PaymentStatus.REFUNDED and movable:',
        "if movable:",
        REFUNDED,
    ),
    Fault(
        "more is given back for a return than was agreed on",
        REFUNDING,
        "if amount > most:",
        "if False:",
        RETURNED,
    ),
    Fault(
        "a return is refunded twice",
        REFUNDING,
        'if any(each["status"] != RefundStatus.REFUSED for each in asked):',
        "if False:",
        RETURNED,
    ),
    Fault(
        "goods that nobody received are refunded as a return",
        REFUNDING,
        'if back["status"] != OrderReturnStatus.RECEIVED:',
        "if False:",
        RETURNED,
    ),
    Fault(
        "goods are sent back for ever",
        RETURNING,
        "if closes_at is None or ctx.tx.now >= closes_at:",
        "if closes_at is None:",
        RETURNED,
    ),
    Fault(
        "goods are sent back that have not arrived",
        RETURNING,
        'if order["status"] != OrderStatus.DELIVERED:',
        "if False:",
        RETURNED,
    ),
    Fault(
        "the same unit is returned twice",
        RETURNING,
        'left = line["shipped_quantity"] - line["returning_quantity"]',
        'left = line["shipped_quantity"]',
        RETURNED,
    ),
    Fault(
        "units of a rejected return cannot be returned anew",
        RETURNING,
        "freed = {line_id: -quantity for",
        "freed = {line_id: 0 for",
        RETURNED,
    ),
    Fault(
        "more comes back than was sent",
        RETURNING,
        'not 0 <= came["quantity"] <= line["quantity"]',
        'not 0 <= came["quantity"]',
        RETURNED,
    ),
    Fault(
        "damaged goods are sold again",
        STOCK,
        'for each in lines if each["restocked"]}',
        "for each in lines}",
        RETURNED,
    ),
    Fault(
        "the customer is not told that a return was approved",
        RETURNING,
        "    await _tell(ctx, order, back)\n",
        "",
        RETURNED,
    ),
    Fault(
        "an approved return waits for ever",
        RETURNING,
        "due_at, id = ctx.tx.now + COMES_WITHIN",
        "due_at, id = ctx.tx.now + 2 * COMES_WITHIN",
        RETURNED,
    ),
    Fault(
        "the customer decides on a refund above the total",
        RETURNING,
        'if amount > order["total"]:',
        "if False:",
        RETURNED,
    ),
    Fault(
        "support's staff ask for returns in a customer's name",
        RETURNING,
        "order = await own_order(ctx, order_id)",
        "order = await nodes.for_update(ctx, store.orders, order_id)",
        RETURNED,
    ),
    Fault(
        "everybody sees every order and return",
        ACCESS,
        "if not others or ctx.viewer is None or not await grants.holds(ctx, SUPPORT, FULFILLMENT):",
        "if not others:",
        RETURNED,
    ),
    Fault(
        "support charges a customer's card for an order of theirs",
        "resolvers/order/charging.py",
        "order = await own_order(ctx, order_id)",
        "[order] = await nodes.GUARDS['order'](ctx, [order_id])",
        PACKED,
    ),
    Fault(
        "staff read orders and nobody knows",
        ACCESS,
        "            if each[owner] != ctx.viewer_id_or_none\n",
        "        if False\n",
        PACKED,
    ),
]
