"""Data of earlier versions: brought up to date while processes start side by side and people go on."""

import asyncio
from typing import Any

import pytest

from core import clock, jobs
from core.context import Services
from core.ids import sibling
from core.storage import migrations
from core.sync import changes
from resolvers.feed import archiving
from stores import feed as store
from tests.conftest import NewPhone
from tests.engine.test_delta import device_of
from tests.engine.test_people_sync import chat_of, name_of, named
from tests.feed.steps import follow, publish
from tests.feed.test_keeping import YEAR

KEEPERS, AUTHORS = "auth.entries-for-keepers", "feed.authors-of-what-is-shared"
ACCOUNTS = "auth.accounts"


async def migrate(services: Services, name: str) -> None:
    """As three processes that start together with one that was cut off do."""
    gone = {"delete": migrations.applied.name, "deletes": [{"q": {"_id": name}, "limit": 1}]}
    await services.db.write(gone)
    await asyncio.gather(*(migrations.migrate(services.db) for _ in range(3)))
    assert await migrations.applied.by_id(services.db, name)


async def entries(services: Services, *people: str) -> dict[str, Any]:
    wanted = [id for each in people for id in (each, f"counts:{each}")]
    return {row["_id"]: row for row in await changes.named(services.db, wanted)}


async def forget_keepers(services: Services, *people: str) -> None:
    """As an earlier version logged them."""
    updates = [
        {"q": {"node": id, "_id": {"$in": [id, f"counts:{id}"]}}, "u": {"$set": old}, "multi": True}
        for id in people
        for old in [{"scopes": [f"user:{id}"], "former_scopes": []}]
    ]
    await services.db.write({"update": changes.log.name, "updates": updates})


async def test_people_who_were_logged_for_themselves_alone_reach_who_keeps_them(
    new_phone: NewPhone, services: Services
) -> None:
    ada, grace, alan, edith = [await new_phone(name) for name in ("Ada", "Grace", "Alan", "Edith")]
    for followed in (grace, edith):
        await follow(ada, followed)
    await chat_of(ada, alan)
    gone = {"q": {"_id": edith.user_id}, "u": {"$set": {"status": "SUSPENDED"}}}
    await services.db.write({"update": "users", "updates": [gone]})
    people = [each.user_id for each in (ada, grace, alan, edith)]
    await forget_keepers(services, *people)
    device = await device_of(ada, "USER")
    assert set(device.nodes) == {ada.user_id}
    # What old processes and new ones log meanwhile stays.
    await asyncio.gather(migrate(services, KEEPERS), named(alan, "Allan"))
    news, removed = await device.news()
    assert ({grace.user_id, alan.user_id} <= news, removed) == (True, set())
    assert (name_of(device, grace), name_of(device, alan)) == ("Grace", "Allan")
    assert set((await device_of(ada, "USER")).nodes) == set(device.nodes)
    logged = await entries(services, *people)
    assert {f"counts:{grace.user_id}", f"counts:{edith.user_id}"} <= set(logged)
    for id, entry in logged.items():
        person = entry["node"]
        kept_by = [] if person == edith.user_id else [f"followers:{person}", f"peers:{person}"]
        assert set(entry["scopes"]) == {f"user:{person}", *kept_by}, id
    # Done twice, it changes nothing.
    await migrate(services, KEEPERS)
    assert await entries(services, *people) == logged
    assert await device.news() == (set(), set())


async def forget_author(services: Services, collection: str, id: str) -> None:
    """As an earlier version stored a share."""
    update = {"q": {"_id": id}, "u": {"$unset": {"shared_author_id": ""}}}
    await services.db.write({"update": collection, "updates": [update]})


async def test_shares_that_name_no_author_are_told_again_when_one_hides(
    new_phone: NewPhone, services: Services
) -> None:
    ada, grace, hedy = [await new_phone(name) for name in ("Ada", "Grace", "Hedy")]
    await follow(grace, hedy)
    post, lost = await publish(ada), await publish(ada)
    shares = []
    for id in (post, post, lost):
        made = await hedy.do("sharePost", "post { id }", postId=id, visibility="PUBLIC")
        shares.append(made["post"]["id"])
    share, old, orphan = shares
    past = {"q": {"_id": old}, "u": {"$set": {"created_at": clock.now() - YEAR}}}
    await services.db.write({"update": "posts", "updates": [past]})
    await archiving.archive(services)
    await ada.do("deletePost", "deletedPostId", postId=lost)
    while await jobs.run_due(services):
        continue
    for collection, id in (("posts", share), ("posts_archive", old), ("posts", orphan)):
        await forget_author(services, collection, id)
    versions = {row["_id"]: row["version"] for row in await store.posts_by_ids(services.db, shares)}
    device = await device_of(grace, "POST")
    await migrate(services, AUTHORS)
    found = {row["_id"]: row for row in await store.posts_by_ids(services.db, shares)}
    assert {id: row.get("shared_author_id") for id, row in found.items()} == {
        share: ada.user_id,
        old: ada.user_id,
        orphan: None,
    }
    assert {id: row["version"] for id, row in found.items()} == versions
    assert await device.news() == (set(), set())
    await grace.do("blockUser", "removedUserId", userId=ada.user_id)
    while await jobs.run_due(services):
        continue
    told, _ = await device.news()
    assert share in told


async def test_people_have_accounts_on_the_devices_that_know_them(
    new_phone: NewPhone, services: Services
) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    device = await device_of(ada)
    people = [ada.user_id, grace.user_id]
    older = {
        "q": {"_id": {"$in": people}},
        "u": {"$set": {"version": 5, "private_changes": 2}, "$unset": {"account_changes": ""}},
        "multi": True,
    }
    await services.db.write({"update": "users", "updates": [older]})
    accounts = [sibling(id, "account") for id in people]
    forgotten = {"q": {"_id": {"$in": accounts}}, "limit": 0}
    former = {"_id": f"own:{ada.user_id}", "node": ada.user_id, "scopes": [f"user:{ada.user_id}"]}
    await services.db.write({"delete": changes.log.name, "deletes": [forgotten]})
    await services.db.write({"insert": changes.log.name, "documents": [former]})
    await migrate(services, ACCOUNTS)
    assert await device.news() == ({accounts[0]}, set())
    assert device.nodes[accounts[0]]["version"] == 5
    assert {*accounts[:1], ada.user_id} <= set((await device_of(ada)).nodes)
    rows = await services.db.find("users", {"_id": {"$in": people}})
    assert [(row["account_changes"], "private_changes" in row) for row in rows] == [(4, False)] * 2
    assert await changes.named(services.db, [former["_id"]]) == []


@pytest.mark.parametrize("name", [KEEPERS, AUTHORS])
async def test_a_migration_goes_on_where_there_is_more_than_a_batch(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for module in ("auth", "feed"):
        monkeypatch.setattr(f"resolvers.{module}.migrations.BATCH", 2)
    people = [await new_phone(f"Person {n}") for n in range(3)]
    ids = [each.user_id for each in people]
    post = await publish(people[0])
    shared = [await each.do("sharePost", "post { id }", postId=post) for each in people for _ in range(2)]
    shares = [each["post"]["id"] for each in shared]
    await forget_keepers(services, *ids)
    for share in shares:
        await forget_author(services, "posts", share)
    await migrate(services, name)
    if name == AUTHORS:
        rows = await store.posts.by_ids(services.db, shares)
        assert [row["shared_author_id"] for row in rows] == [ids[0]] * len(shares)
    else:
        logged = await entries(services, *ids)
        assert all(f"followers:{entry['node']}" in entry["scopes"] for entry in logged.values())
