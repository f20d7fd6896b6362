"""Refresh tokens: rotation, the grace period for a lost answer, reuse detection."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from core import clock, ids
from core.context import Services
from tests.auth.steps import ME, assert_unauthenticated, refresh, refusal, session
from tests.conftest import NewPhone
from tests.phone import Phone, key

REUSED = refusal("REFRESH_REUSED", "The session was ended for safety: sign in again.")
INVALID = refusal("SESSION_EXPIRED", "Sign in again.")
EXPIRED = refusal("SESSION_EXPIRED", "Sign in again.")


async def assert_reuse_ended(services: Services, phone: Phone, answer: Any) -> None:
    assert answer["errors"] == [REUSED]
    assert answer["tokens"] is answer["session"] is answer["user"] is None
    ended = await session(services, phone.session_id)
    assert (ended["status"], ended["end_reason"]) == ("ENDED", "REUSE_DETECTED")
    assert_unauthenticated(await phone.ask(ME), "SESSION_REVOKED", "The session has ended: sign in again.")


async def test_every_refresh_gives_two_new_tokens(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    clock.shift(timedelta(minutes=20))
    done = await refresh(ada)
    assert done["errors"] == []
    assert done["session"]["id"] == ada.session_id
    assert done["user"]["id"] == ada.user_id
    assert done["tokens"]["accessToken"] != ada.token
    assert done["tokens"]["refreshToken"] != ada.refresh_token
    ada.token = done["tokens"]["accessToken"]
    assert (await ada.run(ME))["viewer"]["session"]["id"] == ada.session_id
    kept = await session(services, ada.session_id)
    assert kept["expires_at"] == kept["rotated_at"] + timedelta(days=30)
    assert abs(kept["rotated_at"] - clock.now()) < timedelta(seconds=10)


async def test_the_previous_token_gives_the_current_pair_for_thirty_seconds(
    new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada")
    current = await refresh(ada)
    clock.shift(timedelta(seconds=25))
    again = await refresh(ada)
    assert again["errors"] == []
    assert again["tokens"]["refreshToken"] == current["tokens"]["refreshToken"]
    assert again["replayed"] is False
    kept = await session(services, ada.session_id)
    assert (kept["status"], kept["counter"]) == ("ACTIVE", 2)
    ada.refresh_token = current["tokens"]["refreshToken"]
    assert (await refresh(ada))["errors"] == []


async def test_two_refreshes_at_once_are_one_rotation(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    answers = await asyncio.gather(*(refresh(ada) for _ in range(5)))
    assert [answer["errors"] for answer in answers] == [[]] * 5
    assert len({answer["tokens"]["refreshToken"] for answer in answers}) == 1
    assert (await session(services, ada.session_id))["counter"] == 2


async def test_the_previous_token_after_thirty_seconds_ends_the_session(
    new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada")
    await refresh(ada)
    clock.shift(timedelta(seconds=31))
    await assert_reuse_ended(services, ada, await refresh(ada))


async def test_an_older_token_ends_the_session_at_once(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    second = (await refresh(ada))["tokens"]["refreshToken"]
    await refresh(ada, second)
    await assert_reuse_ended(services, ada, await refresh(ada))


@pytest.mark.parametrize("superseded", [False, True])
async def test_another_device_ends_the_session(
    new_phone: NewPhone, services: Services, superseded: bool
) -> None:
    ada = await new_phone("Ada")
    if superseded:
        await refresh(ada)
    await assert_reuse_ended(services, ada, await refresh(ada, deviceId=ids.new_id("device")))


async def test_the_end_is_said_again_and_the_current_token_is_over(new_phone: NewPhone) -> None:
    ada, once = await new_phone("Ada"), key()
    current = (await refresh(ada))["tokens"]["refreshToken"]
    clock.shift(timedelta(seconds=31))
    assert (await refresh(ada, idempotencyKey=once))["errors"] == [REUSED]
    again = await refresh(ada, idempotencyKey=once)
    assert (again["errors"], again["replayed"]) == ([REUSED], True)
    assert (await refresh(ada, current))["errors"] == [INVALID]


async def test_a_lost_answer_is_given_again_under_its_key(new_phone: NewPhone, services: Services) -> None:
    ada, once = await new_phone("Ada"), key()
    first = await refresh(ada, idempotencyKey=once)
    clock.shift(timedelta(minutes=4))
    again = await refresh(ada, idempotencyKey=once)
    assert (again["errors"], again["replayed"]) == ([], True)
    assert again["tokens"]["refreshToken"] == first["tokens"]["refreshToken"]
    assert (await session(services, ada.session_id))["counter"] == 2


async def test_a_recorded_refresh_is_no_way_in_later(new_phone: NewPhone) -> None:
    ada, once = await new_phone("Ada"), key()
    first = await refresh(ada, idempotencyKey=once)
    clock.shift(timedelta(minutes=10))
    await refresh(ada, first["tokens"]["refreshToken"])
    late = await refresh(ada, idempotencyKey=once)
    assert late["errors"] == [refusal("EXPIRED", "Sign in again.")]
    assert late["tokens"] is None


async def test_an_idle_session_is_over_after_thirty_days(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    clock.shift(timedelta(days=30, seconds=1))
    assert (await refresh(ada))["errors"] == [EXPIRED]
    assert (await session(services, ada.session_id))["counter"] == 1


async def test_a_session_in_use_is_over_after_180_days(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    for _ in range(6):
        clock.shift(timedelta(days=29, hours=23))
        done = await refresh(ada)
        assert done["errors"] == []
        ada.refresh_token = done["tokens"]["refreshToken"]
    clock.shift(timedelta(hours=7))
    assert (await refresh(ada))["errors"] == [EXPIRED]


@pytest.mark.parametrize("garbage", ["", "x", "a.b", ".", "W10.x", "e30", "WzEsMiwzXQ.x", "é", "a" * 5000])
async def test_garbage_is_no_token(new_phone: NewPhone, services: Services, garbage: str) -> None:
    ada = await new_phone("Ada")
    answer = await ada.do(
        "refreshSession", "tokens { accessToken }", refreshToken=garbage, deviceId=ada.device_id
    )
    assert (answer["errors"], answer["tokens"]) == ([INVALID], None)
    assert (await session(services, ada.session_id))["status"] == "ACTIVE"


async def test_a_changed_token_is_no_token(new_phone: NewPhone, services: Services) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    body, _, signature = (ada.refresh_token or "").partition(".")
    _, _, other = (grace.refresh_token or "").partition(".")
    for forged in (f"{body}.{other}", f"{body}.{signature[:-1]}", f"{body}A.{signature}", body):
        assert (await refresh(ada, forged))["errors"] == [INVALID]
    assert (await session(services, ada.session_id))["counter"] == 1


async def test_a_malformed_device_is_an_error(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    query = "mutation($input: RefreshSessionInput!) { refreshSession(input: $input) { errors { code } } }"
    given = {"idempotencyKey": key(), "refreshToken": ada.refresh_token, "deviceId": "my phone"}
    answer = await ada.ask(query, input=given)
    assert (answer.code, answer.errors[0]["path"]) == ("BAD_USER_INPUT", ["refreshSession"])
