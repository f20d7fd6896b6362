"""Account enumeration: neither answers nor their times tell known addresses from unknown ones."""

import time
from collections.abc import Awaitable, Callable
from statistics import median
from typing import Any

import pytest

from core.context import Services
from tests.auth.conftest import NewMember, forgive
from tests.auth.steps import FLOW, device
from tests.phone import PASSWORD, Phone, key

EACH = 100
ROUNDS = 8
"""A difference that is there stays there; one that the machine made goes when more is measured."""

Ask = Callable[[Phone, str], Awaitable[Any]]


async def sign_in(phone: Phone, email: str) -> Any:
    given = {"email": email, "password": "a wrong password", "device": device(phone)}
    return await phone.do("signIn", f"tokens {{ accessToken }} {FLOW}", **given, captchaToken="human")


async def sign_up(phone: Phone, email: str) -> Any:
    given = {"email": email, "password": PASSWORD, "acceptedTermsVersion": "1", "device": device(phone)}
    return await phone.do("signUp", FLOW, **given, captchaToken="human")


async def ask_reset(phone: Phone, email: str) -> Any:
    given = {"email": email, "deviceId": phone.device_id, "captchaToken": "human"}
    return await phone.do("requestPasswordReset", "__typename", **given)


def without_ids(answer: dict[str, Any]) -> dict[str, Any]:
    flow = answer.get("authFlow") and {
        **answer["authFlow"],
        **dict.fromkeys(("id", "expiresAt", "resendAllowedAt", "maskedDestination")),
    }
    return {**answer, "idempotencyKey": "", "authFlow": flow}


@pytest.fixture
async def _no_jobs(services: Services) -> Any:
    """Hundreds of them would keep the tests that follow busy."""
    yield
    waiting = {"q": {"task": {"$regex": "^auth"}, "state": "WAITING"}, "limit": 0}
    await services.db.write({"delete": "jobs", "deletes": [waiting]})


@pytest.mark.usefixtures("_no_jobs")
@pytest.mark.parametrize("ask", [sign_in, sign_up, ask_reset])
async def test_known_and_unknown_addresses_take_as_long_and_hear_the_same(
    anonymous: Phone, new_member: NewMember, services: Services, ask: Ask
) -> None:
    seconds: dict[bool, list[float]] = {True: [], False: []}
    heard: list[Any] = []
    for _ in range(ROUNDS):
        for number in range(EACH):
            if number % 4 == 0:
                await forgive(services)
            addresses = {True: await new_member(), False: f"user_{key()[:26]}@example.com"}
            # Interleaved, and each first as often as second: the machine's noise hits both.
            for known in (True, False) if number % 2 else (False, True):
                started = time.perf_counter()
                heard.append(without_ids(await ask(anonymous, addresses[known])))
                seconds[known].append(time.perf_counter() - started)
        known, unknown = (median(seconds[each]) for each in (True, False))
        difference = abs(known - unknown) / max(known, unknown)
        if difference < 0.1:
            break
    print(
        f"\n{ask.__name__}: known {known * 1000:.2f} ms, unknown {unknown * 1000:.2f} ms, "
        f"{difference:.1%} apart"
    )
    assert difference < 0.1
    assert all(each == heard[0] for each in heard)
