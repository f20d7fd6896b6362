"""Reads of products and categories."""

from collections.abc import Mapping, Sequence
from typing import Any

from core import ids
from core.context import Context
from core.errors import BadUserInput
from core.ids import Id, well_formed
from core.storage.loader import by_id
from core.values.words import key
from loaders.catalog import ProductById, ProductBySlug, RowsLikeProduct
from resolvers.catalog.access import seen, visible_products
from resolvers.catalog.entries import Row, unpacked
from resolvers.catalog.facets import EVERYTHING
from stores.catalog import entries
from stores.catalog import products as store
from stores.catalog.kinds import ProductStatus
from stores.catalog.products import Category, Product, Variant

Document = Mapping[str, Any]

MOST_IDS = 100
MOST_LISTED = 100
LONGEST_SLUG = 400
MOST_ALTERNATIVES = 20


async def product(ctx: Context, *, id: Id | None = None, slug: str | None = None) -> Product | None:
    """Product by id or by slug; None for unknown and hidden ones alike."""
    if (id is None) == (slug is None):
        raise BadUserInput("Give either `id` or `slug`.")
    if id is not None:
        [found] = await visible_products(ctx, [ids.checked(id, "product")])
        return found
    assert slug is not None
    [found] = await seen(ctx, [await ctx.load(ProductBySlug, slug[:LONGEST_SLUG])])
    return found


async def products(ctx: Context, *, ids: list[Id]) -> list[Product | None]:
    """Products in the order of the ids: a phone refreshes its copies in one call."""
    if len(ids) > MOST_IDS:
        raise BadUserInput(f"At most {MOST_IDS} ids.")
    wanted = [id for id in dict.fromkeys(ids) if well_formed(id, "product")]
    found = dict(zip(wanted, await visible_products(ctx, wanted), strict=True))
    return [found.get(id) for id in ids]


async def categories(ctx: Context) -> list[Category]:
    return await store.all_categories(ctx.db)


async def top_sellers(ctx: Context, *, category_id: Id | None = None, first: int = 20) -> list[Product]:
    """Best sellers, as last precomputed; computed live until the job has run once."""
    if not 1 <= first <= MOST_LISTED:
        raise BadUserInput(f"`first` must be between 1 and {MOST_LISTED}.")
    if category_id is not None:
        ids.checked(category_id, "category")
    hot = await ctx.load(by_id(entries.hot_lists), category_id or EVERYTHING)
    if hot is None:
        return await store.sellers(ctx.db, category_id, first)
    found = await ctx.load_many(ProductById, hot["product_ids"])
    return [each for each in found if each and each["status"] == ProductStatus.ACTIVE][:first]


def default_variant(product: Document) -> Variant | None:
    """Default variant: the cheapest that can be bought, else the first."""
    active = [each for each in product["variants"] if each["active"]]
    available = [each for each in active if each["availability"]["status"] in ("IN_STOCK", "LOW_STOCK")]
    chosen: Variant = min(available or active or product["variants"], key=lambda each: each["price"])
    return chosen


def active_variants(product: Document) -> list[Variant]:
    """Variants on sale; all of a product that has none."""
    return [each for each in product["variants"] if each["active"]] or list(product["variants"])


async def alternatives(ctx: Context, products: Sequence[Document], *, first: int = 5) -> list[list[Product]]:
    """Products in stock with the same ingredients, the most alike first."""
    if not 1 <= first <= MOST_ALTERNATIVES:
        raise BadUserInput(f"`first` must be between 1 and {MOST_ALTERNATIVES}.")
    keys = [(product["_id"], tuple(product["ingredient_keys"])) for product in products]
    rows = await ctx.load_many(RowsLikeProduct, keys)
    chosen = [_alike(product, each)[:first] for product, each in zip(products, rows, strict=True)]
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
