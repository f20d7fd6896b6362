"""Quick reorders: lists that people keep to order again by one tap."""

from collections.abc import Mapping, Sequence
from typing import Any, NotRequired, TypedDict, Unpack

from core import ids, nodes, viewers
from core.cards import check_no_card
from core.context import Context
from core.errors import BadUserInput, UserError, below, check_version
from core.ids import Id
from core.nodes import GONE
from core.one_of import one_of
from core.paging import PageArgs, Sort
from core.security.limits import Rate
from core.values.bounds import check_count, check_length
from core.values.text import Line
from loaders.catalog import ProductOfVariant
from resolvers.cart import MOST_PER_LINE, CartLineOption, checked_options
from resolvers.catalog import shown_to_all
from resolvers.order.access import own_order
from resolvers.order.adjusting import ReorderAdjustment, Wanted
from resolvers.order.reordering import MOST_LINES, REORDER_RATE, repopulate
from stores import order as store
from stores.cart import Cart
from stores.order import (
    CartBehavior,
    OutOfStockPolicy,
    QuickReorder,
    QuickReorderLine,
    ReorderOutcome,
)

QUICK_REORDER_RATE = Rate("quick_reorders", 60, 60)
MOST_KEPT = 20
LONGEST_NAME = 60
LAST_POSITION = 9_999
BY_POSITION: Sort = (("position", 1), ("_id", 1))

Document = Mapping[str, Any]

own_quick_reorders = nodes.owned(store.quick_reorders)
area = viewers.area("reorders")


class QuickReorderItem(TypedDict):
    """Line of a list to order again."""

    product_variant_id: Id
    """Id of the variant."""
    quantity: int
    """Number of units, 1 to 99."""
    options: NotRequired[list[CartLineOption] | None]
    """Options of the line, at most 20; none when left out."""


@one_of
class QuickReorderContents(TypedDict, total=False):
    """Contents of a quick reorder: one of several."""

    source_order_id: Id | None
    """Id of an order of yours whose lines are taken."""
    items: list[QuickReorderItem] | None
    """Lines of a list, 1 to 100."""


class QuickReorderChanges(TypedDict, total=False):
    name: Line
    items: list[QuickReorderItem]
    position: int
    notify_when_available: bool


class Changed(TypedDict):
    quick_reorder: QuickReorder


class Saved(Changed):
    quick_reorder_edge: dict[str, Any]


class Deleted(TypedDict):
    deleted_quick_reorder_id: Id


class Applied(Changed):
    outcome: ReorderOutcome
    cart: Cart | None
    adjustments: list[ReorderAdjustment]


async def viewer_quick_reorders(ctx: Context, area: Document, *, args: PageArgs) -> dict[str, Any]:
    """Connection of the viewer's own, by position."""
    return await store.quick_reorders.page(ctx.db, {"user_id": ctx.viewer_id}, BY_POSITION, args)


async def save_quick_reorder(
    ctx: Context,
    *,
    id: Id | None = None,
    name: Line,
    contents: QuickReorderContents,
    position: int | None = None,
    notify_when_available: bool = False,
) -> Saved:
    """Keep the lines of an order, or a list."""
    await ctx.limit(QUICK_REORDER_RATE)
    new_id, user_id = ids.minted(id, "quick_reorder"), ctx.viewer_id
    _check_name(name)
    await _claim(ctx, user_id)
    others = await store.quick_reorders.find(ctx.db, {"user_id": user_id}, sort=BY_POSITION, limit=MOST_KEPT)
    if len(others) >= MOST_KEPT:
        raise UserError("LIMIT_REACHED", "At most {limit} quick reorders.", limit=MOST_KEPT)
    lines = await _lines(ctx, new_id, contents)
    row = {
        "_id": new_id,
        "user_id": user_id,
        "name": name,
        "lines": lines,
        "source_order_id": contents.get("source_order_id"),
        "position": _position(position, others),
        "last_used_at": None,
        "awaited": _awaited(lines) if notify_when_available else [],
    }
    made = await ctx.tx.insert(store.quick_reorders, row)
    edge = store.quick_reorders.edge({"user_id": user_id}, BY_POSITION, made)
    return {"quick_reorder": made, "quick_reorder_edge": edge}


async def _claim(ctx: Context, user_id: str) -> None:
    """Let nobody add to the person's list beside this unit of work: of two at once one counts the other's."""
    change = {"$inc": {"claims": 1}, "$setOnInsert": {"suggestions": [], "computed_at": None}}
    await store.reorder_suggestions.update_one(ctx.db, {"_id": user_id}, change, upsert=True)


async def _lines(ctx: Context, id: str, contents: QuickReorderContents) -> list[QuickReorderLine]:
    source, items = contents.get("source_order_id"), contents.get("items")
    if source is None:
        with below("contents"):
            return await _listed(ctx, id, items or ())
    with below("contents"):
        order = await own_order(ctx, source, field="source_order_id")
    return [
        {
            "line_id": line["line_id"],
            "variant_id": line["variant_id"],
            "product_id": line["product_id"],
            "quantity": line["quantity"],
            "options": line["options"],
        }
        for line in order["lines"]
    ]


async def _listed(ctx: Context, id: str, items: Sequence[QuickReorderItem]) -> list[QuickReorderLine]:
    """Lines of a list, of variants that customers can see."""
    check_count(items, least=1, most=MOST_LINES, field="items")
    if any(not 1 <= each["quantity"] <= MOST_PER_LINE for each in items):
        raise BadUserInput(f"A quantity is 1 to {MOST_PER_LINE}.")
    variant_ids = [ids.checked(each["product_variant_id"], "variant") for each in items]
    products = [shown_to_all(each) for each in await ctx.load_many(ProductOfVariant, variant_ids)]
    if not all(products):
        raise UserError("NOT_FOUND", GONE, field=["items", "product_variant_id"])
    with below("items"):
        options = [checked_options(each.get("options")) for each in items]
    return [
        {
            "line_id": ids.derived("cart_line", id, str(place)),
            "variant_id": variant_id,
            "product_id": product["_id"] if product else "",
            "quantity": each["quantity"],
            "options": [{"name": one["name"], "value": one["value"]} for one in chosen],
        }
        for place, (each, variant_id, product, chosen) in enumerate(
            zip(items, variant_ids, products, options, strict=True)
        )
    ]


def _awaited(lines: Sequence[QuickReorderLine]) -> list[str]:
    return list(dict.fromkeys(line["variant_id"] for line in lines))


def _position(wanted: int | None, others: Sequence[QuickReorder]) -> int:
    """The position that is wanted; behind all others if none is."""
    if wanted is None:
        return min(LAST_POSITION, others[-1]["position"] + 1) if others else 0
    if not 0 <= wanted <= LAST_POSITION:
        raise UserError(
            "OUT_OF_RANGE", "A position is 0 to {limit}.", field=["position"], limit=LAST_POSITION
        )
    return wanted


def _check_name(name: str) -> None:
    check_length(name, least=1, most=LONGEST_NAME, field="name")
    check_no_card(name, field="name")


async def update_quick_reorder(
    ctx: Context,
    *,
    quick_reorder_id: Id,
    expected_version: int | None = None,
    **changes: Unpack[QuickReorderChanges],
) -> Changed:
    await ctx.limit(QUICK_REORDER_RATE)
    kept = await nodes.for_update(ctx, store.quick_reorders, quick_reorder_id)
    check_version(expected_version, kept["version"], quick_reorder=kept)
    fields: dict[str, Any] = {}
    if "name" in changes:
        _check_name(changes["name"])
        fields["name"] = changes["name"]
    if "position" in changes:
        fields["position"] = _position(changes["position"], [])
    if "items" in changes:
        fields["lines"] = await _listed(ctx, quick_reorder_id, changes["items"])
        fields["source_order_id"] = None
    lines = fields.get("lines", kept["lines"])
    if changes.get("notify_when_available", bool(kept["awaited"])):
        fields["awaited"] = _awaited(lines)
    else:
        fields["awaited"] = []
    changed = {name: value for name, value in fields.items() if kept[name] != value}  # type: ignore[literal-required]
    return {"quick_reorder": await ctx.tx.edit(store.quick_reorders, kept, changed)}


async def delete_quick_reorder(ctx: Context, *, quick_reorder_id: Id) -> Deleted:
    kept = await nodes.for_update(ctx, store.quick_reorders, quick_reorder_id)
    await ctx.tx.delete(store.quick_reorders, kept)
    return {"deleted_quick_reorder_id": quick_reorder_id}


async def apply_quick_reorder(
    ctx: Context,
    *,
    quick_reorder_id: Id,
    out_of_stock: OutOfStockPolicy = OutOfStockPolicy.SUGGEST,
    cart_behavior: CartBehavior = CartBehavior.MERGE,
) -> Applied:
    """Put the lines of a quick reorder into the viewer's cart."""
    await ctx.limit(REORDER_RATE)
    kept = await nodes.for_update(ctx, store.quick_reorders, quick_reorder_id)
    wanted = [_wanted(line) for line in kept["lines"]]
    done = await repopulate(ctx, quick_reorder_id, wanted, out_of_stock, cart_behavior)
    if done["outcome"] is ReorderOutcome.CART_REPOPULATED:
        kept = await ctx.tx.edit(store.quick_reorders, kept, {"last_used_at": ctx.tx.now})
    return {"quick_reorder": kept, **done}


def _wanted(line: QuickReorderLine) -> Wanted:
    return Wanted(line["line_id"], line["variant_id"], line["quantity"], line["options"], None, None)


def notifies(kept: Document) -> bool:
    return bool(kept["awaited"])
