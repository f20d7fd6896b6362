"""Import of raw rows: each row is saved or rejected by itself."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Required, TypedDict

from core import clock, ids
from core.audit import Act, record
from core.context import Context
from core.errors import BadUserInput
from core.hooks import Hook
from core.storage.unit import Unit
from core.values.currencies import NONE
from core.values.text import Line
from core.values.words import slug
from ports.catalog import CatalogSettings
from resolvers.catalog import supplier_parser
from resolvers.catalog.prices import version
from resolvers.catalog.publish_changes import availability, overall, price_range
from resolvers.catalog.refolding import need_folded
from resolvers.catalog.supplier_parser import Read
from stores.catalog import products as store
from stores.catalog import stock
from stores.catalog.kinds import ProductStatus
from stores.catalog.products import Category, Product, Variant

MOST_ROWS = 500
CHUNK = 50
"""Rows per transaction: few enough for its time limit."""
OWN_FIELDS = ("status", "slug", "folded")
"""Fields that an import never changes on an existing product."""

PRICED = ("price", "compare_at_price", "currency", "active")
"""Fields of a variant that an import changes together, or not at all."""

Mint = Callable[[str], str]

barcodes_saved = Hook[[Unit, str], None]("catalog.barcodes_saved")
"""Called with the id of each product whose variants have other barcodes than before, in the unit of work."""


class ProductRow(TypedDict, total=False):
    """Row as the supplier wrote it; missing and unreadable fields are reported in the result."""

    row_index: Required[int]
    """Index of the row in the supplier's list, returned with the result."""
    name: Line | None
    """Name of the product; required, the first 200 characters are kept."""
    brand: str | None
    """Brand of the product; required, the first 100 characters are kept."""
    price: str | None
    """Price of the variant, required: `€24.90`, `24,90 EUR`, `CHF 1'250.00`. A number alone is in the shop's
    currency, and a sign that several currencies share is that of the shop's country. What is not one price,
    or may be two (`1.299 €`), is "Unknown price": the product is kept as a draft, HIDDEN, until it is
    imported with one."""
    form: str | None
    """Dosage form of the product, required: `capsules`, `softgel`."""
    category: str | None
    """Name of the category, such as `Sleep Support`; a new name makes a category, and none means `Other`."""
    size: str | None
    """Size of this variant, by which it differs from the others: `120 capsules`."""
    sku: str | None
    """SKU of the variant: rows of one product with different SKUs become its variants. Left out, the row is
    of the product's first variant."""
    compare_at_price: str | None
    """Price before a reduction, written like `price`; ignored unless it is higher."""
    barcodes: str | None
    """Barcodes (GTINs) of the variant, separated by semicolons."""
    description: str | None
    """Description of the product in a paragraph."""
    ingredients: str | None
    """Ingredients with their amounts, separated by semicolons: `Vitamin D3 25 mcg; MCT oil`."""
    directions: str | None
    """Directions for use on the label; those of `dosage` when left out."""
    serving_size: str | None
    """Size of one serving, such as `2 capsules`."""
    servings: str | None
    """Number of servings per container, 1 to 10,000; 30 when left out."""
    dosage: str | None
    """Dosage that the label recommends, such as `2 capsules twice daily`."""
    schedule: str | None
    """Times of intake on the label, such as `Morning with food`."""
    purposes: str | None
    """Purposes for which the product is taken, separated by semicolons; at most 30."""
    biomarkers: str | None
    """Biomarkers that the product may change in a blood test, separated by semicolons; at most 30."""
    allergens: str | None
    """Allergens that the product contains, separated by semicolons: `milk; soy`, or `none`. Not known when
    left out."""
    url: str | None
    """URL of the product's page at the manufacturer."""
    stock: str | None
    """Stock of a new variant in units; 0 when left out, ignored for a variant that exists."""


async def import_products(
    ctx: Context, *, rows: Sequence[ProductRow], publish: bool = False
) -> dict[str, Any]:
    """Import a supplier's rows; a result for each, in their order."""
    if not 1 <= len(rows) <= MOST_ROWS:
        raise BadUserInput(f"An import has 1 to {MOST_ROWS} rows.")
    await need_folded(ctx.db)
    results: list[dict[str, Any]] = []
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]

        async def work(chunk: Sequence[ProductRow] = chunk) -> list[dict[str, Any]]:
            country = ctx.services.get(CatalogSettings).shop_country
            saved = await save_rows(ctx.tx, chunk, publish=publish, country=country)
            counts = Counter(str(each["data_quality"]) for each in saved)
            details = {"after": dict(counts)}
            await record(ctx, Act("catalog.imported", "DATA_MODIFIED", "CATALOG", details=details))
            return saved

        results += await ctx.unit(work)
    return {"results": results}


async def save_rows(
    tx: Unit,
    rows: Sequence[Mapping[str, Any]],
    *,
    publish: bool,
    country: str = "",
    mint: Mint = ids.new_id,
) -> list[dict[str, Any]]:
    """Save the valid rows within the unit of work; a result for each."""
    given = [{name: value for name, value in row.items() if name != "row_index"} for row in rows]
    reads = [supplier_parser.read(row, country) for row in given]
    kept = [read for read in reads if read.saved]
    categories = await _categories(tx, {read.category for read in kept}, mint)
    known = await _known(tx, kept)
    owners = await _owners_of_skus(tx, kept)
    slugs = await _slugs(tx, kept)
    results = []
    for row, read in zip(rows, reads, strict=True):
        product = None
        if read.saved:
            _settle_sku(read, owners)
            key = read.fields["import_key"]
            category = categories[slug(read.category)]
            saved = known.get(key)
            if saved is None:
                product = await _create(tx, read, row["row_index"], category, publish, mint, slugs)
            else:
                _settle_currency(read, saved)
                product = await _update(tx, read, row["row_index"], saved, category, mint)
            known[key] = product
        results.append(
            {
                "row_index": row["row_index"],
                "product": product,
                "data_quality": read.quality,
                "issues": read.issues,
            }
        )
    return results


async def _update(
    tx: Unit, read: Read, row_index: int, product: Product, category: Category, mint: Mint
) -> Product:
    change = {name: value for name, value in read.fields.items() if name not in OWN_FIELDS}
    change |= {"category_id": category["_id"], "data_quality": read.quality, "issues": read.issues}
    change["variants"] = variants = _with_variant(product, read, mint)
    change |= price_range(variants)
    if all(product.get(name) == value for name, value in change.items()):
        return product
    change |= {"source_row_index": row_index, "dirty": True}
    updated = await tx.edit(store.products, product, change)
    if _barcodes(updated) != _barcodes(product):
        await barcodes_saved(tx, product["_id"])
    await _stock(tx, updated, int(read.variant.get("stock") or 0))
    return updated


async def _create(
    tx: Unit,
    read: Read,
    row_index: int,
    category: Category,
    publish: bool,
    mint: Mint,
    slugs: set[str],
) -> Product:
    id = mint("product")
    status = ProductStatus.ACTIVE if publish and not read.errors else ProductStatus.HIDDEN
    document = fresh(read, id, status, category["_id"], row_index, mint)
    if document["slug"] in slugs:
        document["slug"] = f"{document['slug']}-{id[-6:]}"
    slugs.add(document["slug"])
    product = await tx.insert(store.products, document)
    [variant] = product["variants"]
    on_hand = int(read.variant.get("stock") or 0)
    await tx.insert(stock.inventory, level(stock.level_id(variant["_id"]), variant, on_hand, tx))
    if variant["barcodes"]:
        await barcodes_saved(tx, id)
    return product


def _barcodes(product: Product) -> dict[str, list[str]]:
    return {each["_id"]: each["barcodes"] for each in product["variants"]}


def fresh(
    read: Read, id: str, status: ProductStatus, category_id: str, row_index: int, mint: Mint
) -> dict[str, Any]:
    """First document of a product."""
    now = clock.now()
    variant = _variant(read, id, mint("variant"))
    variant["availability"] = availability({"status": status}, variant, None, now)
    return {
        **read.fields,
        "_id": id,
        "status": status,
        "category_id": category_id,
        "image_ids": [],
        "label_image_id": None,
        "variants": [variant],
        "availability": overall([variant]),
        **price_range([variant]),
        "rating_summary": {"average": 0.0, "count": 0, "histogram": [0] * 5},
        "rating": 0.0,
        "sales": 0,
        "data_quality": read.quality,
        "issues": read.issues,
        "source_row_index": row_index,
        "dirty": True,
    }


def _variant(read: Read, product_id: str, id: str) -> Variant:
    given = {name: value for name, value in read.variant.items() if name != "stock"}
    variant: Any = {
        **given,
        "_id": id,
        "product_id": product_id,
        "sku": given["sku"] or f"LF-{id[-10:].upper()}",
        "availability": {},
        "max_per_order": 99,
        "told_price": given["price"],
    }
    return variant  # type: ignore[no-any-return]


def _with_variant(product: Product, read: Read, mint: Mint) -> list[Variant]:
    """Variants of the product with the row's: the one with its SKU, or the first if it names none."""
    sku = read.variant["sku"]
    given = {name: value for name, value in read.variant.items() if name not in ("sku", "stock")}
    if not given["active"]:
        # What is sold goes on at the price that was understood.
        given = {name: value for name, value in given.items() if name not in PRICED}
    variants = list(product["variants"])
    for place, variant in enumerate(variants):
        if variant["sku"] == sku or sku is None:
            changed: Any = {**variant, **given}
            if changed != variant:
                changed["version"] = version(variant) + 1
            variants[place] = changed
            return variants
    added = _variant(read, product["_id"], mint("variant"))
    added["availability"] = availability(product, added, None, clock.now())
    return [*variants, added]


async def _stock(tx: Unit, product: Product, on_hand: int) -> None:
    """Create a stock level for every variant without one, the new one's with the row's stock."""
    wanted = {stock.level_id(variant["_id"]): variant for variant in product["variants"]}
    existing = {each["_id"] for each in await stock.inventory.by_ids(tx.db, wanted, fields=["_id"])}
    for id, variant in wanted.items():
        if id not in existing:
            await tx.insert(stock.inventory, level(id, variant, on_hand, tx))


def level(id: str, variant: Variant, on_hand: int, tx: Unit) -> dict[str, Any]:
    return {
        "_id": id,
        "variant_id": variant["_id"],
        "product_id": variant["product_id"],
        "sku": variant["sku"],
        "on_hand": on_hand,
        "reserved": 0,
        "sold": 0,
        "safety_stock": 0,
        "available": on_hand,
        "restock_at": None,
        "dirty": True,
        "created_at": tx.now,
        "updated_at": tx.now,
    }


async def _known(tx: Unit, reads: Sequence[Read]) -> dict[str, Product]:
    keys = [read.fields["import_key"] for read in reads]
    rows = await store.products.find(
        tx.db, {"import_key": {"$in": keys}}, limit=max(1, len(keys)), fields=store.SHOWN
    )
    return {row["import_key"]: row for row in rows}


async def _slugs(tx: Unit, reads: Sequence[Read]) -> set[str]:
    """Slugs among these that are taken."""
    wanted = [read.fields["slug"] for read in reads]
    rows = await store.products.find(
        tx.db, {"slug": {"$in": wanted}}, limit=max(1, len(wanted)), fields=["slug"]
    )
    return {row["slug"] for row in rows}


async def _owners_of_skus(tx: Unit, reads: Sequence[Read]) -> dict[str, str]:
    """Import key of the product that each SKU belongs to."""
    skus = [read.variant["sku"] for read in reads if read.variant["sku"]]
    rows = await store.products.find(
        tx.db, {"variants.sku": {"$in": skus}}, limit=max(1, len(skus)), fields=["import_key", "variants"]
    )
    return {variant["sku"]: row["import_key"] for row in rows for variant in row["variants"]}


def _settle_sku(read: Read, owners: dict[str, str]) -> None:
    """Resolve a SKU conflict: the later row goes without."""
    sku, key = read.variant["sku"], read.fields["import_key"]
    if sku is not None and owners.setdefault(sku, key) != key:
        read.warnings.append(f"The SKU {sku} belongs to another product.")
        read.variant["sku"] = None


def _settle_currency(read: Read, product: Product) -> None:
    """Resolve a currency conflict: a row in another currency is kept, inactive and unpriced."""
    sku = read.variant["sku"]
    others = {
        each["currency"]
        for each in product["variants"]
        if each["active"] and each["sku"] != sku and sku is not None
    }
    if read.variant["active"] and others - {read.variant["currency"]}:
        read.errors.append("Its currency is not that of the product's other variants.")
        read.variant |= {"price": 0, "compare_at_price": None, "currency": NONE, "active": False}


async def _categories(tx: Unit, names: set[str], mint: Mint) -> dict[str, Category]:
    slugs = {slug(name): name for name in names}
    rows = await store.categories.find(tx.db, {"slug": {"$in": list(slugs)}}, limit=max(1, len(slugs)))
    found = {row["slug"]: row for row in rows}
    if len(found) < len(slugs):
        # Those that were made when their names gave another slug keep it.
        found = {slug(row["name"]): row for row in await store.all_categories(tx.db)} | found
    for each, name in sorted(slugs.items()):
        if each not in found:
            goal = supplier_parser.CATEGORIES.get(name, supplier_parser.OTHER_GOAL)
            document = {"_id": mint("category"), "name": name, "slug": each, "goal": goal, "product_count": 0}
            found[each] = await tx.insert(store.categories, document)
    return found
