"""Access guards of orders, payments and payment methods."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from core import grants, ids, nodes
from core.audit import Act, record_apart
from core.context import Context
from core.errors import UserError
from core.ids import Id
from core.nodes import GONE, guard
from core.storage.loader import by_id, own_by_id
from core.storage.store import Collection
from stores import order as store
from stores.catalog import FULFILLMENT, SUPPORT
from stores.order import Order, OrderReturn, Payment

T = TypeVar("T", bound=Mapping[str, Any])

own_payment_methods = nodes.owned(store.payment_methods)


@guard("payment", sync="PAYMENT", collection=store.payments.name)
async def visible_payments(ctx: Context, wanted: Sequence[str]) -> list[Payment | None]:
    """Payments of things that the viewer may see: who may is asked of the thing's own guard."""
    found = await ctx.load_many(by_id(store.payments), wanted)
    subjects = await nodes.visible(ctx, [each["subject_id"] for each in found if each])
    return [each if each and each["subject_id"] in subjects else None for each in found]


@guard("order", sync="ORDER", collection=store.orders.name, owner="user_id")
async def visible_orders(ctx: Context, wanted: Sequence[str]) -> list[Order | None]:
    """Access guard of orders: those who placed them, and those who pack or support."""
    return await _own_or_for_staff(ctx, store.orders, wanted)


@guard("order_return", sync="ORDER_RETURN", collection=store.order_returns.name, owner="user_id")
async def visible_returns(ctx: Context, wanted: Sequence[str]) -> list[OrderReturn | None]:
    """Access guard of returns: those who asked for them, and those who pack or support."""
    return await _own_or_for_staff(ctx, store.order_returns, wanted)


async def own_orders(ctx: Context, wanted: Sequence[str]) -> list[Order | None]:
    """Orders of the viewer alone."""
    return list(await ctx.load_many(own_by_id(store.orders), wanted))


async def own_order(ctx: Context, id: Id, *, field: str = "order_id") -> Order:
    """An order of the viewer's own to act on: staff, who see all, order and return nothing for others."""
    [found] = await own_orders(ctx, [ids.checked(id, "order")])
    if found is None:
        raise UserError("NOT_FOUND", GONE, field=[field])
    return found


async def _own_or_for_staff(ctx: Context, collection: Collection[T], wanted: Sequence[str]) -> list[T | None]:
    own = list(await ctx.load_many(own_by_id(collection), wanted))
    others = [id for id, each in zip(wanted, own, strict=True) if each is None]
    if not others or ctx.viewer is None or not await grants.holds(ctx, SUPPORT, FULFILLMENT):
        return own
    found = dict(zip(others, await ctx.load_many(by_id(collection), others), strict=True))
    return [each or found.get(id) for id, each in zip(wanted, own, strict=True)]


def _on_record(action: str, owner: str) -> nodes.Recorder:
    """Puts on record what staff read by its id of others'; `owner` is the field that says whose it is."""

    async def read(ctx: Context, shown: Sequence[str], _hidden: Sequence[str]) -> None:
        found = await nodes.visible(ctx, shown)
        acts = [
            Act(action, "ACCESS_GRANTED", "ORDER", resource_id=id, subject_id=each[owner])
            for id, each in found.items()
            if each[owner] != ctx.viewer_id_or_none
        ]
        await record_apart(ctx, *acts)

    return read


nodes.READ["order"] = nodes.READ["order_return"] = _on_record("order.read", "user_id")
# They lead to what was paid for.
nodes.READ["payment"] = _on_record("payment.read", "owner_id")
