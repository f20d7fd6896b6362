"""Account enumeration: neither answers nor their times tell known addresses from unknown ones."""

import math
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from core.context import Services
from tests.auth.conftest import NewMember, forgive
from tests.auth.steps import FLOW, device
from tests.phone import PASSWORD, Phone, key

ROUNDS, MOST_ROUNDS = 20, 640
"""Measured until the difference is known well enough; twice as many each time."""
APART = 0.1
STANDARD_ERRORS = 3.0

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


@pytest.mark.parametrize("ask", [sign_in, sign_up, ask_reset])
async def test_known_and_unknown_addresses_take_as_long_and_hear_the_same(
    anonymous: Phone, new_member: NewMember, services: Services, ask: Ask
) -> None:
    heard: list[Any] = []

    async def seconds(email: str) -> float:
        started = time.perf_counter()
        heard.append(without_ids(await ask(anonymous, email)))
        return time.perf_counter() - started

    async def apart() -> float:
        """Of two known and two unknown addresses, asked so that what drifts or warms up hits both alike."""
        await forgive(services)
        members = [await new_member() for _ in range(2)]
        strangers = [f"user_{key()[:26]}@example.com" for _ in range(2)]
        first, second, third, fourth = [
            await seconds(email) for email in (members[0], *strangers, members[1])
        ]
        return math.log((first + fourth) / (second + third))

    measured: list[float] = []
    lowest, highest = -math.inf, math.inf
    rounds = ROUNDS
    while rounds <= MOST_ROUNDS and not -APART < lowest <= highest < APART:
        measured += [await apart() for _ in range(rounds - len(measured))]
        lowest, highest = median_interval(measured)
        assert lowest < APART, f"known addresses take longer: {lowest:.1%} to {highest:.1%}"
        assert highest > -APART, f"unknown addresses take longer: {lowest:.1%} to {highest:.1%}"
        rounds *= 2
    print(f"\n{ask.__name__}: {lowest:+.1%} to {highest:+.1%} apart, by {len(measured)} rounds")
    assert -APART < lowest <= highest < APART
    assert all(each == heard[0] for each in heard)


def median_interval(values: list[float]) -> tuple[float, float]:
    """Confidence interval of the median, whatever the distribution: by ranks, as the sign test."""
    ranks = STANDARD_ERRORS * math.sqrt(len(values)) / 2
    ordered = sorted(values)
    middle = (len(ordered) - 1) / 2
    return ordered[math.floor(middle - ranks)], ordered[math.ceil(middle + ranks)]
