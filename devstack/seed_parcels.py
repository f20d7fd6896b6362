"""Demo parcels of orders on their way, and returns of some that arrived."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

from core.security.crypto import Keyring
from devstack.seed_chats import Stamps
from stores import order as store
from stores.order import Carrier, FulfillmentStatus, OrderReturnStatus, OrderStatus, ReturnReason

Document = dict[str, Any]

PLACES = ("Leipzig, DE", "Hamburg, DE", "Köln, DE", "Nürnberg, DE")
NOTES = ("The cap was broken when the parcel came.", "One bottle leaked into the box.", None)
RETURNED_OF = 6
"""One delivered order of so many is sent back, in part."""


def of_orders(
    maker: Stamps, rng: Random, orders: Sequence[Document], crypto: Keyring, end: datetime
) -> tuple[list[Document], list[Document]]:
    """The orders with their parcels, and returns of some."""
    shipped = [_packed(maker, rng, each) for each in orders]
    return shipped, _returns(maker, rng, shipped, crypto, end)


def _packed(maker: Stamps, rng: Random, order: Document) -> Document:
    """The order with a parcel, if it has left the shop."""
    came = {step["status"]: step["at"] for step in order["timeline"]}
    if (sent_at := came.get(OrderStatus.SHIPPED)) is None:
        return order
    carrier = rng.choice((Carrier.DHL, Carrier.DHL, Carrier.DPD, Carrier.UPS))
    lines = [{"line_id": line["line_id"], "quantity": line["quantity"]} for line in order["lines"]]
    events = [_event(FulfillmentStatus.IN_TRANSIT, sent_at, rng.choice(PLACES))]
    if (arrived_at := came.get(OrderStatus.DELIVERED)) is not None:
        at = arrived_at - timedelta(hours=6)
        events.append(_event(FulfillmentStatus.OUT_FOR_DELIVERY, at, rng.choice(PLACES)))
        events.append(_event(FulfillmentStatus.DELIVERED, arrived_at, None))
    parcel = {
        "fulfillment_id": maker.id("fulfillment", sent_at),
        "version": 1 + len(events),
        "lines": lines,
        "carrier": carrier,
        "tracking_number": f"00340434{rng.randrange(10**12):012}",
        "status": events[-1]["status"],
        "events": events,
    }
    shipped = [{**line, "shipped_quantity": line["quantity"]} for line in order["lines"]]
    return {**order, "lines": shipped, "fulfillments": [parcel]}


def _event(status: FulfillmentStatus, at: datetime, place: str | None) -> Document:
    return {"status": status, "at": at, "place": place}


def _returns(
    maker: Stamps, rng: Random, orders: Sequence[Document], crypto: Keyring, end: datetime
) -> list[Document]:
    """Returns of some orders that arrived, which count them."""
    made = []
    for order in orders:
        if order["status"] == OrderStatus.DELIVERED and not rng.randrange(RETURNED_OF):
            at = min(end, order["updated_at"] + timedelta(hours=rng.randrange(5, 200)))
            made.append(_return(maker, rng, order, crypto, at, is_open=end - at < timedelta(days=4)))
    return made


def _return(
    maker: Stamps, rng: Random, order: Document, crypto: Keyring, at: datetime, *, is_open: bool
) -> Document:
    id, line = maker.id("order_return", at), order["lines"][0]
    status = OrderReturnStatus.REQUESTED if is_open else OrderReturnStatus.REJECTED
    note = rng.choice(NOTES)
    order["return_ids"] = [id]
    if is_open:
        line["returning_quantity"] = 1
    return {
        "_id": id,
        "user_id": order["user_id"],
        "order_id": order["_id"],
        "status": status,
        "lines": [
            {
                "line_id": line["line_id"],
                "quantity": 1,
                "reason": ReturnReason.DAMAGED if note else ReturnReason.NO_LONGER_NEEDED,
                "received_quantity": None,
                "restocked": None,
            }
        ],
        "sealed_note": note and crypto.seal(note, place=store.return_place(id)),
        "decision_reason": None if is_open else "Opened bottles cannot be sold again.",
        "refund_amount": None,
        "currency": order["currency"],
        "decided_at": None if is_open else at,
        **maker.stamps(at),
    }
