"""Stock and promotions that an order takes, and how they are given back.

All of it runs in the caller's unit of work.
"""

from collections.abc import Iterable, Mapping

from core.context import Context
from resolvers.cart import give_back_uses, reopen
from resolvers.catalog import release_stock, restock, stock_holder
from stores.cart import Cart
from stores.catalog import Holder, HolderType, StockLine
from stores.order import Order, OrderReturnLine


def holder_of(order_id: str) -> Holder:
    """An order as the holder of stock."""
    return stock_holder(HolderType.ORDER, order_id)


def hold_of(order: Order) -> list[StockLine]:
    """The stock that an order takes."""
    return [{"variant_id": line["variant_id"], "quantity": line["quantity"]} for line in order["lines"]]


async def undo(ctx: Context, order: Order) -> Cart | None:
    """Give back what an order has taken: stock, uses of promotions, and its cart, which is open again."""
    await release_stock(ctx, holder_of(order["_id"]))
    await _restock(ctx, order, {each["line_id"]: each["quantity"] for each in order["lines"]}, "cancelled")
    await give_back_uses(ctx, order["_id"])
    return await reopen(ctx, order["user_id"], order["_id"])


async def take_unshipped_back(ctx: Context, order: Order) -> None:
    """Restock what was sold to an order and has not left the shop, once: nothing of it is sent any more."""
    left = {each["line_id"]: each["quantity"] - each["shipped_quantity"] for each in order["lines"]}
    await _restock(ctx, order, left, "refunded")


async def take_returned_back(
    ctx: Context, order: Order, lines: Iterable[OrderReturnLine], return_id: str
) -> None:
    """Restock what came back and can be sold again, once for the return."""
    came = {each["line_id"]: each["received_quantity"] or 0 for each in lines if each["restocked"]}
    await _restock(ctx, order, came, return_id)


async def _restock(ctx: Context, order: Order, quantities: Mapping[str, int], key: str) -> None:
    """Put units of the lines into the stock, once for the key."""
    lines: list[StockLine] = [
        {"variant_id": each["variant_id"], "quantity": quantity}
        for each in order["lines"]
        if (quantity := quantities.get(each["line_id"], 0))
    ]
    if lines:
        await restock(ctx, holder_of(order["_id"]), lines, key)
