"""HTTP caching: public answers have a lifetime and an `ETag`; private ones and errors are never stored."""

from typing import Any

import pytest

from core.context import Services
from tests.catalog.steps import on_sale, row
from tests.conftest import NewPhone
from tests.phone import Answer, Phone

PRIVATE = "private, no-store"


async def get(phone: Phone, query: str, **headers: str) -> Answer:
    async with phone.http.get(
        phone.url, params={"query": query}, headers={**phone._authorization, **headers}
    ) as response:
        return Answer(response.status, response.headers, await response.read())


@pytest.mark.parametrize(
    ("query", "seconds"),
    [
        ("{ categories { id name } }", 60),
        ('{ searchProducts(filter: {query: "omega"}) { edges { node { id name } } } }', 30),
        ("{ searchProducts(first: 2) { edges { node { id name } } } }", 60),
        ('{ product(by: {slug: "none"}) { id } }', 120),
        ('{ product(by: {slug: "none"}) { id } categories { id } }', 60),
        (
            """query { ...Shown }
            fragment Shown on Query { product(by: {slug: "none"}) { reviews { edges { cursor } } } }""",
            120,
        ),
    ],
)
async def test_what_is_everybodys_may_be_kept(query: str, seconds: int, anonymous: Phone) -> None:
    answer = await get(anonymous, query)
    assert answer.status == 200
    assert answer.headers["Cache-Control"] == f"public, max-age={seconds}"
    assert "Authorization" in answer.headers["Vary"]
    again = await get(anonymous, query, **{"If-None-Match": answer.headers["ETag"]})
    assert (again.status, again.body) == (304, b"")
    assert again.headers["ETag"] == answer.headers["ETag"]
    other = await get(anonymous, query, **{"If-None-Match": '"something else"'})
    assert (other.status, other.body) == (200, answer.body)


@pytest.mark.parametrize(
    "query",
    [
        '{ product(by: {slug: "none"}) { id viewerSettings { id } } }',
        '{ product(by: {slug: "none"}) { viewerPrediction { stale } } }',
        '{ product(by: {slug: "none"}) { dataQuality } }',
        '{ product(by: {slug: "none"}) { reviews { edges { node { viewerIsAuthor } } } } }',
        '{ product(by: {slug: "none"}) { ...Own } } fragment Own on Product { viewerSettings { id } }',
        "{ categories { id } viewer { user { id } } }",
        "{ categories { id } __schema { queryType { name } } }",
        "{ inventoryLevels { edges { cursor } } }",
        "{ searchProducts(first: 1000) { edges { cursor } } }",
        "{ nonsense }",
    ],
)
async def test_what_is_the_viewers_own_and_errors_are_not_kept(query: str, anonymous: Phone) -> None:
    answer = await get(anonymous, query)
    assert answer.headers["Cache-Control"] == PRIVATE
    assert "ETag" not in answer.headers


async def test_what_somebody_signed_is_not_kept(new_phone: NewPhone) -> None:
    answer = await get(await new_phone(), "{ categories { id } }")
    assert (answer.status, answer.headers["Cache-Control"]) == (200, PRIVATE)


async def test_a_change_has_another_tag(services: Services, admin: Phone, anonymous: Phone) -> None:
    [made] = await on_sale(services, admin, row())
    query = '{ product(by: {id: "%s"}) { name version } }' % made["id"]  # noqa: UP031
    before = await get(anonymous, query)
    await admin.do("updateProduct", "product { id }", productId=made["id"], name="Renamed")
    after = await get(anonymous, query, **{"If-None-Match": before.headers["ETag"]})
    assert after.status == 200
    assert b"Renamed" in after.body
    assert after.headers["ETag"] != before.headers["ETag"]


async def test_posts_say_nothing_of_caches(anonymous: Phone) -> None:
    answer: Any = await anonymous.ask("{ categories { id } }")
    assert "Cache-Control" not in answer.headers
