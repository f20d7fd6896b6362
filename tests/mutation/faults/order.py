"""Planted faults of orders and payments."""

from tests.mutation.fault import Fault

PAYING = "resolvers/order/paying.py"
APPLYING = "resolvers/order/applying.py"
SETTLING = "resolvers/order/settling.py"
RECONCILING = "resolvers/order/reconciling.py"
METHODS = "resolvers/order/methods.py"
GATEWAY = "providers/stripe_gateway.py"
CHARGES = "providers/stripe_charges.py"
WRITING = "resolvers/order/writing.py"
READING = "resolvers/order/reading.py"
ACCESS = "resolvers/order/access.py"
PERSONAL = "jobs/order/personal.py"
ORDERED = ("tests/order/test_orders.py",)
PAID = ("tests/order/test_paying.py",)
SETTLED = ("tests/order/test_settling.py",)
TOLD = ("tests/order/test_payment_events.py",)
KEPT = ("tests/order/test_payment_methods.py",)
ADAPTED = ("tests/providers/test_stripe_gateway.py",)
HOOKED = ("tests/providers/test_stripe_webhook.py",)

FAULTS = [
    Fault(
        "money is given back twice when the gateway has forgotten the first time's key",
        SETTLING,
        "await _give_back(ctx, await settle(ctx, payment, charge), refund_key)",
        "await _give_back(ctx, payment, refund_key)",
        SETTLED,
    ),
    Fault(
        "a retry with the same key is a second attempt",
        PAYING,
        'if current is not None and current["key"] == wanted["key"]:',
        "if False:",
        PAID,
    ),
    Fault(
        "a charge of an earlier attempt is looked for by nobody once the next was answered",
        PAYING,
        'certain=payment["attempt_count"] == 1)',
        "certain=True)",
        PAID,
    ),
    Fault(
        "people are charged less than the gateway takes, and told so by nobody",
        PAYING,
        "if amount < least:",
        "if amount < 0:",
        PAID,
    ),
    Fault(
        "cards are tried without end",
        PAYING,
        "if len(_lately(ctx, current)) >= MOST_ATTEMPTS:",
        "if len(_lately(ctx, current)) > MOST_ATTEMPTS:",
        PAID,
    ),
    Fault(
        "attempts of yesterday count for ever",
        PAYING,
        "if each > ctx.tx.now - ATTEMPTS_WITHIN]",
        "if each > ctx.tx.now - 2 * ATTEMPTS_WITHIN]",
        PAID,
    ),
    Fault(
        "a second attempt begins while the first is under way",
        PAYING,
        'if current["status"] in store.OPEN:',
        "if False:",
        PAID,
    ),
    Fault(
        "others' payment methods are charged",
        PAYING,
        'by_id(ctx.db, {"_id": method_id, "user_id": owner_id})',
        'first(ctx.db, {"_id": method_id})',
        KEPT,
    ),
    Fault(
        "a gateway that is silent is asked no more",
        PAYING,
        'await again(ctx, PAY_ON, PAY_ON_WAITS, round, key=payment["_id"], **named)',
        "pass",
        PAID,
    ),
    Fault(
        "a charge is taken at once that was to be held",
        PAYING,
        'capture=payment["capture"] == CaptureTime.AT_ONCE,',
        "capture=True,",
        PAID,
    ),
    Fault(
        "an older word of the gateway undoes a later one",
        APPLYING,
        'if payment["version"] != seen["version"]:',
        "if False:",
        TOLD,
    ),
    Fault(
        "a second charge is kept",
        APPLYING,
        'return _is_another(payment, charge) or payment["status"] in store.ENDED',
        'return payment["status"] in store.ENDED',
        PAID,
    ),
    Fault(
        "what is charged after the payment has ended is kept",
        APPLYING,
        'return _is_another(payment, charge) or payment["status"] in store.ENDED',
        "return _is_another(payment, charge)",
        SETTLED,
    ),
    Fault(
        "an authorization lapses that nobody captured",
        APPLYING,
        "due_at = until - LAST_DAY if until else ctx.tx.now + USUAL_HOLD",
        "due_at = until if until else ctx.tx.now + USUAL_HOLD",
        SETTLED,
    ),
    Fault(
        "a lapsed authorization looks like one that was called off",
        APPLYING,
        "if charge.status == ChargeStatus.LAPSED:\n        return PaymentStatus.FAILED",
        "if charge.status == ChargeStatus.LAPSED:\n        return PaymentStatus.VOIDED",
        SETTLED,
    ),
    Fault(
        "a refund that was made twice is counted as still to come",
        APPLYING,
        'told.get(each["key"], each["status"])',
        'each["status"]',
        SETTLED,
    ),
    Fault(
        "a refund overtakes its capture and is never shown",
        APPLYING,
        "if target in GIVEN_BACK and CAPTURED in following:",
        "if False:",
        TOLD,
    ),
    Fault(
        "more is given back than was taken",
        "stores/order/payments.py",
        '- payment["disputed_amount"] - on_its_way',
        '- payment["disputed_amount"]',
        SETTLED,
    ),
    Fault(
        "what a bank took back is given back once more",
        "stores/order/payments.py",
        '- payment["disputed_amount"] - on_its_way',
        "- on_its_way",
        SETTLED,
    ),
    Fault(
        "a payment is voided while it is captured",
        SETTLING,
        'if payment["wish"] is not None or payment["status"] not in possible:',
        'if payment["status"] not in possible:',
        SETTLED,
    ),
    Fault(
        "a capture that went unanswered is forgotten",
        SETTLING,
        "await enqueue(ctx, CARRY_OUT, CARRY_OUT_WAITS, 0, key=id, payment_id=id)",
        "pass",
        SETTLED,
    ),
    Fault(
        "nobody learns of a payment that is stuck",
        SETTLING,
        "    if round >= last:",
        "    if False:",
        SETTLED,
    ),
    Fault(
        "a refund that the gateway refuses blocks the others",
        SETTLING,
        '{**each, "status": RefundStatus.REFUSED}',
        "each",
        SETTLED,
    ),
    Fault(
        "a captured charge that nobody wants is kept",
        SETTLING,
        "if charge.status == ChargeStatus.CAPTURED and left > 0:",
        "if False:",
        SETTLED,
    ),
    Fault(
        "people who never come back from their bank block the payment for ever",
        RECONCILING,
        "round >= ACTION_ROUNDS",
        "round > 1_000",
        PAID,
    ),
    Fault(
        "people are cut off while they are at their bank",
        RECONCILING,
        "round >= ACTION_ROUNDS",
        "round >= 1",
        PAID,
    ),
    Fault(
        "what the gateway never heard of stays pending",
        RECONCILING,
        "return await fail(ctx, payment, PaymentFailureCode.NOT_CHARGED)",
        "return payment",
        PAID,
    ),
    Fault(
        "a charge for nothing that we know of is kept",
        RECONCILING,
        "if await store.payments.by_id(ctx.db, id) is None:",
        "if False:",
        PAID,
    ),
    Fault(
        "a step of the bank is kept as a usable method",
        METHODS,
        "if saved.next_action is not None:",
        "if False:",
        KEPT,
    ),
    Fault(
        "a card number is sent as a token",
        PAYING,
        "if not TOKEN.fullmatch(token):",
        "if not token:",
        KEPT,
    ),
    Fault(
        "one card is listed twice",
        METHODS,
        "if _ref(ctx, each) == saved.ref",
        "if False",
        KEPT,
    ),
    Fault(
        "two methods are the default",
        METHODS,
        'former = await ctx.tx.edit(store.payment_methods, former, {"preferred": False})',
        "pass",
        KEPT,
    ),
    Fault(
        "the gateway keeps cards that people have removed",
        METHODS,
        'await forget(ctx, _ref(ctx, method), kind="method")',
        "pass",
        KEPT,
    ),
    Fault(
        "a stranger reads what somebody paid",
        "resolvers/order/access.py",
        'each if each and each["subject_id"] in subjects else None',
        "each",
        KEPT,
    ),
    Fault(
        "whoever sees a thing confirms its payment",
        "resolvers/order/confirming.py",
        'if payment["owner_id"] != ctx.viewer_id:',
        "if False:",
        KEPT,
    ),
    Fault(
        "cards of people who left are kept at the gateway",
        "jobs/order/personal.py",
        'await methods.forget(ctx, ref, kind="customer")',
        "pass",
        KEPT,
    ),
    Fault(
        "payments name people who have left",
        "jobs/order/personal.py",
        'left = {"owner_id": pseudonym, "paid_with": None, "sealed_source": None}',
        'left = {"paid_with": None, "sealed_source": None}',
        KEPT,
    ),
    Fault(
        "an answer that is given again is taken for the present",
        GATEWAY,
        "if answer.replayed:",
        "if False:",
        ADAPTED,
    ),
    Fault(
        "people are charged a hundredth of a price in krónur",
        GATEWAY,
        '"amount": gateway_units(amount, currency),\n            "currency": currency.lower(),',
        '"amount": amount,\n            "currency": currency.lower(),',
        ADAPTED,
    ),
    Fault(
        "a bank that wants to see its customer declines for good",
        GATEWAY,
        'if source.customer is None or NEEDS_CUSTOMER not in (said.get("code"), said.get("decline_code")):',
        "if True:",
        ADAPTED,
    ),
    Fault(
        "a disputed amount that was won stays away",
        CHARGES,
        'if each["status"] not in CLOSED',
        "if each",
        ADAPTED,
    ),
    Fault(
        "a declined card waits for ever",
        CHARGES,
        'if said == "requires_payment_method" and intent.get("last_payment_error"):',
        "if False:",
        ADAPTED,
    ),
    Fault(
        "events of last week are taken as new ones of Stripe",
        "providers/stripe_webhook.py",
        "if abs(int(clock.timestamp()) - int(at)) > TOLERANCE:",
        "if False:",
        HOOKED,
    ),
    Fault(
        "anybody tells us of payments",
        "providers/stripe_webhook.py",
        "if not any(hmac.compare_digest(each, right) for each in given for right in good):",
        "if not given:",
        HOOKED,
    ),
    Fault(
        "what says the same under another id is worked on again",
        "core/callbacks.py",
        'names = [event["id"], *filter(None, [event.get("fingerprint")])]',
        'names = [event["id"]]',
        ("tests/order/test_payment_events.py",),
    ),
    Fault(
        "an amount between two steps is charged",
        "core/values/charges.py",
        "if minor % payment_step(currency):",
        "if False:",
        ("tests/core/test_charges.py",),
    ),
    Fault(
        "half a step is charged down",
        "core/values/money.py",
        "return (minor + step // 2) // step * step",
        "return (minor + step // 2 - 1) // step * step",
        ("tests/core/test_charges.py",),
    ),
    Fault(
        "everybody reads others' orders by their ids",
        ACCESS,
        "load_many(own_by_id(collection), wanted)",
        "load_many(by_id(collection), wanted)",
        ORDERED,
    ),
    Fault(
        "a number shows another person's order",
        READING,
        '{"user_id": viewer, "number": number}',
        '{"number": number}',
        ORDERED,
    ),
    Fault(
        "staff read orders off the record",
        READING,
        '    await record_apart(ctx, Act("order.read", "ACCESS_GRANTED", "ORDER"))\n',
        "",
        ORDERED,
    ),
    Fault(
        "addresses of orders outlive the account",
        PERSONAL,
        '        "sealed": None,\n',
        "",
        ORDERED,
    ),
    Fault(
        "a timeline forgets where an order was",
        WRITING,
        'timeline = [*order["timeline"], _step(ctx, status, actor, note)]',
        "timeline = [_step(ctx, status, actor)]",
        ORDERED,
    ),
]
