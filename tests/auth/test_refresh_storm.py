"""Many refreshes at once, and databases that are away."""

import asyncio
import time
from datetime import timedelta
from pathlib import Path

import aiohttp

from core import clock
from core.context import Services
from devstack.servers import EmbeddedRedis
from jobs.auth.sessions import expire_sessions
from resolvers.auth.passwords import hash_password
from resolvers.auth.sessions import REFRESH_RATE
from server import process
from tests.auth.steps import ME, assert_unauthenticated, refresh, session, sign_in
from tests.conftest import NewPhone
from tests.phone import PASSWORD, Phone, key, make_user, sign_in_directly

ENDED = "The session has ended: sign in again."


async def test_fifty_parallel_refreshes_of_a_device_are_one_rotation(
    new_phone: NewPhone, services: Services
) -> None:
    """Two parallel refreshes, one device: one rotation; both get the current pair. Fifty, too."""
    ada = await new_phone("Ada")
    started = time.monotonic()
    answers = await asyncio.gather(*(refresh(ada) for _ in range(50)))
    print(f"\n50 parallel refreshes: one rotation, {time.monotonic() - started:.2f} s.")
    assert [answer["errors"] for answer in answers] == [[]] * 50
    [current] = {answer["tokens"]["refreshToken"] for answer in answers}
    kept = await session(services, ada.session_id)
    assert (kept["counter"], kept["status"]) == (2, "ACTIVE")
    for answer in answers[::10]:
        ada.token = answer["tokens"]["accessToken"]
        assert (await ada.run(ME))["viewer"]["session"]["id"] == ada.session_id
    assert (await refresh(ada, current))["errors"] == []


async def test_the_sweep_ends_idle_and_old_sessions(new_phone: NewPhone, services: Services) -> None:
    idle, old = await new_phone("Ada"), await new_phone("Grace")
    change = {"$set": {"absolute_expires_at": clock.now() + timedelta(days=1)}}
    await services.db.write({"update": "sessions", "updates": [{"q": {"_id": old.session_id}, "u": change}]})
    clock.shift(timedelta(days=1, minutes=1))
    await expire_sessions(services)
    clock.shift(timedelta(days=29))
    await expire_sessions(services)
    ended = [await session(services, phone.session_id) for phone in (idle, old)]
    assert [each["end_reason"] for each in ended] == ["IDLE", "ABSOLUTE"]
    for each in ended:
        assert each["purge_at"] == each["ended_at"] + timedelta(days=90)


async def test_what_operators_watch_is_counted(new_phone: NewPhone, http: aiohttp.ClientSession) -> None:
    ada = await new_phone("Ada")

    async def counted(line: str) -> float:
        async with http.get(ada.url.replace("/graphql", "/metrics")) as response:
            found = [each for each in (await response.text()).splitlines() if each.startswith(line)]
        return float(found[0].split()[-1]) if found else 0.0

    reused = 'landfall_auth_sessions_ended_total{reason="REUSE_DETECTED"}'
    refused = 'landfall_auth_refreshes_refused_total{code="REFRESH_REUSED"}'
    before = await counted(reused), await counted(refused)
    await refresh(ada)
    clock.shift(timedelta(seconds=31))
    assert (await refresh(ada))["errors"][0]["code"] == "REFRESH_REUSED"
    assert (await counted(reused), await counted(refused)) == (before[0] + 1, before[1] + 1)


def test_operators_are_told_when_to_worry() -> None:
    rules = Path("docs/alerts.yml").read_text()
    for name in ("sessions_ended", "refreshes_refused", "resends_refused", "codes", "lockouts"):
        assert f"landfall_auth_{name}_total" in rules


async def test_without_redis_tokens_are_judged_and_revocations_read_from_mongodb(
    frail: Services, services: Services, redis_server: EmbeddedRedis, http: aiohttp.ClientSession
) -> None:
    """Redis down: JWTs still verified; revocation read from MongoDB."""
    async with process.listening(frail) as port:
        ada = Phone(http, f"http://127.0.0.1:{port}/graphql")
        await sign_in_directly(frail, ada, await make_user(frail, "Ada"))
        redis_server.kill()
        assert (await ada.run(ME))["viewer"]["user"]["id"] == ada.user_id
        # Ended by another process, which has no way to tell this one but the database.
        async with process.listening(services) as elsewhere:
            there = Phone(http, f"http://127.0.0.1:{elsewhere}/graphql", token=ada.token)
            await there.do("signOut", "removedSessionId")
        started = time.monotonic()
        while not (answer := await ada.ask(ME)).errors:
            # The reader that waited with hints has up to five seconds once; then it sweeps every 0.8.
            assert time.monotonic() - started < 6
            await asyncio.sleep(0.05)
        assert_unauthenticated(answer, "SESSION_REVOKED", ENDED)


async def test_without_redis_signing_in_is_throttled_in_process(
    frail: Services, redis_server: EmbeddedRedis, http: aiohttp.ClientSession
) -> None:
    """Redis down: sign-in throttled in process."""
    user_id = await make_user(frail, "Ada", password_hash=await hash_password(PASSWORD))
    async with process.listening(frail) as port:
        ada = Phone(http, f"http://127.0.0.1:{port}/graphql")
        redis_server.kill()
        assert (await sign_in(ada, f"{user_id}@example.com"))["errors"] == []
        codes = [
            (await sign_in(ada, f"{user_id}@example.com", "a wrong password"))["errors"][0]["code"]
            for _ in range(6)
        ]
        assert codes[0] == "CREDENTIALS_INVALID"
        assert "RATE_LIMITED" in codes


async def test_sixty_refreshes_a_minute(new_phone: NewPhone, services: Services) -> None:
    """And one more is told when to try again; the token is as good as before."""
    ada = await new_phone("Ada")
    for _ in range(REFRESH_RATE.count):
        await services.limits.take(REFRESH_RATE, ada.session_id)
    once = key()
    [error] = (await refresh(ada, idempotencyKey=once))["errors"]
    assert (error["code"], error["retryable"], error["retryAfterSeconds"]) == ("RATE_LIMITED", True, 1)
    clock.shift(timedelta(seconds=2))
    assert (await refresh(ada, idempotencyKey=once))["errors"] == []
