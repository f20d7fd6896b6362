"""Lockout: guesses meet delays, CAPTCHAs and locks, alike for known and unknown emails."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from core import clock
from core.context import Context, Services
from core.jobs import run_due
from core.ports import Retryable
from core.security.limits import Limits
from core.security.sliding_window import SlidingWindowCounter
from devstack.process import free_port
from ports.auth import Captcha
from providers.captcha import Unasked
from resolvers.auth import lockout, passwords
from resolvers.auth.lockout import SIGN_UP_RATE
from server.lifespan import redis_client
from stores import auth as store
from tests.auth.conftest import NewMember, forgive
from tests.auth.steps import (
    code_for,
    enable_two_factor,
    new_number,
    other_than,
    refusal,
    sent_to,
    sign_in,
    sign_up,
    verify,
)
from tests.conftest import NewPhone
from tests.phone import Phone, key

WRONG = refusal("CREDENTIALS_INVALID", "Email or password is wrong.")
CAPTCHA = refusal("CAPTCHA_REQUIRED", "Solve the CAPTCHA first.", ["captchaToken"])
KINDS = "{ viewer { account { securityEvents(first: 50) { edges { node { kind } } } } } }"


async def kinds(phone: Phone) -> list[str]:
    found = (await phone.run(KINDS))["viewer"]["account"]["securityEvents"]["edges"]
    return [edge["node"]["kind"] for edge in found]


async def forget_rates(services: Services) -> None:
    if keys := await services.redis.keys("rate:*"):
        await services.redis.delete(*keys)


async def miss(phone: Phone, email: str, services: Services, times: int) -> Any:
    """Wrong passwords, each after the wait that the one before asked for."""
    for _ in range(times):
        await forget_rates(services)
        clock.shift(timedelta(seconds=65))
        last = await sign_in(phone, email, "a wrong password", captchaToken="human")
        assert last["errors"] == [WRONG]
    return last


def code_and_wait(payload: Any) -> tuple[str, int]:
    [error] = payload["errors"]
    return error["code"], error["retryAfterSeconds"]


@pytest.mark.parametrize("known", [True, False])
async def test_ten_misses_lock_an_account_known_or_not(
    anonymous: Phone, new_member: NewMember, services: Services, known: bool
) -> None:
    email = await new_member() if known else f"nobody.{key()}@example.com"
    await miss(anonymous, email, services, 10)
    await forget_rates(services)
    once = key()
    locked = await sign_in(anonymous, email, captchaToken="human", idempotencyKey=once)
    code, wait = code_and_wait(locked)
    assert code == "ACCOUNT_LOCKED"
    assert 15 * 60 - 10 < wait <= 15 * 60
    clock.shift(timedelta(minutes=15, seconds=1))
    # The lock leaves no receipt: the same request counts again.
    after = await sign_in(anonymous, email, captchaToken="human", idempotencyKey=once)
    assert (after["errors"], bool(after["tokens"])) == ([] if known else [WRONG], known)


async def test_each_lock_is_twice_as_long_up_to_a_day(
    anonymous: Phone, new_member: NewMember, services: Services
) -> None:
    email = await new_member()
    waits = []
    for _ in range(8):
        await miss(anonymous, email, services, 10)
        code, wait = code_and_wait(await sign_in(anonymous, email, captchaToken="human"))
        assert code == "ACCOUNT_LOCKED"
        waits.append(round(wait / 60))
        clock.shift(timedelta(seconds=wait + 1))
        await forget_rates(services)
    assert waits == [15, 30, 60, 120, 240, 480, 960, 1440]


async def test_nine_misses_and_a_hit_are_forgotten(
    anonymous: Phone, new_member: NewMember, services: Services
) -> None:
    email = await new_member()
    await sign_in(anonymous, email)
    for _ in range(2):
        await miss(anonymous, email, services, 9)
        await forgive_address(services)
        clock.shift(timedelta(seconds=65))
        assert (await sign_in(anonymous, email, captchaToken="human"))["tokens"] is not None


async def forgive_address(services: Services) -> None:
    await services.redis.delete("tally:misses:127.0.0.1")


async def test_misses_of_a_quarter_of_an_hour_ago_are_forgotten(
    anonymous: Phone, new_member: NewMember, services: Services
) -> None:
    email = await new_member()
    await miss(anonymous, email, services, 9)
    clock.shift(timedelta(minutes=15, seconds=1))
    await miss(anonymous, email, services, 9)
    clock.shift(timedelta(minutes=2))
    assert (await sign_in(anonymous, email, captchaToken="human"))["errors"] == []


async def test_the_owner_of_a_locked_account_is_told(
    anonymous: Phone, new_member: NewMember, new_phone: NewPhone, services: Services
) -> None:
    email = await new_member()
    ada = await new_phone(user_id=email.partition("@")[0])
    await miss(anonymous, email, services, 10)
    await run_due(services)
    clock.reset()
    assert await kinds(ada) == ["LOCKED", *["SIGN_IN_FAILED"] * 10, "SIGN_IN"]
    assert "Account locked" in [each["subject"] for each in await sent_to(services, email)]


async def test_many_guesses_at_once_are_ten(
    anonymous: Phone, new_member: NewMember, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    email = await new_member()
    judged = 0
    matches = passwords.matches

    async def counted(stored: str | None, password: str) -> bool:
        nonlocal judged
        judged += 1
        return await matches(stored, password)

    monkeypatch.setattr(passwords, "matches", counted)
    monkeypatch.setattr(lockout, "_refuse_waiting", lambda misses, last: None)
    phones = [Phone(anonymous.http, anonymous.url) for _ in range(20)]
    answers = await asyncio.gather(
        *(
            sign_in(phone, email, f"a wrong password {n}", captchaToken="human")
            for n, phone in enumerate(phones)
        )
    )
    codes = [answer["errors"][0]["code"] for answer in answers]
    assert judged <= 10
    assert codes.count("CREDENTIALS_INVALID") == judged
    assert set(codes) == {"CREDENTIALS_INVALID", "ACCOUNT_LOCKED"}


async def test_wrong_codes_count_like_wrong_passwords(
    anonymous: Phone, new_member: NewMember, new_phone: NewPhone, services: Services
) -> None:
    email, number = await new_member(), new_number()
    ada = await new_phone(user_id=email.partition("@")[0])
    await enable_two_factor(ada, services, number)
    for _ in range(2):
        flow = (await sign_in(anonymous, email, captchaToken="human"))["authFlow"]
        code = await code_for(services, number)
        for _ in range(5):
            wrong = await verify(anonymous, flow["id"], other_than(code))
            assert wrong["errors"][0]["code"] == "CODE_INVALID"
        await forget_rates(services)
        clock.shift(timedelta(seconds=5))
    code, wait = code_and_wait(await sign_in(anonymous, email, captchaToken="human"))
    assert (code, wait > 0) == ("ACCOUNT_LOCKED", True)
    assert "LOCKED" in await kinds(ada)


async def test_the_right_password_does_not_wash_wrong_codes_away(
    anonymous: Phone, new_member: NewMember, new_phone: NewPhone, services: Services
) -> None:
    email, number = await new_member(), new_number()
    await enable_two_factor(await new_phone(user_id=email.partition("@")[0]), services, number)
    flow = (await sign_in(anonymous, email))["authFlow"]
    for _ in range(4):
        await verify(anonymous, flow["id"], other_than(await code_for(services, number)))
    clock.shift(timedelta(seconds=5))
    await sign_in(anonymous, email, captchaToken="human")
    account = lockout.account_of(Context(services), email)
    left = await services.window_counter.lately(f"misses:{account}", within=lockout.WINDOW)
    assert left.number == 4


async def test_from_three_misses_on_each_try_waits_longer(
    anonymous: Phone, new_member: NewMember, services: Services
) -> None:
    email = await new_member()
    for _ in range(3):
        assert (await sign_in(anonymous, email, "a wrong password"))["errors"] == [WRONG]
    for wait in (1, 2, 4):
        hasty = await sign_in(anonymous, email, captchaToken="human")
        assert code_and_wait(hasty) == ("RATE_LIMITED", wait)
        clock.shift(timedelta(seconds=wait))
        assert (await sign_in(anonymous, email, "a wrong password", captchaToken="human"))["errors"] == [
            WRONG
        ]


async def test_from_three_misses_of_an_account_on_a_captcha_is_asked_for(
    anonymous: Phone, new_member: NewMember, services: Services
) -> None:
    email, once = await new_member(), key()
    await miss(anonymous, email, services, 3)
    await forgive_address(services)
    clock.shift(timedelta(seconds=5))
    for given in ({}, {"captchaToken": "robot"}):
        refused = await sign_in(anonymous, email, **given)
        assert (refused["errors"], refused["tokens"]) == ([CAPTCHA], None)
    assert (await sign_in(anonymous, await new_member()))["errors"] == []
    done = await sign_in(anonymous, email, captchaToken="human", idempotencyKey=once)
    assert done["errors"] == []


async def test_from_three_misses_of_an_address_on_a_captcha_is_asked_for(
    anonymous: Phone, new_member: NewMember, services: Services
) -> None:
    email = await new_member()
    for _ in range(3):
        assert (await sign_in(anonymous, await new_member(), "a wrong password"))["errors"] == [WRONG]
    assert (await sign_in(anonymous, email))["errors"] == [CAPTCHA]
    assert (await sign_up(anonymous, f"{key()}@example.com"))["errors"] == [CAPTCHA]
    asked = await anonymous.do(
        "requestPasswordReset", "__typename", email=email, deviceId=anonymous.device_id
    )
    assert asked["errors"] == [CAPTCHA]
    assert (await sign_in(anonymous, email, captchaToken="human"))["errors"] == []
    assert (await sign_up(anonymous, f"{key()}@example.com", captchaToken="human"))["errors"] == []


async def test_a_captcha_that_cannot_be_judged_lets_nobody_in(
    anonymous: Phone, new_member: NewMember, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Away:
        asked = True

        async def passes(self, token: str, *, address: str) -> bool:
            raise Retryable("away")

    email = await new_member()
    await miss(anonymous, email, services, 3)
    clock.shift(timedelta(seconds=5))
    with monkeypatch.context() as patched:
        patched.setitem(services.extra, Captcha, Away())
        refused = await sign_in(anonymous, email, captchaToken="human")
        assert [(each["code"], each["retryable"]) for each in refused["errors"]] == [("UNAVAILABLE", True)]
        # Where no provider is set up, none is asked for.
        patched.setitem(services.extra, Captcha, Unasked())
        assert (await sign_in(anonymous, email))["errors"] == []


async def test_ten_sign_ups_an_hour_from_one_address(anonymous: Phone, services: Services) -> None:
    assert (SIGN_UP_RATE.count, SIGN_UP_RATE.seconds) == (10, 3600)
    for _ in range(10):
        await services.limits.take(SIGN_UP_RATE, "127.0.0.1")
    refused = await sign_up(anonymous, f"{key()}@example.com")
    assert code_and_wait(refused)[0] == "RATE_LIMITED"
    assert refused["authFlow"] is None


@asynccontextmanager
async def no_redis(services: Services, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[None]:
    """Counting as it is when Redis does not answer."""
    away = redis_client(
        services.settings.model_copy(update={"redis_url": f"redis://127.0.0.1:{free_port()}"})
    )
    with monkeypatch.context() as patched:
        patched.setattr(services, "window_counter", SlidingWindowCounter(away))
        patched.setattr(services, "limits", Limits(away))
        yield
    await away.aclose()


async def test_redis_down(
    anonymous: Phone,
    new_member: NewMember,
    new_phone: NewPhone,
    services: Services,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Redis down: tokens still verified, revocation known, sign-in throttled in process."""
    email, other, number = await new_member(), await new_member(), new_number()
    ada = await new_phone(user_id=email.partition("@")[0])
    await enable_two_factor(ada, services, number)
    async with no_redis(services, monkeypatch):
        flow = (await sign_in(anonymous, email))["authFlow"]
        assert (await verify(anonymous, flow["id"], await code_for(services, number)))["errors"] == []
        await anonymous.do("signOut", "removedSessionId")
        assert (await anonymous.ask("{ viewer { user { id } } }")).errors[0]["extensions"] == {
            "code": "UNAUTHENTICATED",
            "reason": "SESSION_REVOKED",
        }
        for _ in range(10):
            clock.shift(timedelta(seconds=65))
            wrong = await sign_in(anonymous, other, "a wrong password", captchaToken="human")
            assert wrong["errors"] == [WRONG]
        clock.shift(timedelta(seconds=65))
        assert code_and_wait(await sign_in(anonymous, other, captchaToken="human"))[0] == "ACCOUNT_LOCKED"
        for _ in range(20):
            last = await sign_in(anonymous, other, captchaToken="human")
        assert code_and_wait(last)[0] == "RATE_LIMITED"
    # The lock outlives the outage, and a Redis that lost everything.
    await forgive(services)
    assert code_and_wait(await sign_in(anonymous, other, captchaToken="human"))[0] == "ACCOUNT_LOCKED"


async def test_a_replay_neither_hashes_nor_counts_again(
    anonymous: Phone, new_member: NewMember, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    email, once = await new_member(), key()
    first = await sign_in(anonymous, email, "a wrong password", idempotencyKey=once)

    async def never(stored: str | None, password: str) -> bool:
        raise AssertionError

    monkeypatch.setattr(passwords, "matches", never)
    for _ in range(12):
        again = await sign_in(anonymous, email, "a wrong password", idempotencyKey=once)
        assert again == {**first, "replayed": True}


async def test_an_administrator_can_lift_a_lock(
    anonymous: Phone, new_member: NewMember, services: Services
) -> None:
    email = await new_member()
    await miss(anonymous, email, services, 10)
    ctx = Context(services)
    user = await store.user_by_email(services.db, email)
    assert user
    await ctx.unit(lambda: lockout.unlock(ctx, user))
    assert (await sign_in(anonymous, email, captchaToken="human"))["tokens"] is not None


async def test_what_a_miss_costs_in_commands(
    anonymous: Phone, new_member: NewMember, services: Services, commands: Any
) -> None:
    """As many for known as for unknown emails: a difference would tell them apart."""
    counts = []
    for email in (await new_member(), f"nobody.{key()}@example.com"):
        await asyncio.sleep(0.1)
        commands.reset()
        await sign_in(anonymous, email, "a wrong password")
        await asyncio.sleep(0.1)
        counts.append({name: n for name, n in commands.counts.items() if name != "getMore"})
    assert counts[0] == counts[1]
