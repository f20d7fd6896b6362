"""Flows: what closes them, codes sent again, and what a restarted app learns."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from core import clock, ids
from core.context import Services
from tests.auth.conftest import NewMember
from tests.auth.steps import (
    code_for,
    enable_two_factor,
    flow_of,
    new_number,
    other_than,
    refusal,
    resend,
    sent_to,
    sign_in,
    sign_up,
    verify,
)
from tests.conftest import NewPhone
from tests.phone import Phone, key

OVER = refusal("EXPIRED", "This code is no longer good.")


def address() -> str:
    return f"ada.{key()}@example.com"


@pytest.fixture
async def careful(new_phone: NewPhone, new_member: NewMember, services: Services) -> tuple[str, str]:
    """Email and number of somebody with a second factor."""
    email, number = await new_member(), new_number()
    await enable_two_factor(await new_phone(user_id=email.partition("@")[0]), services, number)
    return email, number


async def flow_in(services: Services, id: str) -> Any:
    [flow] = await services.db.find("auth_flows", {"_id": id})
    return flow


async def test_a_restarted_app_learns_where_its_flow_is(anonymous: Phone, services: Services) -> None:
    email = address()
    flow = (await sign_up(anonymous, email))["authFlow"]
    stranger = Phone(anonymous.http, anonymous.url)
    assert await flow_of(stranger, flow["id"]) == flow
    await verify(anonymous, flow["id"], other_than(await code_for(services, email)))
    assert (await flow_of(stranger, flow["id"]))["remainingAttemptCount"] == 4
    await verify(anonymous, flow["id"], await code_for(services, email))
    assert (await flow_of(stranger, flow["id"]))["status"] == "VERIFIED"


async def test_an_unknown_flow_is_not_found(anonymous: Phone) -> None:
    query = "query($id: ID!) { authFlow(id: $id) { id } }"
    assert await anonymous.run(query, id=ids.new_id("flow")) == {"authFlow": None}


@pytest.mark.parametrize(("purpose", "life"), [("SIGN_IN", 300), ("VERIFY_EMAIL", 86_400)])
async def test_a_flow_is_over_in_time(
    anonymous: Phone, services: Services, careful: tuple[str, str], purpose: str, life: int
) -> None:
    email, to = careful if purpose == "SIGN_IN" else (address(),) * 2
    begun = await (sign_in if purpose == "SIGN_IN" else sign_up)(anonymous, email)
    code = await code_for(services, to)
    clock.shift(timedelta(seconds=life + 1))
    late = await verify(anonymous, begun["authFlow"]["id"], code)
    assert late["errors"] == [OVER]
    assert late["authFlow"]["status"] == "EXPIRED"
    assert late["tokens"] is None
    assert (await flow_of(anonymous, begun["authFlow"]["id"]))["status"] == "EXPIRED"


async def test_a_newer_flow_takes_the_place_of_an_older_one(
    anonymous: Phone, services: Services, careful: tuple[str, str]
) -> None:
    email, number = careful
    first = (await sign_in(anonymous, email))["authFlow"]
    code = await code_for(services, number)
    elsewhere = Phone(anonymous.http, anonymous.url)
    other = (await sign_in(elsewhere, email))["authFlow"]
    second = (await sign_in(anonymous, email))["authFlow"]
    refused = await verify(anonymous, first["id"], code)
    assert refused["errors"] == [refusal("FLOW_SUPERSEDED", "A newer code was asked for.")]
    assert refused["authFlow"]["status"] == "SUPERSEDED"
    assert (await flow_of(anonymous, other["id"]))["status"] == "OPEN"
    assert (await flow_of(anonymous, second["id"]))["status"] == "OPEN"
    assert (await verify(anonymous, second["id"], await code_for(services, number)))["errors"] == []


async def test_a_flow_belongs_to_its_device(anonymous: Phone, services: Services) -> None:
    email = address()
    flow = (await sign_up(anonymous, email))["authFlow"]
    thief = Phone(anonymous.http, anonymous.url)
    refused = await verify(thief, flow["id"], await code_for(services, email))
    assert (refused["errors"], refused["authFlow"], refused["tokens"]) == ([OVER], None, None)
    assert (await verify(anonymous, flow["id"], await code_for(services, email)))["errors"] == []


async def test_a_flow_begun_in_a_session_belongs_to_it(new_phone: NewPhone, services: Services) -> None:
    ada, number = await new_phone("Ada"), new_number()
    flow = (await ada.do("requestPhoneChange", "authFlow { id }", phone=number))["authFlow"]
    code = await code_for(services, number)
    grace = await new_phone("Grace")
    grace.device_id = ada.device_id
    assert (await verify(grace, flow["id"], code))["errors"] == [OVER]
    assert (await verify(ada, flow["id"], code))["errors"] == []


async def test_the_code_lies_nowhere_but_hashed(anonymous: Phone, services: Services) -> None:
    email = address()
    flow = (await sign_up(anonymous, email))["authFlow"]
    waiting = await services.db.find("jobs", {"arguments.flow_id": flow["id"]})
    assert [each["arguments"] for each in waiting] == [{"flow_id": flow["id"], "send": 1}]
    code = await code_for(services, email)
    kept = await flow_in(services, flow["id"])
    assert code not in repr({**kept, "created_at": None, "updated_at": None, "purge_at": None})
    assert email not in repr(kept)
    assert len(kept["code_hash"]) == 128


async def test_codes_are_sent_again_after_30_60_and_120_seconds(
    anonymous: Phone, services: Services, careful: tuple[str, str]
) -> None:
    email, number = careful
    flow = (await sign_in(anonymous, email))["authFlow"]
    assert (flow["remainingResendCount"], flow["maskedDestination"]) == (3, f"••••••{number[-2:]}")
    codes = [await code_for(services, number)]
    for left, wait in ((2, 30), (1, 60), (0, 120)):
        clock.shift(timedelta(seconds=wait - 10))
        early = await resend(anonymous, flow["id"])
        [error] = early["errors"]
        assert 0 < error.pop("retryAfterSeconds") <= 10
        assert error == {
            "kind": "TRANSIENT",
            "code": "RATE_LIMITED",
            "message": "Wait a little.",
            "field": None,
            "limit": None,
            "retryable": True,
        }
        allowed_at = datetime.fromisoformat(early["authFlow"]["resendAllowedAt"])
        assert timedelta(0) < allowed_at - clock.now() <= timedelta(seconds=10)
        clock.shift(timedelta(seconds=11))
        again = await resend(anonymous, flow["id"])
        assert (again["errors"], again["authFlow"]["remainingResendCount"]) == ([], left)
        codes.append(await code_for(services, number))
    clock.shift(timedelta(seconds=40))
    spent = await resend(anonymous, flow["id"])
    assert spent["errors"] == [refusal("LIMIT_REACHED", "No more codes are sent there.")]
    assert spent["authFlow"]["status"] == "OPEN"
    if codes[2] != codes[3]:
        assert (await verify(anonymous, flow["id"], codes[2]))["errors"][0]["code"] == "CODE_INVALID"
    assert (await verify(anonymous, flow["id"], codes[3]))["errors"] == []


async def test_a_new_code_voids_the_last_at_once(
    anonymous: Phone, services: Services, careful: tuple[str, str]
) -> None:
    email, number = careful
    flow = (await sign_in(anonymous, email))["authFlow"]
    code = await code_for(services, number)
    clock.shift(timedelta(seconds=31))
    await resend(anonymous, flow["id"])
    # The new one is not even on its way.
    assert (await verify(anonymous, flow["id"], code))["errors"][0]["code"] == "CODE_INVALID"


async def test_a_replayed_resend_sends_nothing(
    anonymous: Phone, services: Services, careful: tuple[str, str]
) -> None:
    email, number = careful
    flow, once = (await sign_in(anonymous, email))["authFlow"], key()
    clock.shift(timedelta(seconds=31))
    first = await resend(anonymous, flow["id"], idempotencyKey=once)
    before = len(await sent_to(services, number))
    again = await resend(anonymous, flow["id"], idempotencyKey=once)
    assert again == {**first, "replayed": True}
    assert len(await sent_to(services, number)) == before


async def test_too_soon_leaves_no_receipt(
    anonymous: Phone, services: Services, careful: tuple[str, str]
) -> None:
    flow, once = (await sign_in(anonymous, careful[0]))["authFlow"], key()
    early = await resend(anonymous, flow["id"], idempotencyKey=once)
    assert early["errors"][0]["code"] == "RATE_LIMITED"
    clock.shift(timedelta(seconds=31))
    assert (await resend(anonymous, flow["id"], idempotencyKey=once))["errors"] == []


async def test_ten_codes_a_day_go_to_one_address(anonymous: Phone, services: Services) -> None:
    email = address()
    for _ in range(10):
        assert (await sign_up(anonymous, email))["errors"] == []
        clock.shift(timedelta(minutes=6))
    refused = await sign_up(anonymous, email)
    [error] = refused["errors"]
    assert error["code"] == "LIMIT_REACHED"
    assert 22 * 3600 < error["retryAfterSeconds"] <= 24 * 3600
    assert refused["authFlow"] is None
    assert len(await sent_to(services, email)) <= 10
    clock.shift(timedelta(hours=24))
    assert (await sign_up(anonymous, email))["errors"] == []


async def test_after_ten_codes_a_backup_code_is_left(
    anonymous: Phone, services: Services, careful: tuple[str, str]
) -> None:
    email, _ = careful
    for _ in range(11):
        last = await sign_in(anonymous, email)
        clock.shift(timedelta(minutes=1))
    assert last["errors"] == []
    assert last["authFlow"]["factors"] == ["BACKUP_CODE"]
    assert last["authFlow"]["remainingResendCount"] == 0


async def test_what_proves_a_number_goes_to_that_number(new_phone: NewPhone) -> None:
    ada = await new_phone("Ada")
    flow = (await ada.do("requestPhoneChange", "authFlow { id }", phone=new_number()))["authFlow"]
    clock.shift(timedelta(seconds=31))
    refused = await resend(ada, flow["id"], method="EMAIL")
    assert refused["errors"] == [refusal("INVALID_INPUT", "This flow's code cannot go this way.", ["method"])]


async def test_a_sign_in_code_may_go_by_mail_instead(
    anonymous: Phone, services: Services, careful: tuple[str, str]
) -> None:
    email, _ = careful
    flow = (await sign_in(anonymous, email))["authFlow"]
    clock.shift(timedelta(seconds=31))
    again = await resend(anonymous, flow["id"], method="EMAIL")
    assert (again["authFlow"]["otpMethod"], again["authFlow"]["maskedDestination"]) == (
        "EMAIL",
        "u***@example.com",
    )
    assert (await verify(anonymous, flow["id"], await code_for(services, email)))["errors"] == []
    # It is no way to a phone the person does not have.
    flow = (await sign_in(Phone(anonymous.http, anonymous.url), email))["authFlow"]
    refused = await resend(anonymous, flow["id"], method="PUSH")
    assert refused["errors"] == [OVER]
