"""Product settings of a person: refills, alerts, reminders. Health-related, so they are stored encrypted."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, TypedDict

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
    """Notification channels for a product that runs out, and their timing; what is left out stays."""

    push: bool | None
    """True to send push notifications."""
    email: bool | None
    """True to send emails to the account's address."""
    local: bool | None
    """True to let the app show local notifications that it schedules itself."""
    days_before: int | None
    """Number of days before the product runs out: 1, 3 or 7."""


async def update_product_settings(
    ctx: Context,
    *,
    product_id: Id,
    expected_version: int | None = None,
    auto_refill: bool | None = None,
    reorder_threshold: int | None = None,
    low_stock_alert: bool | None = None,
    reminders_enabled: bool | None = None,
    notifications: NoticeChannels | None = None,
) -> dict[str, Any]:
    """Update the given settings; without a version the last write of each field wins."""
    product = await for_update(ctx, products, product_id)
    given = {
        "auto_refill": auto_refill,
        "reorder_threshold": reorder_threshold,
        "low_stock_alert": low_stock_alert,
        "reminders_enabled": reminders_enabled,
        "notifications": notifications,
    }
    change = _checked({name: value for name, value in given.items() if value is not None})
    row = next(iter(await store.settings_of(ctx.db, ctx.viewer_id, [product_id])), None)
    current = opened(ctx, row) if row else None
    check_version(expected_version, row["version"] if row else 0, product_settings=current)
    if change.get("auto_refill") and product["status"] == ProductStatus.DISCONTINUED:
        raise UserError(
            "PRODUCT_DISCONTINUED",
            "The product is no longer sold.",
            field=["autoRefill"],
            product_settings=current,
            product=product,
            alternatives=(await alternatives(ctx, [product]))[0],
        )
    before = {name: current[name] for name in FIRST} if current else FIRST
    told = {**before["notifications"], **change.pop("notifications", {})}  # type: ignore[dict-item]
    written = await _write(ctx, row, product_id, {**before, **change, "notifications": told})
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


def _checked(change: dict[str, Any]) -> dict[str, Any]:
    threshold = change.get("reorder_threshold")
    if threshold is not None and not 0 <= threshold <= MOST_SERVINGS:
        raise UserError(
            "OUT_OF_RANGE", "0 to {limit} servings.", field=["reorderThreshold"], limit=MOST_SERVINGS
        )
    told = change.get("notifications")
    if told is not None:
        change["notifications"] = told = {name: each for name, each in told.items() if each is not None}
        if told.get("days_before", LEAD_DAYS[0]) not in LEAD_DAYS:
            raise UserError(
                "OUT_OF_RANGE",
                "Days before that can be chosen: {days}.",
                field=["notifications", "daysBefore"],
                limit=LEAD_DAYS[-1],
                values={"days": ", ".join(map(str, LEAD_DAYS))},
            )
    return change


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
