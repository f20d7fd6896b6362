"""Reads of products and categories."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, TypedDict

from core import ids
from core.context import Context
from core.errors import BadUserInput
from core.ids import Id, well_formed
from core.one_of import one_of
from core.storage.loader import by_id
from core.storage.mongo import Database
from core.values.bounds import check_limit
from core.values.words import key
from loaders.catalog import ProductById, ProductBySlug, RowsLikeProduct
from resolvers.catalog.access import seen, visible_products
from resolvers.catalog.entries import Row, unpacked
from resolvers.catalog.facets import EVERYTHING
from resolvers.catalog.query import MOST_VALUES
from stores.catalog import entries
from stores.catalog import products as store
from stores.catalog.kinds import ProductStatus
from stores.catalog.products import Category, Product, Variant

Document = Mapping[str, Any]

MOST_IDS = 100
MOST_LISTED = 100
LONGEST_SLUG = 400
MOST_ALTERNATIVES = 20


@one_of
class ProductBy(TypedDict, total=False):
    """Key of a product: one of several."""

    id: Id | None
    """Id of the product."""
    slug: str | None
    """Slug of the product in URLs, at most 400 characters."""


async def product(ctx: Context, *, by: ProductBy) -> Product | None:
    """Product by one of its keys; None for unknown and hidden ones alike."""
    id, slug = by.get("id"), by.get("slug")
    if id is not None:
        [found] = await visible_products(ctx, [ids.checked(id, "product")])
    else:
        [found] = await seen(ctx, [await ctx.load(ProductBySlug, str(slug)[:LONGEST_SLUG])])
    return found


async def products(ctx: Context, *, ids: list[Id]) -> list[Product | None]:
    """Products in the order of the ids: a phone refreshes its copies in one call."""
    if len(ids) > MOST_IDS:
        raise BadUserInput(f"At most {MOST_IDS} ids.")
    wanted = [id for id in dict.fromkeys(ids) if well_formed(id, "product")]
    found = dict(zip(wanted, await visible_products(ctx, wanted), strict=True))
    return [found.get(id) for id in ids]


def all_products(db: Database) -> AsyncIterator[list[Product]]:
    """Every product there is, hidden ones too, some at a time: for background work."""
    return store.products.batches(db, {}, fields=store.SHOWN, scan=True)


async def products_by_ids(db: Database, ids: Sequence[str]) -> list[Product]:
    """Products, hidden ones too: for background work."""
    return await store.by_ids(db, ids)


async def categories(ctx: Context) -> list[Category]:
    return await store.all_categories(ctx.db)


class TopSellerFilter(TypedDict, total=False):
    """Filter of the best sellers."""

    category_ids: list[Id] | None
    """Ids of categories that the products are in one of, at most 20; all when left out."""


async def top_sellers(
    ctx: Context, *, filter: TopSellerFilter | None = None, limit: int = 20
) -> list[Product]:
    """Best sellers, as last precomputed; computed live until the job has run once."""
    check_limit(limit, most=MOST_LISTED)
    chosen = list(dict.fromkeys((filter or {}).get("category_ids") or ()))
    if len(chosen) > MOST_VALUES:
        raise BadUserInput(f"A filter has at most {MOST_VALUES} values.")
    wanted = [ids.checked(each, "category") for each in chosen]
    hot = await ctx.load_many(by_id(entries.hot_lists), wanted or [EVERYTHING])
    if not all(hot):
        return await store.sellers(ctx.db, wanted, limit)
    listed = [id for each in hot if each for id in each["product_ids"]]
    found = [each for each in await ctx.load_many(ProductById, listed) if each]
    active = [each for each in found if each["status"] == ProductStatus.ACTIVE]
    # Each list is in this order; several are merged.
    ordered = active if len(hot) == 1 else store.by_sales(active)
    return ordered[:limit]


def default_variant(product: Document) -> Variant | None:
    """Default variant: the cheapest that can be bought, else the first."""
    active = [each for each in product["variants"] if each["active"]]
    available = [each for each in active if each["availability"]["status"] in ("IN_STOCK", "LOW_STOCK")]
    chosen: Variant = min(available or active or product["variants"], key=lambda each: each["price"])
    return chosen


def active_variants(product: Document) -> list[Variant]:
    """Variants on sale; all of a product that has none."""
    return [each for each in product["variants"] if each["active"]] or list(product["variants"])


async def alternatives(ctx: Context, products: Sequence[Document], *, limit: int = 5) -> list[list[Product]]:
    """Products in stock with the same ingredients, the most alike first."""
    check_limit(limit, most=MOST_ALTERNATIVES)
    keys = [(product["_id"], tuple(product["ingredient_keys"])) for product in products]
    rows = await ctx.load_many(RowsLikeProduct, keys)
    chosen = [_alike(product, each)[:limit] for product, each in zip(products, rows, strict=True)]
    loaded = await ctx.load_many(ProductById, [id for ids_ in chosen for id in ids_])
    found = {each["_id"]: each for each in loaded if each and each["status"] == ProductStatus.ACTIVE}
    return [[found[id] for id in each if id in found] for each in chosen]


def _alike(product: Document, packed: Sequence[str]) -> list[str]:
    own = set(product["ingredient_keys"])
    price = product["min_price"]

    def likeness(row: Row) -> tuple[float, str]:
        theirs = {key(each) for each in row.ingredients.split("\x1e")}
        shared = len(own & theirs) / max(1, len(own | theirs))
        same = 0.3 * (row.form == product["form"]) + 0.2 * (row.category_id == product["category_id"])
        nearness = 0.2 * min(price, int(row.min_price)) / max(price, int(row.min_price), 1)
        return -(shared + same + nearness), row.id

    return [row.id for row in sorted(map(unpacked, packed), key=likeness)]
