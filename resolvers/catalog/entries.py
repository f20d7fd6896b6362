"""Search entries: one per product, with a packed row that ranking and counting read.

A row is one string: thousands of them cross from the database in the time of a few documents.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from core.values.words import compact, near_keys, prefixes, spelled, terms
from stores.catalog.entries import Entry
from stores.catalog.kinds import AvailabilityStatus
from stores.catalog.products import Category, Product

SEPARATOR, LISTED = "\x1f", "\x1e"

MOST_WORDS = 2_000
"""Words of one entry: a long description in Chinese has no more."""
MOST_SPELLED = 60

BUYABLE = (AvailabilityStatus.IN_STOCK, AvailabilityStatus.LOW_STOCK)


class Row(NamedTuple):
    """A product on sale, as search sees it; texts are folded and end and begin with a blank."""

    id: str
    name: str
    brand_words: str
    ingredient_words: str
    category_words: str
    category_id: str
    brand: str
    form: str
    goals: str
    ingredients: str
    min_price: str
    max_price: str
    in_stock: str
    name_key: str
    created: str
    rating: str
    sales: str


def entry(product: Product, category: Mapping[str, Any]) -> Entry:
    """The search entry of a product on sale."""
    names = [each["name"] for each in product["ingredients"]]
    named = [product["name"], product["brand"], *names, category["name"]]
    found = dict.fromkeys([*terms(" ".join(named)), *numbers(product), *terms(product["description"])])
    return {
        "_id": product["_id"],
        "words": sorted([*found][:MOST_WORDS]),
        "category_id": product["category_id"],
        "brand_key": product["brand_key"],
        "ingredient_keys": product["ingredient_keys"],
        "goals": product["goals"],
        "form": product["form"],
        "min_price": product["min_price"],
        "max_price": product["max_price"],
        "in_stock": in_stock(product),
        "row": SEPARATOR.join(_row(product, category, names)),
    }


def _row(product: Product, category: Mapping[str, Any], names: Sequence[str]) -> Row:
    return Row(
        product["_id"],
        _padded(product["name"]),
        _padded(product["brand"]),
        _padded(" ".join(names)),
        _padded(category["name"]),
        product["category_id"],
        product["brand"],
        product["form"],
        LISTED.join(product["goals"]),
        LISTED.join(names),
        str(product["min_price"]),
        str(product["max_price"]),
        "1" if in_stock(product) else "",
        product["name_key"],
        str(round(product["created_at"].timestamp() * 1000)),
        repr(float(product["rating"])),
        str(product["sales"]),
    )


def unpacked(row: str) -> Row:
    return Row._make(row.split(SEPARATOR))


def _padded(text: str) -> str:
    return f" {' '.join(terms(text))} "


def in_stock(product: Product) -> bool:
    return product["availability"]["status"] in BUYABLE


def numbers(product: Product) -> list[str]:
    """Product codes to search by (SKUs, barcodes), in parts and in one piece."""
    codes = [code for each in product["variants"] for code in (each["sku"], *each["barcodes"])]
    return list(dict.fromkeys([*(part for code in codes for part in terms(code)), *map(compact, codes)]))


def spellings(product: Product, category: Mapping[str, Any]) -> dict[str, list[str]]:
    """Words of a product's names that are found in spite of a typo, with the keys that near ones share."""
    names = [product["name"], product["brand"], *(each["name"] for each in product["ingredients"])]
    found = dict.fromkeys(filter(spelled, terms(" ".join([*names, category["name"]]))))
    return {word: near_keys(word) for word in [*found][:MOST_SPELLED]}


def beginnings(product: Product, category: Category | Mapping[str, Any]) -> list[str]:
    """Word prefixes kept with the product, to search by while entries are unavailable."""
    names = [each["name"] for each in product["ingredients"]]
    return prefixes([product["name"], product["brand"], category["name"], *names, *numbers(product)])
