"""Acts on carts for the long history: additions that are counted, and lines that come, change and go."""

import random
from collections.abc import Sequence
from typing import Any

from core import ids
from core.storage.mongo import Database
from stores.cart import carts
from tests.engine.flushes import Act

LINE = "cart { id } cartLine { id }"


def one(dice: random.Random, products: Sequence[str], lines: list[str]) -> Act:
    """An act of a person, of whose lines the ids are known."""
    counted, other = products[0], dice.choice(products[1:])
    choice = dice.random()
    if choice < 0.5:
        return _added(ids.new_id("cart_line"), counted)
    if choice < 0.75 or not lines:
        lines.append(ids.new_id("cart_line"))
        return _added(lines[-1], other)
    named = {"cartLineId": dice.choice(lines[-5:])}
    if choice < 0.9:
        return Act("updateCartLine", {**named, "quantity": dice.randint(0, 5)}, LINE)
    return Act("removeCartLine", named, "cart { id }")


def _added(line_id: str, product_id: str) -> Act:
    return Act("addCartLine", {"id": line_id, "item": {"productId": product_id}}, LINE)


async def check(db: Database, products: Sequence[str], user_id: str, done: Sequence[tuple[Act, Any]]) -> None:
    """Each addition of the counted product counts once, whatever was lost, and there is one open cart."""
    if not products:
        return
    added = [
        act
        for act, payload in done
        if act.mutation == "addCartLine"
        and act.input["item"]["productId"] == products[0]
        and not payload["errors"]
    ]
    found = await carts.open_carts(db, [user_id])
    assert len(found) <= 1
    quantities = [
        line["quantity"] for cart in found for line in cart["lines"] if line["product_id"] == products[0]
    ]
    assert sum(quantities) == len(added), "An addition was lost, or done twice."
    assert len(quantities) <= 1
