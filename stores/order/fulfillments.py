"""Fulfillments: the parcels of an order, which its document holds."""

from collections.abc import Mapping
from datetime import datetime
from typing import TypedDict

from stores.order.kinds import Carrier, FulfillmentStatus

UNSENT = (FulfillmentStatus.PENDING, FulfillmentStatus.PACKED)
"""Statuses of a parcel that is still in the shop."""
_UNDER_WAY = {
    FulfillmentStatus.IN_TRANSIT,
    FulfillmentStatus.OUT_FOR_DELIVERY,
    FulfillmentStatus.DELIVERED,
    FulfillmentStatus.EXCEPTION,
    FulfillmentStatus.RETURNED,
}
FOLLOWING: Mapping[FulfillmentStatus, set[FulfillmentStatus]] = {
    FulfillmentStatus.PENDING: {FulfillmentStatus.PACKED, *_UNDER_WAY},
    FulfillmentStatus.PACKED: _UNDER_WAY,
    FulfillmentStatus.IN_TRANSIT: _UNDER_WAY - {FulfillmentStatus.IN_TRANSIT},
    FulfillmentStatus.OUT_FOR_DELIVERY: _UNDER_WAY - {FulfillmentStatus.OUT_FOR_DELIVERY},
    FulfillmentStatus.EXCEPTION: _UNDER_WAY - {FulfillmentStatus.EXCEPTION},
    FulfillmentStatus.DELIVERED: {FulfillmentStatus.RETURNED},
    FulfillmentStatus.RETURNED: set(),
}
"""By status of a parcel, those that may follow."""


class FulfillmentLine(TypedDict):
    line_id: str
    quantity: int


class FulfillmentEvent(TypedDict):
    """Word of the carrier, or of the shop, on a parcel."""

    status: FulfillmentStatus
    at: datetime
    place: str | None


class Fulfillment(TypedDict):
    """Parcel; its version is its own."""

    fulfillment_id: str
    version: int
    lines: list[FulfillmentLine]
    carrier: Carrier
    tracking_number: str | None
    status: FulfillmentStatus
    events: list[FulfillmentEvent]
    """By their time, the latest last."""
