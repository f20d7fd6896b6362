"""Quick reorders: lists that people keep to order again, and what is suggested to them."""

from datetime import datetime
from typing import TypedDict

from core.storage.store import Row, collection, entity, index
from stores.order.orders import OrderOption


class QuickReorderLine(TypedDict):
    line_id: str
    variant_id: str
    product_id: str
    quantity: int
    options: list[OrderOption]


class QuickReorder(Row):
    user_id: str
    name: str
    lines: list[QuickReorderLine]
    source_order_id: str | None
    position: int
    last_used_at: datetime | None
    awaited: list[str]
    """Variants, while its owner wants to be told when all of them can be had again."""


class ReorderSuggestion(TypedDict):
    variant_id: str
    product_id: str
    quantity: int
    ordered_count: int
    last_ordered_at: datetime


class ReorderSuggestions(TypedDict):
    """Last computed suggestions; `_id` is the person's."""

    _id: str
    suggestions: list[ReorderSuggestion]
    computed_at: datetime | None
    """None while there are none yet."""


quick_reorders = entity(
    "quick_reorders",
    QuickReorder,
    prefix="quick_reorder",
    owner="user_id",
    indexes=[index("user_id", "position", "_id"), index("awaited")],
    shard_key="user_id",
)
reorder_suggestions = collection("reorder_suggestions", ReorderSuggestions, owner="_id")
