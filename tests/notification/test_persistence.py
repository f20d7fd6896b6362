"""Messages that meet a busy provider, an unexpected problem or no other way: they go on."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from core import clock, jobs
from core.context import Services
from core.ports import CircuitOpen, RateReached, Retryable, Sent
from providers.smtp import Smtp
from resolvers.notification import delivering
from stores import notification as store
from stores.notification import DeliveryFailureReason, DeliveryStatus, NotificationChannel
from tests.chat.steps import registered
from tests.conftest import NewPhone
from tests.notification.steps import deliveries, inbox, settle, stored, tell, with_number
from tests.phone import make_user

SMS, VOICE, EMAIL, PUSH, *_ = NotificationChannel


@dataclass
class Faulty:
    """A provider that raises what it is told to, for as often as it is told, then takes everything."""

    problem: Exception
    times: int = 1_000
    asked: int = 0
    mails: list[dict[str, Any]] = field(default_factory=list)

    async def send(self, **message: Any) -> Sent:
        self.asked += 1
        if self.asked <= self.times:
            raise self.problem
        self.mails.append(message)
        return Sent("")


async def pass_time(services: Services, *, minutes: int) -> None:
    for _ in range(minutes * 3):
        clock.shift(timedelta(seconds=20))
        await settle(services)


async def test_a_provider_at_its_rate_is_waited_for_and_costs_no_try(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await new_phone("Ada")
    await with_number(services, ada, "SMS", "VOICE")
    busy = Faulty(RateReached("No more for the moment."), times=10)
    down = Faulty(CircuitOpen("It was not asked."))
    monkeypatch.setattr(services, "sms_senders", (busy, down))
    await tell(services, ada, channels=[SMS], priority="HIGH")
    await pass_time(services, minutes=5)
    assert await deliveries(services, ada) == [("SMS", "SENT", None)]
    [row] = await stored(services, store.deliveries, user_id=ada.user_id)
    assert row["retry_count"] == 0


async def test_a_text_waits_for_its_provider_where_nobody_may_be_called_instead(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await new_phone("Ada")
    await with_number(services, ada, "SMS")
    down = Faulty(CircuitOpen("It was not asked."), times=2)
    monkeypatch.setattr(services, "sms_senders", (down,))
    await tell(services, ada, channels=[SMS], priority="HIGH")
    await pass_time(services, minutes=2)
    assert await deliveries(services, ada) == [("SMS", "SENT", None)]


async def test_a_provider_that_failed_once_is_tried_again_although_its_substitute_is_down(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await new_phone("Ada")
    await with_number(services, ada, "SMS", "VOICE")
    once, down = Faulty(Retryable("Try again."), times=1), Faulty(CircuitOpen("It was not asked."))
    monkeypatch.setattr(services, "sms_senders", (once, down))
    await tell(services, ada, channels=[SMS], priority="HIGH")
    await pass_time(services, minutes=1)
    assert await deliveries(services, ada) == [("SMS", "SENT", None)]


async def test_a_message_that_a_library_cannot_bear_falls_back_too(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await new_phone("Ada")
    await registered(ada)
    faulty = Faulty(UnicodeError("It cannot be written."))
    monkeypatch.setattr(services, "mailer", faulty)
    await tell(services, ada, channels=[EMAIL])
    await pass_time(services, minutes=3)
    assert faulty.asked == 4
    assert await deliveries(services, ada) == [("EMAIL", "FAILED", "PROVIDER_DOWN"), ("PUSH", "SENT", None)]


async def test_a_title_of_several_lines_is_one_in_mails_and_the_inbox(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await new_phone("Ada")
    letters: list[Any] = []
    smtp = Smtp("smtp://127.0.0.1:9", "Landfall <landfall@example.com>")

    async def keep(letter: Any) -> None:
        letters.append(letter)

    monkeypatch.setattr(smtp, "_deliver", keep)
    monkeypatch.setattr(services, "mailer", smtp)
    await tell(services, ada, channels=[EMAIL], title="Fire\r\nBcc: all@example.com\u2028now")
    assert [str(letter["Subject"]) for letter in letters] == ["Fire Bcc: all@example.com now"]
    assert "Bcc" not in letters[0]
    assert (await inbox(ada))[0]["notification"]["title"] == "Fire Bcc: all@example.com now"


async def test_a_critical_message_is_mailed_to_who_may_not_be_called_and_has_no_app(
    new_phone: NewPhone, services: Services
) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace", email_verified=False)
    await tell(services, ada, grace, priority="CRITICAL")
    suppressed = [(channel, "SUPPRESSED", "NO_ADDRESS") for channel in ("PUSH", "SMS", "VOICE")]
    assert await deliveries(services, ada) == [("EMAIL", "SENT", None), *suppressed]
    assert (await inbox(ada))[0]["status"] == "SENT"
    assert await deliveries(services, grace) == [("EMAIL", "SUPPRESSED", "NO_ADDRESS"), *suppressed]
    assert (await inbox(grace))[0]["status"] == "SUPPRESSED"


async def test_channels_that_end_at_the_same_moment_leave_the_receipt_suppressed_and_the_sender_told(
    new_phone: NewPhone, services: Services
) -> None:
    grace, people = await new_phone("Grace"), [await make_user(services, f"Ada {n}") for n in range(8)]
    await settle(services)
    told = {"channels": [SMS, VOICE, PUSH], "title": "To nobody", "created_by": grace.user_id}
    await tell(services, *people, **told, run=False)
    await jobs.run_due(services, limit=1)
    for user_id in people:
        rows = await stored(services, store.deliveries, user_id=user_id)
        status, reason = DeliveryStatus.SUPPRESSED, DeliveryFailureReason.NO_ADDRESS
        ended = [delivering.conclude(services, row, status, failure_reason=reason) for row in rows]
        await asyncio.gather(*ended)
    receipts = await stored(services, store.receipts, user_id={"$in": people})
    assert {receipt["status"] for receipt in receipts} == {"SUPPRESSED"}
    await settle(services)
    assert [each["notification"]["title"] for each in await inbox(grace)] == ["Somebody could not be reached"]
