"""Every read of the catalog goes through a declared index: no scan of a collection, no sort in memory."""

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

from core import clock, ids, paging
from core.context import Services
from core.paging import KeysetPage, PageArgs
from core.storage.mongo import Database
from core.storage.store import COLLECTIONS
from resolvers.catalog.query import query_of
from stores.catalog import entries, people, products, stock
from stores.catalog.kinds import HolderType, ProductSort, ReviewSort
from tests.catalog.steps import on_sale, row
from tests.phone import Phone

CATEGORY = ids.new_id("category")
Read = Callable[[Database], Awaitable[Any]]


@pytest.fixture(autouse=True)
async def stocked(services: Services, admin: Phone) -> None:
    """An index over lists is read otherwise than one that has never held a list."""
    if not await entries.entries.first(services.db, {}):
        await on_sale(services, admin, row())


class Recording(Database):
    """Remembers what it is asked."""

    def __init__(self, db: Database) -> None:
        super().__init__(db.client, db.name)
        self.commands: list[dict[str, Any]] = []

    async def command(self, command: dict[str, Any]) -> dict[str, Any]:
        self.commands.append(command)
        return await super().command(command)


async def plans(services: Services, read: Read) -> list[dict[str, Any]]:
    """The stages that the planner chose for each command of the read."""
    db = Recording(services.db)
    await read(db)
    found = []
    for command in db.commands:
        bare = {name: value for name, value in command.items() if name not in ("readConcern", "maxTimeMS")}
        if "aggregate" in bare:
            bare["cursor"] = {}
        answer = await services.db.command({"explain": bare, "verbosity": "queryPlanner"})
        found += list(stages(answer))
    return found


def stages(plan: Any) -> Iterator[dict[str, Any]]:
    if isinstance(plan, list):
        for each in plan:
            yield from stages(each)
    elif isinstance(plan, dict):
        if "stage" in plan:
            yield plan
        for name, each in plan.items():
            if name not in ("rejectedPlans", "command", "slotBasedPlan"):
                yield from stages(each)


def a_page(sort: paging.Sort, *, after: bool) -> tuple[dict[str, Any], list[tuple[str, int]]]:
    values = {"min_price": 500, "name_key": "m", "rating": 2.5, "sales": 3}
    position = tuple(values.get(key, ids.new_id("product")) for key, _ in sort) if after else None
    page = KeysetPage(20, position=position)
    return paging.after_filter(sort, page), paging.sort_order(sort, page)


def browsing(sort: ProductSort, filters: dict[str, Any], *, after: bool) -> Read:
    rest, order = a_page(products.SORTS[sort], after=after)
    return lambda db: products.page(db, sort, filters, rest, order, 21)


FILTERS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "a category": {"category_id": CATEGORY},
    "categories": {"category_id": {"$in": [CATEGORY, ids.new_id("category")]}},
    "a brand and a form": {"brand_key": "nordic", "form": "CAPSULE"},
    "a price": {"min_price": {"$lte": 2_000}, "max_price": {"$gte": 1_000}},
    "stock": {"availability.status": {"$in": ["IN_STOCK", "LOW_STOCK"]}},
}


@pytest.mark.parametrize("after", [False, True], ids=["first page", "later page"])
@pytest.mark.parametrize("filters", FILTERS.values(), ids=FILTERS)
@pytest.mark.parametrize("sort", ProductSort)
async def test_every_order_of_browsing_is_an_indexs(
    sort: ProductSort, filters: dict[str, Any], after: bool, services: Services
) -> None:
    found = await plans(services, browsing(sort, filters, after=after))
    assert_indexed(found)
    [scan] = {each["indexName"] for each in found if each["stage"] == "IXSCAN"}
    assert scan == products.page_index(sort, filters)
    # A small category's products may lie anywhere in the order of all.
    assert ("category_id" in scan) == ("category_id" in filters)


SEARCHES: dict[str, tuple[str | None, dict[str, Any]]] = {
    "a word": ("magnesium", {}),
    "words": ("vitamin d mag", {}),
    "a word and filters": ("mag", {"brands": ["Nordic"], "price_min": None, "in_stock": True}),
    "a brand": (None, {"brands": ["Nordic"]}),
    "ingredients": (None, {"ingredients": ["Zinc", "EPA"]}),
    "forms": (None, {"forms": ["TABLET", "TEA"]}),
    "stock": (None, {"in_stock": True}),
    "goals": (None, {"goals": ["Brain/Mood"]}),
    "everything": (None, {}),
}


@pytest.mark.parametrize("search", SEARCHES.values(), ids=SEARCHES)
async def test_entries_are_found_through_indexes(
    search: tuple[str | None, dict[str, Any]], services: Services
) -> None:
    match = query_of(*search).match()
    assert_indexed(await plans(services, lambda db: entries.rows(db, match)))
    assert_indexed(await plans(services, lambda db: entries.count(db, match, 1_001)))


READS: dict[str, Read] = {
    "products by id": lambda db: products.by_ids(db, [ids.new_id("product")]),
    "products by slug": lambda db: products.by_slugs(db, ["one"]),
    "products of variants": lambda db: products.with_variants(db, [ids.new_id("variant")]),
    "degraded search": lambda db: products.beginning_with(db, ["mag", "gly"], {}, {}, [("_id", 1)], 21),
    "degraded count": lambda db: products.count_beginning_with(db, ["mag", "gly"], {}, 1_001),
    "what is to be told": lambda db: products.dirty(db, 200),
    "stock to be told": lambda db: stock.dirty_levels(db, 200),
    "stock of products": lambda db: stock.levels_of(db, [ids.new_id("product")]),
    "categories": products.all_categories,
    "counts of categories": entries.count_by_category,
    "best sellers": lambda db: products.sellers(db, None, 100),
    "best sellers of a category": lambda db: products.sellers(db, CATEGORY, 100),
    "a holder's hold": lambda db: stock.latest(db, {"type": HolderType.CART, "id": "cart_1"}),
    "overdue holds": lambda db: stock.overdue(db, clock.now(), 100),
    "settings": lambda db: people.settings_of(db, ids.new_id("user"), [ids.new_id("product")]),
    "a person's review": lambda db: people.review_by(db, ids.new_id("product"), ids.new_id("user")),
    "ratings": lambda db: people.ratings(db, ids.new_id("product")),
}


@pytest.mark.parametrize("read", READS.values(), ids=READS)
async def test_every_other_read_goes_through_an_index(read: Read, services: Services) -> None:
    found = await plans(services, read)
    assert_indexed(found)


@pytest.mark.parametrize("sort", ReviewSort)
async def test_every_order_of_reviews_is_an_indexs(sort: ReviewSort, services: Services) -> None:
    order = people.REVIEW_SORTS[sort]
    page = paging.parse_page("listing", order, PageArgs(first=10))
    query = {"product_id": ids.new_id("product"), "status": "PUBLISHED", **paging.after_filter(order, page)}
    assert_indexed(
        await plans(services, lambda db: people.reviews.find(db, query, sort=order, limit=page.size + 1))
    )


async def test_the_check_itself_finds_scans_and_sorts(services: Services) -> None:
    found = await plans(
        services,
        lambda db: products.products.find(db, {"brand": "x"}, sort=[("brand", 1)], limit=20),
    )
    with pytest.raises(AssertionError):
        assert_indexed(found)


def assert_indexed(found: list[dict[str, Any]]) -> None:
    kinds = {each["stage"] for each in found}
    assert found
    assert kinds.isdisjoint({"COLLSCAN", "SORT"}), sorted(kinds)
    declared = {index.name for each in COLLECTIONS.values() for index in each.indexes} | {"_id_"}
    assert {each["indexName"] for each in found if "indexName" in each} <= declared
