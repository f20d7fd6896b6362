"""Product settings of a person: refills, alerts, reminders. Health-related, so they are stored encrypted.

What a person has not set is null, and never filled in: whoever acts on a setting knows what it is then.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, TypedDict, Unpack

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
FIELDS = ("auto_refill", "reorder_threshold", "low_stock_alert", "reminders_enabled")
CHANNELS = ("push", "email", "local", "notify_days")

Document = Mapping[str, Any]


class NoticeChannels(TypedDict, total=False):
    """Notification channels for a product that runs out, and their timing."""

    push: bool | None
    """True to send push notifications. Left out: unchanged; null: cleared."""
    email: bool | None
    """True to send emails to the account's address. Left out: unchanged; null: cleared."""
    local: bool | None
    """True to let the app show notifications of its own. Left out: unchanged; null: cleared."""
    notify_days: list[int] | None
    """Numbers of days before the product runs out: any of 1, 3 and 7, or none for no notification.
    Left out: unchanged; null: cleared."""


class SettingsChanges(TypedDict, total=False):
    auto_refill: bool | None
    reorder_threshold: int | None
    low_stock_alert: bool | None
    reminders_enabled: bool | None
    notifications: NoticeChannels | None


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
    written = await _write(ctx, row, product_id, _merged(_values(ctx, row) if row else {}, changes))
    shown = opened(ctx, written)
    query = {"user_id": ctx.viewer_id}
    return {
        "product_settings": shown,
        "product_settings_edge": store.settings.edge(query, store.SETTINGS_SORT, shown),  # type: ignore[arg-type]
    }


def _merged(before: Mapping[str, Any], changes: SettingsChanges) -> dict[str, Any]:
    """Settings after the changes: null takes away what was set, channel by channel."""
    now = {**before, **changes}
    channels = changes.get("notifications")
    if channels is not None:
        now["notifications"] = _given({**(before.get("notifications") or {}), **channels})
    return _given(now)


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


async def _write(
    ctx: Context, row: ProductSettings | None, product_id: str, values: Mapping[str, Any]
) -> ProductSettings:
    id = row["_id"] if row else ids.new_id("product_settings")
    sealed = ctx.services.crypto.seal_values(values, place=_place(id))
    if row is None:
        own = {"_id": id, "user_id": ctx.viewer_id, "product_id": product_id, "sealed": sealed}
        return await ctx.tx.insert(store.settings, own)
    return await ctx.tx.edit(store.settings, row, {"sealed": sealed})


def _check(changes: SettingsChanges) -> None:
    if not 0 <= (changes.get("reorder_threshold") or 0) <= MOST_SERVINGS:
        raise UserError(
            "OUT_OF_RANGE", "0 to {limit} servings.", field=["reorderThreshold"], limit=MOST_SERVINGS
        )
    channels = changes.get("notifications") or {}
    days = channels.get("notify_days")
    if days is None:
        return
    if not set(days) <= set(LEAD_DAYS):
        raise UserError(
            "OUT_OF_RANGE",
            "Days before that can be chosen: {days}.",
            field=["notifications", "notifyDays"],
            limit=LEAD_DAYS[-1],
            values={"days": ", ".join(map(str, LEAD_DAYS))},
        )
    channels["notify_days"] = sorted(set(days))


def opened(ctx: Context, row: ProductSettings) -> dict[str, Any]:
    """Decrypted settings, for their owner; null where nothing is set."""
    values = _values(ctx, row)
    channels = values.get("notifications", {})
    return {
        **row,
        **{name: values.get(name) for name in FIELDS},
        "notifications": {name: channels.get(name) for name in CHANNELS},
    }


def _values(ctx: Context, row: ProductSettings) -> dict[str, Any]:
    values: dict[str, Any] = ctx.services.crypto.open_values(row["sealed"], place=_place(row["_id"]))
    # Sealed texts are out of reach of migrations: those of earlier versions have one day.
    channels = values.get("notifications", {})
    if "days_before" in channels:
        channels["notify_days"] = [channels.pop("days_before")]
    return values


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
