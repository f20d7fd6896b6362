"""A person's part of orders: payment methods and quick reorders go with the account; orders and payments stay
in the books, and are nobody's."""

from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial
from typing import Any

from core import ids
from core.context import Context, Services
from core.erasure import on_user_deleted, on_user_export, pages
from core.storage.batches import delete_each, each_in_unit
from resolvers.order import methods
from resolvers.order.outcomes import end_order
from resolvers.order.reading import opened_note, private_part
from stores import order as store
from stores.order import (
    Fulfillment,
    FulfillmentEvent,
    Order,
    OrderActor,
    OrderReturn,
    OrderStatus,
    OrderStepNote,
    Payer,
    Payment,
)


@on_user_deleted
async def erase(services: Services, user_id: str) -> None:
    """End a person's unpaid orders, delete their payment methods, here and at the gateway, and their quick
    reorders, and make their orders, payments and returns anonymous."""
    unpaid = {"user_id": user_id, "status": OrderStatus.CREATED}
    await each_in_unit(services, store.orders, unpaid, _end)
    for kept in (store.payment_methods, store.quick_reorders):
        await delete_each(services, kept, {"user_id": user_id})
    await store.reorder_suggestions.delete_all(services.db, {"_id": user_id})
    await each_in_unit(services, store.payers, {"_id": user_id}, _forget)
    pseudonym = ids.new_id("user")
    await each_in_unit(services, store.payments, {"owner_id": user_id}, partial(_anonymize, pseudonym))
    await each_in_unit(services, store.orders, {"user_id": user_id}, partial(_anonymize_order, pseudonym))
    await each_in_unit(
        services, store.order_returns, {"user_id": user_id}, partial(_anonymize_return, pseudonym)
    )


async def _end(ctx: Context, order: Order) -> None:
    # As FAILED: a cancellation is told to its customer, who has left.
    await end_order(ctx, order, OrderStatus.FAILED, OrderActor.SYSTEM, OrderStepNote.NOT_PAID)


async def _forget(ctx: Context, payer: Payer) -> None:
    ref = ctx.services.crypto.open(payer["sealed_ref"], place=store.payer_place(payer["_id"]))
    await methods.forget(ctx, ref, kind="customer")
    await ctx.tx.delete(store.payers, payer)


async def _anonymize(pseudonym: str, ctx: Context, payment: Payment) -> None:
    """Leave the amounts: what is under way with the gateway comes to its end."""
    left = {"owner_id": pseudonym, "paid_with": None, "sealed_source": None}
    await ctx.tx.update(store.payments, payment, set=left)


async def _anonymize_order(pseudonym: str, ctx: Context, order: Order) -> None:
    """Leave what was sold, and for how much, without name, address, parcels' numbers and places, and words,
    those of options too."""
    left = {
        "user_id": pseudonym,
        "key": "",
        "cart_id": None,
        "sealed": None,
        "search_terms": [],
        "lines": [{**line, "options": []} for line in order["lines"]],
        "fulfillments": [_unplaced(each) for each in order["fulfillments"]],
    }
    await ctx.tx.update(store.orders, order, set=left)


def _unplaced(parcel: Fulfillment) -> Fulfillment:
    events: list[FulfillmentEvent] = [{**each, "place": None} for each in parcel["events"]]
    return {**parcel, "tracking_number": None, "events": events}


async def _anonymize_return(pseudonym: str, ctx: Context, back: OrderReturn) -> None:
    """Leave what came back, and what for, without anybody's words."""
    left = {"user_id": pseudonym, "sealed_note": None, "decision_reason": None}
    await ctx.tx.update(store.order_returns, back, set=left)


@on_user_export
async def export(services: Services, user_id: str) -> AsyncIterator[tuple[str, Sequence[Mapping[str, Any]]]]:
    """Export a person's orders, returns, quick reorders, payment methods and payments, without the gateway's
    names."""
    own = {"user_id": user_id}
    async for rows in pages(services, store.quick_reorders, own, without=("user_id", "awaited")):
        yield "quick_reorders", rows
    async for rows in pages(services, store.reorder_suggestions, {"_id": user_id}, without=("claims",)):
        yield "reorder_suggestions", rows
    async for rows in pages(services, store.payment_methods, own, without=("user_id", "sealed_ref")):
        yield "payment_methods", rows
    hidden = ("owner_id", "sealed_source", "charge_ref", "key", "wish", "refunds", "attempted_at")
    async for rows in pages(services, store.payments, {"owner_id": user_id}, without=hidden):
        yield "payments", rows
    inner = ("user_id", "quote_id", "key", "search_terms")
    async for rows in pages(services, store.orders, own, without=inner):
        yield "orders", [_opened(services, row) for row in rows]
    async for rows in pages(services, store.order_returns, own, without=("user_id",)):
        yield "order_returns", [_with_note(services, row) for row in rows]


def _opened(services: Services, row: dict[str, Any]) -> dict[str, Any]:
    return {**row, **private_part(services.crypto, {"_id": row["id"], "sealed": row.pop("sealed")})}


def _with_note(services: Services, row: dict[str, Any]) -> dict[str, Any]:
    note = opened_note(services.crypto, {"_id": row["id"], "sealed_note": row.pop("sealed_note")})
    return {**row, "note": note}
