"""Acts on carts for the long history: counted additions, lines that come, change and go, and replays."""

import random
from collections.abc import Sequence
from typing import Any

from core import ids
from core.storage.mongo import Database
from stores.cart import carts
from tests.engine.flushes import ERRORS, Act

CART = "cart { id version itemCount }"
LINE = f"{CART} cartLine {{ id }}"
RESULTS = f"{CART} results {{ itemId status {ERRORS} }}"
OPERATIONS = {"addCartLine": "add", "updateCartLine": "update", "removeCartLine": "remove"}


def one(dice: random.Random, products: Sequence[str], lines: list[str]) -> Act:
    """An act of a person, of whose lines the ids are known: one alone, or some in a replay."""
    if dice.random() < 0.8:
        return _plain(dice, products, lines)
    acts = [_plain(dice, products, lines) for _ in range(dice.randint(1, 4))]
    operations = [{"operationId": each.key, "act": {OPERATIONS[each.mutation]: each.input}} for each in acts]
    return Act("syncCart", {"operations": operations, "validate": False}, RESULTS)


def _plain(dice: random.Random, products: Sequence[str], lines: list[str]) -> Act:
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
    return Act("removeCartLine", named, CART)


def _added(line_id: str, product_id: str) -> Act:
    return Act("addCartLine", {"id": line_id, "item": {"productId": product_id}}, LINE)


async def check(db: Database, products: Sequence[str], user_id: str, done: Sequence[tuple[Act, Any]]) -> None:
    """Each addition of the counted product counts once, whatever was lost, there is one open cart, and
    replies told of it as it was."""
    if not products:
        return
    added = [given for act, payload in done for given in _additions(act, payload)]
    counted = [given for given in added if given["item"]["productId"] == products[0]]
    found = await carts.open_carts(db, [user_id])
    assert len(found) <= 1
    quantities = [
        line["quantity"] for cart in found for line in cart["lines"] if line["product_id"] == products[0]
    ]
    assert sum(quantities) == len(counted), "An addition was lost, or done twice."
    assert len(quantities) <= 1
    _check_replies(found, [payload["cart"] for _, payload in done if payload.get("cart")])


def _additions(act: Act, payload: Any) -> list[dict[str, Any]]:
    """Inputs of the additions that an act did."""
    if act.mutation == "addCartLine":
        return [] if payload["errors"] else [act.input]
    if act.mutation != "syncCart":
        return []
    outcomes = zip(act.input["operations"], payload["results"] or (), strict=True)
    return [each["act"]["add"] for each, result in outcomes if "add" in each["act"] and not result["errors"]]


def _check_replies(found: Sequence[carts.Cart], replies: Sequence[Any]) -> None:
    """Replies told of one cart, never of an older state than before, and in the end of the present one."""
    assert {each["id"] for each in replies} <= {each["_id"] for each in found}
    versions = [each["version"] for each in replies]
    assert versions == sorted(versions)
    for cart in found:
        count = sum(line["quantity"] for line in cart["lines"])
        assert [(each["version"], each["itemCount"]) for each in replies[-1:]] in (
            [],
            [(cart["version"], count)],
        )
