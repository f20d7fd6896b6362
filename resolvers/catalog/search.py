"""Search and browsing of products."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Protocol

import structlog
from prometheus_client import Counter, Histogram
from pymongo.errors import PyMongoError

from core import paging
from core.context import Context
from core.errors import RequestError, Unavailable
from core.paging import KeysetPage, PageArgs
from core.security.limits import Rate
from core.storage.mongo import Database
from core.values import money
from loaders.catalog import ProductById
from ports.catalog import CatalogSettings
from resolvers.catalog.entries import BUYABLE, Row, numbers
from resolvers.catalog.query import ProductFilter, Query, query_of
from resolvers.catalog.ranking import NAME, WEIGHTS, WHOLE, Rows, by_key, by_score, fitting, score
from resolvers.catalog.spelling import clause, corrected
from stores.catalog import entries
from stores.catalog import products as store
from stores.catalog.kinds import MatchMethod, ProductSort, ProductStatus
from stores.catalog.products import Product

logger = structlog.get_logger(__name__)

SEARCH_RATE = Rate("product-search", 60, 60)
COUNTED = 1_000
"""Limit to which hits are counted."""
SPARSE = 1_000
"""Hits up to which they are read and ordered here; for more, a scan in index order soon fills a page."""

SECONDS = Histogram("landfall_catalog_search_seconds", "Time to search products.", ["path"])
BROWSING, SEARCHING = SECONDS.labels("browse"), SECONDS.labels("search")
DEGRADED = Counter("landfall_catalog_search_degraded_total", "Searches answered by the prefix index.")

MATCH_SORT = [("score", -1), ("_id", 1)]


class SearchEngine(Protocol):
    """Search engine: finds the rows of products on sale. A bigger one may take its place."""

    async def rows(self, db: Database, match: Mapping[str, Any]) -> list[str]: ...

    async def count(self, db: Database, match: Mapping[str, Any], limit: int) -> int: ...


class Entries:
    """Default engine: entries in MongoDB, found through indexes on their words and filters."""

    async def rows(self, db: Database, match: Mapping[str, Any]) -> list[str]:
        return await entries.rows(db, match)

    async def count(self, db: Database, match: Mapping[str, Any], limit: int) -> int:
        return await entries.count(db, match, limit)


BUILT_IN = Entries()


def engine(ctx: Context) -> SearchEngine:
    found: SearchEngine = ctx.services.extra.get(SearchEngine, BUILT_IN)
    return found


async def search_products(
    ctx: Context,
    *,
    filter: ProductFilter | None = None,
    sort: ProductSort = ProductSort.RELEVANCE,
    args: PageArgs,
) -> dict[str, Any]:
    """Search products on sale; facets and counts are computed only if selected."""
    currency = money.currency_of(ctx.services.get(CatalogSettings).shop_country)
    given: dict[str, Any] = dict(filter or {})
    found = query_of(given.pop("query", None), given, sort, currency)
    # A bad cursor costs nothing, so it is refused before it is counted.
    page, degraded = _page(found, args)
    if not found.browsing:
        await ctx.limit_request(SEARCH_RATE, ctx.viewer_id_or_none or f"ip:{ctx.network}")
    if degraded:
        return await _by_prefix(ctx, found, page)
    with (BROWSING if found.browsing else SEARCHING).time():
        try:
            if found.browsing:
                return await _browse(ctx, found, page, args)
            return await _match(ctx, found, page)
        except (RequestError, PyMongoError, OSError, TimeoutError) as error:
            if isinstance(error, RequestError) and not isinstance(error, Unavailable):
                raise
            logger.warning("search backend down", error=type(error).__name__)
            if page.position is not None:
                # Going on in another order would repeat and skip.
                raise Unavailable from None
            return await _by_prefix(ctx, found, page)


def _page(found: Query, args: PageArgs) -> tuple[KeysetPage, bool]:
    """Requested page, and True if its list began while the engine was down."""
    sort = MATCH_SORT if _scored(found) else store.SORTS[found.sort]
    cursor = args.after or args.before
    listing = _degraded_listing(found)
    if cursor is not None:
        try:
            paging.decode(listing, cursor)
        except RequestError:
            return paging.parse_page(found.listing, sort, args), False
        return paging.parse_page(listing, store.SORTS[ProductSort.RELEVANCE], args), True
    return paging.parse_page(found.listing, sort, args), False


def _scored(found: Query) -> bool:
    return not found.browsing and found.sort is ProductSort.RELEVANCE


def _degraded_listing(found: Query) -> paging.Listing:
    return paging.Listing("products-by-prefix", listing=found.listing)


# Browsing: no words, so an index gives the order, or few enough are left to order here.


async def _browse(ctx: Context, found: Query, page: KeysetPage, args: PageArgs) -> dict[str, Any]:
    sort = store.SORTS[found.sort]
    if not found.wanted.dense:
        total = await engine(ctx).count(ctx.db, found.match(), SPARSE + 1)
        if total <= SPARSE:
            rows = Rows(await engine(ctx).rows(ctx.db, found.match()))
            places = by_key(rows, rows.everything, found.sort, page)
            return await _shown(ctx, found, page, places, sort, total=total)
    order = paging.sort_order(sort, page)
    rest = paging.after_filter(sort, page)
    fields = paging.projection(args, sort)
    rows_found = await store.page(ctx.db, found.sort, _of_products(found), rest, order, page.size + 1, fields)
    return _answer(found, paging.connection(found.listing, sort, page, rows_found))


def _of_products(found: Query) -> dict[str, Any]:
    """Filters of entries translated for products."""
    filters = found.wanted.match()
    if filters.pop("in_stock", False):
        filters["availability.status"] = {"$in": list(BUYABLE)}
    return filters


# Searching: rows of all that match, ranked here.


async def _match(ctx: Context, found: Query, page: KeysetPage) -> dict[str, Any]:
    if not found.words:
        return _answer(found, paging.connection(found.listing, MATCH_SORT, page, []), rows=Rows([]), total=0)
    rows = Rows(await engine(ctx).rows(ctx.db, found.match(filtered=False)))
    if not rows and (mended := await corrected(ctx.db, found, partial(_has, ctx))) is not None:
        found = mended
        rows = Rows(await engine(ctx).rows(ctx.db, found.match(filtered=False)))
    fits = fitting(rows, found.wanted)
    if _scored(found):
        places, sort = by_score(rows, fits, found.words, page), MATCH_SORT
    else:
        places, sort = by_key(rows, fits, found.sort, page), list(store.SORTS[found.sort])
    return await _shown(ctx, found, page, places, sort, rows=rows, total=len(fits))


async def _has(ctx: Context, word: str, last: bool) -> bool:
    return bool(await engine(ctx).count(ctx.db, clause(word, last), 1))


async def _shown(
    ctx: Context,
    found: Query,
    page: KeysetPage,
    places: Sequence[dict[str, Any]],
    sort: paging.Sort,
    *,
    total: int,
    rows: Rows | None = None,
) -> dict[str, Any]:
    """Page of indexes, with their products."""
    connection = paging.connection(found.listing, sort, page, places)
    loaded = await ctx.load_many(ProductById, [edge["node"]["_id"] for edge in connection["edges"]])
    edges = []
    for edge, product in zip(connection["edges"], loaded, strict=True):
        if product is not None and product["status"] == ProductStatus.ACTIVE:
            place = edge["node"]
            edges.append(
                {**edge, "row": place, "node": product, "match": _reason(place["row"], product, found)}
            )
    connection["edges"] = edges
    return _answer(found, connection, rows=rows, total=total)


def _reason(row: Row, product: Product, found: Query) -> dict[str, Any] | None:
    """Reason of a match; None when browsing."""
    if found.browsing:
        return None
    if found.code is not None and (number := next(filter(_begins(found.code), numbers(product)), None)):
        reason = f"Its number is “{number}”."
        return {"keywords": [number], "method": MatchMethod.KEYWORDS, "confidence": 1.0, "reason": reason}
    keywords: list[str] = []
    places: list[str] = []
    for word in found.words:
        for _, field, name in WEIGHTS:
            hit = next((each for each in getattr(row, field).split() if each.startswith(word)), None)
            if hit is not None:
                keywords.append(hit)
                places.append(name)
                break
        else:
            keywords.append(word)
            places.append("Its description")
    told = [f"{place} has “{word}”" for place, word in zip(places, keywords, strict=True)]
    most = NAME * WHOLE * len(found.words)
    return {
        "keywords": keywords,
        "method": MatchMethod.KEYWORDS,
        "confidence": round(min(1.0, score(row, found.words) / most), 2),
        "reason": "; ".join(told) + ".",
    }


def _begins(stem: str) -> Callable[[str], bool]:
    return lambda word: word.startswith(stem)


# When the engine is down.


async def _by_prefix(ctx: Context, found: Query, page: KeysetPage) -> dict[str, Any]:
    """Fallback search by the word prefixes of products, in a fixed order: worse, but an answer."""
    DEGRADED.inc()
    sort = store.SORTS[ProductSort.RELEVANCE]
    listing = _degraded_listing(found)
    filters, order = _of_products(found), paging.sort_order(sort, page)
    rest = paging.after_filter(sort, page)
    if found.browsing:
        rows = await store.page(ctx.db, ProductSort.RELEVANCE, filters, rest, order, page.size + 1)
    else:
        rows = await store.beginning_with(ctx.db, found.words, filters, rest, order, page.size + 1)
    shown = paging.connection(listing, sort, page, rows, edge=lambda row: _prefix_match(found))
    return {**_answer(found, shown), "degraded": True}


def _prefix_match(found: Query) -> dict[str, Any]:
    if found.browsing:
        return {}
    reason = "Words of it begin so: " + ", ".join(f"“{word}”" for word in found.words) + "."
    keywords = list(found.words)
    return {
        "match": {"keywords": keywords, "method": MatchMethod.KEYWORDS, "confidence": 0.3, "reason": reason}
    }


def _answer(
    found: Query,
    connection: dict[str, Any],
    *,
    rows: Rows | None = None,
    total: int | None = None,
) -> dict[str, Any]:
    """`rows` are all that match the words, `total` how many fit the filters too, where that is known."""
    return {**connection, "query": found, "rows": rows, "total": total, "degraded": False}


async def total_count(ctx: Context, connection: Mapping[str, Any]) -> int:
    return min(COUNTED, await _total(ctx, connection))


async def total_is_lower_bound(ctx: Context, connection: Mapping[str, Any]) -> bool:
    return await _total(ctx, connection) > COUNTED


async def _total(ctx: Context, connection: Mapping[str, Any]) -> int:
    if connection["total"] is not None:
        return int(connection["total"])
    found: Query = connection["query"]
    if connection["degraded"]:
        return await store.count_beginning_with(ctx.db, found.words, _of_products(found), COUNTED + 1)
    return await engine(ctx).count(ctx.db, found.match(), COUNTED + 1)
