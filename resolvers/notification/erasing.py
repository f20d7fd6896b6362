"""A person's part in erasure and export."""

from collections.abc import Mapping
from typing import Any

from core.context import Context, Services
from resolvers.notification.acknowledging import location_place
from resolvers.notification.preferences import teams_flow_place
from stores import notification as store
from stores.notification import Delivery, Receipt


def recipient(services: Services, row: Mapping[str, Any]) -> dict[str, Any]:
    sealed = row["sealed_teams_flow"]
    url = sealed and services.crypto.open(sealed, place=teams_flow_place(row["id"]))
    return {**{name: row[name] for name in row if name != "sealed_teams_flow"}, "teams_flow_url": url}


def receipt(services: Services, row: Mapping[str, Any]) -> dict[str, Any]:
    found = row["acknowledgment"]
    if found is None:
        return dict(row)
    sealed = found["sealed_location"]
    place = location_place(row["id"])
    location = services.crypto.open_values(sealed, place=place) if sealed else None
    shown = {name: found[name] for name in found if name != "sealed_location"}
    return {**row, "acknowledgment": {**shown, "location": location}}


async def anonymize_receipt(pseudonym: str, ctx: Context, receipt: Receipt) -> None:
    """Leave of a receipt that somebody was told, and what came of it: counts remain."""
    found = receipt["acknowledgment"]
    left: Receipt = {
        **receipt,
        "_id": store.receipt_id(receipt["notification_id"], pseudonym),
        "user_id": pseudonym,
        "recipient_id": pseudonym,
        "title": "",
        "message": "",
        "subject_id": None,
        "link_url": None,
        "in_inbox": False,
        "acknowledgment": found and {**found, "response": None, "sealed_location": None},
    }
    await ctx.tx.delete(store.receipts, receipt)
    ctx.tx.late.insert(store.receipts, left)


async def anonymize_delivery(pseudonym: str, ctx: Context, delivery: Delivery) -> None:
    gone = dict.fromkeys(("address_index", "provider_ref"))
    fields = {"user_id": pseudonym, "recipient_id": pseudonym, **gone}
    await ctx.tx.update(store.deliveries, delivery, set=fields)
