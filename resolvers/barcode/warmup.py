"""Warm-up sets: the numbers whose mappings a person's devices keep, to know codes without a connection."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypedDict
from zlib import crc32

from core import clock, jobs, paging
from core.context import Context, Services
from core.hooks import Hook, on
from core.paging import PageArgs, Sort
from core.storage.loader import by_id
from resolvers import favorite
from resolvers.favorite import FavoriteKindName
from stores import barcode as store
from stores.barcode import BarcodeMapping, BarcodeMappingStatus

MOST_KEPT = 1_000
"""Numbers of a warm-up set, and of the scans beside it."""
PERIOD = timedelta(hours=1)
RECENT_PURCHASES = timedelta(days=365)
BY_GTIN: Sort = (("gtin", 1), ("_id", 1))

recent_purchases = Hook[[Services, str, datetime], Sequence[str]]("barcode.recent_purchases")
"""Asked for ids of products that a person has bought since a moment, latest first."""

Document = Mapping[str, Any]


class WarmupFilter(TypedDict, total=False):
    """Filter of the warm-up list."""

    updated_from: datetime | None
    """Time from which on the mappings were changed, included."""


async def viewer_warmup(
    ctx: Context, area: Document, *, filter: WarmupFilter | None = None, args: PageArgs
) -> dict[str, Any]:
    """Active mappings of the viewer's stacks, wishlist and recent purchases, by number."""
    kept = await ctx.load(by_id(store.warmup_sets), ctx.viewer_id)
    if kept is None:
        # Until the job has run once.
        indexes = await _warm(ctx.services, ctx.viewer_id)
    else:
        indexes = kept["warm"]
    since = (filter or {}).get("updated_from")
    listing = paging.Listing("barcode_warmup", owner=ctx.viewer_id, since=since)
    page = paging.parse_page(listing, BY_GTIN, args)
    rows = await _active(ctx.services, indexes)
    shown = [each for each in rows if since is None or each["updated_at"] >= since]
    return paging.connection(listing, BY_GTIN, page, paging.slice_of(shown, BY_GTIN, page))


async def _active(services: Services, indexes: Sequence[str]) -> list[BarcodeMapping]:
    query = {"gtin_index": {"$in": list(indexes)}, "status": BarcodeMappingStatus.ACTIVE}
    return await store.mappings.find(services.db, query, limit=2 * MOST_KEPT)


async def plan(ctx: Context, user_id: str) -> None:
    """Have a person's set rebuilt, once in an hour however often something changes in it."""
    hour = ctx.tx.now.replace(minute=0, second=0, microsecond=0)
    due_at = hour + timedelta(seconds=crc32(user_id.encode()) % PERIOD.total_seconds())
    if due_at <= ctx.tx.now:
        due_at += PERIOD
    await jobs.enqueue(ctx.tx, "barcode.rebuild_warmup", due_at=due_at, key=user_id, user_id=user_id)


@on(favorite.targets_changed)
async def follow_wishlist(ctx: Context, user_id: str, kind: FavoriteKindName) -> None:
    """Have the set rebuilt of somebody whose wishlist changed."""
    if kind == favorite.PRODUCT.name:
        await plan(ctx, user_id)


async def rebuild(ctx: Context, user_id: str) -> None:
    """Rebuild a person's set; their devices get what came into it, and lose what left it."""
    now = ctx.tx.now
    warm = await _warm(ctx.services, user_id)
    scanned = await store.latest_scans(ctx.services.db, user_id, store.MOST_SCANS)
    lately = [row for row in scanned if row["scanned_at"] >= now - store.OLDEST_SCAN]
    numbers = list(dict.fromkeys(row["gtin_index"] for row in lately))[:MOST_KEPT]
    indexes = list(dict.fromkeys([*warm, *numbers]))
    before = await store.warmup_sets.by_id(ctx.db, user_id)
    former = set(before["gtin_indexes"]) if before else set()
    for index in indexes:
        if index not in former:
            ctx.tx.granted(user_id, store.gtin_scope(index))
    for index in former.difference(indexes):
        ctx.tx.revoked(user_id, store.gtin_scope(index))
    made = {"user_id": user_id, "gtin_indexes": indexes, "warm": warm, "rebuilt_at": now}
    await ctx.tx.update(store.warmup_sets, user_id, set=made, initial={}, touch=False)


async def _warm(services: Services, user_id: str) -> list[str]:
    """Indexes of the numbers of products that the person takes, wishes or has bought."""
    since = clock.now() - RECENT_PURCHASES
    asked: list[Sequence[str]] = [
        await _taken(services, user_id),
        await favorite.saved_targets(Context(services), user_id, favorite.PRODUCT.name),
        *await recent_purchases(services, user_id, since),
    ]
    product_ids = list(dict.fromkeys(id for found in asked for id in found))[:MOST_KEPT]
    rows = await store.of_products(services.db, product_ids, limit=2 * MOST_KEPT)
    active = [row for row in rows if row["status"] == BarcodeMappingStatus.ACTIVE]
    place = {id: number for number, id in enumerate(product_ids)}
    active.sort(key=lambda row: (place[row["product_id"]], row["_id"]))
    return list(dict.fromkeys(row["gtin_index"] for row in active))[:MOST_KEPT]


async def _taken(services: Services, user_id: str) -> list[str]:
    query = {"user_id": user_id}
    most = store.MOST_STACKS * store.MOST_ITEMS
    rows = await store.items.find(services.db, query, limit=most, fields=("product_id",))
    return [row["product_id"] for row in rows]
