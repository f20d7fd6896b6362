"""Turns: of messages whose provider knows no key one at a time is between the call and its record."""

import asyncio
from dataclasses import dataclass, field

import pytest

from core import jobs
from core.context import Services
from core.ports import Sent
from resolvers.notification.turns import Turns
from stores.notification import NotificationChannel, PriorityLevel
from tests.conftest import NewPhone
from tests.engine.steps import Hold
from tests.notification.steps import deliveries, queue, settle, with_number
from tests.phone import Phone

SMS = NotificationChannel.SMS
SECONDS = 0.02
"""Time that the provider takes for an answer, in which others would come."""


@dataclass
class Crowd:
    """A provider that answers when so many messages are there at the same time, and notes the most."""

    wanted: int
    present: int = 0
    most: int = 0
    full: asyncio.Event = field(default_factory=asyncio.Event)

    async def send(self, *, to: str, text: str) -> Sent:
        self.present += 1
        self.most = max(self.most, self.present)
        if self.present == self.wanted:
            self.full.set()
        await asyncio.wait_for(self.full.wait(), 10)
        await asyncio.sleep(SECONDS)
        self.present -= 1
        return Sent("")


async def agreed(new_phone: NewPhone, services: Services) -> list[Phone]:
    people = [await new_phone(f"Ada {number}") for number in range(4)]
    for each in people:
        await with_number(services, each, "SMS")
    return people


@pytest.mark.parametrize(("priority", "at_once"), [("HIGH", 1), ("CRITICAL", 4)])
async def test_texts_go_out_one_at_a_time_but_for_critical_ones(
    new_phone: NewPhone,
    services: Services,
    monkeypatch: pytest.MonkeyPatch,
    priority: str,
    at_once: int,
) -> None:
    people, crowd = await agreed(new_phone, services), Crowd(at_once)
    monkeypatch.setattr(services, "sms_senders", (crowd,))
    await queue(services, *people, channels=[SMS], priority=priority)
    await asyncio.gather(*(jobs.run_due(services, limit=1) for _ in people))
    await settle(services)
    for each in people:
        assert await deliveries(services, each) == [("SMS", "SENT", None)]
    assert crowd.most == at_once


async def test_the_most_urgent_comes_first_and_who_gives_up_keeps_nobody_waiting() -> None:
    turns, hold, came = Turns(), Hold(), list[str]()

    async def take(name: str, priority: PriorityLevel) -> None:
        async with turns.turn(priority):
            came.append(name)
            await hold.wait()

    first = asyncio.create_task(take("first", PriorityLevel.LOW))
    await hold.reached.wait()
    others = [
        asyncio.create_task(take(name, priority))
        for name, priority in (
            ("bulk", PriorityLevel.LOW),
            ("urgent", PriorityLevel.HIGH),
            ("gone", PriorityLevel.HIGH),
            ("usual", PriorityLevel.MEDIUM),
        )
    ]
    await asyncio.sleep(0)
    others[2].cancel()
    hold.set()
    await asyncio.gather(first, *others, return_exceptions=True)
    assert came == ["first", "urgent", "usual", "bulk"]
    # Nobody has it now.
    async with asyncio.timeout(1), turns.turn(PriorityLevel.LOW):
        pass


async def test_a_turn_that_came_to_who_has_just_given_up_is_passed_on() -> None:
    turns = Turns()

    async def take() -> None:
        async with turns.turn(PriorityLevel.LOW):
            pass

    async with turns.turn(PriorityLevel.LOW):
        waiting = [asyncio.create_task(take()) for _ in range(2)]
        await asyncio.sleep(0)
    # The first has been given it, and does not know yet.
    waiting[0].cancel()
    await asyncio.wait_for(waiting[1], 1)
    assert waiting[0].cancelled()
