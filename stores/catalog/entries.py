"""Search entries of products on sale, and precomputed lists."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypedDict, cast

from core.storage.mongo import Database
from core.storage.store import collection, index
from stores.catalog.kinds import DosageForm


class Entry(TypedDict):
    """Search entry of one product on sale. `row` packs the fields that ranking and counting need."""

    _id: str
    words: list[str]
    category_id: str
    brand_key: str
    ingredient_keys: list[str]
    goals: list[str]
    form: DosageForm
    min_price: int
    max_price: int
    in_stock: bool
    row: str


class Spelling(TypedDict):
    """Spelling of a word in product names, with the keys it shares with near words."""

    _id: str
    near: list[str]


class Generation(TypedDict):
    """Generation of entries: rises when they change, which invalidates cached counts."""

    _id: str
    number: int


class Hot(TypedDict):
    """Best sellers of a category (`all` of the whole catalog), best first."""

    _id: str
    product_ids: list[str]
    facets: dict[str, Any]
    """Facets of its page, with counts."""
    at: datetime


entries = collection(
    "product_entries",
    Entry,
    indexes=[
        index("words"),
        index("category_id"),
        index("brand_key"),
        index("ingredient_keys"),
        index("goals"),
        index("form"),
        index("min_price"),
        index("in_stock"),
    ],
    # A search looks at all of them: it, and what it is made of, lie where the products do.
    shard_key=None,
)
spellings = collection("search_words", Spelling, indexes=[index("near")], shard_key=None)
hot_lists = collection("product_hot_lists", Hot, shard_key=None)

generations = collection("catalog_generations", Generation, shard_key=None)

MOST_MATCHES = 20_000
"""Limit of entries one search reads."""
MOST_SPELLINGS = 200


async def rows(db: Database, match: Mapping[str, Any]) -> list[str]:
    """Packed rows of matching entries, as one list: a document each would cost far more to read."""
    found = await db.aggregate(
        entries.name,
        [
            {"$match": match},
            {"$limit": MOST_MATCHES},
            {"$group": {"_id": None, "rows": {"$push": "$row"}}},
        ],
    )
    return cast("list[str]", found[0]["rows"]) if found else []


async def count(db: Database, match: Mapping[str, Any], limit: int) -> int:
    """Number of matching entries, counted up to a limit."""
    answer = await db.command({"count": entries.name, "query": dict(match), "limit": limit})
    return int(answer["n"])


async def generation(db: Database) -> int:
    found = await generations.by_id(db, entries.name)
    return found["number"] if found else 0


async def next_generation(db: Database) -> None:
    await generations.update_one(db, {"_id": entries.name}, {"$inc": {"number": 1}}, upsert=True)


async def put_entry(db: Database, product_id: str, entry: Entry | None) -> bool:
    """Store the product's entry, or remove it; True if that changed anything."""
    if entry is None:
        return bool((await entries.delete_one(db, {"_id": product_id}))["n"])
    answer = await entries.update_one(db, {"_id": product_id}, dict(entry), upsert=True)
    return bool(answer["nModified"] or answer.get("upserted"))


async def spell(db: Database, near: Mapping[str, Sequence[str]]) -> None:
    """Store words with their keys; known ones cost a read."""
    if not near:
        return
    known = {row["_id"] for row in await spellings.by_ids(db, near, fields=("_id",))}
    updates = [
        {"q": {"_id": word}, "u": {"$setOnInsert": {"near": list(keys)}}, "upsert": True}
        for word, keys in sorted(near.items())
        if word not in known
    ]
    if updates:
        await db.write({"update": spellings.name, "updates": updates})


async def spelled_like(db: Database, keys: Sequence[str]) -> list[str]:
    """Words that share one of the keys."""
    found = await spellings.find(db, {"near": {"$in": list(keys)}}, limit=MOST_SPELLINGS, fields=["_id"])
    return [row["_id"] for row in found]


async def like(db: Database, wanted: Sequence[tuple[str, Sequence[str]]], limit: int) -> dict[str, list[str]]:
    """Rows of products in stock that share an ingredient, by the requested id; in one command."""
    found = await db.aggregate(
        1,
        [
            {"$documents": [{"_id": id, "keys": list(keys)} for id, keys in wanted]},
            {
                "$lookup": {
                    "from": entries.name,
                    "localField": "keys",
                    "foreignField": "ingredient_keys",
                    "pipeline": [
                        {"$match": {"in_stock": True}},
                        {"$limit": limit},
                        {"$project": {"row": 1}},
                    ],
                    "as": "found",
                }
            },
        ],
    )
    return {each["_id"]: [row["row"] for row in each["found"] if row["_id"] != each["_id"]] for each in found}


async def count_by_category(db: Database) -> dict[str, int]:
    """Number of products on sale by category."""
    rows = await db.aggregate(
        entries.name,
        [{"$match": {"category_id": {"$gt": ""}}}, {"$group": {"_id": "$category_id", "count": {"$sum": 1}}}],
    )
    return {row["_id"]: row["count"] for row in rows}


async def put_hot(
    db: Database, name: str, product_ids: Sequence[str], facets: Mapping[str, Any], at: datetime
) -> None:
    body = {"_id": name, "product_ids": list(product_ids), "facets": dict(facets), "at": at}
    await hot_lists.update_one(db, {"_id": name}, body, upsert=True)
