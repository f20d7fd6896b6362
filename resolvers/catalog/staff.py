"""Product management by the shop's staff."""

from collections.abc import Mapping
from typing import Any, TypedDict

from core import ids
from core.context import Context
from core.errors import ErrorKind, UserError, check_version, error_codes
from core.ids import Id
from core.nodes import for_update
from core.security.audit import audited
from core.storage.loader import by_id
from core.uploads import MIB, purpose
from core.values import money
from core.values.bounds import check_count, check_length
from core.values.money import Money
from core.values.words import key
from loaders.media import MediaById
from resolvers import media
from resolvers.catalog.access import variant_for_update
from resolvers.catalog.publish_changes import price_range
from stores.catalog import products as store
from stores.catalog.kinds import DataQuality, ProductStatus
from stores.catalog.products import Product, Variant

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
)
LONGEST = {"name": 200, "description": 4_000, "directions": 4_000, "product_url": 2_000}
MOST_LISTED, LONGEST_LISTED = 30, 100
MOST_IMAGES = 10


class Changed(TypedDict):
    product: Product


class Priced(TypedDict):
    product_variant: Variant
    product: Product


async def update_product(
    ctx: Context,
    *,
    product_id: Id,
    expected_version: int | None = None,
    name: str | None = None,
    description: str | None = None,
    directions: str | None = None,
    product_url: str | None = None,
    purposes: list[str] | None = None,
    impacted_biomarkers: list[str] | None = None,
    category_id: Id | None = None,
    image_ids: list[Id] | None = None,
    label_image_id: Id | None = None,
) -> Changed:
    """Update a product's descriptive fields."""
    product = await product_for_update(ctx, product_id, expected_version)
    texts = {"name": name, "description": description, "directions": directions, "product_url": product_url}
    change: dict[str, Any] = {
        field: _text(field, value) for field, value in texts.items() if value is not None
    }
    if name is not None:
        change["name_key"] = key(change["name"])
    for field, listed in (("purposes", purposes), ("impacted_biomarkers", impacted_biomarkers)):
        if listed is not None:
            change[field] = _listed(field, listed)
    if category_id is not None:
        if await ctx.load(by_id(store.categories), ids.checked(category_id, "category")) is None:
            raise UserError("NOT_FOUND", "There is no such category.", field=["categoryId"])
        change["category_id"] = category_id
    change |= await _pictures(ctx, product, image_ids, label_image_id)
    updated = await _write(ctx, product, change)
    before = {field: value for field, value in product.items() if field in change}
    await audited(ctx, "catalog.product", subject_id=product_id, before=before, after=change)
    return {"product": updated}


async def set_variant_price(
    ctx: Context, *, product_variant_id: Id, price: Money, expected_version: int | None = None
) -> Priced:
    """Set a price; subscribers and carts learn of it within a second."""
    found, variant = await variant_for_update(ctx, product_variant_id)
    product = await product_for_update(ctx, found["_id"], None)
    version = variant.get("version", 1)
    check_version(expected_version, version, product_variant=variant, product=product)
    minor = money.checked_money(price, variant["currency"], "price")
    priced = {"price": minor, "version": version + 1}
    variants = [{**each, **priced} if each["_id"] == variant["_id"] else each for each in product["variants"]]
    change = {"variants": variants, **price_range(variants)}  # type: ignore[arg-type]
    # The price's own event follows, one a second at most: so many changes are no news of the product.
    updated = await _write(ctx, product, change)
    ctx.tx.skip_log(updated)
    before, after = {"price": variant["price"]}, {"price": minor}
    await audited(ctx, "catalog.price", subject_id=product_variant_id, before=before, after=after)
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
    await audited(ctx, "catalog.status", subject_id=product_id, before=before, after=after)
    return {"product": updated}


async def product_for_update(ctx: Context, id: str, expected_version: int | None) -> Product:
    """Product to change, for staff who have seen its current version."""
    product = await for_update(ctx, store.products, id)
    check_version(expected_version, product["version"], product=product)
    return product


async def _write(ctx: Context, product: Product, change: Mapping[str, Any]) -> Product:
    return await ctx.tx.edit(store.products, product, {**change, "dirty": True})


def _text(field: str, value: str) -> str:
    check_length(value, least=field == "name", most=LONGEST[field], field=field)
    if field == "product_url" and value and not value.startswith(("https://", "http://")):
        raise UserError("INVALID_FORMAT", "Not an address of a page.", field=["productUrl"])
    return value


def _listed(field: str, values: list[str]) -> list[str]:
    check_count(values, most=MOST_LISTED, field=field)
    for each in values:
        check_length(each, least=1, most=LONGEST_LISTED, field=field)
    return values


async def _pictures(
    ctx: Context, product: Product, image_ids: list[Id] | None, label_id: Id | None
) -> dict[str, Any]:
    """Attach new pictures, kept for as long as the product shows them."""
    change: dict[str, Any] = {}
    if image_ids is not None:
        check_count(image_ids, most=MOST_IMAGES, field="imageIds")
        change["image_ids"] = list(dict.fromkeys(image_ids))
    if label_id is not None:
        change["label_image_id"] = label_id
    before = _shown(product["image_ids"], product["label_image_id"])
    now = _shown(change.get("image_ids", product["image_ids"]), label_id or product["label_image_id"])
    added = [ids.checked(id, "media") for id in now if id not in before]
    for medium in await ctx.load_many(MediaById, added):
        if medium is None or medium["owner_id"] != ctx.viewer_id or medium["purpose"] != PRODUCT_IMAGE.name:
            raise UserError("NOT_FOUND", "This medium is not yours to show.", field=["imageIds"])
    for id in added:
        await media.link(ctx, id, product["_id"])
    for id in before:
        if id not in now:
            await media.unlink(ctx, id, product["_id"])
    return change


def _shown(image_ids: list[str], label_id: str | None) -> list[str]:
    return list(dict.fromkeys([*image_ids, *([label_id] if label_id else ())]))
