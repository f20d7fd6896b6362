"""Planted faults of carts."""

from tests.mutation.fault import Fault

ADDING = "resolvers/cart/adding.py"
CHECKOUT = "resolvers/cart/checkout.py"
DISCOUNTS = "resolvers/cart/discounts.py"
EDITING = "resolvers/cart/editing.py"
MERGING = "resolvers/cart/merging.py"
OWNERS = "resolvers/cart/owners.py"
PROMOTING = "resolvers/cart/promoting.py"
QUOTING = "resolvers/cart/quoting.py"
TOKENS = "resolvers/cart/tokens.py"
VALIDATING = "resolvers/cart/validating.py"
VIEWS = "resolvers/cart/views.py"
LINES = ("tests/cart/test_lines.py",)
DEVICES = ("tests/cart/test_devices.py",)
MERGES = ("tests/cart/test_merging.py",)
MONEY = ("tests/cart/test_money.py",)
PROMOTIONS = ("tests/cart/test_promotions.py",)
QUOTES = ("tests/cart/test_quotes.py",)
ORDERED = ("tests/cart/test_checkout.py",)
EVENTS = ("tests/cart/test_events.py",)

FAULTS = [
    Fault(
        "an addition that is sent again under another key doubles the quantity",
        ADDING,
        "if line_id is not None and await is_known(ctx, draft, line_id):",
        "if line_id is None and await is_known(ctx, draft, str(line_id)):",
        LINES,
    ),
    Fault(
        "a removed line comes back by an old addition",
        ADDING,
        'if tombstone is not None and not tombstone["ordered"]:',
        'if tombstone is not None and tombstone["ordered"]:',
        LINES,
    ),
    Fault(
        "what a client says of the price is charged",
        VIEWS,
        'view = LineView(line, product, variant, variant["price"], available, checked_at, held=is_held)',
        'view = LineView(line, product, variant, line["unit_price"], available, checked_at, held=is_held)',
        LINES,
    ),
    Fault(
        "a higher price does not stop an order",
        VIEWS,
        "blocking=now > before",
        "blocking=False",
        LINES,
    ),
    Fault(
        "two lines of a variant have the same units",
        VIEWS,
        'left[line["variant_id"]] = max(0, available - line["quantity"])',
        'left[line["variant_id"]] = available',
        LINES,
    ),
    Fault(
        "a cart of a device outlives its month",
        OWNERS,
        "return None if cart is None or is_expired(cart) else cart",
        "return cart",
        DEVICES,
    ),
    Fault(
        "a bad access token acts on the cart of the device",
        OWNERS,
        "ctx.bearer(CART_TOKEN) if ctx.refusal == NO_TOKEN else None",
        "ctx.bearer(CART_TOKEN)",
        DEVICES,
    ),
    Fault(
        "an app clears lines that it has never seen",
        EDITING,
        'line["since"] <= expected_version',
        'line["since"] > 0',
        LINES,
    ),
    Fault(
        "a merge takes lines twice",
        MERGING,
        "if any(id in ordered or draft.line(id) or draft.tombstone(id) for id in line.ids):",
        "if any(id in ordered for id in line.ids):",
        MERGES,
    ),
    Fault(
        "a merge takes a line twice that the app and the device's cart have",
        MERGING,
        "elif id not in seen:",
        "else:",
        MERGES,
    ),
    Fault(
        "a merge passes the most of a line",
        MERGING,
        "quantity = min(whole, most_of(wanted.variant))",
        "quantity = whole",
        MERGES,
    ),
    Fault(
        "a token is merged into two accounts",
        MERGING,
        '"status": CartStatus.MERGED,',
        '"status": CartStatus.ACTIVE,',
        MERGES,
    ),
    Fault(
        "discounts pass what a line costs",
        DISCOUNTS,
        "amount = min(whole, promotion",
        "amount = max(whole, promotion",
        MONEY,
    ),
    Fault(
        "promotions that do not go together are added up",
        DISCOUNTS,
        'stackable = [each for each in promotions if each["stackable"]]',
        "stackable = list(promotions)",
        MONEY,
    ),
    Fault(
        "guessing codes is free",
        PROMOTING,
        "if missed.number >= MOST_MISSES:",
        "if missed.number > 10 * MOST_MISSES:",
        PROMOTIONS,
    ),
    Fault(
        "a promotion has more uses than its limit",
        PROMOTING,
        'if limit is not None and promotion["used_count"] >= limit:',
        "if limit == 0:",
        PROMOTIONS,
    ),
    Fault(
        "a quote goes on after its time",
        TOKENS,
        'if clock.now() > quote["expires_at"]:',
        'if clock.now() < quote["created_at"]:',
        QUOTES,
    ),
    Fault(
        "a quote of a changed cart is good",
        TOKENS,
        "return None if is_same else QuoteFault.STALE",
        "return None",
        QUOTES,
    ),
    Fault(
        "the token of a quote is not checked",
        TOKENS,
        "not signer.linked(signature, *_signed(quote))",
        "not signature",
        QUOTES,
    ),
    Fault(
        "addresses are kept in the clear",
        QUOTING,
        "ctx.services.crypto.seal_values(both, place=store.place_of(quote_id)) if billing else None",
        "str(both) if billing else None",
        QUOTES,
    ),
    Fault(
        "a hold is no use to the cart that has it",
        VALIDATING,
        '{"hold": {"expires_at": expires_at, "lines": lines}}',
        '{"hold": {"expires_at": expires_at, "lines": []}}',
        QUOTES,
    ),
    Fault(
        "what was ordered stays in a cart that was edited meanwhile",
        CHECKOUT,
        "draft.remove(line, ordered=True)",
        "pass",
        ORDERED,
    ),
    Fault(
        "the stream of a device's cart goes on after the merge",
        "subscriptions/cart.py",
        'self.over = cart["status"] == CartStatus.MERGED',
        "self.over = False",
        EVENTS,
    ),
]
