"""Background work of the catalog."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from typing import Any

import structlog

from core import clock, outages
from core.context import Context, Services
from core.erasure import erase_owned, on_user_deleted, on_user_export, pages
from core.jobs import Lane, task
from core.storage.batches import each_in_unit
from resolvers.catalog import precompute, publish_changes, refolding, reviewing, stock
from stores import auth as accounts
from stores.catalog import people
from stores.catalog import stock as store
from stores.catalog.kinds import ReservationState

logger = structlog.get_logger(__name__)

BATCH = 100
ROUNDS = 50


@task("catalog.tell", every=timedelta(seconds=1))
async def tell(services: Services) -> None:
    """Publish changed entries, hints and events: once a second at most for each item."""
    for _ in range(ROUNDS):
        if await publish_changes.tell(Context(services)) < publish_changes.BATCH:
            return


@task("catalog.refold", lane=Lane.BULK, every=timedelta(seconds=10))
async def refold(services: Services) -> None:
    """Refold keys and search entries of products from an earlier version; once after an upgrade."""
    for _ in range(ROUNDS):
        if await refolding.refold(Context(services)) < refolding.BATCH:
            return


@task("catalog.expire_holds", every=timedelta(seconds=30))
async def expire_holds(services: Services) -> None:
    """Release expired holds; each is ended once, by whichever worker comes first."""
    while rows := await store.overdue(services.db, clock.now(), BATCH):
        ended = [await _expired(services, row) for row in rows]
        if not any(ended):
            # They have their next turn in half a minute.
            return


async def _expired(services: Services, row: store.StockReservation) -> bool:
    """End one expired hold; true if it ended. One that cannot be ended stops no other."""
    ctx = Context(services)
    try:
        await ctx.unit(lambda: stock.give_back(ctx, row, ReservationState.EXPIRED))
    except Exception as error:
        outages.log(logger, "hold not given back", error, reservation=row["_id"])
        return False
    return True


@task("catalog.rebuild_hot", lane=Lane.BULK, every=timedelta(minutes=15))
async def rebuild_hot(services: Services) -> None:
    """Rebuild best sellers and counts."""
    await precompute.rebuild(Context(services))


@task("catalog.rebuild_hot_after", lane=Lane.BULK)
async def rebuild_hot_after(services: Services) -> None:
    """Rebuild them after an import, once its entries are there."""
    await tell(services)
    await precompute.rebuild(Context(services))


@task("catalog.rate")
async def rate(services: Services, *, product_id: str) -> None:
    """Compute a product's rating, after one of its reviews changed."""
    ctx = Context(services)
    await ctx.unit(lambda: reviewing.rate(ctx, product_id))


@on_user_deleted
async def erase(services: Services, user_id: str) -> None:
    """Erase a person's reviews, settings, corrections and reports."""
    own = {"user_id": user_id}
    await erase_owned([people.settings], services, user_id)
    await each_in_unit(services, people.reviews, own, reviewing.erase)
    for kept in (people.last_predictions, people.feedback, people.telemetry):
        await kept.delete_all(services.db, own)
    await _forget_devices(services, user_id)
    await people.privacy.delete_one(services.db, {"_id": user_id})


async def _forget_devices(services: Services, user_id: str) -> None:
    """Erase telemetry that the person's devices reported before anybody had signed in."""
    deletion = await accounts.deletions.by_id(services.db, user_id)
    for id in deletion.get("device_ids", ()) if deletion else ():
        await people.telemetry.delete_all(services.db, _reported_by(id))


def _reported_by(device_id: str) -> dict[str, Any]:
    """Filter of a device's anonymous telemetry."""
    return {"_id": {"$gte": f"device:{device_id}|", "$lt": f"device:{device_id}}}"}}


@on_user_export
async def export(services: Services, user_id: str) -> AsyncIterator[tuple[str, Sequence[Mapping[str, Any]]]]:
    """Export reviews, settings, predictions, telemetry and choices, decrypted."""
    own = {"user_id": user_id}
    for name, collection, query, without in (
        ("reviews", people.reviews, own, ("decided_reason",)),
        ("telemetry", people.telemetry, own, ("expires_at",)),
        ("privacy_choices", people.privacy, {"_id": user_id}, ()),
    ):
        async for rows in pages(services, collection, query, without=without):
            yield name, rows
    for device in await accounts.devices.find(services.db, own, fields=("device_id",)):
        async for rows in pages(services, people.telemetry, _reported_by(device["device_id"])):
            yield "telemetry", rows
    for name, sealed, place in (
        ("product_settings", people.settings, "product_settings"),
        ("prediction_feedback", people.feedback, "feedback"),
        ("predictions", people.last_predictions, "predictions"),
    ):
        async for rows in pages(services, sealed, own):
            yield name, [_opened(services, row, f"{place}/{row['id']}") for row in rows]


def _opened(services: Services, row: dict[str, Any], place: str) -> dict[str, Any]:
    values: dict[str, Any] = services.crypto.open_values(row.pop("sealed"), place=place)
    return {**row, **values}
