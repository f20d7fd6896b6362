"""Access guards of the catalog."""

from collections.abc import Sequence

from core import grants, ids, nodes
from core.context import Context
from core.errors import ErrorKind, UserError, error_codes
from core.nodes import guard
from core.storage.loader import by_id
from loaders.catalog import ProductById, ProductOfVariant
from stores.catalog.kinds import ProductStatus, ReviewStatus
from stores.catalog.people import Review, reviews
from stores.catalog.products import Category, Product, Variant, categories
from stores.catalog.roles import CATALOG_ADMIN, CATALOG_STAFF, INVENTORY_ADMIN
from stores.catalog.stock import inventory

error_codes(
    ErrorKind.WRONG_STATUS,
    PRODUCT_DISCONTINUED="The product is no longer sold: the payload holds it and alternatives.",
)

levels_for_staff = nodes.for_roles(inventory, INVENTORY_ADMIN)


async def seen(ctx: Context, found: Sequence[Product | None]) -> list[Product | None]:
    """Products, with None for hidden ones unless the viewer may see them."""
    hidden = any(each and each["status"] == ProductStatus.HIDDEN for each in found)
    if not hidden or await grants.holds(ctx, *CATALOG_STAFF):
        return list(found)
    return [shown_to_all(each) for each in found]


def shown_to_all(product: Product | None) -> Product | None:
    """The product as everybody may see it: None for a hidden one."""
    return product if product and product["status"] != ProductStatus.HIDDEN else None


@guard("product")
async def visible_products(ctx: Context, wanted: Sequence[str]) -> Sequence[Product | None]:
    return await seen(ctx, await ctx.load_many(ProductById, wanted))


@guard("variant")
async def visible_variants(ctx: Context, wanted: Sequence[str]) -> Sequence[Variant | None]:
    """Access guard of variants: those of visible products."""
    shown = await seen(ctx, await ctx.load_many(ProductOfVariant, wanted))
    return [variant_of(product, id) if product else None for id, product in zip(wanted, shown, strict=True)]


@guard("category")
async def categories_by_id(ctx: Context, wanted: Sequence[str]) -> Sequence[Category | None]:
    return await ctx.load_many(by_id(categories), wanted)


@guard("review", sync="REVIEW", owner="user_id", collection="reviews")
async def visible_reviews(ctx: Context, wanted: Sequence[str]) -> Sequence[Review | None]:
    """Access guard of reviews: published ones of visible products, one's own, and all for moderators."""
    found = await ctx.load_many(by_id(reviews), wanted)
    viewer = ctx.viewer_id_or_none
    moderator = bool(found) and await grants.holds(ctx, CATALOG_ADMIN)
    products = await visible_products(ctx, [each["product_id"] for each in found if each])
    seen_products = {each["_id"] for each in products if each}
    return [
        each
        if each
        and (
            (viewer is not None and each["user_id"] == viewer)
            or moderator
            or (each["status"] == ReviewStatus.PUBLISHED and each["product_id"] in seen_products)
        )
        else None
        for each in found
    ]


async def variant_for_update(ctx: Context, id: str) -> tuple[Product, Variant]:
    product = await ctx.load(ProductOfVariant, ids.checked(id, "variant"))
    [shown] = await seen(ctx, [product])
    if shown is None:
        raise UserError("NOT_FOUND", "There is no such variant.", field=["productVariantId"])
    return shown, variant_of(shown, id)


def variant_of(product: Product, id: str) -> Variant:
    return next(each for each in product["variants"] if each["_id"] == id)
