"""Changes of email, phone and password, and password resets."""

import asyncio
import re
from datetime import timedelta
from typing import Any

import pytest

from core import clock
from core.context import Services
from core.jobs import run_due
from resolvers.auth.lockout import RESET_RATE
from stores import auth as store
from tests.auth.conftest import NewMember, forgive
from tests.auth.steps import (
    FLOW,
    ME,
    assert_unauthenticated,
    code_for,
    enable_two_factor,
    new_number,
    refusal,
    sent_to,
    session,
    sign_in,
    sign_up,
    verify,
)
from tests.conftest import NewPhone
from tests.phone import PASSWORD, Phone, key

NEW = "a tide table at noon"
OVER = refusal("EXPIRED", "This code is no longer good.")
NO_RESET = refusal("EXPIRED", "Ask for another link.", ["token"])
CHANGED = "account { user { id } } sessions { id status } removedSessionIds"


def address() -> str:
    return f"new.{key()}@example.com"


@pytest.fixture
async def ada(anonymous: Phone, new_member: NewMember) -> tuple[Phone, str]:
    email = await new_member("Ada")
    await sign_in(anonymous, email)
    return anonymous, email


async def subjects(services: Services, to: str) -> list[str]:
    return [each["subject"] for each in await sent_to(services, to)]


# Address.


async def test_a_new_address_signs_in_and_the_old_one_no_more(
    ada: tuple[Phone, str], services: Services
) -> None:
    phone, old = ada
    new = address()
    flow = (await phone.do("requestEmailChange", FLOW, email=new.upper()))["authFlow"]
    assert (flow["kind"], flow["otpMethod"]) == ("CHANGE_EMAIL", "EMAIL")
    assert flow["maskedDestination"] == "n***@example.com"
    assert await subjects(services, old) == ["Your Landfall address is being changed"]
    done = await verify(phone, flow["id"], await code_for(services, new))
    assert (done["errors"], done["tokens"]) == ([], None)
    assert (done["account"]["email"], done["account"]["emailVerified"]) == (new, True)
    assert (await subjects(services, old))[0] == "Your Landfall address was changed"
    other = Phone(phone.http, phone.url)
    assert (await sign_in(other, old))["errors"][0]["code"] == "CREDENTIALS_INVALID"
    assert (await sign_in(other, new))["errors"] == []
    # The old address is free again.
    assert await store.user_keys.by_id(services.db, store.email_key(old)) is None


async def test_a_taken_address_is_answered_alike_and_never_gets_a_code(
    ada: tuple[Phone, str], new_member: NewMember, services: Services
) -> None:
    phone, _ = ada
    taken = await new_member("Grace")
    free_flow = (await phone.do("requestEmailChange", FLOW, email=address()))["authFlow"]
    taken_flow = (await phone.do("requestEmailChange", FLOW, email=taken))["authFlow"]
    same = {"id": "", "expiresAt": "", "resendAllowedAt": "", "maskedDestination": ""}
    assert {**free_flow, **same} == {**taken_flow, **same}
    assert await subjects(services, taken) == ["You already have a Landfall account"]
    refused = await verify(phone, taken_flow["id"], "123456")
    assert refused["errors"][0]["code"] == "CODE_INVALID"


async def test_an_address_that_is_taken_meanwhile_stays_with_its_owner(
    ada: tuple[Phone, str], services: Services
) -> None:
    phone, old = ada
    new = address()
    flow = (await phone.do("requestEmailChange", FLOW, email=new))["authFlow"]
    code = await code_for(services, new)
    other = Phone(phone.http, phone.url)
    await sign_up(other, new)
    await run_due(services)
    refused = await verify(phone, flow["id"], code)
    assert refused["errors"] == [OVER]
    found = await store.user_by_email(services.db, old)
    assert found
    assert found["_id"] == phone.user_id


async def test_an_impossible_address_is_refused(ada: tuple[Phone, str]) -> None:
    refused = await ada[0].do("requestEmailChange", FLOW, email="not an address")
    assert refused["errors"] == [refusal("INVALID_FORMAT", "This is not an email address.", ["email"])]


# Phone.


async def test_a_new_number_is_proven_and_told_to_the_old_address(
    ada: tuple[Phone, str], services: Services
) -> None:
    phone, email = ada
    old, new = new_number(), new_number()
    await enable_two_factor(phone, services, old)
    flow = (await phone.do("requestPhoneChange", FLOW, phone=new))["authFlow"]
    assert (flow["kind"], flow["maskedDestination"]) == ("CHANGE_PHONE", f"••••••{new[-2:]}")
    assert "Your Landfall phone number is being changed" in await subjects(services, email)
    done = await verify(phone, flow["id"], await code_for(services, new))
    assert done["errors"] == []
    shown = await phone.run("{ viewer { account { phoneMasked twoFactor { maskedDestination } } } }")
    masked = f"••••••{new[-2:]}"
    assert shown["viewer"]["account"] == {
        "phoneMasked": masked,
        "twoFactor": {"maskedDestination": masked},
    }
    # Codes go to the new number from now on.
    before = len(await sent_to(services, old))
    flow = (await sign_in(Phone(phone.http, phone.url), email))["authFlow"]
    assert flow["maskedDestination"] == masked
    assert len(await sent_to(services, new)) == 2
    assert len(await sent_to(services, old)) == before


# Password.


async def test_a_new_password_ends_all_other_sessions(
    ada: tuple[Phone, str], new_phone: NewPhone, services: Services
) -> None:
    phone, email = ada
    tablet = await new_phone(user_id=phone.user_id)
    done = await phone.do("setPassword", CHANGED, currentPassword=PASSWORD, newPassword=NEW)
    assert done["errors"] == []
    assert done["account"] == {"user": {"id": phone.user_id}}
    assert done["removedSessionIds"] == [tablet.session_id]
    assert done["sessions"] == [{"id": tablet.session_id, "status": "ENDED"}]
    ended = await session(services, tablet.session_id)
    assert (ended["status"], ended["end_reason"]) == ("ENDED", "PASSWORD_CHANGED")
    assert_unauthenticated(await tablet.ask(ME), "SESSION_REVOKED", "The session has ended: sign in again.")
    assert (await phone.run(ME))["viewer"]["session"]["id"] == phone.session_id
    other = Phone(phone.http, phone.url)
    assert (await sign_in(other, email))["errors"][0]["code"] == "CREDENTIALS_INVALID"
    assert (await sign_in(other, email, NEW))["errors"] == []
    assert "Password changed" in await subjects(services, email)


async def test_a_wrong_password_changes_nothing_and_counts(
    ada: tuple[Phone, str], services: Services
) -> None:
    phone, email = ada
    wrong = refusal("CREDENTIALS_INVALID", "The password is wrong.", ["currentPassword"])
    for _ in range(10):
        clock.shift(timedelta(seconds=65))
        refused = await phone.do("setPassword", CHANGED, currentPassword="a wrong password", newPassword=NEW)
        assert refused["errors"] == [wrong]
    locked = await phone.do("setPassword", CHANGED, currentPassword=PASSWORD, newPassword=NEW)
    assert locked["errors"][0]["code"] == "ACCOUNT_LOCKED"
    here = await sign_in(phone, email, captchaToken="human")
    assert here["errors"][0]["code"] == "ACCOUNT_LOCKED"
    elsewhere = await sign_in(Phone(phone.http, phone.url), email, captchaToken="human")
    assert elsewhere["errors"] == []


@pytest.mark.parametrize("password", ["short", "1234567890", "PASSWORD2026!"])
async def test_a_weak_password_is_refused(ada: tuple[Phone, str], password: str) -> None:
    refused = await ada[0].do("setPassword", CHANGED, currentPassword=PASSWORD, newPassword=password)
    assert [(each["code"], each["field"]) for each in refused["errors"]] == [
        ("PASSWORD_WEAK", ["newPassword"])
    ]


# Forgotten.


async def ask_reset(phone: Phone, email: str, **input: Any) -> Any:
    return await phone.do(
        "requestPasswordReset", "__typename", email=email, deviceId=phone.device_id, **input
    )


async def token_for(services: Services, email: str) -> str:
    letters = await sent_to(services, email)
    text = next(each["text"] for each in letters if each["subject"] == "Reset your Landfall password")
    found = re.search(r"landfall://reset-password\?token=(\S+)", text)
    assert found
    return found[1]


async def reset(phone: Phone, token: str, password: str = NEW, **input: Any) -> Any:
    given = {"token": token, "newPassword": password, "deviceId": phone.device_id, **input}
    return await phone.do("confirmPasswordReset", "__typename", **given)


async def test_a_link_sets_a_new_password_and_ends_every_session(
    ada: tuple[Phone, str], services: Services
) -> None:
    phone, email = ada
    stranger = Phone(phone.http, phone.url)
    assert (await ask_reset(stranger, email))["errors"] == []
    token = await token_for(services, email)
    assert (await reset(stranger, token))["errors"] == []
    ended = await session(services, phone.session_id)
    assert (ended["status"], ended["end_reason"]) == ("ENDED", "PASSWORD_CHANGED")
    assert (await sign_in(stranger, email))["errors"][0]["code"] == "CREDENTIALS_INVALID"
    assert (await sign_in(stranger, email, NEW))["errors"] == []


async def test_a_link_is_good_once_and_voids_the_others(ada: tuple[Phone, str], services: Services) -> None:
    phone, email = ada
    await ask_reset(phone, email)
    first = await token_for(services, email)
    await ask_reset(phone, email)
    second = await token_for(services, email)
    assert first != second
    answers = await asyncio.gather(*(reset(phone, second) for _ in range(3)))
    assert sorted(len(answer["errors"]) for answer in answers) == [0, 1, 1]
    assert (await reset(phone, first))["errors"] == [NO_RESET]


async def test_a_replayed_reset_is_answered_again(ada: tuple[Phone, str], services: Services) -> None:
    phone, email = ada
    await ask_reset(phone, email)
    token, once = await token_for(services, email), key()
    first = await reset(phone, token, idempotencyKey=once)
    again = await reset(phone, token, idempotencyKey=once)
    assert again == {**first, "replayed": True}


async def test_a_link_is_good_for_thirty_minutes(ada: tuple[Phone, str], services: Services) -> None:
    phone, email = ada
    await ask_reset(phone, email)
    token = await token_for(services, email)
    clock.shift(timedelta(minutes=30, seconds=1))
    assert (await reset(phone, token))["errors"] == [NO_RESET]


@pytest.mark.parametrize("token", ["", "x", "a" * 10_000])
async def test_garbage_is_no_link(anonymous: Phone, token: str) -> None:
    assert (await reset(anonymous, token))["errors"] == [NO_RESET]


async def test_a_weak_password_does_not_use_the_link_up(ada: tuple[Phone, str], services: Services) -> None:
    phone, email = ada
    await ask_reset(phone, email)
    token = await token_for(services, email)
    refused = await reset(phone, token, "1234567890")
    assert refused["errors"][0]["code"] == "PASSWORD_WEAK"
    assert (await reset(phone, token))["errors"] == []


async def test_an_unknown_address_is_answered_alike_and_gets_no_mail(
    anonymous: Phone, new_member: NewMember, services: Services
) -> None:
    known, unknown = await new_member(), address()
    answers = [
        await ask_reset(anonymous, email, idempotencyKey=f"{n}" * 8)
        for n, email in enumerate((known, unknown))
    ]
    assert {**answers[0], "idempotencyKey": ""} == {**answers[1], "idempotencyKey": ""}
    assert await subjects(services, unknown) == []
    assert await subjects(services, known) == ["Reset your Landfall password"]


async def test_five_links_an_hour_are_mailed(
    anonymous: Phone, new_member: NewMember, services: Services
) -> None:
    email = await new_member()
    for _ in range(7):
        assert (await ask_reset(anonymous, email))["errors"] == []
    assert await subjects(services, email) == ["Reset your Landfall password"] * 5


async def test_ten_requests_an_hour_from_one_address(anonymous: Phone, services: Services) -> None:
    assert (RESET_RATE.count, RESET_RATE.seconds) == (10, 3600)
    for _ in range(10):
        await services.limits.take(RESET_RATE, "127.0.0.1")
    refused = await ask_reset(anonymous, address())
    assert refused["errors"][0]["code"] == "RATE_LIMITED"


async def test_a_reset_lifts_the_lock_and_the_second_factor_is_still_asked(
    ada: tuple[Phone, str], services: Services
) -> None:
    phone, email = ada
    number = new_number()
    await enable_two_factor(phone, services, number)
    for _ in range(10):
        await forgive_rates(services)
        clock.shift(timedelta(seconds=65))
        await sign_in(phone, email, "a wrong password", captchaToken="human")
    assert (await sign_in(phone, email, captchaToken="human"))["errors"][0]["code"] == "ACCOUNT_LOCKED"
    await forgive(services)
    await ask_reset(phone, email)
    await reset(phone, await token_for(services, email))
    begun = await sign_in(phone, email, NEW)
    assert (begun["errors"], begun["tokens"], begun["authFlow"]["kind"]) == ([], None, "SIGN_IN")
    done = await verify(phone, begun["authFlow"]["id"], await code_for(services, number))
    assert done["errors"] == []


async def forgive_rates(services: Services) -> None:
    if keys := await services.redis.keys("rate:*"):
        await services.redis.delete(*keys)


async def test_a_reset_proves_the_address_of_an_account_that_waits_for_its_code(
    anonymous: Phone, services: Services
) -> None:
    email = address()
    await sign_up(anonymous, email)
    await run_due(services)
    await ask_reset(anonymous, email)
    await reset(anonymous, await token_for(services, email))
    done = await sign_in(anonymous, email, NEW)
    assert done["account"]["emailVerified"] is True


@pytest.mark.parametrize("status", ["SUSPENDED", "DELETED"])
async def test_a_closed_account_gets_no_link(
    anonymous: Phone, new_member: NewMember, services: Services, status: str
) -> None:
    email = await new_member(status=status)
    assert (await ask_reset(anonymous, email))["errors"] == []
    assert await subjects(services, email) == []


async def test_whoever_signs_up_with_another_s_address_plants_no_password(
    anonymous: Phone, services: Services
) -> None:
    email, planted = address(), "the password of a thief"
    thief = Phone(anonymous.http, anonymous.url)
    await sign_up(thief, email, password=planted)
    await run_due(services)
    flow = (await sign_up(anonymous, email))["authFlow"]
    await verify(anonymous, flow["id"], await code_for(services, email))
    assert (await sign_in(thief, email, planted))["errors"][0]["code"] == "CREDENTIALS_INVALID"
    assert (await sign_in(thief, email))["errors"] == []


async def test_no_secret_lies_in_documents(ada: tuple[Phone, str], services: Services) -> None:
    phone, email = ada
    await ask_reset(phone, email)
    token = await token_for(services, email)
    await reset(phone, token)
    for name in ("receipts", "password_resets", "users", "auth_flows", "jobs"):
        kept = repr(await services.db.find(name, {}, limit=10_000))
        assert token not in kept
        assert NEW not in kept
