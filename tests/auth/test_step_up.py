"""Step-up authentication: sensitive mutations require a recent proof."""

from datetime import timedelta

from jose import jwt

from core import clock
from core.context import Services
from tests.auth.conftest import NewMember
from tests.auth.steps import ME, assert_unauthenticated, refusal, session, sign_in
from tests.conftest import NewPhone
from tests.phone import PASSWORD, Phone, key

STEP_UP = refusal("STEP_UP_REQUIRED", "Confirm that it is you.")
TOKENS = "tokens { accessToken refreshToken } session { id factors version } user { id }"


async def revoke_others(phone: Phone, **input: str) -> tuple[list[dict[str, str]], list[str] | None]:
    done = await phone.do("revokeOtherSessions", "removedSessionIds", **input)
    return done["errors"], done["removedSessionIds"]


async def test_ten_minutes_after_sign_in_a_sensitive_mutation_asks_for_a_proof(
    anonymous: Phone, new_member: NewMember, new_phone: NewPhone, services: Services
) -> None:
    email, once = await new_member(), key()
    await sign_in(anonymous, email)
    tablet = await new_phone(user_id=anonymous.user_id)
    clock.shift(timedelta(minutes=10, seconds=1))
    assert await revoke_others(anonymous, idempotencyKey=once) == ([STEP_UP], None)
    assert (await session(services, tablet.session_id))["status"] == "ACTIVE"
    done = await anonymous.do("stepUp", TOKENS, proof={"password": PASSWORD})
    assert done["errors"] == []
    assert done["session"] == {"id": anonymous.session_id, "factors": ["PASSWORD"], "version": 2}
    assert done["user"] == {"id": anonymous.user_id}
    # The refresh token is the session's current one still: a step-up is no rotation.
    assert done["tokens"]["refreshToken"] == anonymous.refresh_token
    # Fresh is the token, not the session: another holder of an old one has proven nothing.
    assert await revoke_others(anonymous, idempotencyKey=once) == ([STEP_UP], None)
    anonymous.token = done["tokens"]["accessToken"]
    assert await revoke_others(anonymous, idempotencyKey=once) == ([], [tablet.session_id])
    ended = await session(services, tablet.session_id)
    assert (ended["status"], ended["end_reason"]) == ("ENDED", "REVOKED_BY_USER")
    answer = await tablet.ask(ME)
    assert_unauthenticated(answer, "SESSION_REVOKED", "The session has ended: sign in again.")


async def test_a_fresh_token_says_when_its_owner_was_proven(anonymous: Phone, new_member: NewMember) -> None:
    await sign_in(anonymous, await new_member())
    before = jwt.get_unverified_claims(anonymous.token)
    clock.shift(timedelta(minutes=5))
    done = await anonymous.do("stepUp", TOKENS, proof={"password": PASSWORD})
    after = jwt.get_unverified_claims(done["tokens"]["accessToken"])
    assert 299 <= after["auth_time"] - before["auth_time"] <= 310
    assert (after["sid"], after["org"], after["amr"]) == (before["sid"], "personal", ["PASSWORD"])


async def test_step_up_and_what_needs_it_go_in_one_document(anonymous: Phone, new_member: NewMember) -> None:
    await sign_in(anonymous, await new_member())
    clock.shift(timedelta(minutes=11))
    document = """mutation($first: StepUpInput!, $then: RevokeOtherSessionsInput!) {
      stepUp(input: $first) { errors { code } } revokeOtherSessions(input: $then) { errors { code } } }"""
    first = {"idempotencyKey": key(), "proof": {"password": PASSWORD}}
    done = await anonymous.run(document, first=first, then={"idempotencyKey": key()})
    assert done == {"stepUp": {"errors": []}, "revokeOtherSessions": {"errors": []}}


async def test_a_wrong_password_proves_nothing(
    anonymous: Phone, new_member: NewMember, services: Services
) -> None:
    await sign_in(anonymous, await new_member())
    clock.shift(timedelta(minutes=11))
    refused = await anonymous.do("stepUp", TOKENS, proof={"password": "a wrong password"})
    wrong = refusal("CREDENTIALS_INVALID", "The password is wrong.", ["proof", "password"])
    assert (refused["errors"], refused["tokens"]) == ([wrong], None)
    assert (await session(services, anonymous.session_id))["version"] == 1


async def test_no_proof_is_no_step_up(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    document = "mutation($input: StepUpInput!) { stepUp(input: $input) { replayed } }"
    for proof in ({}, {"password": None}, {"password": PASSWORD, "method": "EMAIL"}):
        answer = await ada.ask(document, input={"idempotencyKey": key(), "proof": proof})
        assert (answer.code, answer.body.get("data")) == ("BAD_USER_INPUT", None)


async def test_a_replayed_step_up_gives_tokens_for_five_minutes(
    anonymous: Phone, new_member: NewMember, services: Services
) -> None:
    await sign_in(anonymous, await new_member())
    once = key()
    first = await anonymous.do("stepUp", TOKENS, proof={"password": PASSWORD}, idempotencyKey=once)
    clock.shift(timedelta(minutes=4))
    again = await anonymous.do("stepUp", TOKENS, proof={"password": PASSWORD}, idempotencyKey=once)
    assert (again["replayed"], again["session"]) == (True, first["session"])
    assert again["tokens"]["refreshToken"] == first["tokens"]["refreshToken"]
    clock.shift(timedelta(minutes=2))
    late = await anonymous.do("stepUp", TOKENS, proof={"password": PASSWORD}, idempotencyKey=once)
    assert (late["errors"], late["tokens"]) == ([refusal("EXPIRED", "Sign in again.")], None)
    receipts = repr(await services.db.find("receipts", {"_id": f"{anonymous.user_id}:{once}"}))
    assert "RUNNING" not in receipts
    assert PASSWORD not in receipts
    assert "access_token" not in receipts
