"""Product management by the shop's staff."""

from collections.abc import Mapping
from typing import Any, TypedDict, Unpack

from core import ids
from core.audit import Act, record
from core.context import Context
from core.errors import ErrorKind, UserError, check_version, error_codes
from core.ids import Id
from core.nodes import for_update
from core.storage.loader import by_id
from core.uploads import MIB, purpose
from core.values import money
from core.values.bounds import check_count, check_length
from core.values.money import Money
from core.values.words import key
from loaders.media import MediaById
from resolvers import media
from resolvers.catalog.access import variant_for_update
from resolvers.catalog.prices import version
from resolvers.catalog.publish_changes import price_range
from stores.catalog import products as store
from stores.catalog.kinds import Allergen, DataQuality, ProductStatus
from stores.catalog.products import Product, Variant
from stores.catalog.roles import CATALOG_ADMIN

error_codes(
    ErrorKind.WRONG_STATUS,
    DATA_QUALITY_ERROR="The product's data have errors: mend the data before it is published.",
)

PRODUCT_IMAGE = purpose(
    "PRODUCT_IMAGE",
    "A picture or label of a product.",
    image=10 * MIB,
    widths=(160, 320, 640, 1280),
    thumb=160,
    public=True,
    roles=(CATALOG_ADMIN,),
)
LONGEST = {"name": 200, "description": 4_000, "directions": 4_000, "product_url": 2_000}
MOST_LISTED, LONGEST_LISTED = 30, 100
MOST_IMAGES = 10


class ProductChanges(TypedDict, total=False):
    name: str
    description: str
    directions: str
    product_url: str | None
    purposes: list[str]
    impacted_biomarkers: list[str]
    allergens: list[Allergen]
    category_id: Id
    image_ids: list[Id]
    label_image_id: Id | None


class Changed(TypedDict):
    product: Product


class Priced(TypedDict):
    product_variant: Variant
    product: Product


async def update_product(
    ctx: Context, *, product_id: Id, expected_version: int | None = None, **changes: Unpack[ProductChanges]
) -> Changed:
    """Update a product's descriptive fields."""
    product = await product_for_update(ctx, product_id, expected_version)
    change: dict[str, Any] = {field: _checked(field, value) for field, value in changes.items()}
    if "name" in change:
        change["name_key"] = key(change["name"])
    if "category_id" in change and await ctx.load(by_id(store.categories), change["category_id"]) is None:
        raise UserError("NOT_FOUND", "There is no such category.", field=["categoryId"])
    await _exchange_pictures(ctx, product, change)
    updated = await _write(ctx, product, change)
    before = {field: value for field, value in product.items() if field in change}
    await _record(ctx, "catalog.product_updated", product_id, before, change)
    return {"product": updated}


async def set_variant_price(
    ctx: Context, *, product_variant_id: Id, price: Money, expected_version: int | None = None
) -> Priced:
    """Set a price; subscribers and carts learn of it within a second."""
    found, variant = await variant_for_update(ctx, product_variant_id)
    product = await product_for_update(ctx, found["_id"], None)
    current = version(variant)
    check_version(expected_version, current, product_variant=variant, product=product)
    minor = money.checked_money(price, variant["currency"], "price")
    priced = {"price": minor, "version": current + 1}
    variants = [{**each, **priced} if each["_id"] == variant["_id"] else each for each in product["variants"]]
    change = {"variants": variants, **price_range(variants)}  # type: ignore[arg-type]
    # The price's own event follows, one a second at most: so many changes are no news of the product.
    updated = await _write(ctx, product, change)
    ctx.tx.skip_log(updated)
    before, after = {"price": variant["price"]}, {"price": minor}
    await _record(ctx, "catalog.price_set", product_variant_id, before, after)
    changed = next(each for each in updated["variants"] if each["_id"] == product_variant_id)
    return {"product_variant": changed, "product": updated}


async def set_product_status(
    ctx: Context, *, product_id: Id, status: ProductStatus, expected_version: int | None = None
) -> Changed:
    """Publish a product, or take it off sale or back."""
    product = await product_for_update(ctx, product_id, expected_version)
    if product["status"] == status:
        return {"product": product}
    if status == ProductStatus.ACTIVE and product["data_quality"] == DataQuality.ERROR:
        raise UserError(
            "DATA_QUALITY_ERROR",
            "Its data have errors: {issues}",
            values={"issues": "; ".join(product["issues"])},
        )
    updated = await _write(ctx, product, {"status": status})
    before, after = {"status": product["status"]}, {"status": status}
    await _record(ctx, "catalog.status_set", product_id, before, after)
    return {"product": updated}


async def _record(
    ctx: Context, action: str, resource_id: str, before: Mapping[str, Any], after: Mapping[str, Any]
) -> None:
    details = {"before": before, "after": after}
    await record(ctx, Act(action, "DATA_MODIFIED", "CATALOG", resource_id, details=details))


async def product_for_update(ctx: Context, id: str, expected_version: int | None) -> Product:
    """Product to change, for staff who have seen its current version."""
    product = await for_update(ctx, store.products, id)
    check_version(expected_version, product["version"], product=product)
    return product


async def _write(ctx: Context, product: Product, change: Mapping[str, Any]) -> Product:
    return await ctx.tx.edit(store.products, product, {**change, "dirty": True})


def _checked(field: str, value: Any) -> Any:
    """Value in its stored form."""
    if field in LONGEST:
        return _text(field, value)
    if field == "category_id":
        return ids.checked(value, "category")
    if field == "image_ids":
        check_count(value, most=MOST_IMAGES, field=field)
        return list(dict.fromkeys(value))
    if field == "allergens":
        return [each for each in Allergen if each in value]
    return value if field == "label_image_id" else _listed(field, value)


def _text(field: str, value: str | None) -> str | None:
    text = value or ""
    check_length(text, least=field == "name", most=LONGEST[field], field=field)
    if field != "product_url":
        return text
    if text and not text.startswith(("https://", "http://")):
        raise UserError("INVALID_FORMAT", "Not an address of a page.", field=[field])
    return text or None


def _listed(field: str, values: list[str]) -> list[str]:
    check_count(values, most=MOST_LISTED, field=field)
    for each in values:
        check_length(each, least=1, most=LONGEST_LISTED, field=field)
    return values


async def _exchange_pictures(ctx: Context, product: Product, change: Mapping[str, Any]) -> None:
    """Attach new pictures, kept for as long as the product shows them, and release the others."""
    before, now = _shown(product), _shown({**product, **change})
    added = [ids.checked(id, "media") for id in now if id not in before]
    for id, medium in zip(added, await ctx.load_many(MediaById, added), strict=True):
        if medium is None or medium["owner_id"] != ctx.viewer_id or medium["purpose"] != PRODUCT_IMAGE.name:
            field = "image_ids" if id in change.get("image_ids", ()) else "label_image_id"
            raise UserError("NOT_FOUND", "This medium is not yours to show.", field=[field])
    for id in added:
        await media.link(ctx, id, product["_id"])
    for id in before:
        if id not in now:
            await media.unlink(ctx, id, product["_id"])


def _shown(product: Mapping[str, Any]) -> list[str]:
    """Pictures that a product shows, its label the last."""
    label_id = product["label_image_id"]
    return list(dict.fromkeys([*product["image_ids"], *([label_id] if label_id else ())]))
