"""Products with their variants, and categories."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NotRequired, TypedDict

from core.storage.indexes import Index
from core.storage.mongo import Database
from core.storage.moves import Moves
from core.storage.store import Row, collection, entity, index
from core.values.words import LONGEST_PREFIX
from stores.catalog.kinds import (
    Allergen,
    AvailabilityStatus,
    BundleLinkKind,
    DataQuality,
    DosageForm,
    IntakeTimeslot,
    MatchMethod,
    ProductSort,
    ProductStatus,
)


class Availability(TypedDict):
    status: AvailabilityStatus
    remaining: int | None
    restock_at: datetime | None
    checked_at: datetime


class Attribute(TypedDict):
    name: str
    value: str


class Variant(TypedDict):
    """Variant of a product; prices in minor units."""

    _id: str
    product_id: str
    sku: str
    title: str
    attributes: list[Attribute]
    price: int
    compare_at_price: int | None
    currency: str
    barcodes: list[str]
    availability: Availability
    max_per_order: int
    active: bool
    told_price: int
    """Price last published to subscribers."""
    version: NotRequired[int]
    """Rises when the variant is changed; missing until the first change."""


class Ingredient(TypedDict):
    name: str
    amount: str | None
    unit: str | None


class Dosage(TypedDict):
    amount_per_serving: str | None
    unit_per_serving: str | None
    recommended_units: str | None
    recommended_frequency: str | None
    total_daily_amount: str | None
    total_daily_unit: str | None
    raw: str | None


class Schedule(TypedDict):
    timeslots: list[IntakeTimeslot]
    raw: str | None


class BundleLink(TypedDict):
    type: BundleLinkKind
    goal: str
    subgoal: str | None
    confidence: float
    match_method: MatchMethod
    matched_keywords: list[str]


class Rating(TypedDict):
    """`histogram` counts ratings of 1 to 5 stars, in that order."""

    average: float
    count: int
    histogram: list[int]


class Product(Row):
    slug: str
    status: ProductStatus
    name: str
    name_key: str
    brand: str
    brand_key: str
    description: str
    form: DosageForm
    category_id: str
    goals: list[str]
    purposes: list[str]
    impacted_biomarkers: list[str]
    allergens: NotRequired[list[Allergen] | None]
    """None, or left out, while nobody knows; empty for a product without any."""
    ingredients_text: str
    ingredients: list[Ingredient]
    ingredient_keys: list[str]
    directions: str
    serving_size: str | None
    servings_per_container: int
    dosage: Dosage
    schedule: Schedule
    bundle_links: list[BundleLink]
    image_ids: list[str]
    label_image_id: str | None
    product_url: str | None
    variants: list[Variant]
    availability: Availability
    min_price: int
    max_price: int
    currency: str
    rating_summary: Rating
    rating: float
    sales: int
    import_key: str
    data_quality: DataQuality
    issues: list[str]
    source_row_index: int | None
    dirty: bool
    """True while its search entry, availability or price is still to be published."""
    folded: NotRequired[int]
    """Version of the folding that made its keys."""
    prefixes: NotRequired[list[str]]
    """Beginnings of its words: kept for searching without search entries, never read."""


class Category(TypedDict):
    _id: str
    name: str
    slug: str
    goal: str
    product_count: int


SHOWN = tuple(name for name in Product.__annotations__ if name not in ("prefixes", "folded"))
"""Fields of a product that anybody reads."""

SORTS: Mapping[ProductSort, Sequence[tuple[str, int]]] = {
    ProductSort.RELEVANCE: [("_id", 1)],
    ProductSort.PRICE_ASC: [("min_price", 1), ("_id", 1)],
    ProductSort.PRICE_DESC: [("min_price", -1), ("_id", 1)],
    ProductSort.NAME: [("name_key", 1), ("_id", 1)],
    ProductSort.NEWEST: [("created_at", -1), ("_id", 1)],
    ProductSort.RATING: [("rating", -1), ("_id", 1)],
    ProductSort.TOP_SELLING: [("sales", -1), ("_id", 1)],
}


def _ordered(first: str, keys: Sequence[tuple[str, int]], *more: str) -> Index:
    return index(first, *more, *(f"-{key}" if way < 0 else key for key, way in keys))


BY_PREFIX = index("status", "prefixes", "_id")

ORDERED_BY = {sort: _ordered("status", keys) for sort, keys in SORTS.items()}
"""Index of each order, so that no page is sorted in memory."""

ORDERED_IN_CATEGORY = {sort: _ordered("status", keys, "category_id") for sort, keys in SORTS.items()}
"""The same within categories, whose products may lie anywhere in the order of all."""


def product_scope(id: str) -> str:
    """Scope of those who watch a product."""
    return f"product:{id}"


products = entity(
    "products",
    Product,
    prefix="product",
    scopes=lambda product: [product_scope(product["_id"])],
    audience_never_shrinks=True,
    indexes=[
        index("slug", unique=True),
        index("import_key", unique=True),
        index("variants.sku", unique=True),
        index("variants._id"),
        index("dirty", partialFilterExpression={"dirty": True}, serves={"dirty": True}),
        *ORDERED_BY.values(),
        *ORDERED_IN_CATEGORY.values(),
        BY_PREFIX,
        index("folded", "_id"),
    ],
    # A shop's products fit one shard, and nothing else keeps slugs and SKUs unique.
    shard_key=None,
    moves=Moves(
        {
            ProductStatus.HIDDEN: {ProductStatus.ACTIVE},
            ProductStatus.ACTIVE: {ProductStatus.DISCONTINUED},
            ProductStatus.DISCONTINUED: {ProductStatus.ACTIVE},
        }
    ),
)
categories = collection(
    "categories", Category, prefix="category", indexes=[index("slug", unique=True)], shard_key=None
)
BATCH = 1_000
MOST_CATEGORIES = 200


async def by_ids(db: Database, ids: Iterable[str], *, fields: Sequence[str] = ()) -> list[Product]:
    return await products.by_ids(db, ids, fields=fields or SHOWN)


async def by_slugs(db: Database, slugs: Sequence[str]) -> list[Product]:
    return await products.find(db, {"slug": {"$in": list(slugs)}}, limit=len(slugs), fields=SHOWN)


async def with_variants(
    db: Database, variant_ids: Sequence[str], *, fields: Sequence[str] = ()
) -> list[Product]:
    """Products of the variants: these `fields`, or all that anybody reads."""
    query = {"variants._id": {"$in": list(variant_ids)}}
    most = max(1, len(variant_ids))
    return await products.find(db, query, limit=most, fields=fields or SHOWN, batch=True)


async def page(
    db: Database,
    sort: ProductSort,
    filters: Mapping[str, Any],
    beyond: Mapping[str, Any],
    order: Sequence[tuple[str, int]],
    limit: int,
    fields: Sequence[str] = (),
) -> list[Product]:
    """Products on sale in the order of an index that gives it: their `fields`, or all that anybody reads."""
    query: dict[str, Any] = {"status": ProductStatus.ACTIVE, **filters}
    if beyond:
        query = {"$and": [query, dict(beyond)]}
    return await products.find(
        db, query, sort=order, limit=limit, fields=fields or SHOWN, hint=page_index(sort, filters)
    )


def page_index(sort: ProductSort, filters: Mapping[str, Any]) -> str:
    return (ORDERED_IN_CATEGORY if "category_id" in filters else ORDERED_BY)[sort].name


async def beginning_with(
    db: Database,
    stems: Sequence[str],
    filters: Mapping[str, Any],
    beyond: Mapping[str, Any],
    order: Sequence[tuple[str, int]],
    limit: int,
) -> list[Product]:
    """Products on sale with words that begin so, in the order of their ids."""
    query = _beginning(stems, filters, beyond)
    return await products.find(db, query, sort=order, limit=limit, fields=SHOWN, hint=BY_PREFIX.name)


async def count_beginning_with(
    db: Database, stems: Sequence[str], filters: Mapping[str, Any], limit: int
) -> int:
    command = {"count": products.name, "query": _beginning(stems, filters, {}), "limit": limit}
    return int((await db.command(command))["n"])


def _beginning(stems: Sequence[str], filters: Mapping[str, Any], beyond: Mapping[str, Any]) -> dict[str, Any]:
    query: dict[str, Any] = {"status": ProductStatus.ACTIVE, **filters}
    [*cut] = {stem[:LONGEST_PREFIX] for stem in stems}
    first, *rest = sorted(cut, key=len, reverse=True) or [""]
    clauses: list[Mapping[str, Any]] = [{"prefixes": stem} for stem in rest]
    if stems:
        query["prefixes"] = first
    if beyond:
        clauses.append(beyond)
    if clauses:
        query["$and"] = clauses
    return query


async def dirty(db: Database, limit: int) -> list[Product]:
    return await products.find(db, {"dirty": True}, limit=limit, fields=SHOWN)


async def folded_otherwise(db: Database, folding: int, limit: int) -> list[Product]:
    """Products whose keys were made by another folding version."""
    query = {"folded": {"$ne": folding}}
    return await products.find(db, query, sort=[("folded", 1), ("_id", 1)], limit=limit, fields=SHOWN)


async def all_categories(db: Database) -> list[Category]:
    return await categories.find(db, {}, sort=[("slug", 1)], limit=MOST_CATEGORIES)


async def sold(db: Database) -> dict[str, int]:
    """Units sold by product."""
    rows = await db.aggregate(
        "inventory",
        [{"$match": {"sold": {"$gt": 0}}}, {"$group": {"_id": "$product_id", "sold": {"$sum": "$sold"}}}],
    )
    return {row["_id"]: row["sold"] for row in rows}


async def set_sales(db: Database, sales: Mapping[str, int]) -> int:
    """Write the changed figures, and mark their products; return how many changed."""
    updates = [
        {"q": {"_id": id, "sales": {"$ne": count}}, "u": {"$set": {"sales": count, "dirty": True}}}
        for id, count in sales.items()
    ]
    moved = 0
    for start in range(0, len(updates), BATCH):
        batch = updates[start : start + BATCH]
        answer = await db.write({"update": products.name, "updates": batch, "ordered": False})
        moved += answer["nModified"]
    return moved


async def set_counts(db: Database, counts: Mapping[str, int]) -> None:
    rows = await all_categories(db)
    updates = [
        {"q": {"_id": row["_id"]}, "u": {"$set": {"product_count": counts.get(row["_id"], 0)}}}
        for row in rows
    ]
    if updates:
        await db.write({"update": categories.name, "updates": updates})


def by_sales(rows: Sequence[Product]) -> list[Product]:
    """Products in the order of best sellers, each once."""
    once = {row["_id"]: row for row in rows}
    return sorted(once.values(), key=lambda row: (-row["sales"], row["_id"]))


async def sellers(db: Database, category_ids: Sequence[str], limit: int) -> list[Product]:
    """Best sellers of the categories, or of all when there are none; most sold first."""
    filters: dict[str, Any] = {"category_id": {"$in": list(category_ids)}} if category_ids else {}
    order = SORTS[ProductSort.TOP_SELLING]
    return await page(db, ProductSort.TOP_SELLING, filters, {}, order, limit)
