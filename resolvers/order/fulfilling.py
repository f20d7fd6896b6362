"""Fulfillments, as those who pack and ship keep them."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypedDict, Unpack

from core import ids, nodes
from core.context import Context
from core.errors import ErrorKind, UserError, check_version, error_codes
from core.ids import Id
from core.nodes import GONE
from core.values.bounds import check_count, check_length
from core.values.text import Line
from resolvers.order import shipping
from resolvers.order.writing import record_act
from stores import order as store
from stores.order import (
    Carrier,
    Fulfillment,
    FulfillmentEvent,
    FulfillmentLine,
    FulfillmentStatus,
    Order,
    OrderActor,
)

error_codes(
    ErrorKind.LIMIT,
    LINES_EXCEEDED="More of a line is named than the order has left, which is `limit`.",
)
error_codes(
    ErrorKind.WRONG_STATUS,
    NOT_PAID="The order is not paid, or its payment lapsed: it may not be shipped.",
)

MOST_LINES = 100
MOST_PARCELS = 100
LONGEST_NUMBER = 50


class LineQuantity(TypedDict):
    """Quantity of a line of an order."""

    line_id: Id
    """Id of the line."""
    quantity: int
    """Number of units, at least 1."""


class FulfillmentChanges(TypedDict, total=False):
    carrier: Carrier
    tracking_number: Line | None


class Fulfilled(TypedDict):
    order: Order


async def create_fulfillment(
    ctx: Context,
    *,
    id: Id | None = None,
    order_id: Id,
    lines: Sequence[LineQuantity],
    carrier: Carrier,
    tracking_number: Line | None = None,
) -> Fulfilled:
    """Put some of an order's lines into a parcel."""
    fulfillment_id = ids.minted(id, "fulfillment")
    _check_number(tracking_number)
    order = await nodes.for_update(ctx, store.orders, order_id)
    await shipping.check_shippable(ctx, order)
    if await _order_with(ctx, fulfillment_id) is not None:
        raise UserError("ID_TAKEN", "This id is in use.", field=["id"], order=order)
    if len(order["fulfillments"]) >= MOST_PARCELS:
        raise UserError("LIMIT_REACHED", "At most {limit} parcels.", limit=MOST_PARCELS, order=order)
    parcel: Fulfillment = {
        "fulfillment_id": fulfillment_id,
        "version": 1,
        "lines": _packed(order, lines),
        "carrier": carrier,
        "tracking_number": tracking_number,
        "status": FulfillmentStatus.PENDING,
        "events": [],
    }
    changed = await ctx.tx.edit(store.orders, order, {"fulfillments": [*order["fulfillments"], parcel]})
    await record_act(ctx, changed, "fulfillment_created", fulfillment=fulfillment_id, carrier=carrier)
    return {"order": changed}


async def update_fulfillment(
    ctx: Context,
    *,
    fulfillment_id: Id,
    expected_version: int | None = None,
    **changes: Unpack[FulfillmentChanges],
) -> Fulfilled:
    """Say who carries a parcel, under which number."""
    _check_number(changes.get("tracking_number"))
    order, parcel = await _parcel(ctx, fulfillment_id)
    check_version(expected_version, parcel["version"], order=order)
    changed: Fulfillment = {**parcel, **changes}
    return {"order": await shipping.put_parcel(ctx, order, changed, OrderActor.STAFF)}


async def record_fulfillment_step(
    ctx: Context, *, fulfillment_id: Id, status: FulfillmentStatus, occurred_at: datetime | None = None
) -> Fulfilled:
    """Say where a parcel is, or was."""
    order, parcel = await _parcel(ctx, fulfillment_id)
    # The clock of a packing station may be ahead.
    at = min(occurred_at or ctx.tx.now, ctx.tx.now)
    if status == parcel["status"]:
        return {"order": order}
    event: FulfillmentEvent = {"status": status, "at": at, "place": None}
    if not shipping.is_late(parcel, event):
        await _check_next(ctx, order, parcel, status)
    changed = shipping.with_event(parcel, event)
    return {"order": await shipping.put_parcel(ctx, order, changed, OrderActor.STAFF)}


async def _check_next(ctx: Context, order: Order, parcel: Fulfillment, status: FulfillmentStatus) -> None:
    """Refuse a status that may not follow, and a parcel that leaves without being paid."""
    if status not in store.FOLLOWING[parcel["status"]]:
        values = {"status": str(parcel["status"])}
        raise UserError("WRONG_STATUS", "It is {status}.", values=values, order=order)
    if parcel["status"] in store.UNSENT:
        await shipping.check_shippable(ctx, order)


async def _parcel(ctx: Context, fulfillment_id: Id) -> tuple[Order, Fulfillment]:
    order = await _order_with(ctx, ids.checked(fulfillment_id, "fulfillment"))
    if order is None:
        raise UserError("NOT_FOUND", GONE, field=["fulfillment_id"])
    return order, shipping.parcel_of(order, fulfillment_id)


async def _order_with(ctx: Context, fulfillment_id: str) -> Order | None:
    """The order that a parcel is of: for those who pack, which see all."""
    return await store.orders.first(ctx.db, {"fulfillments.fulfillment_id": fulfillment_id})


def _packed(order: Order, given: Sequence[LineQuantity]) -> list[FulfillmentLine]:
    """Lines of a parcel; LINES_EXCEEDED where more are named than are left to pack."""
    check_count(given, least=1, most=MOST_LINES, field="lines")
    before = shipping.quantities(order["fulfillments"])
    wanted = summed(order, given)
    for line in order["lines"]:
        left = line["quantity"] - before[line["line_id"]]
        if wanted.get(line["line_id"], 0) > left:
            raise UserError(
                "LINES_EXCEEDED", "Of a line {limit} are left.", field=["lines"], limit=left, order=order
            )
    return [{"line_id": id, "quantity": quantity} for id, quantity in wanted.items()]


def summed(order: Order, given: Sequence[LineQuantity]) -> dict[str, int]:
    """Quantities of an order's lines, each line once."""
    known = {line["line_id"] for line in order["lines"]}
    wanted: dict[str, int] = {}
    for each in given:
        if each["line_id"] not in known:
            raise UserError("NOT_FOUND", GONE, field=["lines"], order=order)
        if each["quantity"] < 1:
            raise UserError("OUT_OF_RANGE", "A quantity is 1 or more.", field=["lines"], order=order)
        wanted[each["line_id"]] = wanted.get(each["line_id"], 0) + each["quantity"]
    return wanted


def _check_number(given: Line | None) -> None:
    if given is not None:
        check_length(given, least=1, most=LONGEST_NUMBER, field="tracking_number")
