"""Background work of the barcode scanner."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from functools import partial
from typing import Any

from core import clock
from core.context import Context, Services
from core.erasure import on_user_deleted, on_user_export, pages
from core.jobs import Lane, task
from core.storage.batches import delete_each, each_in_unit
from resolvers import catalog
from resolvers.barcode import (
    catalog_codes,
    fanning_out,
    outside,
    photos,
    retaining,
    submitting,
    warmup,
)
from resolvers.barcode.sealing import choice_place, opened_scan, opened_submission
from stores import barcode as store

RETRIES = [timedelta(seconds=seconds) for seconds in (1, 5, 20, 60)]
"""Waits of the fan-out: five tries in all."""


@task("barcode.map_product", lane=Lane.BULK)
async def map_product(services: Services, *, product_id: str) -> None:
    """Map the barcodes of a product that were imported or changed."""
    for product in await catalog.products_by_ids(services.db, [product_id]):
        ctx = Context(services)
        await ctx.unit(partial(catalog_codes.map_product, ctx, product))


@task("barcode.map_catalog", lane=Lane.BULK, every=timedelta(days=1))
async def map_catalog(services: Services) -> None:
    """Map the barcodes of all products: at first, and again for what was in the way of one and is gone."""
    async for products in catalog.all_products(services.db):
        for product in products:
            if await catalog_codes.needs_mapping(services, product):
                ctx = Context(services)
                await ctx.unit(partial(catalog_codes.map_product, ctx, product))


task("barcode.fan_out", retries=RETRIES)(fanning_out.fan_out)
task("barcode.fan_out_late", lane=Lane.BULK, retries=RETRIES)(fanning_out.fan_out)
task("barcode.tell_decision", retries=RETRIES)(fanning_out.tell_decision)
task("barcode.read_photo", lane=Lane.BULK)(photos.read_codes)
task("barcode.ask_outside", lane=Lane.BULK)(outside.ask)


@task("barcode.rebuild_warmup", lane=Lane.BULK)
async def rebuild_warmup(services: Services, *, user_id: str) -> None:
    """Rebuild the numbers that a person's devices keep, and delete what is beyond their history."""
    ctx = Context(services)
    await ctx.unit(partial(warmup.rebuild, ctx, user_id))
    await retaining.prune(services, user_id)


@task("barcode.retain", lane=Lane.BULK, every=timedelta(days=1))
async def retain(services: Services) -> None:
    """Delete scans of more than two years ago and photos of old decisions, and count unmatched scans."""
    await delete_each(services, store.scans, {"scanned_at": {"$lt": clock.now() - store.HISTORY_KEPT}})
    past = {"decided_at": {"$lt": clock.now() - store.PHOTOS_KEPT}, "photos.0": {"$exists": True}}
    await each_in_unit(services, store.submissions, past, retaining.release_photos)
    await retaining.rank(services)


@on_user_deleted
async def erase(services: Services, user_id: str) -> None:
    """Erase what a person scanned, submitted, chose and stacked; mappings are nobody's."""
    own = {"user_id": user_id}
    await each_in_unit(services, store.submissions, own, submitting.forget)
    for kept in (store.scans, store.items, store.stacks):
        await delete_each(services, kept, own)
    for aside in (store.choices, store.windows, store.warmup_sets):
        await aside.delete_all(services.db, own)


@on_user_export
async def export(services: Services, user_id: str) -> AsyncIterator[tuple[str, Sequence[Mapping[str, Any]]]]:
    """Export scans, submissions, choices and stacks, decrypted."""
    own = {"user_id": user_id}
    async for scans in store.scans.batches(services.db, own):
        yield "scans", [_shown(opened_scan(services.crypto, row)) for row in scans]
    async for submissions in store.submissions.batches(services.db, own):
        yield "barcode_submissions", [_shown(opened_submission(services.crypto, row)) for row in submissions]
    async for choices in store.choices.batches(services.db, own):
        yield "barcode_choices", [_choice(services, row) for row in choices]
    for kept in (store.stacks, store.items):
        async for rows in pages(services, kept, own, without=("user_id", "name_key")):
            yield kept.name, rows


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    hidden = ("_id", "user_id", "gtin_index", "open_gtin", "image_ids")
    return {"id": row["_id"], **{name: value for name, value in row.items() if name not in hidden}}


def _choice(services: Services, row: Mapping[str, Any]) -> dict[str, Any]:
    variant_id = services.crypto.open(row["sealed"], place=choice_place(row["_id"]))
    return {"variant_id": variant_id, "created_at": row["created_at"]}
