"""Signing in with a password."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from argon2 import PasswordHasher

from core import clock
from core.context import Services
from resolvers.auth.lockout import SIGN_IN_RATE
from stores import auth as store
from tests.auth.conftest import NewMember
from tests.auth.steps import (
    ME,
    assert_unauthenticated,
    code_for,
    refresh,
    refusal,
    session,
    sessions_of,
    sign_in,
    verify,
)
from tests.conftest import NewPhone
from tests.phone import PASSWORD, Phone, key

WRONG = refusal("CREDENTIALS_INVALID", "Email or password is wrong.")
EXPIRED = refusal("EXPIRED", "Sign in again.")
NOTHING = {
    "tokens": None,
    "session": None,
    "user": None,
    "account": None,
    "authFlow": None,
    "replayed": False,
}


async def test_the_right_password_gives_tokens(
    anonymous: Phone, new_member: NewMember, services: Services
) -> None:
    email = await new_member("Ada", last_name="Lovelace")
    done = await sign_in(anonymous, email)
    assert done["errors"] == []
    assert done["authFlow"] is None
    assert done["user"]["name"] == "Ada Lovelace"
    assert done["session"] == {
        "id": anonymous.session_id,
        "status": "ACTIVE",
        "endReason": None,
        "factors": ["PASSWORD"],
        "ipMasked": "127.0.0.0",
        "device": {
            "id": anonymous.device_id,
            "name": "Ada's phone",
            "platform": "IOS",
            "pushEnabled": False,
        },
        "version": 1,
    }
    tokens = done["tokens"]
    life = _moment(tokens["accessTokenExpiresAt"]) - _moment(tokens["issuedAt"])
    assert life == timedelta(minutes=15)
    kept = await session(services, anonymous.session_id)
    assert _moment(tokens["refreshTokenExpiresAt"]) == kept["expires_at"]
    assert kept["expires_at"] == kept["rotated_at"] + timedelta(days=30)
    assert (await anonymous.run(ME))["viewer"]["user"]["id"] == anonymous.user_id


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


async def test_wrong_and_unknown_are_one_answer(
    anonymous: Phone, new_member: NewMember, services: Services
) -> None:
    email, once = await new_member(), key()
    before = len(await services.db.find("sessions", {}))
    for address, password in ((email, "a wrong password"), ("nobody@example.com", PASSWORD)):
        answer = await sign_in(anonymous, address, password, idempotencyKey=f"{once}{address}")
        assert answer == {**NOTHING, "idempotencyKey": f"{once}{address}", "errors": [WRONG]}
    assert len(await services.db.find("sessions", {})) == before


async def test_case_of_the_address_does_not_matter(anonymous: Phone, new_member: NewMember) -> None:
    assert (await sign_in(anonymous, (await new_member()).upper()))["errors"] == []


async def test_an_unverified_account_gets_a_flow_instead(
    anonymous: Phone, new_member: NewMember, services: Services
) -> None:
    email = await new_member(email_verified=False, status="PENDING_VERIFICATION")
    begun = await sign_in(anonymous, email)
    assert begun["errors"] == []
    assert begun["tokens"] is begun["session"] is begun["user"] is None
    assert (begun["authFlow"]["kind"], begun["authFlow"]["status"]) == ("VERIFY_EMAIL", "OPEN")
    done = await verify(anonymous, begun["authFlow"]["id"], await code_for(services, email))
    assert done["errors"] == []
    assert done["account"]["status"] == "ACTIVE"


@pytest.mark.parametrize(
    ("status", "error"),
    [
        ("SUSPENDED", refusal("ACCOUNT_SUSPENDED", "This account is closed for now.")),
        ("DELETED", WRONG),
    ],
)
async def test_a_closed_account_stays_closed(
    anonymous: Phone, new_member: NewMember, services: Services, status: str, error: dict[str, Any]
) -> None:
    email = await new_member(status=status)
    answer = await sign_in(anonymous, email)
    assert answer["errors"] == [error]
    assert answer["tokens"] is None
    assert await sessions_of(services, email.partition("@")[0]) == []


async def test_a_replay_within_five_minutes_gives_tokens_of_the_same_session(
    anonymous: Phone, new_member: NewMember, services: Services
) -> None:
    email, once = await new_member(), key()
    first = await sign_in(anonymous, email, idempotencyKey=once)
    clock.shift(timedelta(minutes=4, seconds=50))
    again = await sign_in(anonymous, email, idempotencyKey=once)
    assert (first["replayed"], again["replayed"]) == (False, True)
    assert again["session"] == first["session"]
    assert (again["user"], again["account"]) == (first["user"], first["account"])
    assert again["tokens"]["refreshToken"] == first["tokens"]["refreshToken"]
    assert again["tokens"]["accessToken"] != first["tokens"]["accessToken"]
    assert (await anonymous.run(ME))["viewer"]["session"]["id"] == first["session"]["id"]
    assert len(await sessions_of(services, anonymous.user_id)) == 1


async def test_a_later_replay_gives_none(anonymous: Phone, new_member: NewMember, services: Services) -> None:
    email, once = await new_member(), key()
    await sign_in(anonymous, email, idempotencyKey=once)
    clock.shift(timedelta(minutes=5, seconds=10))
    late = await sign_in(anonymous, email, idempotencyKey=once)
    assert late == {**NOTHING, "idempotencyKey": once, "replayed": True, "errors": [EXPIRED]}
    assert len(await sessions_of(services, anonymous.user_id)) == 1


async def test_a_refresh_does_not_make_an_old_sign_in_new(anonymous: Phone, new_member: NewMember) -> None:
    """Whoever recorded the request would have a way in for as long as the session lives."""
    email, once = await new_member(), key()
    await sign_in(anonymous, email, idempotencyKey=once)
    clock.shift(timedelta(minutes=10))
    assert (await refresh(anonymous))["errors"] == []
    late = await sign_in(anonymous, email, idempotencyKey=once)
    assert late["errors"] == [EXPIRED]
    assert late["tokens"] is None


async def test_a_replay_for_an_ended_session_gives_none(anonymous: Phone, new_member: NewMember) -> None:
    email, once = await new_member(), key()
    await sign_in(anonymous, email, idempotencyKey=once)
    await anonymous.do("signOut", "removedSessionId")
    late = await sign_in(anonymous, email, idempotencyKey=once)
    assert (late["errors"], late["tokens"]) == ([EXPIRED], None)


async def test_a_key_used_for_another_password_is_an_error(anonymous: Phone, new_member: NewMember) -> None:
    email, once = await new_member(), key()
    await sign_in(anonymous, email, idempotencyKey=once)
    query = "mutation($input: SignInInput!) { signIn(input: $input) { tokens { accessToken } } }"
    device = {"deviceId": anonymous.device_id, "name": "Ada's phone", "platform": "IOS"}
    given = {"idempotencyKey": once, "email": email, "password": "another password", "device": device}
    answer = await anonymous.ask(query, input=given)
    assert answer.body["data"] == {"signIn": None}
    assert [(each["path"], each["extensions"]) for each in answer.errors] == [
        (["signIn"], {"code": "IDEMPOTENCY_KEY_REUSED"})
    ]


async def test_the_21st_session_ends_the_longest_idle(
    anonymous: Phone, new_member: NewMember, new_phone: NewPhone, services: Services
) -> None:
    email = await new_member()
    phones = []
    for _ in range(20):
        phones.append(await new_phone(user_id=email.partition("@")[0]))
        clock.shift(timedelta(seconds=1))
    # The first is used again, so the second is idle longest.
    first, second = phones[:2]
    assert (await refresh(first))["errors"] == []
    assert (await sign_in(anonymous, email))["errors"] == []
    ended = await session(services, second.session_id)
    assert (ended["status"], ended["end_reason"]) == ("ENDED", "EVICTED")
    states = [each["status"] for each in await sessions_of(services, first.user_id)]
    assert (states.count("ACTIVE"), states.count("ENDED")) == (20, 1)
    answer = await second.ask(ME)
    assert_unauthenticated(answer, "SESSION_REVOKED", "The session has ended: sign in again.")


async def test_more_than_twenty_tries_a_minute_from_one_address_have_to_wait(
    anonymous: Phone, new_member: NewMember, services: Services
) -> None:
    email, rate = await new_member(), SIGN_IN_RATE
    assert (rate.count, rate.seconds) == (20, 60)
    for _ in range(rate.count):
        await services.limits.take(rate, "127.0.0.1")
    once = key()
    refused = await sign_in(anonymous, email, idempotencyKey=once)
    [error] = refused["errors"]
    wait = error.pop("retryAfterSeconds")
    assert {**error, "retryAfterSeconds": None} == refusal("RATE_LIMITED", "Too often.")
    assert 0 < wait <= rate.seconds / rate.count
    assert await sessions_of(services, email.partition("@")[0]) == []
    clock.shift(timedelta(seconds=wait))
    # The same request, same key: a retryable refusal leaves no receipt.
    assert (await sign_in(anonymous, email, idempotencyKey=once))["errors"] == []


async def test_no_secret_lies_in_receipts(
    anonymous: Phone, new_member: NewMember, services: Services
) -> None:
    email = await new_member(email_verified=False, status="PENDING_VERIFICATION")
    flow = (await sign_in(anonymous, email))["authFlow"]
    code = await code_for(services, email)
    secrets = [PASSWORD, "a wrong password"]
    verified = await verify(anonymous, flow["id"], code)
    signed_in = await sign_in(anonymous, email)
    refreshed = await refresh(anonymous)
    await sign_in(anonymous, email, "a wrong password")
    for payload in (verified, signed_in, refreshed):
        secrets += [payload["tokens"]["accessToken"], payload["tokens"]["refreshToken"]]
    receipts = await services.db.find("receipts", {"_id": {"$regex": anonymous.device_id}})
    assert len(receipts) == 5
    kept = repr(receipts)
    assert [secret for secret in secrets if secret in kept] == []
    assert "accessToken" not in kept
    assert "access_token" not in kept
    assert repr(code) not in kept
    assert email not in kept


async def test_a_password_hashed_at_another_cost_is_hashed_anew(
    anonymous: Phone, new_member: NewMember, services: Services
) -> None:
    old = PasswordHasher(time_cost=2, memory_cost=1024, parallelism=1).hash(PASSWORD)
    email = await new_member(password_hash=old)
    assert (await sign_in(anonymous, email, "a wrong password"))["errors"] == [WRONG]
    before = await store.user_by_email(services.db, email)
    assert (await sign_in(anonymous, email))["errors"] == []
    after = await store.user_by_email(services.db, email)
    assert before
    assert after
    assert before["password_hash"] == old
    assert after["password_hash"].startswith("$argon2id$v=19$m=8192,t=1,p=1$")
    # Nobody sees it, and no device is told: nothing that is read moves.
    assert (after["version"], after["updated_at"]) == (before["version"], before["updated_at"])
    assert (await sign_in(anonymous, email))["errors"] == []
    again = await store.user_by_email(services.db, email)
    assert again
    assert {**again, "claims": 0} == {**after, "claims": 0}
