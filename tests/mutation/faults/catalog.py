"""The catalog: stock, guards, reviews."""

from tests.mutation.fault import Fault

STOCK = ("tests/catalog/test_stock.py", "tests/catalog/test_race.py")
REVIEWS = ("tests/catalog/test_reviews.py", "tests/catalog/test_products.py")

FAULTS = [
    Fault(
        "a holder's second request holds twice",
        "resolvers/catalog/stock.py",
        'if current is not None and current["state"] in store.LIVE:\n        return Held(current)',
        'if current is not None and current["state"] is None:\n        return Held(current)',
        STOCK,
    ),
    Fault(
        "more is sold than there is",
        "resolvers/catalog/stock.py",
        "    if short:\n        return Held(None, tuple(short))\n",
        "",
        STOCK,
    ),
    Fault(
        "a sale leaves the goods on hand",
        "resolvers/catalog/stock.py",
        '{"on_hand": -quantity, "reserved": -quantity, "sold": quantity}',
        '{"reserved": -quantity, "sold": quantity}',
        STOCK,
    ),
    Fault(
        "an expired hold is sold without being taken again",
        "resolvers/catalog/stock.py",
        'if current is not None and current["state"] == ReservationState.EXPIRED:',
        "if False:",
        STOCK,
    ),
    Fault(
        "a hold released meanwhile passes for sold",
        "resolvers/catalog/stock.py",
        'if current is not None and current["state"] == ReservationState.RELEASED:',
        "if False:",
        STOCK,
    ),
    Fault(
        "more comes back than was sold",
        "resolvers/catalog/stock.py",
        "min(wanted, left.get(variant_id, 0))",
        "wanted",
        STOCK,
    ),
    Fault(
        "what came back comes back again under the same key",
        "resolvers/catalog/stock.py",
        "    if key in before:\n        return before[key]\n",
        "",
        STOCK,
    ),
    Fault(
        "a product with an allergen that nobody knows passes for free of it",
        "resolvers/catalog/supplier_parser.py",
        "        return None\n    return [each for each in Allergen",
        "        pass\n    return [each for each in Allergen",
        ("tests/catalog/test_imports.py",),
    ),
    Fault(
        "a hold given back is given back again",
        "resolvers/catalog/stock.py",
        "    if ended is not None:\n        for line, level",
        "    if True:\n        for line, level",
        STOCK,
    ),
    Fault(
        "a moved hold keeps its old expiry",
        "resolvers/catalog/stock.py",
        'change = {"holder": order, "expires_at": ctx.tx.now + ttl}',
        'change = {"holder": order}',
        STOCK,
    ),
    Fault(
        "two lines of one variant hold one of them",
        "resolvers/catalog/stock.py",
        'found[line["variant_id"]] += line["quantity"]',
        'found[line["variant_id"]] = line["quantity"]',
        STOCK,
    ),
    Fault(
        "staff take what is held",
        "resolvers/catalog/stock.py",
        'if level["available"] + freed < 0 and delta < 0:',
        "if False:",
        STOCK,
    ),
    Fault(
        "a hidden product is shown",
        "resolvers/catalog/access.py",
        "return [shown_to_all(each) for each in found]",
        "return list(found)",
        ("tests/catalog/test_products.py", "tests/catalog/test_records.py"),
    ),
    Fault(
        "a hidden product's reviews are shown by their ids",
        "resolvers/catalog/access.py",
        'and each["product_id"] in seen_products)',
        ")",
        REVIEWS,
    ),
    Fault(
        "unpublished reviews are shown",
        "resolvers/catalog/access.py",
        'or (each["status"] == ReviewStatus.PUBLISHED and each["product_id"] in seen_products)',
        'or each["product_id"] in seen_products',
        REVIEWS,
    ),
    Fault(
        "everybody sees exact stock",
        "core/nodes.py",
        "        if not await grants.holds(ctx, *roles):\n            return [None for _ in wanted]\n",
        "",
        STOCK,
    ),
    Fault(
        "a facet is narrowed by its own filter",
        "resolvers/catalog/facets.py",
        'own = name if filtered(wanted) else ""',
        'own = ""',
        ("tests/catalog/test_search.py",),
    ),
    Fault(
        "facets worked out long ago count as of now",
        "resolvers/catalog/facets.py",
        'if hot and clock.now() - hot["at"] < HOT_FOR else None',
        "if hot else None",
        ("tests/catalog/test_search.py", "tests/catalog/test_caching.py"),
    ),
]
