"""Opening an account, and the code that proves the address."""

import asyncio
from typing import Any

import pytest

from core import ids
from core.context import Services
from core.jobs import run_due
from core.settings import Settings
from ports.auth import AuthSettings
from resolvers.auth import passwords
from server import lifespan
from stores import auth as store
from tests.auth.conftest import NewMember
from tests.auth.steps import ME, code_for, other_than, refusal, sent_to, sessions_of, sign_up, verify
from tests.phone import PASSWORD, Phone, key

LOCKED = refusal("EXPIRED", "Too many wrong codes: begin again.")
TAKEN = "You already have a Landfall account"
OVER = refusal("EXPIRED", "This code is no longer good.")


def address(name: str = "ada") -> str:
    return f"{name}.{key()}@example.com"


async def flows_in(services: Services) -> int:
    return len(await services.db.find("auth_flows", {}, limit=10_000))


async def test_a_code_by_mail_opens_the_account(anonymous: Phone, services: Services) -> None:
    email = address()
    begun = await sign_up(anonymous, email)
    flow = begun["authFlow"]
    assert begun["errors"] == []
    assert flow | {"id": None, "expiresAt": None, "resendAllowedAt": None} == {
        "id": None,
        "kind": "VERIFY_EMAIL",
        "otpMethod": "EMAIL",
        "maskedDestination": "a***@example.com",
        "otpDigitCount": 6,
        "expiresAt": None,
        "resendAllowedAt": None,
        "remainingAttemptCount": 5,
        "remainingResendCount": 3,
        "factors": ["OTP"],
        "status": "OPEN",
    }
    [letter] = await sent_to(services, email)
    assert letter["subject"] == "Your Landfall code"
    done = await verify(anonymous, flow["id"], await code_for(services, email))
    assert done["errors"] == []
    assert done["authFlow"] is None
    assert done["user"] == {"id": anonymous.user_id, "name": "Ada"}
    assert done["account"] == {
        "email": email,
        "emailVerified": True,
        "status": "ACTIVE",
        "twoFactor": {"remainingBackupCodeCount": 0},
    }
    assert done["session"]["factors"] == ["OTP"]
    assert done["session"]["ipMasked"] == "127.0.0.0"
    assert done["tokens"]["scopes"] == ["read", "write"]
    assert await anonymous.run(ME) == {
        "viewer": {"user": {"id": anonymous.user_id}, "session": {"id": anonymous.session_id}}
    }


async def test_an_id_minted_by_the_client_is_the_account_s(anonymous: Phone, services: Services) -> None:
    email, id = address(), ids.new_id("user")
    await sign_up(anonymous, email, id=id)
    await run_due(services)
    found = await store.user_by_email(services.db, email)
    assert found
    assert (found["_id"], found["status"], found["email_verified"]) == (id, "PENDING_VERIFICATION", False)


async def test_a_taken_address_is_answered_alike_and_its_owner_is_told(
    anonymous: Phone, new_member: NewMember, services: Services
) -> None:
    taken = await new_member()
    before = await services.db.find("users", {})
    free_answer, taken_answer = await sign_up(anonymous, address("user")), await sign_up(anonymous, taken)
    differing = {"idempotencyKey": "", "authFlow": {"id": "", "expiresAt": "", "resendAllowedAt": ""}}
    for answer in (free_answer, taken_answer):
        answer["idempotencyKey"] = ""
        answer["authFlow"] |= differing["authFlow"]
    assert taken_answer == free_answer
    assert [each["subject"] for each in await sent_to(services, taken)] == [TAKEN]
    assert len(await services.db.find("users", {})) == len(before) + 1


async def test_the_flow_of_a_taken_address_takes_no_code(anonymous: Phone, new_member: NewMember) -> None:
    flow = (await sign_up(anonymous, await new_member()))["authFlow"]
    answers = [await verify(anonymous, flow["id"], f"{code:06}") for code in range(6)]
    assert [answer["errors"][0]["code"] for answer in answers] == ["CODE_INVALID"] * 5 + ["EXPIRED"]


async def test_case_and_blanks_do_not_make_an_address_new(
    anonymous: Phone, new_member: NewMember, services: Services
) -> None:
    taken = await new_member()
    await sign_up(anonymous, taken.replace("example.com", "EXAMPLE.com").replace("user", "USER"))
    assert [each["subject"] for each in await sent_to(services, taken)] == [TAKEN]


@pytest.mark.parametrize(
    ("input", "error"),
    [
        ({"email": "not an address"}, ("INVALID_FORMAT", "This is not an email address.", ["email"])),
        (
            {"email": f"{'a' * 400}@example.com"},
            ("INVALID_FORMAT", "This is not an email address.", ["email"]),
        ),
        ({"email": "a\tb@example.com"}, ("INVALID_FORMAT", "This is not an email address.", ["email"])),
        ({"password": "short"}, ("PASSWORD_WEAK", "A password has 10 to 128 characters.", ["password"], 128)),
        (
            {"password": "x1y2" * 33},
            ("PASSWORD_WEAK", "A password has 10 to 128 characters.", ["password"], 128),
        ),
        (
            {"email": "lovelace@example.com", "password": "my LOVELACE password"},
            ("PASSWORD_WEAK", "A password must not contain the email address.", ["password"]),
        ),
        (
            {"password": "ababababababab"},
            ("PASSWORD_WEAK", "A password needs more than three different characters.", ["password"]),
        ),
        (
            {"acceptedTermsVersion": ""},
            ("REQUIRED", "Accept the terms first.", ["acceptedTermsVersion"]),
        ),
        ({"firstName": "a" * 101}, ("TOO_LONG", "At most 100 characters.", ["firstName"], 100)),
        ({"lastName": "a" * 101}, ("TOO_LONG", "At most 100 characters.", ["lastName"], 100)),
        ({"locale": "e" * 101}, ("TOO_LONG", "At most 100 characters.", ["locale"], 100)),
        ({"timeZone": "U" * 101}, ("TOO_LONG", "At most 100 characters.", ["timeZone"], 100)),
        (
            {"acceptedTermsVersion": "1" * 101},
            ("TOO_LONG", "At most 100 characters.", ["acceptedTermsVersion"], 100),
        ),
    ],
)
async def test_a_refusal_names_the_field_and_writes_nothing(
    anonymous: Phone, services: Services, input: dict[str, Any], error: tuple[Any, ...]
) -> None:
    flows, users = await flows_in(services), len(await services.db.find("users", {}))
    refused = await sign_up(anonymous, input.pop("email", address("grace")), **input)
    assert refused["errors"] == [refusal(*error)]
    assert refused["authFlow"] is None
    assert await flows_in(services) == flows
    assert len(await services.db.find("users", {})) == users


async def test_five_wrong_codes_lock_the_flow_even_for_the_right_one(
    anonymous: Phone, services: Services
) -> None:
    email = address()
    flow = (await sign_up(anonymous, email))["authFlow"]
    code = await code_for(services, email)
    for left in (4, 3, 2, 1, 0):
        wrong = await verify(anonymous, flow["id"], other_than(code))
        assert wrong["errors"] == [refusal("CODE_INVALID", "The code is wrong.", ["code"])]
        assert wrong["authFlow"] == {
            **flow,
            "remainingAttemptCount": left,
            "status": "OPEN" if left else "LOCKED",
        }
        assert wrong["tokens"] is None
    right = await verify(anonymous, flow["id"], code)
    assert right["errors"] == [LOCKED]
    user = await store.user_by_email(services.db, email)
    assert user
    assert user["status"] == "PENDING_VERIFICATION"
    assert await sessions_of(services, user["_id"]) == []


async def test_a_flow_is_used_once(anonymous: Phone, services: Services) -> None:
    email = address()
    flow = (await sign_up(anonymous, email))["authFlow"]
    code = await code_for(services, email)
    answers = await asyncio.gather(*(verify(anonymous, flow["id"], code) for _ in range(4)))
    refusals = [answer["errors"] for answer in answers if answer["errors"]]
    assert refusals == [[OVER]] * 3
    assert len(await sessions_of(services, anonymous.user_id)) == 1


async def test_the_same_code_with_the_same_key_is_answered_again(
    anonymous: Phone, services: Services
) -> None:
    email, once = address(), key()
    flow = (await sign_up(anonymous, email))["authFlow"]
    code = await code_for(services, email)
    first = await verify(anonymous, flow["id"], code, idempotencyKey=once)
    again = await verify(anonymous, flow["id"], code, idempotencyKey=once)
    assert (first["replayed"], again["replayed"]) == (False, True)
    assert again["session"] == first["session"]
    assert again["tokens"]["refreshToken"] == first["tokens"]["refreshToken"]
    assert len(await sessions_of(services, anonymous.user_id)) == 1


async def test_an_unknown_flow_is_over_and_a_malformed_id_is_an_error(anonymous: Phone) -> None:
    unknown = await verify(anonymous, ids.new_id("flow"), "123456")
    assert unknown["errors"] == [OVER]
    query = "mutation($input: VerifyOtpInput!) { verifyOtp(input: $input) { errors { code } } }"
    given = {
        "idempotencyKey": key(),
        "authFlowId": "flow_attempts",
        "code": "1",
        "deviceId": anonymous.device_id,
    }
    answer = await anonymous.ask(query, input=given)
    assert answer.code == "BAD_USER_INPUT"
    assert answer.errors[0]["path"] == ["verifyOtp"]


async def test_two_devices_may_sign_up_with_one_address_at_once(anonymous: Phone, services: Services) -> None:
    email = address()
    other = Phone(anonymous.http, anonymous.url)
    answers = await asyncio.gather(sign_up(anonymous, email), sign_up(other, email))
    assert [answer["errors"] for answer in answers] == [[], []]
    assert len(await sent_to(services, email)) == 2
    assert len(await store.users.find(services.db, {"email": email})) == 1


async def test_a_replayed_sign_up_sends_no_second_code(anonymous: Phone, services: Services) -> None:
    email, once = address(), key()
    first = await sign_up(anonymous, email, idempotencyKey=once)
    again = await sign_up(anonymous, email, idempotencyKey=once)
    assert again == {**first, "replayed": True}
    assert len(await sent_to(services, email)) == 1


async def test_another_landfall_of_the_process_left_its_cost_of_hashes_behind(
    services: Services, settings: Settings
) -> None:
    before = passwords.hasher()
    costly = settings.model_copy(update={"password_memory_kib": 9_000, "mongo_database": "other_costs"})
    async with lifespan.services(costly):
        assert passwords.hasher().memory_cost == 9_000
    assert passwords.hasher() is before


async def test_the_code_and_password_are_in_no_document(anonymous: Phone, services: Services) -> None:
    email = address()
    await sign_up(anonymous, email)
    await run_due(services)
    user = await store.user_by_email(services.db, email)
    assert user
    assert user["password_hash"].startswith("$argon2id$v=19$m=8192,t=1,p=1$")
    assert PASSWORD not in repr(user)
    costs = AuthSettings.model_fields
    assert (costs["password_memory_kib"].default, costs["password_rounds"].default) == (64 * 1024, 3)
