"""Sessions and security alerts, live and after a cut: entities of the person, told by `changeEvents`."""

from datetime import timedelta
from typing import Any

import pytest

from core import clock
from core.context import Context, Services
from core.storage.migrations import MIGRATIONS
from resolvers.auth import security
from stores.auth import SecurityEventKind
from tests.auth.steps import refresh
from tests.conftest import NewPhone
from tests.phone import Phone, Stream

EVENTS = """subscription($since: SyncToken) {
  changeEvents(since: $since, types: [SESSION, SECURITY_EVENT]) {
    __typename
    ... on NodeChanged { token node { __typename
      ... on Session { id version status endReason device { name } }
      ... on SecurityEvent { id securityEventKind: kind device { id } version } } }
} }"""
CHANGES = """query($since: SyncToken) { viewer { changes(since: $since, types: [SECURITY_EVENT]) {
  nodes { ... on SecurityEvent { id securityEventKind: kind createdAt } } deleted { id } token } } }"""


async def told(stream: Stream, type: str, **wanted: Any) -> Any:
    """The next node of a type with these values; what comes before it is another."""
    while True:
        event = (await stream.next())["changeEvents"]
        node = event["node"]
        if node["__typename"] == type and wanted.items() <= node.items():
            return {**node, "token": event["token"]}


async def test_a_sign_in_a_rotation_and_an_end_are_told(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    async with ada.watch(EVENTS) as stream:
        tablet = await new_phone(user_id=ada.user_id)
        started = await told(stream, "Session", id=tablet.session_id)
        assert (started["status"], started["device"]) == ("ACTIVE", {"name": "Test phone"})
        await refresh(tablet)
        assert (await told(stream, "Session", id=tablet.session_id))["version"] == 2
        await ada.do("revokeSession", "session { id }", sessionId=tablet.session_id)
        ended = await told(stream, "Session", id=tablet.session_id)
        assert (ended["status"], ended["endReason"]) == ("ENDED", "REVOKED_BY_USER")


async def test_a_new_device_raises_an_alert_on_the_others(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    async with ada.watch(EVENTS) as stream:
        tablet = await new_phone(user_id=ada.user_id)
        alert = await told(stream, "SecurityEvent")
        assert (alert["securityEventKind"], alert["device"]) == ("NEW_DEVICE", {"id": tablet.device_id})


async def test_a_changed_second_factor_is_told(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    ctx = Context(services)
    async with ada.watch(EVENTS) as stream:
        await ctx.unit(lambda: security.record(ctx, ada.user_id, SecurityEventKind.TWO_FACTOR_CHANGED))
        assert (await told(stream, "SecurityEvent"))["securityEventKind"] == "TWO_FACTOR_CHANGED"


async def test_a_stolen_token_alerts_the_other_devices(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    tablet = await new_phone(user_id=ada.user_id)
    await refresh(tablet)
    clock.shift(timedelta(seconds=31))
    async with ada.watch(EVENTS) as stream:
        assert (await refresh(tablet))["errors"][0]["code"] == "REFRESH_REUSED"
        nodes = [(await stream.next())["changeEvents"]["node"] for _ in "12"]
        seen = {each["__typename"]: each for each in nodes}
    assert seen["Session"]["endReason"] == "REUSE_DETECTED"
    assert seen["SecurityEvent"]["securityEventKind"] == "REUSE_DETECTED"


async def test_what_was_missed_is_told_after_resuming(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    async with ada.watch(EVENTS) as stream:
        tablet = await new_phone(user_id=ada.user_id)
        since = (await told(stream, "Session", id=tablet.session_id))["token"]
    other = await new_phone(user_id=ada.user_id)
    async with ada.watch(EVENTS, since=since) as resumed:
        missed = await told(resumed, "Session", id=other.session_id)
        assert missed["device"] == {"name": "Test phone"}


async def test_others_are_told_nothing(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    async with grace.watch(EVENTS) as stream:
        await new_phone(user_id=ada.user_id)
        await refresh(ada)
        assert await stream.nothing()


async def test_nobody_watches_without_signing_in(anonymous: Phone) -> None:
    async with anonymous.socket() as socket:
        await socket.send({"id": "1", "type": "subscribe", "payload": {"query": EVENTS}})
        message = await socket.receive()
    [error] = message["payload"]["errors"] if message["type"] == "next" else message["payload"]
    assert error["extensions"] == {"code": "UNAUTHENTICATED", "reason": "NO_TOKEN"}


@pytest.mark.parametrize("type", ["USER", "SESSION"])
async def test_users_and_sessions_are_in_the_delta(new_phone: NewPhone, type: str) -> None:
    ada = await new_phone("Ada")
    query = "query($t: [SyncType!]) { viewer { changes(types: $t) { nodes { __typename id } } } }"
    [node] = (await ada.run(query, t=[type]))["viewer"]["changes"]["nodes"]
    expected = {"USER": ("User", ada.user_id), "SESSION": ("Session", ada.session_id)}[type]
    assert (node["__typename"], node["id"]) == expected


async def test_alarming_events_are_synced_and_others_are_not(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    ctx = Context(services)
    token = (await ada.run(CHANGES))["viewer"]["changes"]["token"]
    for kind in (SecurityEventKind.SIGN_IN_FAILED, SecurityEventKind.KEY_ADDED):
        await ctx.unit(lambda kind=kind: security.record(ctx, ada.user_id, kind))  # type: ignore[misc]
    changes = (await ada.run(CHANGES, since=token))["viewer"]["changes"]
    assert [each["securityEventKind"] for each in changes["nodes"]] == ["KEY_ADDED"]
    [entry] = await services.db.find("changes", {"_id": changes["nodes"][0]["id"]})
    assert entry["expires_at"] - entry["at"] == timedelta(days=90)


async def test_events_of_earlier_versions_become_entities(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    ctx = Context(services)
    event = await ctx.unit(lambda: security.record(ctx, ada.user_id, SecurityEventKind.KEY_ADDED))
    named = {"_id": event["_id"], "user_id": ada.user_id}
    gone = {"version": "", "created_at": "", "updated_at": ""}
    update = {"q": named, "u": {"$unset": gone}}
    await services.db.write({"update": "security_events", "updates": [update]})
    assert await MIGRATIONS["auth.security-events-synced"](services.db) == 1
    [row] = await services.db.find("security_events", named)
    assert (row["version"], row["created_at"], row["updated_at"]) == (1, row["at"], row["at"])
