"""Planted faults of reorders, quick reorders and what follows an order."""

from tests.mutation.fault import Fault

ADJUSTING = "resolvers/order/adjusting.py"
AWAITING = "resolvers/order/awaiting.py"
FOLLOWING = "resolvers/order/following.py"
PLACING = "resolvers/order/repeating.py"
QUICK = "resolvers/order/quick_reorders.py"
REORDERING = "resolvers/order/reordering.py"
SUGGESTING = "resolvers/order/suggesting.py"
AGAIN = ("tests/order/test_reorders.py",)
LISTS = ("tests/order/test_quick_reorders.py",)
AT_ONCE = ("tests/order/test_repeating.py",)
AFTER = ("tests/order/test_following.py",)

FAULTS = [
    Fault(
        "more is promised than is in stock",
        ADJUSTING,
        "min(each.quantity, free[each.variant_id], most_of(variant))",
        "min(each.quantity, most_of(variant))",
        AGAIN,
    ),
    Fault(
        "a lower price is something to be agreed to",
        ADJUSTING,
        '"significant": kind is not ReorderAdjustmentKind.PRICE_DECREASED,',
        '"significant": True,',
        AGAIN,
    ),
    Fault(
        "a price that rose is not told",
        ADJUSTING,
        'if variant["price"] > old:',
        "if False:",
        AGAIN,
    ),
    Fault(
        "alternatives are listed to who wants none",
        ADJUSTING,
        "if suggest and each.short and each.product]",
        "if each.short and each.product]",
        AGAIN,
    ),
    Fault(
        "half of it is put into the cart of who wants all or nothing",
        REORDERING,
        "if out_of_stock is OutOfStockPolicy.FAIL and any(each.short for each in offers):",
        "if False:",
        AGAIN,
    ),
    Fault(
        "a cart is emptied for a reorder of which nothing can be had",
        REORDERING,
        "    if not lines:\n        return cart, list(offers)\n",
        "",
        AGAIN,
    ),
    Fault(
        "what the cart has already is counted as free",
        REORDERING,
        'for line in cart["lines"] if is_merge else ():',
        "for line in ():",
        AGAIN,
    ),
    Fault(
        "lines of another order are taken for the order's",
        REORDERING,
        'if not {line["line_id"] for line in order["lines"]}.issuperset(line_ids):',
        "if False:",
        AGAIN,
    ),
    Fault(
        "lines of another currency are left out in silence",
        REORDERING,
        "    if cart and is_merge:\n        _check_currency(cart, offers)\n",
        "",
        AGAIN,
    ),
    Fault(
        "two devices at once keep more lists than anybody may",
        QUICK,
        "    await _claim(ctx, user_id)\n",
        "",
        LISTS,
    ),
    Fault(
        "a card number is the name of a list",
        QUICK,
        '    check_no_card(name, field="name")\n',
        "",
        LISTS,
    ),
    Fault(
        "a list is told of while a line is missing",
        AWAITING,
        'if not all_available(products, kept["awaited"]):',
        "if False:",
        LISTS,
    ),
    Fault(
        "a list is told of again and again",
        AWAITING,
        'await ctx.tx.edit(store.quick_reorders, kept, {"awaited": []})',
        "pass",
        LISTS,
    ),
    Fault(
        "orders of years ago are suggested",
        SUGGESTING,
        '"created_at": {"$gte": since}, "status"',
        '"status"',
        LISTS,
    ),
    Fault(
        "unpaid orders are suggested",
        SUGGESTING,
        ', "status": {"$in": list(BOUGHT)}}',
        "}",
        LISTS,
    ),
    Fault(
        "reviews of what was never paid are verified",
        FOLLOWING,
        '"lines.product_id": product_id, "status": {"$in": list(BOUGHT)}}',
        '"lines.product_id": product_id}',
        AFTER,
    ),
    Fault(
        "another person's purchase verifies a review",
        FOLLOWING,
        '{"user_id": user_id, "lines.product_id"',
        '{"lines.product_id"',
        AFTER,
    ),
    Fault(
        "people wait for parcels that arrived",
        FOLLOWING,
        '    OrderStatus.DELIVERED: gettext_noop("Order #{number} has arrived"),\n',
        "",
        AFTER,
    ),
    Fault(
        "people are charged for what changed since they bought it",
        PLACING,
        "if not terms.significant and not dearer:",
        "if not dearer:",
        AT_ONCE,
    ),
    Fault(
        "people are charged for dearer shipping that they have not seen",
        PLACING,
        "if not terms.significant and not dearer:",
        "if not terms.significant:",
        AT_ONCE,
    ),
    Fault(
        "a request that lay in a queue is charged",
        PLACING,
        "if wish.requested_at is not None and now - wish.requested_at > CONFIRMED_FOR:",
        "if False:",
        AT_ONCE,
    ),
    Fault(
        "any word will do",
        PLACING,
        "return ctx.services.signer.linked(signature, *_signed(order, quote, int(until)))",
        "return True",
        AT_ONCE,
    ),
    Fault(
        "a word holds for ever",
        PLACING,
        "if not until.isdecimal() or int(until) < clock.timestamp() * 1000:",
        "if not until.isdecimal():",
        AT_ONCE,
    ),
    Fault(
        "a word for one total is one for another",
        PLACING,
        'return [PURPOSE, order["user_id"], order["_id"], quote["currency"], quote["total"], until, *values]',
        'return [PURPOSE, order["user_id"], order["_id"], quote["currency"], until]',
        AT_ONCE,
    ),
    Fault(
        "a retry after a crash orders and charges again",
        PLACING,
        "    if known is not None:\n        return _placed(ctx, await charge(ctx, known, wish.source), [])\n",
        "",
        AT_ONCE,
    ),
    Fault(
        "an engraving is lost when it is ordered again",
        "resolvers/order/writing.py",
        "        options |= repeats.options\n",
        "        pass\n",
        AT_ONCE,
    ),
]
