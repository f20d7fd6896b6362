"""Search query: words, filters and order, in one canonical form."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypedDict

from core import ids
from core.errors import BadUserInput
from core.ids import Id
from core.paging import Listing
from core.values import money
from core.values.money import Money
from core.values.text import line
from core.values.words import code, joined, key, query_terms
from stores.catalog.kinds import DosageForm, ProductSort

SHORTEST_QUERY, LONGEST_QUERY = 2, 100
MOST_WORDS = 12
MOST_VALUES, LONGEST_VALUE = 20, 300
MOST_PRICE = 10_000_000
LISTS = ("category_ids", "brands", "ingredients", "forms", "goals")


class ProductFilter(TypedDict, total=False):
    """Filter of a search for products: any value of a field, all fields together; at most 20 values each."""

    query: str | None
    """Words to find, 2 to 100 characters; the last one may be incomplete, and a SKU or barcode is found too.
    Everything is found when left out."""
    category_ids: list[Id] | None
    """Ids of categories that the products are in one of."""
    brands: list[str] | None
    """Brands that the products are of one of; case and punctuation do not matter."""
    ingredients: list[str] | None
    """Ingredients that the products have at least one of; case and punctuation do not matter."""
    forms: list[DosageForm] | None
    """Dosage forms that the products have one of."""
    goals: list[str] | None
    """Health goals that the products serve at least one of, such as `Cardiovascular`."""
    price_min: Money | None
    """Lowest price, in the shop's currency; products whose dearest variant costs as much or more."""
    price_max: Money | None
    """Highest price, in the shop's currency; products whose cheapest variant costs as much or less."""
    in_stock: bool | None
    """True to list only products that can be bought now."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Filters: any value within one, all of them between."""

    category_ids: tuple[str, ...] = ()
    brand_keys: tuple[str, ...] = ()
    ingredient_keys: tuple[str, ...] = ()
    forms: tuple[DosageForm, ...] = ()
    goals: tuple[str, ...] = ()
    price_min: int | None = None
    price_max: int | None = None
    in_stock: bool = False

    @property
    def none(self) -> bool:
        return self == Wanted()

    @property
    def dense(self) -> bool:
        """True if so much matches that a scan in index order soon fills a page: categories, in stock."""
        return self == Wanted(category_ids=self.category_ids, in_stock=self.in_stock)

    def match(self) -> dict[str, Any]:
        """Filter for entries; the one for products is the same but for stock."""
        found: dict[str, Any] = {}
        for name, values in (
            ("category_id", self.category_ids),
            ("brand_key", self.brand_keys),
            ("ingredient_keys", self.ingredient_keys),
            ("form", self.forms),
            ("goals", self.goals),
        ):
            if values:
                found[name] = values[0] if len(values) == 1 else {"$in": list(values)}
        if self.price_max is not None:
            found["min_price"] = {"$lte": self.price_max}
        if self.price_min is not None:
            found["max_price"] = {"$gte": self.price_min}
        if self.in_stock:
            found["in_stock"] = True
        return found


@dataclass(frozen=True, slots=True)
class Query:
    """Search or, without words, browsing."""

    text: str
    words: tuple[str, ...]
    wanted: Wanted
    sort: ProductSort
    listing: Listing
    code: str | None = None
    """Product code that the text may be."""

    @property
    def browsing(self) -> bool:
        return not self.text

    def match(self, *, filtered: bool = True) -> dict[str, Any]:
        """Filter for entries: every word, the last one as a prefix; or the whole text as a product code."""
        clauses: list[dict[str, Any]] = [{"words": word} for word in self.words[:-1]]
        if self.words:
            clauses.append(beginning(self.words[-1]))
        found: dict[str, Any] = self.wanted.match() if filtered else {}
        if clauses and self.code is not None and self.words != (self.code,):
            found["$or"] = [{"$and": clauses}, beginning(self.code)]
        elif clauses:
            found["$and"] = clauses
        return found or {"_id": {"$gt": ""}}


def beginning(word: str) -> dict[str, Any]:
    return {"words": {"$regex": f"^{word}"}}


def query_of(
    text: str | None,
    given: Mapping[str, Any] | None,
    sort: ProductSort = ProductSort.RELEVANCE,
    currency: str = money.USUAL_CURRENCY,
) -> Query:
    """Parse a query into its canonical form; raises BAD_USER_INPUT."""
    filters = [(name, _hashable(value)) for name, value in (given or {}).items()]
    return _query_of(text, tuple(filters), sort, currency)


def _hashable(value: Any) -> Any:
    """Filter value as a key: a price as its amount and currency."""
    if isinstance(value, dict):
        return value["amount"], value["currency_code"]
    return tuple(value) if isinstance(value, list) else value


@lru_cache(1_000)
def _query_of(
    text: str | None, filters: tuple[tuple[str, Any], ...], sort: ProductSort, currency: str
) -> Query:
    stripped = line(text or "")
    shortest = 1 if joined(stripped) else SHORTEST_QUERY
    if stripped and not shortest <= len(stripped) <= LONGEST_QUERY:
        raise BadUserInput(f"A query has {SHORTEST_QUERY} to {LONGEST_QUERY} characters, or none.")
    found = tuple(query_terms(stripped)[:MOST_WORDS])
    wanted = wanted_of(dict(filters), currency)
    listing = Listing("products", words=found, text=bool(stripped), wanted=wanted.match(), sort=sort)
    return Query(stripped, found, wanted, sort, listing, code(stripped))


def wanted_of(given: Mapping[str, Any], currency: str = money.USUAL_CURRENCY) -> Wanted:
    lists = {name: values for name, values in given.items() if name in LISTS and values}
    if any(len(values) > MOST_VALUES for values in lists.values()):
        raise BadUserInput(f"A filter has at most {MOST_VALUES} values.")
    if any(len(each) > LONGEST_VALUE for values in lists.values() for each in values):
        raise BadUserInput(f"A value of a filter has at most {LONGEST_VALUE} characters.")
    low, high = _minor(given.get("price_min"), currency), _minor(given.get("price_max"), currency)
    if low is not None and high is not None and low > high:
        raise BadUserInput("`priceMin` is more than `priceMax`.")
    return Wanted(
        category_ids=_distinct(ids.checked(each, "category") for each in lists.get("category_ids", ())),
        brand_keys=_distinct(map(key, lists.get("brands", ()))),
        ingredient_keys=_distinct(map(key, lists.get("ingredients", ()))),
        forms=_distinct(lists.get("forms", ())),
        goals=_distinct(lists.get("goals", ())),
        price_min=low,
        price_max=high,
        in_stock=bool(given.get("in_stock")),
    )


def _distinct(values: Any) -> Any:
    return tuple(sorted(set(values)))


def _minor(given: tuple[Decimal, str] | None, currency: str) -> int | None:
    if given is None:
        return None
    price, code = given
    if code != currency:
        raise BadUserInput(f"The shop's prices are in {currency}.")
    if not price.is_finite() or not 0 <= price <= MOST_PRICE:
        raise BadUserInput(f"A price is 0 to {MOST_PRICE:,}.")
    minor = money.minor_units(price, currency)
    if minor is None:
        raise BadUserInput(f"A price in {currency} has at most {money.digits(currency)} decimals.")
    return minor
