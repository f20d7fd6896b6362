"""Carriers: what they say of parcels, and where customers follow one."""

from collections.abc import Mapping
from functools import partial
from typing import Any
from urllib.parse import quote

from core.callbacks import ProviderEvent, on_provider_event
from core.context import Context, Services
from resolvers.order import shipping
from stores import order as store
from stores.order import Carrier, FulfillmentEvent, FulfillmentStatus, Order, OrderActor

MOST_ORDERS = 20
"""Orders with parcels of one number: carriers use numbers again after a year or so."""
PAGES = {
    Carrier.DHL: "https://www.dhl.de/en/privatkunden/pakete-empfangen/verfolgen.html?piececode={number}",
    Carrier.DPD: "https://tracking.dpd.de/status/en_US/parcel/{number}",
    Carrier.FEDEX: "https://www.fedex.com/fedextrack/?trknbr={number}",
    Carrier.GLS: "https://gls-group.com/track/{number}",
    Carrier.HERMES: "https://www.myhermes.de/empfangen/sendungsverfolgung/sendungsinformation/#{number}",
    Carrier.UPS: "https://www.ups.com/track?tracknum={number}",
    Carrier.USPS: "https://tools.usps.com/go/TrackConfirmAction?tLabels={number}",
}


def tracking_url(parcel: Mapping[str, Any]) -> str | None:
    """The carrier's page of a parcel; None without a number, and for carriers that have none."""
    page, number = PAGES.get(parcel["carrier"]), parcel["tracking_number"]
    return page.format(number=quote(number, safe="")) if page and number else None


@on_provider_event("carrier")
async def told(services: Services, event: ProviderEvent) -> None:
    """Add a carrier's word to its parcel; one of a parcel that nobody knows is dropped."""
    ctx = Context(services)
    await ctx.unit(partial(_apply, ctx, event))


async def _apply(ctx: Context, event: ProviderEvent) -> None:
    order = await _order_of(ctx, event)
    if order is None:
        return
    said: FulfillmentEvent = {
        "status": FulfillmentStatus(event["code"]),
        # A clock that is ahead must not make all that follows late.
        "at": min(event["at"], ctx.tx.now),
        "place": event["text"] or None,
    }
    # Parcels of one shipment may share a number.
    for parcel in order["fulfillments"]:
        if _is_of(parcel, event) and said not in parcel["events"]:
            told = shipping.with_event(parcel, said)
            order = await shipping.put_parcel(ctx, order, told, OrderActor.CARRIER)


async def _order_of(ctx: Context, event: ProviderEvent) -> Order | None:
    """The latest order with such a parcel."""
    query = {"fulfillments.tracking_number": event["provider_ref"]}
    found = await store.orders.find(ctx.db, query, limit=MOST_ORDERS)
    theirs = [order for order in found if any(_is_of(each, event) for each in order["fulfillments"])]
    return max(theirs, key=lambda order: order["created_at"], default=None)


def _is_of(parcel: Mapping[str, Any], event: ProviderEvent) -> bool:
    return (parcel["tracking_number"], parcel["carrier"]) == (event["provider_ref"], event["sender"])
