"""Security events of an account: listed, audited, and sent to their owner."""

import itertools
from typing import Any

import pytest

from core.context import Services
from core.jobs import run_due
from core.security.networks import masked_address
from tests.audit.steps import on_record
from tests.auth.conftest import NewMember
from tests.auth.steps import letters, refresh, sign_in
from tests.conftest import NewPhone
from tests.phone import Phone

EVENTS = """query($first: Int, $after: String) { viewer { account {
  securityEvents(first: $first, after: $after) {
  edges { cursor node { id kind createdAt ipMasked device { id name } } }
  pageInfo { hasNextPage endCursor } } } } }"""


async def events(phone: Phone, **arguments: Any) -> list[dict[str, Any]]:
    found = await phone.run(EVENTS, **arguments)
    return [edge["node"] for edge in found["viewer"]["account"]["securityEvents"]["edges"]]


async def kinds(phone: Phone) -> list[str]:
    return [event["kind"] for event in await events(phone)]


async def test_the_first_sign_in_is_no_surprise_and_the_next_device_is(
    anonymous: Phone, new_member: NewMember, new_phone: NewPhone, services: Services
) -> None:
    email = await new_member()
    await sign_in(anonymous, email)
    await sign_in(anonymous, email)
    assert await kinds(anonymous) == ["SIGN_IN", "SIGN_IN"]
    tablet = await new_phone(user_id=anonymous.user_id)
    newest, *_ = await events(anonymous)
    assert newest["kind"] == "NEW_DEVICE"
    assert newest["device"] == {"id": tablet.device_id, "name": "Test phone"}
    assert newest["ipMasked"] == "127.0.0.0"
    await run_due(services)
    [letter] = await letters(anonymous, email)
    assert letter["subject"] == "New sign-in"
    assert "Test phone, 127.0.0.0" in letter["text"]


async def test_events_come_in_pages_newest_first(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    for _ in range(4):
        await new_phone(user_id=ada.user_id)
    whole = await events(ada)
    assert len(whole) == 5
    assert all(newer["createdAt"] >= older["createdAt"] for newer, older in itertools.pairwise(whole))
    first = (await ada.run(EVENTS, first=2))["viewer"]["account"]["securityEvents"]
    rest = await events(ada, first=3, after=first["pageInfo"]["endCursor"])
    assert [edge["node"] for edge in first["edges"]] + rest == whole


async def test_events_are_one_s_own(new_phone: NewPhone, anonymous: Phone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    [event] = await events(ada)
    query = "query($id: ID!) { node(id: $id) { id } }"
    assert await ada.run(query, id=event["id"]) == {"node": {"id": event["id"]}}
    for stranger in (grace, anonymous):
        assert await stranger.run(query, id=event["id"]) == {"node": None}


async def test_revoking_is_an_event_and_reuse_too(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    tablet, watch = await new_phone(user_id=ada.user_id), await new_phone(user_id=ada.user_id)
    await ada.do("revokeSession", "session { id }", sessionId=tablet.session_id)
    assert (await kinds(ada))[0] == "SESSION_REVOKED"
    await refresh(watch, (await refresh(watch))["tokens"]["refreshToken"])
    assert (await refresh(watch))["errors"][0]["code"] == "REFRESH_REUSED"
    newest, *_ = await events(ada)
    assert (newest["kind"], newest["device"]["id"]) == ("REUSE_DETECTED", watch.device_id)


async def test_events_are_put_on_record(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    tablet = await new_phone(user_id=ada.user_id)
    await ada.do("revokeSession", "session { id }", sessionId=tablet.session_id)
    [act] = await on_record(services, action="auth.session_revoked", subject_id=ada.user_id)
    assert (act["actor_id"], act["device_id"], act["ip_masked"]) == (
        ada.user_id,
        ada.device_id,
        "127.0.0.0",
    )
    assert (act["outcome"], act["details"]) == ("OK", {"result": "OK"})
    # Who signs in, and where, though nobody is signed in yet.
    watch = await new_phone(user_id=ada.user_id)
    *_, act = await on_record(services, action="auth.new_device", subject_id=ada.user_id)
    assert (act["actor_id"], act["device_id"]) == (ada.user_id, watch.device_id)
    assert act["event_type"] == "ACCESS_GRANTED"


@pytest.mark.parametrize(
    ("address", "masked"),
    [("192.0.2.77", "192.0.2.0"), ("2001:db8:1:2::3", "2001:db8:1::"), ("::1", "::"), ("", "")],
)
def test_addresses_are_masked(address: str, masked: str) -> None:
    assert masked_address(address) == masked
