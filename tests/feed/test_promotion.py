"""Experiments and paid posts: said by administrators, on record, and known everywhere."""

import asyncio
import time
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest

from core import clock, ids
from core.context import Services
from core.settings import Settings
from resolvers.feed.ranking import Ranking
from server import lifespan
from stores.auth import Role
from tests.conftest import NewPhone
from tests.feed.steps import publish
from tests.feed.test_ranking import page_of
from tests.phone import Phone, key, make_user, refusal

HALVES = [{"name": "formula", "sharePercent": 50}, {"name": "fresh", "sharePercent": 50}]
EXPERIMENT = "feedExperiment { name variants { name sharePercent } }"
SPONSORED = "sponsorship { post { id } startsAt endsAt }"


@pytest.fixture
async def admin(new_phone: NewPhone, services: Services) -> AsyncIterator[Phone]:
    person = await make_user(services, "Admin", roles=[Role.MEMBER, Role.ADMIN])
    phone = await new_phone(user_id=person)
    yield phone
    ended = await phone.do("setFeedExperiment", EXPERIMENT, reason="The test is over")
    assert (ended["errors"], ended["feedExperiment"]) == ([], None)
    await until(services, "")


async def until(services: Services, experiment: str) -> None:
    """Wait until the process has the change."""
    deadline = time.monotonic() + 20
    while services.get(Ranking).ranker.experiment != experiment:
        assert time.monotonic() < deadline
        await asyncio.sleep(0.02)


@pytest.fixture
def acts(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    kept: list[Any] = []

    async def keep(ctx: Any, act: Any, mode: Any) -> None:
        if act.action.startswith("feed."):
            kept.append((act.action, act.resource_id, {**act.details, **act.sensitive}))

    monkeypatch.setattr("core.audit.recorded.listeners", [keep])
    return kept


async def test_an_experiment_is_set_and_ended_on_record(
    admin: Phone, new_phone: NewPhone, services: Services, settings: Settings, acts: list[Any]
) -> None:
    ada = await new_phone("Ada")
    await publish(ada)
    assert (await page_of(ada))["variant"] is None
    async with lifespan.services(settings) as elsewhere:
        begun = await admin.do(
            "setFeedExperiment", EXPERIMENT, name="spring", variants=HALVES, reason="Fresh?"
        )
        assert (begun["errors"], begun["feedExperiment"]) == ([], {"name": "spring", "variants": HALVES})
        [(action, _, told)] = acts
        assert (action, told["name"], told["reason"]) == ("feed.experiment_set", "spring", "Fresh?")
        assert [each["share_percent"] for each in told["variants"]] == [50, 50]
        for process in (services, elsewhere):
            await until(process, "spring")
    variant = services.get(Ranking).variant_of(ada.user_id)
    await publish(ada)
    assert (await page_of(ada))["variant"] == variant
    shown = await admin.run("{ feedExperiment { name } }")
    assert shown == {"feedExperiment": {"name": "spring"}}
    # A process that starts later finds it.
    async with lifespan.services(settings) as later:
        assert later.get(Ranking).variant_of(ada.user_id) == variant


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"name": "Spring!", "variants": HALVES}, "name"),
        ({"name": "a:b", "variants": HALVES}, "name"),
        ({"variants": HALVES}, "name"),
        ({"name": "spring"}, "variants"),
        ({"name": "spring", "variants": [HALVES[0], HALVES[0]]}, "variants"),
        ({"name": "spring", "variants": [{"name": "unknown", "sharePercent": 5}]}, "variants"),
        ({"name": "spring", "variants": [{"name": "fresh", "sharePercent": -5}]}, "variants"),
        ({"name": "spring", "variants": [{"name": "fresh", "sharePercent": 101}]}, "variants"),
        ({"name": "spring", "variants": HALVES, "reason": " "}, "reason"),
    ],
)
async def test_what_is_no_experiment_is_refused(
    admin: Phone, services: Services, given: dict[str, Any], field: str
) -> None:
    refused = await admin.do("setFeedExperiment", EXPERIMENT, **{"reason": "Why not", **given})
    assert [(each["kind"], each["field"]) for each in refused["errors"]] == [("INVALID", [field])]
    assert services.get(Ranking).ranker.experiment == ""


async def test_others_may_not(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    post = await publish(ada)
    given = {"reason": "I would", "endsAt": "2099-01-01T00:00:00Z", "postId": post}
    for name, inputs in (
        ("setFeedExperiment", {"reason": "I would"}),
        ("setPostSponsorship", given),
        ("cancelPostSponsorship", {"reason": "I would", "postId": post}),
    ):
        refused = await ada.do(name, "__typename", **inputs)
        assert [each["code"] for each in refused["errors"]] == ["FORBIDDEN"]
    assert (await ada.ask("{ feedExperiment { name } }")).code == "FORBIDDEN"


def moment(ahead: timedelta) -> str:
    return f"{clock.now() + ahead:%Y-%m-%dT%H:%M:%S.000Z}"


async def test_a_paid_post_is_shown_with_its_reason_until_it_ends(
    admin: Phone, new_phone: NewPhone, no_posts: None, acts: list[Any]
) -> None:
    seller, ada = await new_phone("Seller"), await new_phone("Ada")
    post = await publish(seller, "Buy this")
    ends = moment(timedelta(hours=1))
    once = {"postId": post, "endsAt": ends, "reason": "Contract 7"}
    paid = await admin.do("setPostSponsorship", SPONSORED, **once)
    shown = paid["sponsorship"]
    assert (paid["errors"], shown["post"], shown["endsAt"]) == ([], {"id": post}, ends)
    [edge] = (await page_of(ada))["edges"]
    assert (edge["node"]["id"], edge["reason"]) == (post, "SPONSORED")
    # Whom the seller has blocked does not see it, paid or not.
    alan = await new_phone("Alan")
    await seller.do("blockUser", "removedUserId", userId=alan.user_id)
    assert (await page_of(alan))["edges"] == []
    ended = await admin.do("cancelPostSponsorship", "post { id }", postId=post, reason="Contract 7 is over")
    assert (ended["errors"], ended["post"]) == ([], {"id": post})
    # Who saw it does so no more, at once: the kept order of their feed is looked through at every reading.
    assert (await page_of(ada))["edges"] == []
    grace = await new_phone("Grace")
    assert [edge["reason"] for edge in (await page_of(grace))["edges"]] == ["SUGGESTED"]
    assert [each[:2] for each in acts] == [
        ("feed.sponsorship_set", post),
        ("feed.user_blocked", alan.user_id),
        ("feed.sponsorship_canceled", post),
    ]


async def test_versions_of_sponsorships_go_on_after_one_is_canceled(
    admin: Phone, new_phone: NewPhone, no_posts: None
) -> None:
    seller = await new_phone("Seller")
    given = {"postId": await publish(seller, "Buy this"), "reason": "Contract 8"}
    shown = "post { id } sponsorship { version post { id } startsAt endsAt }"
    none = await admin.do("cancelPostSponsorship", shown, **given, expectedVersion=0)
    assert (none["errors"], none["sponsorship"], none["post"]["id"]) == ([], None, given["postId"])
    period = {"startsAt": moment(timedelta(hours=1)), "endsAt": moment(timedelta(hours=2))}
    paid = await admin.do("setPostSponsorship", "sponsorship { version }", **given, **period)
    assert paid["sponsorship"] == {"version": 1}
    late = {**given, "idempotencyKey": key(), "expectedVersion": 0}
    conflict = refusal("CONFLICT", "It was changed on another device.")
    current = {"version": 1, "post": {"id": given["postId"]}, **period}
    # A replay has the sponsorship too, not the post whose id it shares.
    for replayed in (False, True):
        refused = await admin.do("cancelPostSponsorship", shown, **late)
        assert (refused["errors"], refused["sponsorship"]) == ([conflict], current)
        assert refused["replayed"] is replayed
    canceled = await admin.do("cancelPostSponsorship", shown, **given, expectedVersion=1)
    assert (canceled["errors"], canceled["sponsorship"]["version"]) == ([], 2)
    assert canceled["sponsorship"]["endsAt"] == canceled["sponsorship"]["startsAt"] < period["startsAt"]
    again = await admin.do("cancelPostSponsorship", shown, **given)
    assert again["sponsorship"] == canceled["sponsorship"]
    once = {**given, "endsAt": period["endsAt"]}
    refused = await admin.do("setPostSponsorship", "sponsorship { version }", **once, expectedVersion=1)
    assert (refused["errors"], refused["sponsorship"]) == ([conflict], {"version": 2})
    paid = await admin.do("setPostSponsorship", "sponsorship { version }", **once, expectedVersion=2)
    assert paid["sponsorship"] == {"version": 3}


async def test_what_cannot_be_sponsored(admin: Phone, new_phone: NewPhone, services: Services) -> None:
    seller = await new_phone("Seller")
    public, mine = await publish(seller), await publish(admin, visibility="PRIVATE")
    hidden = await publish(seller, visibility="PRIVATE")
    day = timedelta(days=1)
    for given, code in (
        ({"postId": public, "endsAt": moment(-day)}, "OUT_OF_RANGE"),
        ({"postId": public, "endsAt": moment(400 * day)}, "OUT_OF_RANGE"),
        ({"postId": public, "startsAt": moment(2 * day), "endsAt": moment(day)}, "OUT_OF_RANGE"),
        ({"postId": public, "endsAt": moment(day), "reason": ""}, "REQUIRED"),
        ({"postId": mine, "endsAt": moment(day)}, "FORBIDDEN"),
        ({"postId": hidden, "endsAt": moment(day)}, "NOT_FOUND"),
        ({"postId": ids.new_id("post"), "endsAt": moment(day)}, "NOT_FOUND"),
    ):
        refused = await admin.do("setPostSponsorship", SPONSORED, **{"reason": "Contract", **given})
        assert [each["code"] for each in refused["errors"]] == [code], given
    assert await services.db.find("sponsorships", {"_id": {"$in": [public, mine, hidden]}}) == []
