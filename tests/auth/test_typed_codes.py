"""Codes as people type them: a slip of the finger, another script or a blank costs no attempt."""

from typing import Any

import pytest

from core.context import Services
from tests.auth.conftest import NewMember
from tests.auth.steps import (
    code_for,
    enable_two_factor,
    flow_of,
    other_than,
    refusal,
    sign_in,
    verify,
    verify_backup,
)
from tests.conftest import NewPhone
from tests.phone import Phone

SIX_DIGITS = refusal("CODE_INVALID", "A code has 6 digits.", ["code"], limit=6)
TEN = refusal("CODE_INVALID", "A backup code has 10 letters and digits.", ["code"], limit=10)
FORMS = {
    "blanks": lambda code: f" {code[:3]} {code[3:]}\xa0",
    "a dash": lambda code: f"{code[:3]}-{code[3:]}",
    "a long dash": lambda code: f"{code[:3]}\u2013{code[3:]}",
    "full width": lambda code: code.translate({48 + n: 0xFF10 + n for n in range(10)}),
    "Arabic": lambda code: code.translate({48 + n: 0x660 + n for n in range(10)}),
    "Persian": lambda code: code.translate({48 + n: 0x6F0 + n for n in range(10)}),
    "Devanagari": lambda code: code.translate({48 + n: 0x966 + n for n in range(10)}),
    "what was copied along": lambda code: f"\u2068{code}\u2069\u200b",
}
SLIPS = ("", " ", "12345", "1234567", "12345a", "abcdef", "12345\u2166", "0" * 1_000)


@pytest.fixture
async def careful(
    new_phone: NewPhone, new_member: NewMember, services: Services
) -> tuple[Phone, str, list[str]]:
    """Somebody with a second factor by mail; the backup codes."""
    email = await new_member()
    ada = await new_phone(user_id=email.partition("@")[0])
    codes = await enable_two_factor(ada, services, email, "EMAIL")
    return ada, email, codes


@pytest.mark.parametrize("typed", FORMS.values(), ids=FORMS)
async def test_codes_as_people_type_them(
    careful: tuple[Phone, str, list[str]], services: Services, typed: Any
) -> None:
    ada, email, _ = careful
    flow = (await sign_in(ada, email))["authFlow"]
    done = await verify(ada, flow["id"], typed(await code_for(services, email)))
    assert (done["errors"], bool(done["tokens"])) == ([], True)


async def test_what_is_no_code_costs_no_attempt(
    careful: tuple[Phone, str, list[str]], services: Services
) -> None:
    ada, email, _ = careful
    flow = (await sign_in(ada, email))["authFlow"]
    code = await code_for(services, email)
    for slip in SLIPS:
        refused = await verify(ada, flow["id"], slip)
        assert (refused["errors"], refused["authFlow"]["remainingAttemptCount"]) == ([SIX_DIGITS], 5)
    assert (await flow_of(ada, flow["id"]))["remainingAttemptCount"] == 5
    wrong = await verify(ada, flow["id"], other_than(code))
    assert wrong["authFlow"]["remainingAttemptCount"] == 4
    assert await services.redis.zcard(f"tally:misses:{'127.0.0.1'}") == 1
    assert (await verify(ada, flow["id"], code))["errors"] == []


async def test_backup_codes_as_people_type_them(
    careful: tuple[Phone, str, list[str]], services: Services
) -> None:
    ada, email, [one, other, *_] = careful
    flow = (await sign_in(ada, email))["authFlow"]
    for slip in ("", one[:9], f"{one}A", "0123456789"):
        refused = await verify_backup(ada, flow["id"], slip)
        assert (refused["errors"], refused["authFlow"]["remainingAttemptCount"]) == ([TEN], 5)
    done = await verify_backup(ada, flow["id"], f" {one[:5].lower()}\u2013{one[5:]} ")
    assert (done["errors"], done["account"]["twoFactor"]) == ([], {"remainingBackupCodeCount": 9})
    flow = (await sign_in(ada, email))["authFlow"]
    wide = other.translate({65 + n: 0xFF21 + n for n in range(26)})
    assert (await verify_backup(ada, flow["id"], wide))["errors"] == []


async def test_step_up_by_a_typed_code(careful: tuple[Phone, str, list[str]], services: Services) -> None:
    ada, email, _ = careful
    flow = (await ada.do("stepUp", "authFlow { id }", proof={"method": "EMAIL"}))["authFlow"]
    code = await code_for(services, email)
    proof = {"code": {"authFlowId": flow["id"], "code": "12 34"}}
    slip = await ada.do("stepUp", "authFlow { remainingAttemptCount }", proof=proof)
    in_proof = {**SIX_DIGITS, "field": ["proof", "code", "code"]}
    assert (slip["errors"], slip["authFlow"]) == ([in_proof], {"remainingAttemptCount": 5})
    proof["code"]["code"] = f"{code[:3]} {code[3:]}"
    done = await ada.do("stepUp", "tokens { accessToken }", proof=proof)
    assert done["errors"] == []
