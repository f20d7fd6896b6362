"""`sessionEvents`: changes of sessions and security alerts, live."""

from datetime import timedelta
from typing import Any

import pytest

from core import clock
from core.context import Context, Services
from resolvers.auth import security
from stores.auth import SecurityKind
from tests.auth.steps import refresh
from tests.conftest import NewPhone
from tests.phone import Phone, Stream

EVENTS = """subscription($after: String) { sessionEvents(after: $after) {
  __typename
  ... on Event { eventId at }
  ... on SessionStarted { session { id device { name } } }
  ... on SessionUpdated { session { id version } }
  ... on SessionEnded { sessionId endReason }
  ... on SecurityAlert { event { kind device { id } } }
  ... on TwoFactorChanged { account { user { id } } }
} }"""


async def told(stream: Stream, type: str) -> Any:
    """The next event of a type; what comes before it is of other types."""
    while True:
        event = (await stream.next())["sessionEvents"]
        if event["__typename"] == type:
            return event


async def test_a_sign_in_a_rotation_and_an_end_are_told(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    async with ada.watch(EVENTS) as stream:
        tablet = await new_phone(user_id=ada.user_id)
        started = await told(stream, "SessionStarted")
        assert started["session"] == {"id": tablet.session_id, "device": {"name": "Test phone"}}
        await refresh(tablet)
        updated = await told(stream, "SessionUpdated")
        assert updated["session"] == {"id": tablet.session_id, "version": 2}
        await ada.do("revokeSession", "session { id }", sessionId=tablet.session_id)
        ended = await told(stream, "SessionEnded")
        assert (ended["sessionId"], ended["endReason"]) == (tablet.session_id, "REVOKED_BY_USER")


async def test_a_new_device_raises_an_alert_on_the_others(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    async with ada.watch(EVENTS) as stream:
        tablet = await new_phone(user_id=ada.user_id)
        alert = await told(stream, "SecurityAlert")
        assert alert["event"] == {"kind": "NEW_DEVICE", "device": {"id": tablet.device_id}}


async def test_a_changed_second_factor_is_told(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    ctx = Context(services)
    async with ada.watch(EVENTS) as stream:
        await ctx.unit(lambda: security.record(ctx, ada.user_id, SecurityKind.TWO_FACTOR_CHANGED))
        assert (await told(stream, "TwoFactorChanged"))["account"]["user"] == {"id": ada.user_id}


async def test_a_stolen_token_alerts_the_other_devices(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    tablet = await new_phone(user_id=ada.user_id)
    await refresh(tablet)
    clock.shift(timedelta(seconds=31))
    async with ada.watch(EVENTS) as stream:
        assert (await refresh(tablet))["errors"][0]["code"] == "REFRESH_REUSED"
        seen = {each["__typename"]: each for each in [(await stream.next())["sessionEvents"] for _ in "12"]}
    assert seen["SessionEnded"]["endReason"] == "REUSE_DETECTED"
    assert seen["SecurityAlert"]["event"]["kind"] == "REUSE_DETECTED"


async def test_what_was_missed_is_told_after_resuming(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    async with ada.watch(EVENTS) as stream:
        await new_phone(user_id=ada.user_id)
        after = (await told(stream, "SessionStarted"))["eventId"]
    other = await new_phone(user_id=ada.user_id)
    async with ada.watch(EVENTS, after=after) as resumed:
        while (event := await told(resumed, "SessionStarted"))["session"]["id"] != other.session_id:
            continue
        assert event["session"]["device"] == {"name": "Test phone"}


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
