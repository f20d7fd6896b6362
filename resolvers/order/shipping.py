"""Parcels on their way: what is said of one, by the shop or its carrier, moves the order and has it charged.

All of it runs in the caller's unit of work.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from core.context import Context
from core.errors import UserError
from resolvers.order import recording
from resolvers.order.applying import LET_GO
from resolvers.order.settling import take_soon
from resolvers.order.writing import move_order, record_act
from stores import order as store
from stores.order import (
    Fulfillment,
    FulfillmentEvent,
    FulfillmentStatus,
    Order,
    OrderActor,
    OrderStatus,
    Payment,
    PaymentStatus,
)

MOST_EVENTS = 100
"""Of one parcel: the latest are kept."""
COVERS = (*store.PAID, PaymentStatus.PARTIALLY_REFUNDED)
"""Statuses of a payment by which an order may be shipped, also after a part was given back."""


async def check_shippable(ctx: Context, order: Order) -> None:
    """Refuse what is not paid, or not any more: NOT_PAID; and what has ended: WRONG_STATUS."""
    if order["status"] != OrderStatus.CREATED and not store.ORDER_MOVES.table[order["status"]]:
        raise store.ORDER_MOVES.refusal(order, order=order)
    payment = await store.payment_of(ctx.db, order["_id"])
    if order["status"] == OrderStatus.CREATED or not is_paid(order, payment):
        raise UserError("NOT_PAID", "It is not paid.", order=order)


def is_paid(order: Order, payment: Payment | None) -> bool:
    """True if the bank has promised or paid what the order costs; a total of 0 needs nobody's word."""
    if payment is None:
        return order["total"] == 0
    return payment["status"] in COVERS and payment["wish"] not in LET_GO


def parcel_of(order: Order, fulfillment_id: str) -> Fulfillment:
    return next(each for each in order["fulfillments"] if each["fulfillment_id"] == fulfillment_id)


def with_event(parcel: Fulfillment, event: FulfillmentEvent) -> Fulfillment:
    """The parcel with a further event; its status moves by the latest word alone, and never back."""
    events = sorted([*parcel["events"], event], key=lambda each: each["at"])[-MOST_EVENTS:]
    moves = may_follow(parcel, event)
    return {**parcel, "events": events, "status": event["status"] if moves else parcel["status"]}


def may_follow(parcel: Fulfillment, event: FulfillmentEvent) -> bool:
    return not is_late(parcel, event) and event["status"] in store.FOLLOWING[parcel["status"]]


def is_late(parcel: Fulfillment, event: FulfillmentEvent) -> bool:
    """True if something later was said of the parcel before."""
    return any(each["at"] > event["at"] for each in parcel["events"])


async def put_parcel(ctx: Context, order: Order, parcel: Fulfillment, actor: OrderActor) -> Order:
    """Put a parcel as it is now into its order, which goes on by it: SHIPPED, DELIVERED, and charged."""
    before = parcel_of(order, parcel["fulfillment_id"])
    parcel = {**parcel, "version": before["version"] + 1}
    parcels = [parcel if each is before else each for each in order["fulfillments"]]
    changed = await ctx.tx.edit(
        store.orders, order, {"fulfillments": parcels, "lines": _with_shipped(order["lines"], parcels)}
    )
    moved = {"before": before["status"], "after": parcel["status"]}
    await record_act(ctx, changed, "fulfillment_updated", fulfillment=parcel["fulfillment_id"], moved=moved)
    for status in _wanted(changed):
        if status in store.ORDER_MOVES.table[changed["status"]]:
            changed = await move_order(ctx, changed, status, actor)
    if before["status"] in store.UNSENT and parcel["status"] not in store.UNSENT:
        await _charge(ctx, changed)
    return changed


def sent_of(parcels: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Parcels that have left the shop."""
    return [each for each in parcels if each["status"] not in store.UNSENT]


def quantities(parcels: Iterable[Mapping[str, Any]]) -> Counter[str]:
    """Units in parcels, by the order's line."""
    found: Counter[str] = Counter()
    for parcel in parcels:
        for line in parcel["lines"]:
            found[line["line_id"]] += line["quantity"]
    return found


def _with_shipped(lines: Sequence[Mapping[str, Any]], parcels: Iterable[Fulfillment]) -> list[dict[str, Any]]:
    sent = quantities(sent_of(parcels))
    return [{**line, "shipped_quantity": sent[line["line_id"]]} for line in lines]


def _wanted(order: Order) -> list[OrderStatus]:
    """Statuses that the order comes to by its parcels, one after the other."""
    if not sent_of(order["fulfillments"]):
        return []
    if any(line["shipped_quantity"] < line["quantity"] for line in order["lines"]):
        return [OrderStatus.PARTIALLY_SHIPPED]
    arrived = all(each["status"] == FulfillmentStatus.DELIVERED for each in order["fulfillments"])
    return [OrderStatus.SHIPPED, *([OrderStatus.DELIVERED] if arrived else [])]


async def _charge(ctx: Context, order: Order) -> None:
    """Take the whole amount when the first parcel leaves; where nothing can be taken, support has to look."""
    payment = await store.payment_of(ctx.db, order["_id"])
    if payment is not None:
        await take_soon(ctx, payment)
    if not is_paid(order, payment):
        await recording.tell_support(ctx, payment, recording.SHIPPED_UNPAID, order["_id"])
