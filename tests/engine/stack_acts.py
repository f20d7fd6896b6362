"""Acts on stacks for the long history: products that are put together, moved and taken out."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core import ids
from core.storage.mongo import Database
from stores import barcode as store
from tests.engine.flushes import Act

NAMES = ("Morning", "Noon", "Evening", "Training")
"""Few, so that some are taken."""
SHOWN = "stack { id }"


@dataclass
class Minted:
    """Ids that a person's phone minted."""

    stacks: list[str]
    items: list[str]


def one(dice: random.Random, products: Sequence[str], minted: Minted) -> Act:
    """An act of a person on one of their latest stacks, or an item of one."""
    choice = dice.random()
    if choice < 0.2 or not minted.stacks:
        minted.stacks.append(ids.new_id("stack"))
        given = {"id": minted.stacks[-1], "name": dice.choice(NAMES)}
        return Act("createStack", {**given, "items": [_item(dice, products, minted)]}, SHOWN)
    stack = dice.choice(minted.stacks[-3:])
    if choice < 0.25:
        return Act("deleteStack", {"stackId": stack})
    if choice < 0.35:
        return Act("updateStack", {"stackId": stack, "name": dice.choice(NAMES)}, SHOWN)
    if choice < 0.65:
        given = {**_item(dice, products, minted), "target": {"stackId": stack}}
        return Act("addStackItem", given, f"{SHOWN} alreadyExisted")
    named = {"stackItemId": dice.choice(minted.items[-5:])}
    if choice < 0.8:
        return Act("moveStackItem", {**named, "index": dice.randint(0, 3)}, SHOWN)
    if choice < 0.9:
        return Act(
            "updateStackItem", {**named, "timeslots": dice.choice([["LUNCH"], []])}, "stackItem { id }"
        )
    return Act("removeStackItem", named, SHOWN)


def _item(dice: random.Random, products: Sequence[str], minted: Minted) -> dict[str, Any]:
    minted.items.append(ids.new_id("stack_item"))
    return {"id": minted.items[-1], "productId": dice.choice(products), "addedFrom": "SCAN"}


@dataclass
class Kept:
    """Stack as it has to be: its name, and its items in their order."""

    name: str
    items: list[str]


async def check(db: Database, user_id: str, done: Sequence[tuple[Act, Any]]) -> None:
    """Stacks are what came of the acts in their order, each done once."""
    expected: dict[str, Kept] = {}
    for act, payload in done:
        if not payload["errors"]:
            _follow(expected, act, payload)
    stacks = await store.stacks.find(db, {"user_id": user_id}, limit=store.MOST_STACKS)
    items = await store.items_of(db, user_id, [each["_id"] for each in stacks])
    found = {each["_id"]: Kept(each["name"], []) for each in stacks}
    for item in items:
        found[item["stack_id"]].items.append(item["_id"])
    assert found == expected, "A change of a stack was lost, or done twice."
    assert all(each["item_count"] == len(found[each["_id"]].items) for each in stacks)


def _follow(stacks: dict[str, Kept], act: Act, payload: Any) -> None:
    """Do an act to the stacks as they were."""
    given = act.input
    match act.mutation:
        case "createStack":
            stacks[given["id"]] = Kept(given["name"], [each["id"] for each in given["items"]])
        case "updateStack":
            stacks[given["stackId"]].name = given["name"]
        case "deleteStack":
            del stacks[given["stackId"]]
        case "addStackItem" if not payload["alreadyExisted"]:
            stacks[given["target"]["stackId"]].items.append(given["id"])
        case "moveStackItem":
            items = _taken_out(stacks, given["stackItemId"])
            items.insert(given["index"], given["stackItemId"])
        case "removeStackItem":
            _taken_out(stacks, given["stackItemId"])


def _taken_out(stacks: dict[str, Kept], item_id: str) -> list[str]:
    """The other items of its stack."""
    [stack] = [each for each in stacks.values() if item_id in each.items]
    stack.items.remove(item_id)
    return stack.items
