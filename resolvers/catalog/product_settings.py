"""Product settings of a person: refills, alerts, reminders. Health-related, so they are stored encrypted."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, TypedDict, Unpack

import orjson

from core import ids
from core.context import Context
from core.errors import UserError, check_version
from core.ids import Id
from core.nodes import for_update, guard
from core.paging import PageArgs
from core.storage.loader import by_id
from loaders.catalog import SettingsOfViewer
from resolvers.catalog.reading import alternatives
from stores.catalog import people as store
from stores.catalog.kinds import ProductStatus
from stores.catalog.people import ProductSettings
from stores.catalog.products import products

MOST_SERVINGS = 365
LEAD_DAYS = (1, 3, 7)
FIRST = {
    "auto_refill": False,
    "reorder_threshold": 7,
    "low_stock_alert": True,
    "reminders_enabled": True,
    "notifications": {"push": True, "email": False, "local": True, "days_before": 3},
}
"""Default settings."""

Document = Mapping[str, Any]


class NoticeChannels(TypedDict, total=False):
    """Notification channels for a product that runs out, and their timing."""

    push: bool
    """True to send push notifications."""
    email: bool
    """True to send emails to the account's address."""
    local: bool
    """True to let the app show local notifications that it schedules itself."""
    days_before: int
    """Number of days before the product runs out: 1, 3 or 7."""


class SettingsChanges(TypedDict, total=False):
    auto_refill: bool
    reorder_threshold: int
    low_stock_alert: bool
    reminders_enabled: bool
    notifications: NoticeChannels


async def update_product_settings(
    ctx: Context, *, product_id: Id, expected_version: int | None = None, **changes: Unpack[SettingsChanges]
) -> dict[str, Any]:
    """Update the given settings; without a version the last write of each field wins."""
    product = await for_update(ctx, products, product_id)
    _check(changes)
    row = next(iter(await store.settings_of(ctx.db, ctx.viewer_id, [product_id])), None)
    current = opened(ctx, row) if row else None
    check_version(expected_version, row["version"] if row else 0, product_settings=current)
    if changes.get("auto_refill") and product["status"] == ProductStatus.DISCONTINUED:
        raise UserError(
            "PRODUCT_DISCONTINUED",
            "The product is no longer sold.",
            field=["autoRefill"],
            product_settings=current,
            product=product,
            alternatives=(await alternatives(ctx, [product]))[0],
        )
    before = {name: current[name] for name in FIRST} if current else FIRST
    told = {**before["notifications"], **changes.get("notifications", {})}  # type: ignore[dict-item]
    written = await _write(ctx, row, product_id, {**before, **changes, "notifications": told})
    shown = opened(ctx, written)
    query = {"user_id": ctx.viewer_id}
    return {
        "product_settings": shown,
        "product_settings_edge": store.settings.edge(query, store.SETTINGS_SORT, shown),  # type: ignore[arg-type]
    }


async def _write(
    ctx: Context, row: ProductSettings | None, product_id: str, values: Mapping[str, Any]
) -> ProductSettings:
    id = row["_id"] if row else ids.new_id("product_settings")
    sealed = ctx.services.crypto.seal(orjson.dumps(values).decode(), place=_place(id))
    if row is None:
        own = {"_id": id, "user_id": ctx.viewer_id, "product_id": product_id, "sealed": sealed}
        return await ctx.tx.insert(store.settings, own)
    return await ctx.tx.edit(store.settings, row, {"sealed": sealed})


def _check(changes: SettingsChanges) -> None:
    if not 0 <= changes.get("reorder_threshold", 0) <= MOST_SERVINGS:
        raise UserError(
            "OUT_OF_RANGE", "0 to {limit} servings.", field=["reorderThreshold"], limit=MOST_SERVINGS
        )
    if changes.get("notifications", {}).get("days_before", LEAD_DAYS[0]) not in LEAD_DAYS:
        raise UserError(
            "OUT_OF_RANGE",
            "Days before that can be chosen: {days}.",
            field=["notifications", "daysBefore"],
            limit=LEAD_DAYS[-1],
            values={"days": ", ".join(map(str, LEAD_DAYS))},
        )


def opened(ctx: Context, row: ProductSettings) -> dict[str, Any]:
    """Decrypted settings, for their owner."""
    values: dict[str, Any] = orjson.loads(ctx.services.crypto.open(row["sealed"], place=_place(row["_id"])))
    return {**row, **values}


def _place(id: str) -> str:
    return f"product_settings/{id}"


@guard("product_settings", sync="PRODUCT_SETTINGS", collection="product_settings")
async def own_settings(ctx: Context, wanted: Sequence[str]) -> Sequence[dict[str, Any] | None]:
    found = await ctx.load_many(by_id(store.settings), wanted)
    viewer = ctx.viewer_id_or_none
    return [opened(ctx, each) if each and each["user_id"] == viewer else None for each in found]


async def product_settings(ctx: Context, products: Sequence[Document]) -> list[dict[str, Any] | None]:
    """Access guard of product settings: the viewer's own; None if anonymous or never set."""
    if ctx.viewer is None:
        return [None for _ in products]
    rows = await ctx.load_many(SettingsOfViewer, [product["_id"] for product in products])
    return [opened(ctx, row) if row else None for row in rows]


async def viewer_settings(ctx: Context, viewer: Document, *, args: PageArgs) -> dict[str, Any]:
    """The viewer's settings, last changed first."""
    return await store.settings.page(
        ctx.db, {"user_id": ctx.viewer_id}, store.SETTINGS_SORT, args, shown=partial(opened, ctx)
    )
