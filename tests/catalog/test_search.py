"""Finding products."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import clock
from core.context import Services
from core.errors import Unavailable
from jobs import catalog as jobs
from resolvers.catalog import facets
from resolvers.catalog.search import SearchEngine
from tests.catalog.steps import SEARCH, euros, found, names, on_sale, row, unique
from tests.phone import Phone


async def test_words_are_found_without_case_and_accents_the_last_as_a_beginning(
    services: Services, admin: Phone, anonymous: Phone
) -> None:
    word = unique("omega")
    await on_sale(services, admin, row(name=f"Açaí {word.upper()} Ölkapseln"))
    for query in (word, word[:-3], f"acai {word}", f"ACAÍ {word[:8]}", f"{word} olkaps", f"{word} nordic"):
        assert names(await found(anonymous, query=query)) == [f"Açaí {word.upper()} Ölkapseln"], query
    # A beginning is enough only in the last word.
    assert names(await found(anonymous, query=f"{word[:-3]} acai")) == []


async def test_an_apostrophe_does_not_matter(services: Services, admin: Phone, anonymous: Phone) -> None:
    word = unique("mane")
    await on_sale(services, admin, row(name=f"Lion's {word}"))
    for query in (f"lions {word}", f"LION\u2019S {word}", f"{word} lion"):
        assert names(await found(anonymous, query=query)) == [f"Lion's {word}"], query


async def test_a_hit_counts_for_the_weightiest_place_it_is_in(
    services: Services, admin: Phone, anonymous: Phone
) -> None:
    word = unique("w")
    await on_sale(
        services,
        admin,
        row(name=f"D {unique()}", description=f"Goes well with {word}."),
        row(name=f"C {unique()}", ingredients=f"{word} 5 mg"),
        row(name=f"B {unique()}", brand=f"{word} Labs"),
        row(name=f"A {word}"),
        row(name=f"E {word}more"),
    )
    hits = await found(anonymous, query=word)
    assert [name[0] for name in names(hits)] == ["A", "E", "B", "C", "D"]
    assert [edge["match"] for edge in hits["edges"]][:1] == [
        {"keywords": [word], "method": "KEYWORDS", "confidence": 1.0, "reason": f"Its name has “{word}”."}
    ]
    assert hits["edges"][3]["match"]["reason"] == f"An ingredient has “{word}”."
    assert hits["edges"][1]["match"]["keywords"] == [f"{word}more"]
    confidences = [edge["match"]["confidence"] for edge in hits["edges"]]
    assert confidences == sorted(confidences, reverse=True)


@pytest.fixture
async def shelf(services: Services, admin: Phone) -> str:
    """Products that share a word: two brands, two forms, three prices."""
    word = unique("shelf")
    other = unique("Brand")
    await on_sale(
        services,
        admin,
        row(name=f"One {word}", brand=f"{word} A", form="capsules", price="9.00", category="Sleep Support"),
        row(name=f"Two {word}", brand=f"{word} A", form="tablets", price="19.00", stock="0"),
        row(name=f"Three {word}", brand=f"{word} B", form="capsules", price="29.00", ingredients="Zinc 5 mg"),
        row(
            name=f"Four {word}", brand=f"{word} B", form="powder", price="99.00", ingredients="Zinc 9 mg; EPA"
        ),
        row(name=f"Elsewhere {other}"),
    )
    return word


async def test_any_value_within_a_filter_all_filters_together(shelf: str, anonymous: Phone) -> None:
    async def first_words(**filter: Any) -> set[str]:
        return {name.split()[0] for name in names(await found(anonymous, query=shelf, filter=filter))}

    assert await first_words() == {"One", "Two", "Three", "Four"}
    assert await first_words(forms=["TABLET", "POWDER"]) == {"Two", "Four"}
    assert await first_words(forms=["CAPSULE"], brands=[f"{shelf.upper()} b"]) == {"Three"}
    assert await first_words(priceMin=euros("10"), priceMax=euros("29.00")) == {"Two", "Three"}
    assert await first_words(inStock=True) == {"One", "Three", "Four"}
    assert await first_words(ingredients=["zinc"], inStock=True) == {"Three", "Four"}
    assert await first_words(ingredients=["zinc"], priceMax=euros("30")) == {"Three"}
    assert await first_words(goals=["Brain/Mood"]) == {"One", "Two", "Three", "Four"}
    assert await first_words(goals=["Structural Health"]) == set()


async def test_a_facet_ignores_its_own_filter(shelf: str, anonymous: Phone) -> None:
    hits = await found(anonymous, query=shelf, filter={"brands": [f"{shelf} A"], "forms": ["CAPSULE"]})
    assert [name.split()[0] for name in names(hits)] == ["One"]
    assert hits["totalCount"] == 1
    facets = hits["facets"]
    assert facets["brands"] == [
        {"value": f"{shelf} A", "count": 1, "selected": True},
        {"value": f"{shelf} B", "count": 1, "selected": False},
    ]
    assert facets["forms"] == [
        {"form": "CAPSULE", "count": 1, "selected": True},
        {"form": "TABLET", "count": 1, "selected": False},
    ]
    assert facets["categories"] == [{"category": {"name": "Sleep Support"}, "count": 1, "selected": False}]
    assert facets["prices"] == [{"min": "0.00", "below": "10.00", "count": 1}]
    assert [each["value"] for each in facets["ingredients"]] == ["Magnesium glycinate", "Rice flour"]


async def test_no_hits_empty_edges_total_0_and_facets_of_the_unfiltered_query(
    services: Services, admin: Phone, shelf: str, anonymous: Phone
) -> None:
    """Failure case: no hits."""
    hits = await found(anonymous, query=shelf, filter={"forms": ["PATCH"], "priceMax": euros("1")})
    assert (hits["edges"], hits["totalCount"], hits["totalIsLowerBound"]) == ([], 0, False)
    assert {each["form"]: each["count"] for each in hits["facets"]["forms"]} == {
        "CAPSULE": 2,
        "POWDER": 1,
        "TABLET": 1,
    }
    # The biggest of all brands, whatever other tests sell.
    brands = [unique("Large"), unique("Larger")]
    await on_sale(services, admin, *(row(brand=brand) for brand in brands for _ in range(60)))
    # Facets that another test had precomputed know nothing of them.
    await services.db.write({"delete": "product_hot_lists", "deletes": [{"q": {}, "limit": 0}]})
    nothing = await found(anonymous, query=unique("nothing"))
    assert (nothing["edges"], nothing["totalCount"]) == ([], 0)
    assert nothing["pageInfo"] == {
        "hasNextPage": False,
        "hasPreviousPage": False,
        "startCursor": None,
        "endCursor": None,
    }
    told = {each["value"]: (each["count"], each["selected"]) for each in nothing["facets"]["brands"]}
    assert {brand: told.get(brand) for brand in brands} == dict.fromkeys(brands, (60, False))


async def test_facets_worked_out_long_ago_are_worked_out_anew(
    services: Services, admin: Phone, anonymous: Phone
) -> None:
    async def count() -> int:
        brands = (await found(anonymous))["facets"]["brands"]
        return sum(each["count"] for each in brands if each["value"] == brand)

    brand = unique("Largest")
    await on_sale(services, admin, *(row(brand=brand) for _ in range(70)))
    await jobs.rebuild_hot(services)
    await on_sale(services, admin, row(brand=brand))
    assert await count() == 70
    clock.shift(facets.HOT_FOR)
    assert await count() == 71


SORTED = {
    "RELEVANCE": None,
    "PRICE_ASC": lambda p: p["price"],
    "PRICE_DESC": lambda p: -p["price"],
    "NAME": lambda p: p["name"],
    "NEWEST": None,
    "RATING": None,
    "TOP_SELLING": None,
}


@pytest.fixture(scope="module")
async def many(services: Services, http: Any, address: str) -> tuple[str, dict[str, dict[str, Any]]]:
    """Thirty products that share a word, some prices and ratings alike."""
    from tests.catalog.steps import staff
    from tests.conftest import NewPhone
    from tests.phone import make_user, sign_in_directly

    async def new_phone(name: str = "Test", **fields: Any) -> Phone:
        user = await make_user(services, name)
        return await sign_in_directly(services, Phone(http, f"{address}/graphql"), user)

    make: NewPhone = new_phone
    from stores.catalog.roles import CATALOG_ADMIN

    admin = await staff(make, services, CATALOG_ADMIN)
    word = unique("many")
    rows = [
        row(
            name=f"{word} {number % 7} item {number}",
            price=f"{10 + number % 5}.00",
            ingredients=f"{word} 5 mg",
        )
        for number in range(30)
    ]
    made = await on_sale(services, admin, *rows)
    for number, product in enumerate(made):
        change = {"rating": number % 4 / 2, "sales": number % 6, "dirty": True}
        update = {"q": {"_id": product["id"]}, "u": {"$set": change}}
        await services.db.write({"update": "products", "updates": [update]})
    from jobs import catalog as jobs

    await jobs.tell(services)
    return word, {
        product["id"]: {"price": 10 + number % 5, "name": rows[number]["name"]}
        for number, product in enumerate(made)
    }


async def walk(phone: Phone, size: int, *, backward: bool = False, **variables: Any) -> list[str]:
    """Ids of all pages, in the order of the list."""
    seen: list[str] = []
    cursor = None
    while True:
        paging = {"last": size, "before": cursor} if backward else {"first": size, "after": cursor}
        page = await found(phone, **paging, **variables)
        ids = [edge["node"]["id"] for edge in page["edges"]]
        seen = ids + seen if backward else seen + ids
        info = page["pageInfo"]
        cursor = info["startCursor"] if backward else info["endCursor"]
        if not info["hasPreviousPage" if backward else "hasNextPage"]:
            return seen


@pytest.mark.parametrize("sort", SORTED)
@pytest.mark.parametrize("searching", [True, False])
async def test_pages_of_every_order_never_repeat_or_skip(
    sort: str, searching: bool, many: tuple[str, dict[str, dict[str, Any]]], anonymous: Phone
) -> None:
    word, products = many
    asked: dict[str, Any] = {"query": word} if searching else {"filter": {"ingredients": [word]}}
    whole = await walk(anonymous, 100, sort=sort, **asked)
    assert sorted(whole) == sorted(products)
    assert await walk(anonymous, 7, sort=sort, **asked) == whole
    assert await walk(anonymous, 7, sort=sort, backward=True, **asked) == whole
    key = SORTED[sort]
    if key is not None:
        values = [key(products[id]) for id in whole]
        assert values == sorted(values)


async def test_browsing_a_category_pages_through_its_index(
    many: tuple[str, dict[str, dict[str, Any]]], anonymous: Phone, services: Services
) -> None:
    [category] = [
        each["id"]
        for each in (await anonymous.run("{ categories { id name goal } }"))["categories"]
        if each["name"] == "Vitamins & Minerals"
    ]
    for sort in SORTED:
        asked = {"filter": {"categoryIds": [category]}, "sort": sort}
        pages = await walk(anonymous, 13, **asked)
        assert len(pages) == len(set(pages)) >= 30
        assert await walk(anonymous, 100, **asked) == pages
        assert await walk(anonymous, 29, backward=True, **asked) == pages


@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.integers(1, 9), min_size=1, max_size=4), st.sampled_from(sorted(SORTED)))
async def test_pages_of_any_sizes_make_the_whole(
    many: tuple[str, dict[str, dict[str, Any]]], anonymous: Phone, sizes: list[int], sort: str
) -> None:
    word, products = many
    seen: list[str] = []
    cursor = None
    for size in [*sizes, 100]:
        page = await found(anonymous, query=word, sort=sort, first=size, after=cursor)
        seen += [edge["node"]["id"] for edge in page["edges"]]
        cursor = page["pageInfo"]["endCursor"]
    assert len(seen) == len(products)
    assert set(seen) == set(products)


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        (
            {"filter": {"priceMin": euros("20"), "priceMax": euros("10")}},
            "`priceMin` is more than `priceMax`.",
        ),
        ({"first": 101}, "`first` must be between 1 and 100."),
        ({"filter": {"query": "x"}}, "A query has 2 to 100 characters, or none."),
        ({"filter": {"query": "x" * 101}}, "A query has 2 to 100 characters, or none."),
        ({"filter": {"brands": ["b"] * 21}}, "A filter has at most 20 values."),
        ({"filter": {"brands": ["b" * 301]}}, "A value of a filter has at most 300 characters."),
        ({"filter": {"goals": ["g", "g" * 301]}}, "A value of a filter has at most 300 characters."),
        ({"filter": {"categoryIds": ["nonsense"]}}, "'nonsense' is not an id."),
        ({"filter": {"priceMax": euros("NaN")}}, "A price is 0 to 10,000,000."),
        ({"filter": {"priceMin": {"amount": "1", "currencyCode": "USD"}}}, "The shop's prices are in EUR."),
        ({"after": "nonsense"}, "The cursor is malformed."),
    ],
)
async def test_bad_input_is_told(variables: dict[str, Any], message: str, anonymous: Phone) -> None:
    """Failure case: priceMin > priceMax, `first` > 100, foreign cursor."""
    answer = await anonymous.ask(SEARCH, **variables)
    assert (answer.code, answer.errors[0]["message"]) == ("BAD_USER_INPUT", message)


async def test_a_cursor_of_another_search_is_refused(shelf: str, anonymous: Phone) -> None:
    """Failure case: foreign cursor."""
    cursor = (await found(anonymous, query=shelf, first=1))["pageInfo"]["endCursor"]
    for other in ({"query": shelf, "sort": "NAME"}, {"query": shelf + " x"}, {"filter": {"inStock": True}}):
        answer = await anonymous.ask(SEARCH, after=cursor, **other)
        assert answer.code == "BAD_USER_INPUT"
        assert answer.errors[0]["message"] == "The cursor belongs to another list or filter."


class Down:
    """An engine that does not answer."""

    async def rows(self, db: Any, match: Any) -> list[str]:
        raise Unavailable

    async def count(self, db: Any, match: Any, limit: int) -> int:
        raise Unavailable


async def test_without_its_engine_search_falls_back_and_browse_and_detail_work(
    shelf: str, anonymous: Phone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Failure case: search backend down."""
    whole = await found(anonymous, query=shelf, first=2)
    monkeypatch.setitem(services.extra, SearchEngine, Down())
    page = await found(anonymous, query=shelf[:9], first=3)
    assert (page["degraded"], page["facets"], page["totalCount"]) == (True, None, 4)
    rest = await found(anonymous, query=shelf[:9], first=3, after=page["pageInfo"]["endCursor"])
    ids = [edge["node"]["id"] for edge in (*page["edges"], *rest["edges"])]
    assert len(set(ids)) == 4
    assert page["edges"][0]["match"]["method"] == "KEYWORDS"
    filtered = await found(anonymous, query=shelf, filter={"forms": ["POWDER"]})
    assert [name.split()[0] for name in names(filtered)] == ["Four"]
    # Going on in another order would repeat and skip.
    answer = await anonymous.ask(
        SEARCH, filter={"query": shelf}, first=2, after=whole["pageInfo"]["endCursor"]
    )
    assert answer.code == "UNAVAILABLE"
    browsed = await anonymous.run("{ searchProducts(first: 2) { edges { node { id } } degraded } }")
    assert len(browsed["searchProducts"]["edges"]) == 2
    assert browsed["searchProducts"]["degraded"] is False
    detail = await anonymous.run("query($id: ID!) { product(by: {id: $id}) { name } }", id=ids[0])
    assert detail["product"]["name"]
    # What began degraded goes on so when the engine is back.
    monkeypatch.delitem(services.extra, SearchEngine)
    rest = await found(anonymous, query=shelf[:9], first=3, after=page["pageInfo"]["endCursor"])
    assert (rest["degraded"], len(rest["edges"])) == (True, 1)


async def test_searching_is_limited(
    new_phone: Any, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services.limits, "scale", 0.1)
    phone = await new_phone()
    for _ in range(6):
        assert (
            await phone.ask('{ searchProducts(filter: {query: "zz"}, first: 1) { edges { cursor } } }')
        ).code is None
    answer = await phone.ask('{ searchProducts(filter: {query: "zz"}, first: 1) { edges { cursor } } }')
    assert answer.code == "RATE_LIMITED"
    # Browsing is not.
    assert (await phone.ask("{ searchProducts(first: 1) { edges { cursor } } }")).code is None
