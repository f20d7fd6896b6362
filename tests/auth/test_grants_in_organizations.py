"""Grants of roles in organizations and in things: who gives them to whom, and what ends them."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

import pytest

from core import clock, grants, ids, nodes
from core.context import Context, Services, Viewer
from core.errors import UserError
from core.grants import GRANT_ROLES, GrantRole, GrantScope
from core.security import access
from resolvers.auth import granting
from stores import auth as store
from stores.audit.roles import AUDIT_ADMIN
from tests.conftest import NewPhone
from tests.phone import Phone, granted, refusal

GRANT = "grant { id role scope scopeId organization }"
LISTED = "{ grants { edges { node { role user { id } } } } }"
MINE = "{ viewer { grants { edges { node { role } } } } }"


async def mine(phone: Phone) -> list[str]:
    return [edge["node"]["role"] for edge in (await phone.run(MINE))["viewer"]["grants"]["edges"]]


async def manager(services: Services, new_phone: NewPhone, org: str = "acme") -> Phone:
    phone = await new_phone("Manager", org=org)
    await granted(services, phone, AUDIT_ADMIN, scope_id=org)
    return phone


async def test_a_role_of_an_organization_is_given_to_its_members_by_those_who_may(
    services: Services, new_phone: NewPhone
) -> None:
    boss, ada = await manager(services, new_phone), await new_phone("Ada", org="acme")
    rival, stranger = await manager(services, new_phone, "rival"), await new_phone("Stranger", org="rival")
    fields: dict[str, Any] = {"userId": ada.user_id, "role": "AUDIT_READER"}
    done = await boss.do("grantRole", GRANT, **fields)
    shown = {"role": "AUDIT_READER", "scope": "ORGANIZATION", "scopeId": None, "organization": "acme"}
    assert (done["errors"], done["grant"]) == ([], {"id": done["grant"]["id"], **shown})
    refused = await boss.do("grantRole", GRANT, userId=stranger.user_id, role="AUDIT_READER")
    message = "There is no such person in your organization."
    assert refused["errors"] == [refusal("NOT_FOUND", message, ["userId"])]
    assert await mine(stranger) == []
    own = [{"node": {"role": "AUDIT_READER", "user": {"id": ada.user_id}}}]
    assert (await boss.run(LISTED))["grants"]["edges"] == own
    assert (await rival.run(LISTED))["grants"]["edges"] == []
    theirs = await rival.do("revokeRole", "deletedGrantId", **fields)
    assert (theirs["errors"], theirs["deletedGrantId"], await mine(ada)) == ([], None, ["AUDIT_READER"])
    refused = await boss.do("grantRole", GRANT, userId=ada.user_id, role="AUDIT_ADMIN")
    assert [each["code"] for each in refused["errors"]] == ["FORBIDDEN"]
    taken = await boss.do("revokeRole", "deletedGrantId", **fields)
    assert (taken["deletedGrantId"], await mine(ada)) == (done["grant"]["id"], [])


async def test_who_belongs_to_no_organization_neither_gives_nor_gets_its_roles(new_phone: NewPhone) -> None:
    ada, alan = await new_phone("Ada"), await new_phone("Alan", org="acme")
    boss = await new_phone("Boss", roles=["MEMBER", "ADMIN"])
    for mutation in ("grantRole", "revokeRole"):
        refused = await ada.do(mutation, "idempotencyKey", userId=alan.user_id, role="AUDIT_READER")
        assert [each["code"] for each in refused["errors"]] == ["NO_ORGANIZATION"]
        refused = await boss.do(mutation, "idempotencyKey", userId=ada.user_id, role="AUDIT_READER")
        message = "The account belongs to no organization."
        assert refused["errors"] == [refusal("NO_ORGANIZATION", message, ["userId"])]
    assert (await boss.do("grantRole", GRANT, userId=alan.user_id, role="AUDIT_READER"))["errors"] == []
    assert (await mine(ada), await mine(alan)) == ([], ["AUDIT_READER"])


async def test_leaving_an_organization_ends_its_roles(services: Services, new_phone: NewPhone) -> None:
    ada = await manager(services, new_phone)
    boss = await new_phone("Boss", roles=["MEMBER", "ADMIN"])
    fields = {"userId": ada.user_id, "roles": ["MEMBER"], "reason": "Test"}
    assert (await boss.do("setUserRoles", "idempotencyKey", **fields))["errors"] == []
    assert len(await store.grants_of(services.db, ada.user_id)) == 1
    moved = await boss.do("setUserRoles", "idempotencyKey", **fields, organization="rival")
    assert (moved["errors"], await store.grants_of(services.db, ada.user_id)) == ([], [])


async def test_a_role_for_a_time_needs_an_end_within_it(new_phone: NewPhone) -> None:
    ada, boss = await new_phone("Ada"), await new_phone("Boss", roles=["MEMBER", "ADMIN"])
    fields: dict[str, Any] = {"userId": ada.user_id, "role": "EXTERNAL_AUDITOR"}
    refused = await boss.do("grantRole", GRANT, **fields)
    assert refused["errors"] == [refusal("REQUIRED", "This role is given for a time.", ["heldUntil"])]
    ends = [(clock.now() + timedelta(days=days)).isoformat() for days in (89, 91)]
    refused = await boss.do("grantRole", GRANT, **fields, heldUntil=ends[1])
    assert refused["errors"] == [refusal("OUT_OF_RANGE", "At most 90 days ahead.", ["heldUntil"], 90)]
    assert (await boss.do("grantRole", GRANT, **fields, heldUntil=ends[0]))["errors"] == []
    assert await mine(ada) == ["EXTERNAL_AUDITOR"]


async def test_a_role_that_is_not_of_a_thing_takes_no_thing(new_phone: NewPhone) -> None:
    ada, boss = await new_phone("Ada"), await new_phone("Boss", roles=["MEMBER", "ADMIN"])
    fields = {"userId": ada.user_id, "role": "SUPPORT", "scopeId": ids.new_id("provider")}
    refused = await boss.do("grantRole", GRANT, **fields)
    message = "This role is not held in a single thing."
    assert refused["errors"] == [refusal("INVALID_INPUT", message, ["scopeId"])]


@pytest.fixture
def owner(monkeypatch: pytest.MonkeyPatch) -> Iterator[GrantRole]:
    """A role in a provider, whose holders give it on and read what the log says of the provider."""

    async def visible(ctx: Context, wanted: Sequence[str]) -> list[dict[str, Any]]:
        return [{"_id": id} for id in wanted]

    monkeypatch.setitem(nodes.GUARDS, "provider", visible)
    keeper = grants.grant_role("TEST_KEEPER", GrantScope.PROVIDER, "Gives the role of owners.")
    yield grants.grant_role(
        "TEST_OWNER",
        GrantScope.PROVIDER,
        "Owns a provider.",
        given_by=[keeper],
        opens=lambda scope_id: [f"provider:{scope_id}"],
    )
    for name in ("TEST_KEEPER", "TEST_OWNER"):
        del GRANT_ROLES[name]


async def test_a_role_in_a_thing_counts_in_it_alone_and_opens_its_scope(
    services: Services, new_phone: NewPhone, owner: GrantRole
) -> None:
    ada, keeper = await new_phone("Ada"), await new_phone("Keeper")
    here, there = ids.new_id("provider"), ids.new_id("provider")
    await granted(services, keeper, GRANT_ROLES["TEST_KEEPER"], scope_id=here)

    async def give(scope_id: str | None) -> Any:
        ctx = _context(services, keeper)
        return await ctx.unit(
            lambda: granting.grant_role(ctx, user_id=ada.user_id, role=owner, scope_id=scope_id)  # type: ignore[arg-type]
        )

    assert await _code(give(None)) == "REQUIRED"
    assert await _code(give(there)) == "FORBIDDEN"
    await give(here)
    ctx = _context(services, ada)
    held = [await grants.holds(ctx, owner, within=within) for within in (here, there, None)]
    assert held == [True, False, True]
    assert f"provider:{here}" in await nodes.scopes_of(ctx)
    assert await _log_of(services, ada, here) == {"lost": False}
    away = _context(services, keeper)
    await away.unit(
        lambda: granting.revoke_role(away, user_id=ada.user_id, role=owner, scope_id=here)  # type: ignore[arg-type]
    )
    assert not await grants.holds(_context(services, ada), owner, within=here)
    assert f"provider:{here}" not in await nodes.scopes_of(_context(services, ada))
    assert await _log_of(services, ada, here) == {"lost": True}


async def test_a_rule_may_ask_for_a_younger_proof_and_for_two_factors(services: Services) -> None:
    now = clock.timestamp()
    ctx = Context(services, viewer=Viewer("user", "session", "device", authenticated_at=now - 90))
    access.need_fresh(ctx)
    for ask in (
        lambda: access.need_fresh(ctx, timedelta(minutes=1)),
        lambda: access.need_factors(ctx, 2),
    ):
        with pytest.raises(UserError) as refused:
            ask()
        assert refused.value.code == "STEP_UP_REQUIRED"
    access.need_factors(Context(services, viewer=Viewer("user", "session", "device", factor_count=2)), 2)


async def test_the_session_shows_its_factors(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    assert await ada.run("{ viewer { factors } }") == {"viewer": {"factors": ["PASSWORD"]}}


def _context(services: Services, phone: Phone) -> Context:
    return Context(services, viewer=Viewer(phone.user_id, phone.session_id, phone.device_id))


async def _code(given: Any) -> str:
    with pytest.raises(UserError) as refused:
        await given
    return refused.value.code


async def _log_of(services: Services, phone: Phone, scope_id: str) -> Any:
    [entry] = await services.db.find("changes", {"_id": f"scope:{phone.user_id}:provider:{scope_id}"})
    return entry["detail"]
