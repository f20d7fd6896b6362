"""Ranking: the order of posts, and the limits of every order."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core import clock
from core.context import Services
from ports.feed import Ranker, Signals
from providers.formula import Formula
from resolvers.feed.ranking import Candidate, Ranked, Ranking, signals_of, spread
from stores.feed import FeedReason, Post
from tests.conftest import NewPhone
from tests.feed.steps import befriend, follow, insert_posts, publish
from tests.feed.test_moderation import moderator
from tests.phone import Phone

FEED = """query($first: Int, $after: String) { viewer { feed(first: $first, after: $after) {
  snapshotId degraded variant edges { cursor score reason position node { id author { id } } }
  pageInfo { hasNextPage endCursor } } } }"""


async def page_of(phone: Phone, first: int = 50, after: str | None = None) -> Any:
    return (await phone.run(FEED, first=first, after=after))["viewer"]["feed"]


def ids_of(page: Any) -> list[str]:
    return [edge["node"]["id"] for edge in page["edges"]]


def post(author: str, **fields: Any) -> Post:
    blank: dict[str, Any] = {"reactions": {}, "comment_count": 0, "share_count": 0, "media_ids": []}
    return {"_id": f"post_{author}", "author_id": author, "created_at": clock.now(), **blank, **fields}  # type: ignore[typeddict-item, return-value]


async def test_the_formula_is_the_one_that_is_written_down() -> None:
    now = clock.now()
    old = post("grace", created_at=now - timedelta(hours=12), media_ids=["media_1"])
    taste: Any = {"authors": {"grace": 0.5}, "media": {"PICTURED": 0.8}}
    signals = signals_of(Candidate(old, FeedReason.FOLLOW), "ada", taste, now)
    assert signals._replace(exploration=0) == Signals(0.5, 0.5, 0.0, 0.8, 0)
    assert 0 <= signals.exploration < 1
    [score] = await Formula().scores("formula", [signals])
    expected = 0.35 * 0.5 + 0.30 * 0.5 + 0.20 * 0 + 0.10 * 0.8 + 0.05 * signals.exploration
    assert score == pytest.approx(expected)


authors = st.sampled_from("abcd")
reasons = st.sampled_from([FeedReason.FOLLOW, FeedReason.SPONSORED])


@given(st.lists(st.tuples(authors, reasons), max_size=60))
def test_nobody_has_three_in_a_row_and_one_in_eight_is_paid(drawn: list[tuple[str, FeedReason]]) -> None:
    ranked = [Ranked(post(author), reason, 0.0) for author, reason in drawn]
    shown = spread(ranked, 500)
    for start in range(len(shown)):
        assert sum(each.reason is FeedReason.SPONSORED for each in shown[start : start + 8]) <= 1
    free = [id(each) for each in ranked if each.reason is not FeedReason.SPONSORED]
    assert sorted(free) == sorted(id(each) for each in shown if each.reason is not FeedReason.SPONSORED)
    for index in range(2, len(shown)):
        row = {each.post["author_id"] for each in shown[index - 2 : index + 1]}
        left = {each.post["author_id"] for each in shown[index:] if each.reason is not FeedReason.SPONSORED}
        # Three in a row only where nobody else was left.
        assert len(row) > 1 or left <= row


async def test_friends_come_before_strangers_and_say_so(
    new_phone: NewPhone, services: Services, no_posts: None
) -> None:
    ada, grace, alan, hedy = [await new_phone(name) for name in ("Ada", "Grace", "Alan", "Hedy")]
    await befriend(ada, grace)
    await follow(ada, alan)
    hour = clock.now() - timedelta(hours=1)
    reasons = {}
    for author, reason in ((hedy, "SUGGESTED"), (alan, "FOLLOW"), (grace, "FRIEND")):
        [id] = await insert_posts(services, author.user_id, [hour])
        reasons[id] = reason
    page = await page_of(ada)
    found = [(edge["node"]["id"], edge["reason"]) for edge in page["edges"] if edge["node"]["id"] in reasons]
    assert found == list(reversed(reasons.items()))
    scores = [edge["score"] for edge in page["edges"]]
    assert [edge["position"] for edge in page["edges"]] == list(range(len(scores)))
    assert scores[0] <= 1


class Slow:
    """A model that thinks for too long."""

    experiment, variants = "", {"slow": 100}

    async def scores(self, variant: str, posts: Sequence[Signals]) -> Sequence[float]:
        await asyncio.sleep(5)
        return [0.0 for _ in posts]


class Broken(Slow):
    async def scores(self, variant: str, posts: Sequence[Signals]) -> Sequence[float]:
        raise ConnectionError("The model is away.")


class Miscounting(Slow):
    async def scores(self, variant: str, posts: Sequence[Signals]) -> Sequence[float]:
        return [1.0]


class Nonsense(Slow):
    async def scores(self, variant: str, posts: Sequence[Signals]) -> Sequence[float]:
        return [float("nan") for _ in posts]


@pytest.mark.parametrize("model", [Slow, Broken, Miscounting, Nonsense])
async def test_ranking_over_250_ms_or_failing_gives_the_latest_order(
    model: Callable[[], Ranker],
    ranked_by: Callable[[Ranker], None],
    new_phone: NewPhone,
    services: Services,
) -> None:
    """Row: Ranking over 250 ms or failing."""
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    await follow(ada, grace)
    start = clock.now() - timedelta(days=2)
    posts = await insert_posts(services, grace.user_id, [start + timedelta(hours=n) for n in range(6)])
    ranked_by(model())
    page = await page_of(ada)
    assert page["degraded"] is True
    assert [id for id in ids_of(page) if id in posts] == posts[::-1]
    assert {edge["score"] for edge in page["edges"]} == {0}
    ranked_by(Formula())
    clock.shift(timedelta(seconds=6))
    assert (await page_of(ada))["degraded"] is False


class ByAuthor:
    """A model that would put posts of one author next to each other: it likes recent ones exactly alike."""

    experiment, variants = "", {"flat": 100}

    async def scores(self, variant: str, posts: Sequence[Signals]) -> Sequence[float]:
        return [each.affinity for each in posts]


async def test_the_same_author_has_at_most_two_in_a_row(
    new_phone: NewPhone, services: Services, ranked_by: Callable[[Ranker], None]
) -> None:
    ada, grace, alan = [await new_phone(name) for name in ("Ada", "Grace", "Alan")]
    await befriend(ada, grace)
    await follow(ada, alan)
    for author in (grace, alan):
        await insert_posts(services, author.user_id, [None] * 4)
    ranked_by(ByAuthor())
    page = await page_of(ada, 6)
    names = [
        {grace.user_id: "G", alan.user_id: "A"}.get(edge["node"]["author"]["id"]) for edge in page["edges"]
    ]
    assert names == ["G", "G", "A", "G", "G", "A"]


async def test_what_is_paid_for_says_so_and_keeps_its_distance(
    new_phone: NewPhone, services: Services, no_posts: None
) -> None:
    ada, grace, seller = [await new_phone(name) for name in ("Ada", "Grace", "Seller")]
    await follow(ada, grace)
    hour = timedelta(hours=1)
    await insert_posts(services, grace.user_id, [clock.now() - hour] * 12)
    paid = await insert_posts(services, seller.user_id, [clock.now()] * 3)
    now = clock.now()
    rows = [{"_id": id, "starts_at": now - hour, "ends_at": now + hour} for id in paid]
    await services.db.write({"insert": "sponsorships", "documents": rows})
    edges = (await page_of(ada))["edges"]
    places = [edge["position"] for edge in edges if edge["reason"] == "SPONSORED"]
    assert {edge["node"]["id"] for edge in edges if edge["reason"] == "SPONSORED"} <= set(paid)
    assert places
    assert all(later - earlier >= 8 for earlier, later in pairwise(places))


async def test_a_limited_post_stays_out_of_strangers_feeds(
    new_phone: NewPhone, services: Services, no_posts: None
) -> None:
    ada, stranger, grace = [await new_phone(name) for name in ("Ada", "Stranger", "Grace")]
    await follow(ada, grace)
    [limited] = await insert_posts(services, grace.user_id, [None], state="LIMITED")
    assert limited in ids_of(await page_of(ada))
    assert limited not in ids_of(await page_of(stranger))


async def test_a_post_limited_after_it_was_suggested_is_left_out(
    new_phone: NewPhone, services: Services, no_posts: None
) -> None:
    """The snapshot that holds it is shown for a minute, or longer."""
    stranger, grace, alan = [await new_phone(name) for name in ("Stranger", "Grace", "Alan")]
    judge = await moderator(new_phone, services)
    post = await publish(grace)
    before = await page_of(stranger)
    assert ids_of(before) == [post]
    await alan.do("submitReport", "report { id }", subjectId=post, reason="SPAM")
    decided = await judge.do(
        "decideModeration", "removedReportIds", subjectId=post, action="LIMIT", reason="Spam"
    )
    assert decided["errors"] == []
    after = await page_of(stranger)
    assert (after["snapshotId"], ids_of(after)) == (before["snapshotId"], [])


async def test_variants_are_a_matter_of_the_person_not_of_chance(
    new_phone: NewPhone, ranked_by: Callable[[Ranker], None]
) -> None:
    experiment = "spring:formula=50,fresh=50"
    people = [f"user_{n}" for n in range(1_000)]
    counts = [Ranking(Formula(experiment)).variant_of(person) for person in people]
    assert counts == [Ranking(Formula(experiment)).variant_of(person) for person in people]
    assert 400 < counts.count("fresh") < 600
    other = [Ranking(Formula("autumn:formula=50,fresh=50")).variant_of(person) for person in people]
    assert other != counts
    ada = await new_phone("Ada")
    assert (await page_of(ada))["variant"] is None
    await publish(ada)
    ranked_by(Formula(experiment))
    assert (await page_of(ada))["variant"] == Ranking(Formula(experiment)).variant_of(ada.user_id)


@pytest.mark.parametrize("text", ["x:unknown=50", "x:formula", "x:formula=60,fresh=60", "x:formula=-1"])
def test_a_malformed_experiment_is_refused_at_the_start(text: str) -> None:
    with pytest.raises(ValueError, match="experiment"):
        Formula(text)
