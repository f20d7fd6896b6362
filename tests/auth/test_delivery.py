"""Delivery of codes: retried, by a second provider, then by mail."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from core import clock
from core.context import Services
from core.jobs import run_due
from core.ports import Retryable, Sent
from tests.auth.conftest import NewMember
from tests.auth.steps import (
    FLOW,
    code_for,
    enable_two_factor,
    flow_of,
    new_number,
    refusal,
    resend,
    sign_in,
    verify,
)
from tests.conftest import NewPhone
from tests.phone import Phone


class Provider:
    """Takes messages while it is up; notes when it was asked."""

    def __init__(self, *, up: bool = True) -> None:
        self.up = up
        self.texts: list[str] = []
        self.asked: list[float] = []

    async def send(self, *, to: str, text: str, subject: str = "") -> Sent:
        self.asked.append(clock.timestamp())
        if not self.up:
            raise Retryable("The provider is down.")
        self.texts.append(text)
        return Sent()

    @property
    def code(self) -> str:
        return self.texts[-1][:6]

    @property
    def waits(self) -> list[int]:
        return [round(at - self.asked[0]) for at in self.asked]


@pytest.fixture
async def careful(new_phone: NewPhone, new_member: NewMember, services: Services) -> str:
    email = await new_member()
    await enable_two_factor(await new_phone(user_id=email.partition("@")[0]), services, new_number())
    # Seconds are counted here.
    clock.stop()
    return email


async def pass_time(services: Services, seconds: int) -> None:
    """Second by second, with a worker at work."""
    for _ in range(seconds):
        clock.shift(timedelta(seconds=1))
        await run_due(services)


async def test_a_provider_is_tried_three_times(
    anonymous: Phone, careful: str, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    sms = Provider(up=False)
    monkeypatch.setattr(services, "sms_senders", (sms,))
    flow = (await sign_in(anonymous, careful))["authFlow"]
    await run_due(services)
    await pass_time(services, 11)
    assert sms.waits == [0, 2]
    sms.up = True
    await pass_time(services, 1)
    assert sms.waits == [0, 2, 12]
    assert (await verify(anonymous, flow["id"], sms.code))["errors"] == []


async def test_then_the_second_provider_steps_in(
    anonymous: Phone, careful: str, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = Provider(up=False), Provider()
    monkeypatch.setattr(services, "sms_senders", (first, second))
    flow = (await sign_in(anonymous, careful))["authFlow"]
    await run_due(services)
    await pass_time(services, 42)
    assert first.waits == [0, 2, 12]
    assert round(second.asked[0] - first.asked[0]) == 42
    assert (await flow_of(anonymous, flow["id"]))["otpMethod"] == "SMS"
    assert (await verify(anonymous, flow["id"], second.code))["errors"] == []


async def test_sms_provider_down(
    anonymous: Phone, careful: str, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SMS provider down: DELIVERY_UNAVAILABLE + factors; the flow stays OPEN, and mail brings a code."""
    down = Provider(up=False)
    monkeypatch.setattr(services, "sms_senders", (down, down))
    flow = (await sign_in(anonymous, careful))["authFlow"]
    await run_due(services)
    await pass_time(services, 43)
    assert down.waits == [0, 2, 12, 42]
    shown = await flow_of(anonymous, flow["id"])
    assert (shown["otpMethod"], shown["maskedDestination"]) == ("EMAIL", "u***@example.com")
    refused = await resend(anonymous, flow["id"])
    assert refused["errors"] == [refusal("DELIVERY_UNAVAILABLE", "Codes cannot be sent this way now.")]
    assert (refused["authFlow"]["status"], refused["authFlow"]["factors"]) == ("OPEN", ["OTP", "BACKUP_CODE"])
    assert refused["authFlow"]["remainingResendCount"] == 3
    code = await code_for(services, careful)
    assert (await verify(anonymous, flow["id"], code))["errors"] == []


async def test_another_way_is_open_meanwhile(
    anonymous: Phone, careful: str, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "sms_senders", (Provider(up=False),))
    flow = (await sign_in(anonymous, careful))["authFlow"]
    await run_due(services)
    await pass_time(services, 31)
    assert (await resend(anonymous, flow["id"]))["errors"][0]["code"] == "DELIVERY_UNAVAILABLE"
    again = await resend(anonymous, flow["id"], method="EMAIL")
    assert (again["errors"], again["authFlow"]["otpMethod"]) == ([], "EMAIL")
    assert (await verify(anonymous, flow["id"], await code_for(services, careful)))["errors"] == []


async def test_after_a_minute_it_is_tried_again(
    anonymous: Phone, careful: str, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    sms = Provider(up=False)
    monkeypatch.setattr(services, "sms_senders", (sms,))
    flow = (await sign_in(anonymous, careful))["authFlow"]
    await run_due(services)
    await pass_time(services, 12)
    sms.up = True
    clock.shift(timedelta(seconds=61))
    assert (await resend(anonymous, flow["id"]))["errors"] == []
    await run_due(services)
    assert (await verify(anonymous, flow["id"], sms.code))["errors"] == []


async def test_what_proves_a_number_never_goes_by_mail(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    sms, mail = Provider(up=False), Provider()
    ada = await new_phone("Ada")
    await run_due(services)
    monkeypatch.setattr(services, "sms_senders", (sms,))
    monkeypatch.setattr(services, "mailer", mail)
    flow = (await ada.do("enableTwoFactor", FLOW, method="SMS", destination={"phone": new_number()}))[
        "authFlow"
    ]
    await run_due(services)
    await pass_time(services, 60)
    assert sms.waits == [0, 2, 12]
    assert mail.texts == []
    assert (await flow_of(ada, flow["id"]))["otpMethod"] == "SMS"
    refused = await resend(ada, flow["id"])
    assert refused["authFlow"]["factors"] == ["OTP"]


async def test_each_try_carries_a_code_of_its_own_and_the_last_one_counts(
    anonymous: Phone, careful: str, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Late(Provider):
        """Delivers, and says that it did not."""

        async def send(self, *, to: str, text: str, subject: str = "") -> Sent:
            sent = await super().send(to=to, text=text)
            if len(self.texts) == 1:
                raise Retryable("No answer.")
            return sent

    sms = Late()
    monkeypatch.setattr(services, "sms_senders", (sms,))
    flow = (await sign_in(anonymous, careful))["authFlow"]
    await run_due(services)
    await pass_time(services, 2)
    first, second = (text[:6] for text in sms.texts)
    if first != second:
        assert (await verify(anonymous, flow["id"], first))["errors"][0]["code"] == "CODE_INVALID"
    assert (await verify(anonymous, flow["id"], second))["errors"] == []


async def test_a_flow_that_is_over_is_sent_nothing(
    anonymous: Phone, careful: str, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    sms = Provider(up=False)
    monkeypatch.setattr(services, "sms_senders", (sms,))
    await sign_in(anonymous, careful)
    await run_due(services)
    await sign_in(anonymous, careful)
    sms.up = True
    await pass_time(services, 60)
    assert len(sms.texts) == 1


async def test_a_provider_that_hangs_is_given_up(
    anonymous: Phone, careful: str, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Hanging(Provider):
        async def send(self, *, to: str, text: str, subject: str = "") -> Sent:
            self.asked.append(clock.timestamp())
            await asyncio.sleep(30)
            return Sent()

    sms = Hanging()
    monkeypatch.setattr(services, "sms_senders", (sms,))
    monkeypatch.setattr("resolvers.auth.otp_delivery.PATIENCE", 0.05)
    await sign_in(anonymous, careful)
    await run_due(services)
    await pass_time(services, 2)
    assert sms.waits == [0, 2]


async def test_nothing_is_sent_before_the_commit(
    anonymous: Phone, careful: str, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    sms: Any = Provider()
    monkeypatch.setattr(services, "sms_senders", (sms,))
    flow = (await sign_in(anonymous, careful))["authFlow"]
    assert sms.asked == []
    [job] = await services.db.find("jobs", {"arguments.flow_id": flow["id"]})
    assert job["arguments"] == {"flow_id": flow["id"], "send": 1}
    await run_due(services)
    assert len(sms.texts) == 1
