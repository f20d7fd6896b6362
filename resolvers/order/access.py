"""Access guards of orders, payments and payment methods."""

from collections.abc import Sequence

from core import nodes
from core.context import Context
from core.nodes import guard
from core.storage.loader import by_id
from stores import order as store
from stores.order import Order, Payment

own_payment_methods = nodes.owned(store.payment_methods)


@guard("payment", sync="PAYMENT", collection=store.payments.name)
async def visible_payments(ctx: Context, wanted: Sequence[str]) -> list[Payment | None]:
    """Payments of things that the viewer may see: who may is asked of the thing's own guard."""
    found = await ctx.load_many(by_id(store.payments), wanted)
    subjects = await nodes.visible(ctx, [each["subject_id"] for each in found if each])
    return [each if each and each["subject_id"] in subjects else None for each in found]


@guard("order", sync="ORDER", collection=store.orders.name, owner="user_id")
async def own_orders(ctx: Context, wanted: Sequence[str]) -> list[Order | None]:
    """Access guard of orders: those who placed them; the shop's staff have lists of their own."""
    viewer = ctx.viewer_id_or_none
    if viewer is None:
        return [None for _ in wanted]
    query = {"user_id": viewer, "_id": {"$in": list(wanted)}}
    rows = {row["_id"]: row for row in await store.orders.find(ctx.db, query, limit=len(wanted))}
    return [rows.get(id) for id in wanted]
