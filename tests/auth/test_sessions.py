"""Sessions: listed, signed out of, revoked; and what is private about a person."""

from datetime import timedelta
from typing import Any

import pytest

from core import clock, ids
from core.context import Services
from tests.auth.steps import ME, assert_unauthenticated, refresh, refusal, session
from tests.conftest import NewPhone
from tests.phone import Phone, key

ENDED = "The session has ended: sign in again."
PRIVATE = "email emailVerified locale timeZone roles status"


async def assert_ended(services: Services, phone: Phone, reason: str) -> None:
    ended = await session(services, phone.session_id)
    assert (ended["status"], ended["end_reason"]) == ("ENDED", reason)
    assert ended["ended_at"] is not None
    assert_unauthenticated(await phone.ask(ME), "SESSION_REVOKED", ENDED)
    refused = await refresh(phone)
    assert refused["errors"] == [refusal("SESSION_EXPIRED", "Sign in again.")]


async def test_signing_out_by_bearer(new_phone: NewPhone, services: Services) -> None:
    ada, once = await new_phone("Ada"), key()
    done = await ada.do("signOut", "removedSessionId", idempotencyKey=once)
    assert done == {
        "idempotencyKey": once,
        "replayed": False,
        "errors": [],
        "removedSessionId": ada.session_id,
    }
    await assert_ended(services, ada, "SIGNED_OUT")


async def test_signing_out_by_refresh_token_when_the_access_token_has_expired(
    new_phone: NewPhone, services: Services
) -> None:
    ada, once = await new_phone("Ada"), key()
    clock.shift(timedelta(hours=1))
    given = {"refreshToken": ada.refresh_token, "idempotencyKey": once}
    done = await ada.do("signOut", "removedSessionId", **given)
    assert (done["errors"], done["removedSessionId"]) == ([], ada.session_id)
    again = await ada.do("signOut", "removedSessionId", **given)
    assert (again["removedSessionId"], again["replayed"]) == (ada.session_id, True)
    once_more = await ada.do("signOut", "removedSessionId", refreshToken=ada.refresh_token)
    assert once_more["errors"] == []
    assert (once_more["removedSessionId"], once_more["replayed"]) == (ada.session_id, False)
    kept = await session(services, ada.session_id)
    assert (kept["status"], kept["end_reason"]) == ("ENDED", "SIGNED_OUT")


async def test_signing_out_needs_one_of_them(anonymous: Phone) -> None:
    query = "mutation($input: SignOutInput!) { signOut(input: $input) { removedSessionId } }"
    answer = await anonymous.ask(query, input={"idempotencyKey": key()})
    assert answer.body["data"] == {"signOut": None}
    assert answer.errors[0]["extensions"] == {"code": "UNAUTHENTICATED", "reason": "NO_TOKEN"}
    forged = await anonymous.do("signOut", "removedSessionId", refreshToken="a.b")
    invalid = refusal("INVALID_INPUT", "This is not a refresh token.", ["refreshToken"])
    assert (forged["errors"], forged["removedSessionId"]) == ([invalid], None)


async def test_revoking_another_device(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    tablet = await new_phone(user_id=ada.user_id)
    selection = "session { id status endReason version }"
    done = await ada.do("revokeSession", selection, sessionId=tablet.session_id)
    assert done["errors"] == []
    assert done["session"] == {
        "id": tablet.session_id,
        "status": "ENDED",
        "endReason": "REVOKED_BY_USER",
        "version": 2,
    }
    await assert_ended(services, tablet, "REVOKED_BY_USER")
    assert (await ada.run(ME))["viewer"]["session"]["id"] == ada.session_id
    again = await ada.do("revokeSession", selection, sessionId=tablet.session_id)
    assert (again["errors"], again["session"]) == ([], done["session"])


async def test_a_revoked_session_s_socket_is_closed(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    tablet = await new_phone(user_id=ada.user_id)
    async with tablet.socket() as socket:
        await socket.subscribe("subscription { changeEvents { __typename } }")
        await ada.do("revokeSession", "session { id }", sessionId=tablet.session_id)
        assert await socket.closed(timeout=5) == 4403


@pytest.mark.parametrize("whose", ["nobody's", "another person's"])
async def test_other_people_s_sessions_cannot_be_told_from_none(
    new_phone: NewPhone, services: Services, whose: str
) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    id = ids.new_id("session") if whose == "nobody's" else grace.session_id
    refused = await ada.do("revokeSession", "session { id }", sessionId=id)
    assert refused["errors"] == [
        refusal("NOT_FOUND", "It does not exist, or you may not see it.", ["sessionId"])
    ]
    assert refused["session"] is None
    assert (await session(services, grace.session_id))["status"] == "ACTIVE"
    assert await ada.run("query($id: ID!) { node(id: $id) { id } }", id=id) == {"node": None}


async def test_the_list_has_the_latest_use_first(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    phones = [ada]
    for _ in range(3):
        clock.shift(timedelta(minutes=1))
        phones.append(await new_phone(user_id=ada.user_id))
    await phones[3].do("signOut", "removedSessionId")
    clock.shift(timedelta(minutes=1))
    await refresh(ada)
    expected = [phones[0].session_id, phones[2].session_id, phones[1].session_id]
    assert await _listed(ada) == expected
    assert await _listed(ada, filter={"statuses": ["ENDED"]}) == [phones[3].session_id]
    assert set(await _listed(ada, filter={"statuses": ["ENDED", "ACTIVE"]})) == {
        each.session_id for each in phones
    }


async def _listed(phone: Phone, **arguments: Any) -> list[str]:
    query = (
        """query($filter: SessionFilterInput) { viewer { account {
      sessions(filter: $filter) {
      edges { node { id } } } } } }"""
        ""
    )
    found = await phone.run(query, **arguments)
    return [edge["node"]["id"] for edge in found["viewer"]["account"]["sessions"]["edges"]]


async def test_private_fields_are_one_s_own(new_phone: NewPhone, anonymous: Phone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    query = f"query($id: ID!) {{ node(id: $id) {{ ... on Account {{ {PRIVATE} }} }} }}"
    id = ids.sibling(ada.user_id, "account")
    own = await ada.run(query, id=id)
    assert own["node"] == {
        "email": f"{ada.user_id}@example.com",
        "emailVerified": True,
        "locale": "en",
        "timeZone": "UTC",
        "roles": ["MEMBER"],
        "status": "ACTIVE",
    }
    for stranger in (grace, anonymous):
        assert await stranger.run(query, id=id) == {"node": None}


async def test_an_administrator_sees_them(new_phone: NewPhone) -> None:
    ada, admin = await new_phone("Ada"), await new_phone("Root", roles=["MEMBER", "ADMIN"])
    query = "query($id: ID!) { node(id: $id) { ... on Account { email } } }"
    found = await admin.run(query, id=ids.sibling(ada.user_id, "account"))
    assert found["node"]["email"] == "u***@example.com"


@pytest.mark.parametrize("status", ["PENDING_VERIFICATION", "SUSPENDED", "DELETED"])
async def test_only_active_people_are_seen(new_phone: NewPhone, status: str) -> None:
    ada, other = await new_phone("Ada"), await new_phone("Grace", status=status)
    answers = [
        await ada.ask("query($id: ID!) { user(id: $id) { name } }", id=id)
        for id in (other.user_id, ids.new_id("user"))
    ]
    assert answers[0].body == answers[1].body == {"data": {"user": None}}
