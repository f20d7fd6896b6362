"""Presence: said by devices, kept for a minute, shown to people one talks to."""

from datetime import timedelta
from typing import Any

import pytest

from core import clock
from core.context import Services
from jobs import chat as jobs
from tests.chat.steps import PRESENCE_EVENTS, open_chat, talk, until
from tests.conftest import NewPhone
from tests.phone import Phone

PRESENCE = "query($id: ID!) { user(id: $id) { presence { status lastSeenAt user { id } } } }"


async def beat(phone: Phone, state: str = "ONLINE") -> str:
    done = await phone.do("recordHeartbeat", "presence { status user { id } }", status=state)
    assert done["errors"] == []
    assert done["presence"]["user"] == {"id": phone.user_id}
    return str(done["presence"]["status"])


async def seen(phone: Phone, other: Phone) -> dict[str, Any] | None:
    presence: dict[str, Any] | None = (await phone.run(PRESENCE, id=other.user_id))["user"]["presence"]
    return presence


async def state(phone: Phone, other: Phone) -> str | None:
    presence = await seen(phone, other)
    return presence["status"] if presence else None


async def test_online_away_offline(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    await talk(ada, grace)
    assert await seen(ada, grace) == {"status": "OFFLINE", "lastSeenAt": None, "user": {"id": grace.user_id}}
    for said in ("ONLINE", "AWAY", "ONLINE"):
        assert await beat(grace, said) == said
        assert await state(ada, grace) == said
    assert await beat(grace, "OFFLINE") == "OFFLINE"
    gone = await seen(ada, grace)
    assert gone
    assert gone["status"] == "OFFLINE"
    assert gone["lastSeenAt"] is not None


async def test_who_says_nothing_for_a_minute_is_offline(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    await talk(ada, grace)
    await beat(grace)
    clock.shift(timedelta(seconds=59))
    assert await state(ada, grace) == "ONLINE"
    clock.shift(timedelta(seconds=2))
    assert await state(ada, grace) == "OFFLINE"


async def test_one_device_in_use_is_enough(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    tablet = await new_phone(user_id=grace.user_id)
    await talk(ada, grace)
    await beat(grace)
    assert await beat(tablet, "AWAY") == "ONLINE"
    assert await beat(grace, "OFFLINE") == "AWAY"
    assert await state(ada, grace) == "AWAY"
    assert await beat(tablet, "OFFLINE") == "OFFLINE"


@pytest.mark.parametrize("why", ["no chat", "nothing said", "hidden by her", "hidden by oneself", "blocked"])
async def test_presence_is_null_unless_both_share_it(new_phone: NewPhone, why: str) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    await beat(grace)
    if why == "nothing said":
        await open_chat(ada, grace)
    elif why != "no chat":
        await talk(ada, grace)
        assert await state(ada, grace) == "ONLINE"
    if why.startswith("hidden"):
        who = grace if why == "hidden by her" else ada
        await who.do("updateChatSettings", "chatSettings { id }", showPresence=False)
    if why == "blocked":
        # She is not found any more, but as the peer of the chat.
        await grace.do("blockUser", "removedUserId", userId=ada.user_id)
        found = await ada.run("{ viewer { chats { edges { node { peer { name presence { status } } } } } } }")
        [edge] = found["viewer"]["chats"]["edges"]
        assert edge["node"]["peer"] == {"name": "Grace", "presence": None}
        return
    assert await seen(ada, grace) is None
    # One always sees oneself.
    assert await state(grace, grace) == "ONLINE"


async def test_strangers_see_nothing(new_phone: NewPhone, anonymous: Phone) -> None:
    grace = await new_phone("Grace")
    await beat(grace)
    assert await seen(anonymous, grace) is None


async def test_coming_and_going_is_told(new_phone: NewPhone, services: Services) -> None:
    ada, grace, alan = await new_phone("Ada"), await new_phone("Grace"), await new_phone("Alan")
    await talk(ada, grace)
    async with ada.watch(PRESENCE_EVENTS) as stream, alan.watch(PRESENCE_EVENTS) as other:
        for said in ("ONLINE", "AWAY"):
            # Said again, it is no news.
            await beat(grace, said)
            await beat(grace, said)
            found = (await until(stream, "PresenceChanged", "presenceEvents"))["presence"]
            assert found == {"user": {"id": grace.user_id}, "status": said, "lastSeenAt": None}
        clock.shift(timedelta(seconds=61))
        await jobs.expire_presence(services)
        found = (await until(stream, "PresenceChanged", "presenceEvents"))["presence"]
        assert found["status"] == "OFFLINE"
        assert found["lastSeenAt"] is not None
        assert await stream.nothing()
        assert await other.nothing(seconds=0.1)


async def test_who_is_still_there_is_not_told_gone(new_phone: NewPhone, services: Services) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    tablet = await new_phone(user_id=grace.user_id)
    await talk(ada, grace)
    await beat(grace)
    clock.shift(timedelta(seconds=40))
    await beat(tablet)
    await services.redis.zadd("presence:due", {grace.user_id: 0})
    clock.shift(timedelta(seconds=30))
    async with ada.watch(PRESENCE_EVENTS) as stream:
        await jobs.expire_presence(services)
        assert await stream.nothing()
    assert await state(ada, grace) == "ONLINE"


async def test_presence_of_many_costs_the_same(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    for name in ("Grace", "Alan", "Edsger"):
        other = await new_phone(name)
        await talk(ada, other)
        await beat(other)
    found = await ada.run("{ viewer { chats { edges { node { peer { presence { status } } } } } } }")
    states = [edge["node"]["peer"]["presence"]["status"] for edge in found["viewer"]["chats"]["edges"]]
    assert states == ["ONLINE"] * 3


async def test_heartbeats_are_limited(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    codes = []
    for _ in range(35):
        done = await ada.do("recordHeartbeat", "presence { status }", status="ONLINE")
        codes += [each["code"] for each in done["errors"]]
    assert set(codes) == {"RATE_LIMITED"}
