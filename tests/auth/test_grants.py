"""Grants of roles: given and taken over HTTP, in force everywhere within a second."""

import asyncio
import time
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from core import clock, ids
from core.context import Services
from core.settings import Settings
from core.storage import migrations
from jobs.auth.grants import end_grant
from resolvers.catalog.migrations import FORMER_ROLES
from server import lifespan, process
from stores import auth as store
from stores.catalog.roles import CATALOG_ADMIN, FULFILLMENT, SUPPORT
from tests.conftest import Commands, NewPhone
from tests.phone import Phone, deleted_ids, granted, refusal

GRANT = "grant { id role scope scopeId organization heldUntil version user { id } grantedBy { id } }"
MINE = "{ viewer { grants { edges { cursor node { id role heldUntil } } } } }"
LISTED = """query($filter: GrantFilterInput) {
  grants(filter: $filter) { edges { cursor node { id role user { id } } } } }"""
PENDING = "{ pendingReviews(first: 1) { edges { cursor } } }"
DELTA = """query($since: SyncToken) { viewer { changes(since: $since, types: [GRANT]) {
  nodes { ... on Grant { id role } } deleted { id } token } } }"""
NOT_ALLOWED = "Your account may not do this."


@pytest.fixture
async def boss(new_phone: NewPhone) -> Phone:
    return await new_phone("Boss", roles=["MEMBER", "ADMIN"])


async def mine(phone: Phone) -> list[str]:
    return [edge["node"]["role"] for edge in (await phone.run(MINE))["viewer"]["grants"]["edges"]]


def later(**ahead: float) -> str:
    return (clock.now() + timedelta(**ahead)).isoformat()


async def test_a_role_is_granted_listed_synced_and_revoked(new_phone: NewPhone, boss: Phone) -> None:
    ada = await new_phone("Ada")
    token = (await ada.run(DELTA))["viewer"]["changes"]["token"]
    assert (await ada.ask(PENDING)).code == "FORBIDDEN"
    fields: dict[str, Any] = {"userId": ada.user_id, "role": "CATALOG_ADMIN"}
    done = await boss.do("grantRole", f"{GRANT} grantEdge {{ cursor node {{ id }} }}", **fields)
    grant = done["grant"]
    assert done["errors"] == []
    assert grant == {
        "id": grant["id"],
        "role": "CATALOG_ADMIN",
        "scope": "SHOP",
        "scopeId": None,
        "organization": None,
        "heldUntil": None,
        "version": 1,
        "user": {"id": ada.user_id},
        "grantedBy": {"id": boss.user_id},
    }
    # Other tests may have left reviews to judge.
    assert (await ada.run(PENDING))["pendingReviews"] is not None
    assert await mine(ada) == ["CATALOG_ADMIN"]
    delta = (await ada.run(DELTA, since=token))["viewer"]["changes"]
    assert delta["nodes"] == [{"id": grant["id"], "role": "CATALOG_ADMIN"}]
    [edge] = (await boss.run(LISTED, filter={"userIds": [ada.user_id]}))["grants"]["edges"]
    assert edge["node"] == {"id": grant["id"], "role": "CATALOG_ADMIN", "user": {"id": ada.user_id}}
    assert done["grantEdge"]["node"] == {"id": grant["id"]}
    newer = "query($before: String) { grants(last: 5, before: $before) { edges { node { id } } } }"
    seen = (await boss.run(newer, before=done["grantEdge"]["cursor"]))["grants"]["edges"]
    assert {"node": {"id": grant["id"]}} not in seen
    taken = await boss.do("revokeRole", "deletedGrantId", **fields)
    assert (taken["errors"], taken["deletedGrantId"]) == ([], grant["id"])
    assert (await ada.ask(PENDING)).code == "FORBIDDEN"
    assert await mine(ada) == []
    assert deleted_ids((await ada.run(DELTA, since=delta["token"]))["viewer"]["changes"]) == [grant["id"]]
    again = await boss.do("revokeRole", "deletedGrantId", **fields)
    assert (again["errors"], again["deletedGrantId"]) == ([], None)


async def test_granting_again_changes_the_end(new_phone: NewPhone, boss: Phone) -> None:
    ada = await new_phone("Ada")
    fields: dict[str, Any] = {"userId": ada.user_id, "role": "SUPPORT"}
    first = (await boss.do("grantRole", GRANT, **fields))["grant"]
    same = (await boss.do("grantRole", GRANT, **fields))["grant"]
    assert same == first
    end = later(days=1)
    changed = (await boss.do("grantRole", GRANT, **fields, heldUntil=end))["grant"]
    assert (changed["id"], changed["version"], changed["heldUntil"] is None) == (first["id"], 2, False)
    assert await mine(ada) == ["SUPPORT"]


@pytest.mark.parametrize("change", [{"seconds": -1}, {"seconds": 0}])
async def test_an_end_in_the_past_is_refused(
    new_phone: NewPhone, boss: Phone, change: dict[str, float]
) -> None:
    ada = await new_phone("Ada")
    refused = await boss.do("grantRole", GRANT, userId=ada.user_id, role="SUPPORT", heldUntil=later(**change))
    assert refused["errors"] == [refusal("OUT_OF_RANGE", "A grant ends in the future.", ["heldUntil"])]
    assert (refused["grant"], await mine(ada)) == (None, [])


async def test_an_end_is_in_force_at_once_and_then_leaves_the_devices(
    services: Services, new_phone: NewPhone, boss: Phone
) -> None:
    ada = await new_phone("Ada")
    fields = {"userId": ada.user_id, "role": "CATALOG_ADMIN", "heldUntil": later(minutes=5)}
    grant = (await boss.do("grantRole", GRANT, **fields))["grant"]
    token = (await ada.run(DELTA))["viewer"]["changes"]["token"]
    assert (await ada.ask(PENDING)).code is None
    await end_grant(services, grant_id=grant["id"], user_id=ada.user_id)
    assert await mine(ada) == ["CATALOG_ADMIN"]
    clock.shift(timedelta(minutes=5, seconds=1))
    assert (await ada.ask(PENDING)).code == "FORBIDDEN"
    assert await mine(ada) == []
    read = "query($id: ID!) { grant(id: $id) { id } }"
    assert await ada.run(read, id=grant["id"]) == {"grant": None}
    await end_grant(services, grant_id=grant["id"], user_id=ada.user_id)
    assert deleted_ids((await ada.run(DELTA, since=token))["viewer"]["changes"]) == [grant["id"]]
    assert await services.db.find("grants", {"user_id": ada.user_id}) == []


async def test_another_process_knows_within_a_second(
    settings: Settings, http: aiohttp.ClientSession, new_phone: NewPhone, boss: Phone
) -> None:
    ada = await new_phone("Ada")
    fields = {"userId": ada.user_id, "role": "CATALOG_ADMIN"}
    async with lifespan.services(settings) as other, process.listening(other) as port:
        there = Phone(http, f"http://127.0.0.1:{port}/graphql", token=ada.token)
        for mutation, code in (("grantRole", None), ("revokeRole", "FORBIDDEN")):
            before = (await there.ask(PENDING)).code
            assert before != code
            assert (await boss.do(mutation, "idempotencyKey", **fields))["errors"] == []
            changed = time.monotonic()
            while (await there.ask(PENDING)).code != code:
                assert time.monotonic() - changed < 1
                await asyncio.sleep(0.01)


async def test_a_check_reads_nothing_when_it_was_asked_before(
    services: Services, new_phone: NewPhone, commands: Commands
) -> None:
    ada = await new_phone("Ada")
    await granted(services, ada, SUPPORT)
    # What the log tells of the grant takes away what was known before.
    for _ in range(20):
        commands.reset()
        assert (await ada.ask(PENDING)).code == "FORBIDDEN"
        if commands.counts == {}:
            return
        await asyncio.sleep(0.05)
    assert commands.counts == {}


async def test_only_those_who_may_give_a_role_grant_and_revoke_it(
    services: Services, new_phone: NewPhone
) -> None:
    ada, alan = await new_phone("Ada"), await new_phone("Alan")
    await granted(services, ada, CATALOG_ADMIN)
    await granted(services, alan, SUPPORT)
    for mutation in ("grantRole", "revokeRole"):
        refused = await ada.do(mutation, "idempotencyKey", userId=alan.user_id, role="SUPPORT")
        assert refused["errors"] == [refusal("FORBIDDEN", NOT_ALLOWED)]
    assert (await ada.ask(LISTED)).code == "FORBIDDEN"
    assert await mine(alan) == ["SUPPORT"]


async def test_nobody_is_granted_a_role_who_does_not_exist(boss: Phone) -> None:
    nobody = await boss.do("grantRole", GRANT, userId=ids.new_id("user"), role="SUPPORT")
    assert nobody["errors"] == [refusal("NOT_FOUND", "There is no such person.", ["userId"])]


async def test_an_old_proof_asks_for_step_up(new_phone: NewPhone, boss: Phone) -> None:
    ada = await new_phone("Ada")
    clock.shift(timedelta(minutes=10, seconds=1))
    for mutation in ("grantRole", "revokeRole"):
        refused = await boss.do(mutation, "idempotencyKey", userId=ada.user_id, role="SUPPORT")
        assert [each["code"] for each in refused["errors"]] == ["STEP_UP_REQUIRED"]


async def test_a_grant_is_seen_by_its_holder_and_those_who_may_give_it(
    services: Services, new_phone: NewPhone, boss: Phone
) -> None:
    ada, alan = await new_phone("Ada"), await new_phone("Alan")
    await granted(services, ada, FULFILLMENT)
    [grant] = await store.grants_of(services.db, ada.user_id)
    read = "query($id: ID!) { node(id: $id) { id } }"
    for phone, shown in ((ada, {"id": grant["_id"]}), (boss, {"id": grant["_id"]}), (alan, None)):
        assert await phone.run(read, id=grant["_id"]) == {"node": shown}


async def test_stored_shop_roles_of_earlier_versions_become_grants(
    services: Services, new_phone: NewPhone
) -> None:
    ada = await new_phone("Ada")
    row = {"user_id": ada.user_id, "granted_by": ada.user_id, "created_at": clock.now()}
    rows = [{"_id": f"{ada.user_id}|{role}", "role": role, **row} for role in ("SUPPORT", "CATALOG_ADMIN")]
    await services.db.write({"insert": FORMER_ROLES, "documents": rows})
    assert await migrations.MIGRATIONS["catalog.grants"](services.db) == 2
    assert sorted(await mine(ada)) == ["CATALOG_ADMIN", "SUPPORT"]
    assert await migrations.MIGRATIONS["catalog.grants"](services.db) == 0
