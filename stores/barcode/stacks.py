"""Stacks: products that a person takes together."""

from collections.abc import Sequence
from typing import Any

from core.paging import Sort
from core.storage.mongo import Database
from core.storage.store import Row, entity, index
from stores.barcode.kinds import StackItemSource

MOST_STACKS = 20
MOST_ITEMS = 100
STEP = 1_024
"""Distance of two new items: one is moved between others without moving those."""
FIRST_MADE: Sort = (("created_at", 1), ("_id", 1))


class Stack(Row):
    user_id: str
    name: str
    name_key: str
    item_count: int


class StackItem(Row):
    """Product in a stack, in the order of `position`; `dosage` is one of the catalog's."""

    user_id: str
    stack_id: str
    product_id: str
    variant_id: str | None
    dosage: dict[str, Any]
    timeslots: list[str]
    position: int
    added_from: StackItemSource


stacks = entity(
    "stacks",
    Stack,
    prefix="stack",
    owner="user_id",
    indexes=[
        index("user_id", "name_key", unique=True),
        index("user_id", "created_at", "_id"),
        index("user_id", "_id"),
    ],
    shard_key="user_id",
)
items = entity(
    "stack_items",
    StackItem,
    prefix="stack_item",
    owner="user_id",
    indexes=[
        index("user_id", "stack_id", "product_id", unique=True),
        index("user_id", "stack_id", "position"),
        index("user_id", "_id"),
    ],
    shard_key="user_id",
)


async def items_of(db: Database, user_id: str, stack_ids: Sequence[str]) -> list[StackItem]:
    """Items of some stacks of a person, in their order."""
    query = {"user_id": user_id, "stack_id": {"$in": list(stack_ids)}}
    rows = await items.find(db, query, limit=max(1, MOST_ITEMS * len(stack_ids)), batch=True)
    return sorted(rows, key=lambda row: (row["position"], row["_id"]))
