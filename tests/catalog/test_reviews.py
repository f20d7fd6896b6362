"""Reviews: written by customers, judged by staff, counted."""

import asyncio
from typing import Any

import pytest

from core import ids
from core import jobs as job_queue
from core.context import Context, Services
from core.hooks import Hook
from core.security.access import NOT_ALLOWED
from jobs import catalog as jobs
from resolvers.catalog import reviewing
from tests.catalog.steps import on_sale, refusal, row
from tests.conftest import Commands, NewPhone
from tests.phone import Phone, deleted_ids

SELECTION = """review { id version rating title body authorName verifiedPurchase status viewerIsAuthor
  product { id } }
  reviewEdge { cursor node { id } }"""
LIST = """query($id: ID!, $sort: ReviewSort! = NEWEST, $first: Int, $after: String) {
  product(by: {id: $id}) { ratingSummary { average count histogram }
    reviews(sort: $sort, first: $first, after: $after) {
      edges { cursor node { id rating status viewerIsAuthor authorName } }
      pageInfo { hasNextPage endCursor } } } }"""


@pytest.fixture
async def product(services: Services, admin: Phone) -> str:
    [made] = await on_sale(services, admin, row())
    return str(made["id"])


async def submit(phone: Phone, product: str, rating: int = 4, **input: Any) -> dict[str, Any]:
    done = await phone.do("submitReview", SELECTION, productId=product, rating=rating, **input)
    assert done["errors"] == []
    return done  # type: ignore[no-any-return]


async def judge(admin: Phone, review: str, decision: str = "PUBLISH") -> None:
    done = await admin.do("decideReview", "review { status }", reviewId=review, decision=decision)
    assert done["errors"] == []


async def shown(phone: Phone, product: str, **variables: Any) -> list[dict[str, Any]]:
    found = (await phone.run(LIST, id=product, **variables))["product"]["reviews"]
    return [edge["node"] for edge in found["edges"]]


async def rated(services: Services, phone: Phone, product: str) -> dict[str, Any]:
    await job_queue.run_due(services)
    return (await phone.run(LIST, id=product))["product"]["ratingSummary"]  # type: ignore[no-any-return]


async def test_a_review_waits_for_a_moderator_and_is_counted_when_published(
    services: Services, admin: Phone, new_phone: NewPhone, anonymous: Phone, product: str
) -> None:
    ada = await new_phone("Ada", last_name="Lovelace")
    done = await submit(ada, product, 5, title=" Works ", body="I sleep well.")
    review = done["review"]
    id = review.pop("id")
    assert done["reviewEdge"]["node"] == {"id": id}
    assert review == {
        "version": 1,
        "rating": 5,
        "title": "Works",
        "body": "I sleep well.",
        "authorName": "Ada Lovelace",
        "verifiedPurchase": False,
        "status": "PENDING",
        "viewerIsAuthor": True,
        "product": {"id": product},
    }
    assert await shown(anonymous, product) == []
    assert [each["id"] for each in await shown(ada, product)] == [id]
    by_id = "query($id: ID!) { node(id: $id) { id } }"
    assert [(await each.run(by_id, id=id))["node"] for each in (anonymous, ada)] == [None, {"id": id}]
    assert (await rated(services, anonymous, product))["count"] == 0
    waiting = "{ pendingReviews(last: 100) { edges { node { id } } } }"
    assert id in [edge["node"]["id"] for edge in (await admin.run(waiting))["pendingReviews"]["edges"]]
    assert (await ada.ask(waiting)).code == "FORBIDDEN"
    await judge(admin, id)
    assert [each["authorName"] for each in await shown(anonymous, product)] == ["Ada Lovelace"]
    summary = {"average": 5.0, "count": 1, "histogram": [0, 0, 0, 0, 1]}
    assert await rated(services, anonymous, product) == summary
    # An edit waits again.
    again = await submit(ada, product, 3)
    assert (again["review"]["id"], again["review"]["status"], again["review"]["version"]) == (
        id,
        "PENDING",
        3,
    )
    assert await shown(anonymous, product) == []
    assert (await rated(services, anonymous, product))["count"] == 0


async def test_many_review_one_product_at_once(
    services: Services, admin: Phone, new_phone: NewPhone, product: str
) -> None:
    people = [await new_phone(f"Person {number}") for number in range(30)]
    ratings = [1 + number % 5 for number in range(30)]
    made = await asyncio.gather(
        *(submit(each, product, rating) for each, rating in zip(people, ratings, strict=True))
    )
    assert len({each["review"]["id"] for each in made}) == 30
    await asyncio.gather(*(judge(admin, each["review"]["id"]) for each in made))
    summary = await rated(services, people[0], product)
    assert summary == {"average": 3.0, "count": 30, "histogram": [6] * 5}
    assert len(await shown(people[0], product, first=100)) == 30


async def test_a_review_of_a_hidden_product_is_hidden_by_its_id_too(
    admin: Phone, new_phone: NewPhone, services: Services, product: str
) -> None:
    """There and back again; its author and staff see it all the while."""
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    review = (await submit(ada, product))["review"]["id"]
    await judge(admin, review)
    query = "query($id: ID!) { node(id: $id) { ... on Review { id } } nodes(ids: [$id]) { id } }"
    here, gone = {"node": {"id": review}, "nodes": [{"id": review}]}, {"node": None, "nodes": [None]}
    for status, seen in (("ACTIVE", here), ("HIDDEN", gone), ("ACTIVE", here)):
        change = {"q": {"_id": product}, "u": {"$set": {"status": status}}}
        await services.db.write({"update": "products", "updates": [change]})
        assert await grace.run(query, id=review) == seen
        assert await ada.run(query, id=review) == await admin.run(query, id=review) == here


async def test_a_rejected_review_is_its_authors_alone_and_can_be_deleted(
    services: Services, admin: Phone, new_phone: NewPhone, anonymous: Phone, product: str
) -> None:
    ada = await new_phone("Ada")
    id = (await submit(ada, product, 1))["review"]["id"]
    await judge(admin, id, "REJECT")
    assert await shown(anonymous, product) == []
    assert [each["status"] for each in await shown(ada, product)] == ["REJECTED"]
    other = await new_phone()
    refused = await other.do("deleteReview", "deletedReviewId", reviewId=id)
    assert refused["errors"] == [refusal("NOT_FOUND", "You have no such review.", ["reviewId"])]
    gone = await ada.do("deleteReview", "deletedReviewId", reviewId=id)
    assert gone["deletedReviewId"] == id
    assert await shown(ada, product) == []


async def test_reviews_reach_their_authors_devices(admin: Phone, new_phone: NewPhone, product: str) -> None:
    ada = await new_phone("Ada")
    changes = """query($since: SyncToken) { viewer { changes(since: $since, types: [REVIEW]) {
      nodes { ... on Review { id status } } deleted { id } token } } }"""
    token = (await ada.run(changes))["viewer"]["changes"]["token"]
    id = (await submit(ada, product))["review"]["id"]
    await judge(admin, id)
    told = (await ada.run(changes, since=token))["viewer"]["changes"]
    assert told["nodes"] == [{"id": id, "status": "PUBLISHED"}]
    await ada.do("deleteReview", "deletedReviewId", reviewId=id)
    assert deleted_ids((await ada.run(changes, since=told["token"]))["viewer"]["changes"]) == [id]


async def test_pages_of_every_order_hold_ones_own_in_its_place(
    services: Services, admin: Phone, new_phone: NewPhone, product: str, commands: Commands
) -> None:
    ids_ = []
    for number in range(7):
        phone = await new_phone(f"P{number}")
        ids_.append((await submit(phone, product, number % 5 + 1))["review"]["id"])
        if number != 3:
            await judge(admin, ids_[-1])
    author = await new_phone("Own")
    own = (await submit(author, product, 3))["review"]["id"]
    for sort, key in (("NEWEST", None), ("RATING_DESC", -1), ("RATING_ASC", 1)):
        whole = await shown(author, product, sort=sort, first=50)
        assert {each["id"] for each in whole} == {*ids_, own} - {ids_[3]}
        if key:
            ratings = [key * each["rating"] for each in whole]
            assert ratings == sorted(ratings)
        seen: list[str] = []
        cursor = None
        while True:
            page = (await author.run(LIST, id=product, sort=sort, first=2, after=cursor))["product"][
                "reviews"
            ]
            seen += [edge["node"]["id"] for edge in page["edges"]]
            cursor = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                break
        assert seen == [each["id"] for each in whole]
    made = await on_sale(services, admin, row(), row())
    many = "query($ids: [ID!]!) { products(ids: $ids) { reviews(first: 2) { edges { node { id } } } } }"
    commands.reset()
    await author.run(many, ids=[product, *(each["id"] for each in made)])
    assert commands.counts == {"find": 2, "aggregate": 1}


@pytest.mark.parametrize(
    ("input", "field"),
    [
        ({"rating": 0}, "rating"),
        ({"rating": 6}, "rating"),
        ({"title": "x" * 121}, "title"),
        ({"body": "x" * 4001}, "body"),
    ],
)
async def test_a_review_has_limits(
    input: dict[str, Any], field: str, new_phone: NewPhone, product: str
) -> None:
    phone = await new_phone()
    refused = await phone.do("submitReview", SELECTION, **{"productId": product, "rating": 3, **input})
    assert [(each["kind"], each["field"]) for each in refused["errors"]] == [("INVALID", [field])]
    assert refused["review"] is None


async def test_only_staff_judge_and_only_what_exists(admin: Phone, new_phone: NewPhone, product: str) -> None:
    phone = await new_phone()
    id = (await submit(phone, product))["review"]["id"]
    refused = await phone.do("decideReview", "review { id }", reviewId=id, decision="PUBLISH")
    assert refused["errors"] == [refusal("FORBIDDEN", NOT_ALLOWED)]
    unknown = await admin.do(
        "decideReview", "review { id }", reviewId=ids.new_id("review"), decision="PUBLISH"
    )
    assert unknown["errors"] == [refusal("NOT_FOUND", "There is no such review.", ["reviewId"])]
    nothing = await phone.do("submitReview", "review { id }", productId=ids.new_id("product"), rating=3)
    assert nothing["errors"] == [
        refusal("NOT_FOUND", "It does not exist, or you may not see it.", ["productId"])
    ]


async def test_who_bought_it_is_marked(
    new_phone: NewPhone, product: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")

    async def bought(ctx: Context, user_id: str, product_id: str) -> bool:
        return user_id == ada.user_id and product_id == product

    asked = Hook[[Context, str, str], bool]("bought in a test")
    asked.add(bought)
    monkeypatch.setattr(reviewing, "bought", asked)
    assert (await submit(ada, product))["review"]["verifiedPurchase"] is True
    assert (await submit(grace, product))["review"]["verifiedPurchase"] is False


async def test_reviews_of_a_deleted_account_are_gone(
    services: Services, admin: Phone, new_phone: NewPhone, anonymous: Phone, product: str
) -> None:
    ada = await new_phone("Ada")
    id = (await submit(ada, product))["review"]["id"]
    await judge(admin, id)
    await ada.do("updateProductSettings", "productSettings { id }", productId=product, autoRefill=True)
    await ada.do("updatePrivacyChoices", "privacyChoices { tracking }", tracking=False)
    exported = [(name, rows) async for name, rows in jobs.export(services, ada.user_id)]
    assert [name for name, _ in exported] == ["reviews", "privacy_choices", "product_settings"]
    assert exported[2][1][0]["auto_refill"] is True
    assert all("sealed" not in each for _, rows in exported for each in rows)
    for _ in range(2):
        await jobs.erase(services, ada.user_id)
    assert await shown(anonymous, product) == []
    for name in (
        "reviews",
        "product_settings",
        "last_predictions",
        "prediction_feedback",
        "telemetry",
    ):
        assert await services.db.find(name, {"user_id": ada.user_id}) == []
    assert await services.db.find("privacy_choices", {"_id": ada.user_id}) == []
