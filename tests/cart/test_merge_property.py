"""Property test (Hypothesis): whatever is merged, in whatever order and how often, counts once."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from core import ids
from resolvers.cart.drafts import Draft
from resolvers.cart.merging import Incoming, MergeCounts, _take
from stores.cart.carts import find_line
from stores.cart.kinds import CartSkipReason

NOW = datetime(2026, 12, 1, tzinfo=UTC)
MOST = 20
VARIANTS = {name: ids.new_id("variant") for name in "ABCD"}
GONE = VARIANTS["D"]
LINES = [ids.new_id("cart_line") for _ in range(8)]


def product(variant_id: str) -> Any:
    variant = {
        "_id": variant_id,
        "sku": "S",
        "title": "Standard",
        "price": 1000,
        "currency": "EUR",
        "max_per_order": MOST,
        "active": variant_id != GONE,
    }
    row = {"_id": ids.sibling(variant_id, "product"), "name": "P", "image_ids": [], "status": "ACTIVE"}
    return {**row, "variants": [variant]}


PRODUCTS = {each: product(each) for each in VARIANTS.values()}


@dataclass
class Shop:
    """Context of a unit of work that finds the products."""

    tx: Any = field(default_factory=lambda: SimpleNamespace(now=NOW))

    async def load(self, _: Any, variant_id: str) -> Any:
        return PRODUCTS[variant_id]


def draft() -> Draft:
    cart: Any = {"_id": ids.new_id("cart"), "version": 1, "currency": "EUR", "lines": [], "gone": []}
    return Draft(Shop(), cart)  # type: ignore[arg-type]


coming = st.builds(
    lambda line, variant, quantity, size: Incoming(
        [line], VARIANTS[variant], quantity, [{"name": "size", "value": size}], None, None
    ),
    st.sampled_from(LINES),
    st.sampled_from("ABCD"),
    st.integers(1, 15),
    st.sampled_from("SL"),
)


def quantities(made: Draft) -> dict[tuple[str, str], int]:
    return {(line["variant_id"], line["options"][0]["value"]): line["quantity"] for line in made.lines}


@settings(max_examples=200, deadline=None)
@given(st.lists(coming, max_size=12), st.data())
async def test_each_line_counts_once_and_nothing_passes_its_most(wanted: list[Incoming], data: Any) -> None:
    made, counts = draft(), MergeCounts()
    for line in wanted:
        await _take(made._ctx, made, line, set(), counts)
    expected: dict[tuple[str, str], int] = {}
    known: set[str] = set()
    for line in wanted:
        if line.variant_id != GONE and line.ids[0] not in known:
            key = line.variant_id, line.options[0]["value"]
            expected[key] = min(MOST, expected.get(key, 0) + line.quantity)
            known.add(line.ids[0])
    assert quantities(made) == expected
    assert counts.added == len(expected)
    assert counts.added + counts.summed + len(counts.skipped) == len(wanted)
    # The same again, in another order, changes nothing.
    before = [dict(line) for line in made.lines]
    sold = [line for line in wanted if line.variant_id != GONE]
    for line in data.draw(st.permutations(sold)):
        await _take(made._ctx, made, line, set(), counts)
    assert made.lines == before
    for line in sold:
        assert find_line(made.lines, line.ids[0]) is not None
    assert all(each["reason"] != CartSkipReason.CART_FULL for each in counts.skipped)
