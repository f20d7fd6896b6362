"""Demo shop: the supplements of `demo/supplements.csv` through the real importer.

Some rows are broken on purpose. Labels and sales are added; beyond the file, the same from other makers.
"""

import csv
import itertools
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from core import ids
from core.storage import transactions
from core.storage.mongo import Database
from core.storage.unit import Unit
from core.values.words import key, slug
from devstack.demo.labels import write_labels
from devstack.demo.opinions import opinion
from resolvers.auth.people import full_name
from resolvers.catalog import entries as searched
from resolvers.catalog.imports import CHUNK, save_rows
from resolvers.catalog.publish_changes import availability, overall
from resolvers.catalog.reviewing import summary_of
from stores.catalog import entries, people, products, stock
from stores.catalog.kinds import ProductStatus, ReviewStatus

CSV = Path(__file__).parent / "demo" / "supplements.csv"
SERIES = (
    "Select", "Reserve", "Clinical", "Sport", "Family", "Daily", "Raw", "Botanica", "Nova", "Prime", "Terra",
    "Classic", "Formula", "Active", "Studio", "Origin", "Vital", "Harvest", "Balance", "Reform", "North",
    "South", "Coast", "Valley", "Summit", "Meadow", "Union", "Crown",
)  # fmt: skip
"""Lines of the same makers, for more products than the file has."""

MOST_REVIEWS = 24
FIRST_CATEGORY = datetime(2025, 1, 1, tzinfo=UTC)

Document = dict[str, Any]
Mint = Callable[[str], str]
MediaOf = Callable[[Iterable[Any], str, int], list[Document]]
Insert = Callable[[Database, str, Iterable[Document]], Any]


def category_id(number: int) -> str:
    """The same in every demo, in the order they first come up: the benchmark asks for one."""
    milliseconds = int(FIRST_CATEGORY.timestamp() * 1000) + number
    return ids.from_uuid(UUID(int=milliseconds << 80 | 0x7 << 76 | 0b10 << 62 | number), "category")


def raw_rows() -> list[dict[str, Any]]:
    with CSV.open(encoding="utf-8", newline="") as file:
        return [{**row, "row_index": number} for number, row in enumerate(csv.DictReader(file), start=2)]


async def fill(
    db: Database,
    media_dir: Path,
    count: int,
    *,
    rng: random.Random,
    mint: Mint,
    media_of: MediaOf,
    insert: Insert,
    epoch: datetime,
    users: Sequence[Document],
) -> list[Document]:
    """`count` products on sale, searchable, with labels and reviews; the reviews are returned."""
    numbers = itertools.count()

    def minting(prefix: str) -> str:
        return category_id(next(numbers)) if prefix == "category" else mint(prefix)

    await _import(db, raw_rows(), count, minting)
    on_sale = {"status": ProductStatus.ACTIVE}
    made: list[Any] = await products.products.find(db, on_sale, sort=[("_id", 1)], fields=products.SHOWN)
    categories = {each["_id"]: each for each in await products.all_categories(db)}
    levels = {each["variant_id"]: dict(each) for each in await stock.inventory.find(db, {})}
    pictures = media_of(_labels(media_dir, made, categories), "PRODUCT_IMAGE", 240)
    for product, picture in zip(made, pictures, strict=True):
        picture["alt_text"] = f"{product['brand']} {product['name']}, {product['form'].lower()}"
        product |= {"label_image_id": picture["_id"], "image_ids": [picture["_id"]]}
    reviews = list(_reviews(made, users, rng, mint, epoch))
    more = list(_more(made, count - len(made), levels, mint))
    everything = [*made, *more]
    for number, product in enumerate(everything):
        _settle(product, levels, categories, rng, epoch - timedelta(minutes=37 * number))
    await insert(db, "media", pictures)
    await insert(db, people.reviews.name, reviews)
    await _replace(db, products.products.name, made)
    await insert(db, products.products.name, more)
    known = [levels[variant["_id"]] for product in made for variant in product["variants"]]
    await _replace(db, stock.inventory.name, known)
    fresh = [levels[variant["_id"]] for product in more for variant in product["variants"]]
    await insert(db, stock.inventory.name, fresh)
    listed = [searched.entry(each, categories[each["category_id"]]) for each in everything]
    await insert(db, entries.entries.name, listed)  # type: ignore[arg-type]
    near: dict[str, list[str]] = {}
    for each in everything:
        near |= searched.spellings(each, categories[each["category_id"]])
    await entries.spell(db, near)
    await products.set_counts(db, await entries.count_by_category(db))
    await entries.next_generation(db)
    return reviews


async def _import(db: Database, rows: Sequence[Mapping[str, Any]], count: int, mint: Mint) -> None:
    """As staff would, chunk by chunk, until there are enough."""
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + min(CHUNK, count)]

        async def work(tx: Unit, chunk: Sequence[Mapping[str, Any]] = chunk) -> None:
            await save_rows(tx, chunk, publish=True, mint=mint)

        await transactions.run(db, work)
        if start + len(chunk) >= count:
            return


def _labels(media_dir: Path, made: Sequence[Document], categories: Mapping[str, Any]) -> list[Any]:
    return write_labels(
        media_dir,
        [
            {
                **{name: product[name] for name in ("slug", "brand", "name")},
                "size": product["variants"][0]["title"],
                "category": categories[product["category_id"]]["name"],
            }
            for product in made
        ],
    )


def _more(made: Sequence[Document], count: int, levels: Document, mint: Mint) -> Iterable[Document]:
    """The same products of other lines of their makers."""
    for number in range(max(0, count)):
        model, line = made[number % len(made)], SERIES[number // len(made) % len(SERIES)]
        id, brand = mint("product"), f"{model['brand']} {line}"
        again = number // len(made) // len(SERIES)
        variants = []
        for variant in model["variants"]:
            sku = f"{variant['sku']}-{slug(line)[:4].upper()}{again or ''}{number % 97}"
            copy = {**variant, "_id": mint("variant"), "product_id": id, "sku": sku, "barcodes": []}
            levels[copy["_id"]] = {
                **levels[variant["_id"]],
                "_id": stock.level_id(copy["_id"]),
                "variant_id": copy["_id"],
                "product_id": id,
                "sku": sku,
            }
            variants.append(copy)
        yield {
            **model,
            "_id": id,
            "brand": brand,
            "brand_key": key(brand),
            "slug": f"{slug(brand)}-{model['slug']}-{number}",
            "import_key": f"{key(brand)}|{model['import_key']}|{number}",
            "variants": variants,
        }


def _reviews(
    made: Sequence[Document], users: Sequence[Document], rng: random.Random, mint: Mint, epoch: datetime
) -> Iterable[Document]:
    """Some products have many, most have few."""
    for product in made:
        authors = rng.sample(users, min(len(users), int(rng.expovariate(1 / 3)), MOST_REVIEWS))
        histogram = [0] * 5
        for author in authors:
            stars, title, body = opinion(rng)
            histogram[stars - 1] += 1
            at = epoch - timedelta(hours=rng.randrange(1, 4_000), milliseconds=rng.randrange(1_000))
            yield {
                "_id": mint("review"),
                "product_id": product["_id"],
                "user_id": author["_id"],
                "author_name": full_name(author),
                "rating": stars,
                "title": title,
                "body": body,
                "verified_purchase": rng.random() < 0.7,
                "status": ReviewStatus.PUBLISHED,
                "decided_reason": None,
                "version": 1,
                "created_at": at,
                "updated_at": at,
            }
        summary = summary_of(histogram)
        product |= {"rating_summary": summary, "rating": summary["average"]}


def _settle(
    product: Document, levels: Document, categories: Mapping[str, Any], rng: random.Random, at: datetime
) -> None:
    """Sales, hints and dates, as if the shop had been open for a while."""
    product |= {"created_at": at, "updated_at": at, "dirty": False, "version": 1}
    variants: list[Any] = []
    for variant in product["variants"]:
        level = levels[variant["_id"]]
        level |= {"sold": int(rng.expovariate(1 / 40)), "dirty": False, "created_at": at, "updated_at": at}
        variants.append({**variant, "availability": availability(product, variant, level, at)})
    product["variants"] = variants
    product["sales"] = sum(levels[variant["_id"]]["sold"] for variant in variants)
    product["availability"] = overall(variants, at)
    product["prefixes"] = searched.beginnings(product, categories[product["category_id"]])  # type: ignore[arg-type]


async def _replace(db: Database, name: str, documents: Sequence[Document], batch: int = 500) -> None:
    for start in range(0, len(documents), batch):
        updates = [{"q": {"_id": each["_id"]}, "u": each} for each in documents[start : start + batch]]
        await db.write({"update": name, "updates": updates, "ordered": False})
