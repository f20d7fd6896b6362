"""Columnar ranking: rows of a search are filtered, scored and ordered column by column.

Thousands of rows are split in one go; a list of the column's strings costs next to nothing to walk over.
"""

import heapq
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from core.paging import KeysetPage
from core.values.words import key
from resolvers.catalog.entries import LISTED, SEPARATOR, Row
from resolvers.catalog.query import Wanted
from stores.catalog.kinds import ProductSort

FIELDS = {name: place for place, name in enumerate(Row._fields)}
WIDTH = len(FIELDS)

NAME, BRAND, INGREDIENT, CATEGORY, DESCRIPTION = 10, 5, 3, 2, 1
WEIGHTS = (
    (NAME, "name", "Its name"),
    (BRAND, "brand_words", "Its brand"),
    (INGREDIENT, "ingredient_words", "An ingredient"),
    (CATEGORY, "category_words", "Its category"),
)
WHOLE, BEGINNING = 10, 7
"""Score factors of a whole word and of a prefix."""

Indices = Sequence[int]


class Rows:
    """Packed rows, split into columns."""

    def __init__(self, packed: Sequence[str]) -> None:
        self._flat = SEPARATOR.join(packed).split(SEPARATOR) if packed else []
        self.everything = range(len(packed))

    def __len__(self) -> int:
        return len(self.everything)

    def column(self, name: str, of: Indices | None = None) -> list[str]:
        whole = self._flat[FIELDS[name] :: WIDTH]
        return whole if of is None or len(of) == len(whole) else [whole[index] for index in of]

    def row(self, index: int) -> Row:
        return Row._make(self._flat[index * WIDTH : (index + 1) * WIDTH])


def fitting(rows: Rows, wanted: Wanted, *, but: str = "") -> Indices:
    """Indexes of rows that match all filters, one optionally left out."""
    found: Indices = rows.everything
    for name, test in _tests(wanted, but):
        column = rows.column(name)
        found = [index for index in found if test(column[index])]
    return found


def _tests(wanted: Wanted, but: str) -> list[tuple[str, Callable[[str], Any]]]:
    brands, keys, goals = wanted.brand_keys, wanted.ingredient_keys, wanted.goals
    low, high = wanted.price_min, wanted.price_max
    tests: list[tuple[str, str, Any, Callable[[str], Any]]] = [
        ("categories", "category_id", wanted.category_ids, wanted.category_ids.__contains__),
        ("forms", "form", wanted.forms, wanted.forms.__contains__),
        ("brands", "brand", brands, lambda value: key(value) in brands),
        ("", "in_stock", wanted.in_stock, bool),
        ("prices", "min_price", high is not None, lambda value: int(value) <= (high or 0)),
        ("prices", "max_price", low is not None, lambda value: int(value) >= (low or 0)),
        ("", "goals", goals, lambda value: any(each in goals for each in value.split(LISTED))),
        (
            "ingredients",
            "ingredients",
            keys,
            lambda value: any(key(each) in keys for each in value.split(LISTED)),
        ),
    ]
    return [(name, test) for own, name, given, test in tests if given and own != (but or None)]


def scores(rows: Rows, of: Indices, words: Sequence[str]) -> list[int]:
    """Scores: each word counts in its weightiest column; the last word may be a prefix."""
    columns = [(weight, rows.column(name, of)) for weight, name, _ in WEIGHTS]
    total = [0] * len(of)
    for word in words:
        last = word is words[-1]
        whole, beginning = f" {word} ", f" {word}"
        found = [DESCRIPTION * BEGINNING] * len(of)
        # From the lightest to the weightiest, each a pass over one column.
        for weight, column in sorted(columns, key=lambda each: each[0]):
            if last:
                found = [
                    _better(best, weight, whole in text) if beginning in text else best
                    for best, text in zip(found, column, strict=True)
                ]
            else:
                here = weight * WHOLE
                found = [here if whole in text else best for best, text in zip(found, column, strict=True)]
        total = [one + other for one, other in zip(total, found, strict=True)]
    return total


def _better(best: int, weight: int, whole: bool) -> int:
    return max(best, weight * (WHOLE if whole else BEGINNING))


def score(row: Row, words: Sequence[str]) -> int:
    return scores(Rows([SEPARATOR.join(row)]), range(1), words)[0]


KEYS: dict[ProductSort, tuple[str, str, Callable[[str], Any]]] = {
    ProductSort.PRICE_ASC: ("min_price", "min_price", int),
    ProductSort.PRICE_DESC: ("min_price", "min_price", int),
    ProductSort.NAME: ("name_key", "name_key", str),
    ProductSort.NEWEST: ("created_at", "created", int),
    ProductSort.RATING: ("rating", "rating", float),
    ProductSort.TOP_SELLING: ("sales", "sales", int),
}
"""By order: sort key, its column, and the conversion of its text."""

DOWNWARDS = (ProductSort.PRICE_DESC, ProductSort.NEWEST, ProductSort.RATING, ProductSort.TOP_SELLING)


def by_score(rows: Rows, of: Indices, words: Sequence[str], page: KeysetPage) -> list[dict[str, Any]]:
    """Page of indexes, best match first, with one more than its size."""
    values = [-each for each in scores(rows, of, words)]
    position = page.position and (-page.position[0], page.position[1])
    chosen = _page(values, rows.column("id", of), of, page, position)
    return [{"_id": id, "score": -value, "row": rows.row(index)} for value, id, index in chosen]


def by_key(rows: Rows, of: Indices, sort: ProductSort, page: KeysetPage) -> list[dict[str, Any]]:
    """The same in another order; equals are ordered by id."""
    ids = rows.column("id", of)
    if sort is ProductSort.RELEVANCE:
        position = page.position and (0, page.position[0])
        chosen = _page([0] * len(of), ids, of, page, position)
        return [{"_id": id, "row": rows.row(index)} for _, id, index in chosen]
    name, column, read = KEYS[sort]
    values = [read(each) for each in rows.column(column, of)]
    position = page.position and (_comparable(page.position[0]), page.position[1])
    if sort in DOWNWARDS:
        values = [-each for each in values]
        position = position and (-position[0], position[1])
    chosen = _page(values, ids, of, page, position)
    return [{"_id": id, name: _shown(value, sort), "row": rows.row(index)} for value, id, index in chosen]


def _page(
    values: Sequence[Any], ids: Sequence[str], of: Indices, page: KeysetPage, position: Any
) -> list[tuple[Any, str, int]]:
    """In scan order: the smallest beyond the position, or the largest before it."""
    items = zip(values, ids, of, strict=True)
    beyond = list(items) if position is None else [each for each in items if _beyond(each, position, page)]
    choose = heapq.nlargest if page.backward else heapq.nsmallest
    return choose(page.size + 1, beyond)


def _beyond(item: tuple[Any, str, int], position: tuple[Any, str], page: KeysetPage) -> bool:
    return item[:2] < position if page.backward else item[:2] > position


def _comparable(value: Any) -> Any:
    return round(value.timestamp() * 1000) if isinstance(value, datetime) else value


def _shown(value: Any, sort: ProductSort) -> Any:
    """Value as cursors hold it: the same that the database would have given."""
    plain = -value if sort in DOWNWARDS else value
    return datetime.fromtimestamp(plain / 1000, UTC) if sort is ProductSort.NEWEST else plain
