"""Counting what one could narrow a search by. Each facet ignores its own filter."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from prometheus_client import Counter as Metric
from pymongo.errors import PyMongoError
from redis.exceptions import RedisError

from core import paging
from core.context import Context
from core.errors import Unavailable
from resolvers.catalog.entries import LISTED, Row, unpacked
from resolvers.catalog.prices import decimal
from resolvers.catalog.query import Query, Wanted
from resolvers.catalog.search import engine
from resolvers.catalog.words import key
from stores.catalog import entries
from stores.catalog import products as store

MOST_VALUES = 50
TURN = 2_000
"""Rows counted before others have their turn."""
SEARCH_SECONDS, BROWSE_SECONDS = 30, 60
BANDS = (0, 1_000, 2_000, 3_000, 5_000, 10_000)
"""Where price bands begin, in minor units."""

CACHE = Metric("landfall_catalog_cache_total", "Facets taken from the cache or counted.", ["outcome"])


async def facets(ctx: Context, connection: Mapping[str, Any]) -> dict[str, Any] | None:
    """Counts for the search; None when what would count is down."""
    if connection["degraded"]:
        return None
    found: Query = connection["query"]
    try:
        number = await entries.generation(ctx.db)
        name = f"cat:facets:{number}:{paging.fingerprint('f', words=found.words, by=found.wanted.match())}"
        counts = await _kept(ctx, name)
        CACHE.labels("miss" if counts is None else "hit").inc()
        if counts is None:
            counts = await counted(ctx, found, connection["rows"])
            await _keep(ctx, name, counts, BROWSE_SECONDS if found.browsing else SEARCH_SECONDS)
        names = {each["_id"]: each["name"] for each in await store.all_categories(ctx.db)}
    except (PyMongoError, Unavailable):
        return None
    return _shown(counts, found.wanted, names)


async def counted(ctx: Context, found: Query, rows: Sequence[Row] | None) -> dict[str, list[list[Any]]]:
    """Values with their counts, most frequent first."""
    if rows is None:
        everything = await engine(ctx).rows(ctx.db, found.match(filtered=False))
        rows = [unpacked(row) for row in everything]
    counters, hits = await _count(rows, found.wanted)
    if not hits and not found.wanted.none:
        # Nothing found: what there is without the filters tells where to go.
        counters, hits = await _count(rows, Wanted())
    if not hits and not found.browsing:
        packed = await engine(ctx).rows(ctx.db, Query("", (), Wanted(), found.sort).match())
        counters, _ = await _count([unpacked(row) for row in packed], Wanted())
    return {name: [[value, n] for value, n in _ranked(counter)] for name, counter in counters.items()}


def _ranked(counter: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counter.items(), key=lambda item: (-item[1], item[0]))[:MOST_VALUES]


async def _count(rows: Sequence[Row], wanted: Wanted) -> tuple[dict[str, Counter[str]], int]:
    """Counters of the facets, and how many rows fit all filters."""
    own = {
        name: [row_value]
        for name, row_value in (
            ("brands", wanted.brand_keys),
            ("ingredients", wanted.ingredient_keys),
            ("forms", wanted.forms),
            ("categories", wanted.category_ids),
            ("prices", wanted.price_min is not None or wanted.price_max is not None),
        )
        if row_value
    }
    counters: dict[str, Counter[str]] = {
        name: Counter() for name in ("brands", "ingredients", "forms", "categories", "prices")
    }
    hits = 0
    for start in range(0, len(rows), TURN):
        if start:
            await asyncio.sleep(0)
        part = rows[start : start + TURN]
        fitting = part if wanted.none else [row for row in part if wanted.passes(row)]
        hits += len(fitting)
        for name, counter in counters.items():
            counted_rows = [row for row in part if wanted.passes(row, but=name)] if name in own else fitting
            _tally(name, counter, counted_rows)
    return counters, hits


def _tally(name: str, counter: Counter[str], rows: Sequence[Row]) -> None:
    match name:
        case "brands":
            counter.update(row.brand for row in rows)
        case "ingredients":
            counter.update(each for row in rows if row.ingredients for each in row.ingredients.split(LISTED))
        case "forms":
            counter.update(row.form for row in rows)
        case "categories":
            counter.update(row.category_id for row in rows)
        case "prices":
            counter.update(str(_band(int(row.min_price))) for row in rows)


def _band(price: int) -> int:
    return max(start for start in BANDS if start <= price)


def _shown(
    counts: Mapping[str, Sequence[Sequence[Any]]], wanted: Wanted, names: Mapping[str, str]
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
            _price(int(start), n) for start, n in sorted(counts["prices"], key=lambda each: int(each[0]))
        ],
    }


def _value(value: str, count: int, selected: bool) -> dict[str, Any]:
    return {"value": value, "count": count, "selected": selected}


def _price(start: int, count: int) -> dict[str, Any]:
    following = next((each for each in BANDS if each > start), None)
    return {
        "min": decimal(start),
        "below": None if following is None else decimal(following),
        "count": count,
    }


async def _kept(ctx: Context, name: str) -> dict[str, Any] | None:
    try:
        found = await ctx.services.redis.get(name)
    except (RedisError, OSError):
        return None
    return orjson.loads(found) if found else None


async def _keep(ctx: Context, name: str, counts: Mapping[str, Any], seconds: int) -> None:
    # Counting again is all that a lost cache costs.
    with contextlib.suppress(RedisError, OSError):
        await ctx.services.redis.set(name, orjson.dumps(counts), ex=seconds)
