"""Facets: counts by which a search can be narrowed. Each facet ignores its own filter."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import orjson
from prometheus_client import Counter as Metric
from pymongo.errors import PyMongoError
from redis.exceptions import RedisError

from core import clock, paging
from core.context import Context
from core.errors import Unavailable
from core.storage.loader import by_id
from core.values.money import currency_of, decimal
from core.values.words import key
from ports.catalog import CatalogSettings
from resolvers.catalog.entries import LISTED
from resolvers.catalog.query import Query, Wanted, query_of
from resolvers.catalog.ranking import Indices, Rows, fitting
from resolvers.catalog.search import engine
from stores.catalog import entries
from stores.catalog import products as store

MOST_VALUES = 50
OWN: tuple[tuple[str, Callable[[Wanted], Any]], ...] = (
    ("brands", lambda wanted: wanted.brand_keys),
    ("ingredients", lambda wanted: wanted.ingredient_keys),
    ("forms", lambda wanted: wanted.forms),
    ("categories", lambda wanted: wanted.category_ids),
    ("prices", lambda wanted: wanted.price_min is not None or wanted.price_max is not None),
)
"""Facets, with the filter that each of them ignores."""
SEARCH_SECONDS, BROWSE_SECONDS = 30, 60
HOT_FOR = timedelta(minutes=20)
EVERYTHING = "all"
"""Key of the whole catalog's precomputed list."""
BANDS = (0, 1_000, 2_000, 3_000, 5_000, 10_000)
"""Lower bounds of the price bands, in minor units."""

Counts = dict[str, list[list[Any]]]
"""By facet, values with their counts, most frequent first."""

CACHE = Metric("landfall_catalog_cache_total", "Facets taken from the cache or counted.", ["outcome"])


async def facets(ctx: Context, connection: Mapping[str, Any]) -> dict[str, Any] | None:
    """Facets of the search; None if the search engine is down."""
    if connection["degraded"]:
        return None
    found: Query = connection["query"]
    try:
        counts = await _hot(ctx, found) or await _counted_once(ctx, found, connection["rows"])
        names = {each["_id"]: each["name"] for each in await store.all_categories(ctx.db)}
    except (PyMongoError, Unavailable):
        return None
    return _shown(counts, found.wanted, names, currency_of(ctx.services.get(CatalogSettings).shop_country))


async def _hot(ctx: Context, found: Query) -> Counts | None:
    """Precomputed facets of everything or a whole category, unless they are too old."""
    alone = len(found.wanted.category_ids) == 1 and found.wanted == Wanted(found.wanted.category_ids)
    if not found.browsing or not (found.wanted.none or alone):
        return None
    hot = await ctx.load(by_id(entries.hot_lists), found.wanted.category_ids[0] if alone else EVERYTHING)
    return hot["facets"] if hot and clock.now() - hot["at"] < HOT_FOR else None


async def _counted_once(ctx: Context, found: Query, rows: Rows | None) -> Counts:
    """Facets from the cache, as long as no entry has changed."""
    number = await entries.generation(ctx.db)
    name = f"cat:facets:{number}:{paging.fingerprint('f', words=found.words, by=found.wanted.match())}"
    counts = await _kept(ctx, name)
    CACHE.labels("miss" if counts is None else "hit").inc()
    if counts is None:
        counts = await counted(ctx, found, rows)
        await _keep(ctx, name, counts, BROWSE_SECONDS if found.browsing else SEARCH_SECONDS)
    return counts


async def counted(ctx: Context, found: Query, rows: Rows | None) -> Counts:
    """Count the values, most frequent first."""
    if rows is None:
        rows = Rows(await engine(ctx).rows(ctx.db, found.match(filtered=False)))
    wanted = found.wanted
    if not fitting(rows, wanted):
        # Nothing found: what there is without the filters, or at all, tells where to go.
        wanted = Wanted()
        if not rows and not found.browsing:
            everything = query_of(None, None)
            return await _hot(ctx, everything) or await _counted_once(ctx, everything, None)
    counts = {}
    for name, filtered in OWN:
        # Others have their turn between two facets.
        await asyncio.sleep(0)
        own = name if filtered(wanted) else ""
        counts[name] = _ranked(_tally(name, rows, fitting(rows, wanted, but=own)))
    return counts


def _ranked(counter: Counter[str]) -> list[list[Any]]:
    ranked = sorted(counter.items(), key=lambda item: (-item[1], item[0]))
    return [list(each) for each in ranked[:MOST_VALUES]]


def _tally(name: str, rows: Rows, of: Indices) -> Counter[str]:
    match name:
        case "brands":
            return Counter(rows.column("brand", of))
        case "ingredients":
            listed = Counter(LISTED.join(rows.column("ingredients", of)).split(LISTED))
            del listed[""]
            return listed
        case "forms":
            return Counter(rows.column("form", of))
        case "categories":
            return Counter(rows.column("category_id", of))
        case _:
            prices: Counter[str] = Counter()
            for price, count in Counter(rows.column("min_price", of)).items():
                prices[str(_band(int(price)))] += count
            return prices


def _band(price: int) -> int:
    return max(start for start in BANDS if start <= price)


def _shown(
    counts: Mapping[str, Sequence[Sequence[Any]]], wanted: Wanted, names: Mapping[str, str], currency: str
) -> dict[str, Any]:
    return {
        "brands": [_value(value, n, key(value) in wanted.brand_keys) for value, n in counts["brands"]],
        "ingredients": [
            _value(value, n, key(value) in wanted.ingredient_keys) for value, n in counts["ingredients"]
        ],
        "forms": [
            {"form": value, "count": n, "selected": value in wanted.forms} for value, n in counts["forms"]
        ],
        "categories": [
            {
                "category_id": value,
                "name": names.get(value, ""),
                "count": n,
                "selected": value in wanted.category_ids,
            }
            for value, n in counts["categories"]
        ],
        "prices": [
            _price(int(start), n, currency)
            for start, n in sorted(counts["prices"], key=lambda each: int(each[0]))
        ],
    }


def _value(value: str, count: int, selected: bool) -> dict[str, Any]:
    return {"value": value, "count": count, "selected": selected}


def _price(start: int, count: int, currency: str) -> dict[str, Any]:
    following = next((each for each in BANDS if each > start), None)
    return {
        "min": decimal(start, currency),
        "below": None if following is None else decimal(following, currency),
        "count": count,
    }


async def _kept(ctx: Context, name: str) -> Counts | None:
    try:
        found = await ctx.services.redis.get(name)
    except (RedisError, OSError):
        return None
    return orjson.loads(found) if found else None


async def _keep(ctx: Context, name: str, counts: Mapping[str, Any], seconds: int) -> None:
    # Counting again is all that a lost cache costs.
    with contextlib.suppress(RedisError, OSError):
        await ctx.services.redis.set(name, orjson.dumps(counts), ex=seconds)
