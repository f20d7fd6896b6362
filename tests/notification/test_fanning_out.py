"""Fan-out: few deliveries are made at once by the worker that wrote them, and none is lost with it."""

from datetime import timedelta
from typing import Any

import pytest

from core import clock, jobs
from core.context import Services
from core.jobs import Job
from resolvers.notification import fanning_out
from stores.notification import NotificationChannel
from tests.conftest import NewPhone
from tests.engine.job_steps import clear
from tests.notification.steps import deliveries, inbox, settle, stored, tell

EMAIL = NotificationChannel.EMAIL
DELIVER = "notification.deliver"


async def mails(services: Services, user_id: str) -> list[str]:
    letters = await services.mailer.letters()  # type: ignore[attr-defined]
    return [each["subject"] for each in letters if each["to"] == f"{user_id}@example.com"]


@pytest.fixture
async def dying(services: Services, monkeypatch: pytest.MonkeyPatch) -> list[Job]:
    """Workers that die once they have written deliveries; returns the jobs they had claimed."""
    await clear(services)
    left: list[Job] = []

    async def die(services: Services, job: Job, work: Any = None) -> None:
        left.append(job)

    monkeypatch.setattr(jobs, "perform", die)
    return left


async def test_a_delivery_whose_worker_died_is_made_when_its_lease_has_ended(
    new_phone: NewPhone, services: Services, dying: list[Job]
) -> None:
    ada = await new_phone("Ada")
    await tell(services, ada, channels=[EMAIL], title="Once")
    [job] = await stored(services, jobs.queue)
    assert ((job["task"], job["attempts"]), [job["_id"]]) == ((DELIVER, 1), [each["_id"] for each in dying])
    clock.shift(timedelta(seconds=59))
    await settle(services)
    assert (await mails(services, ada.user_id), await deliveries(services, ada)) == (
        [],
        [("EMAIL", "QUEUED", None)],
    )
    clock.shift(timedelta(seconds=2))
    await settle(services)
    assert (await mails(services, ada.user_id), await stored(services, jobs.queue)) == (["Once"], [])
    assert await deliveries(services, ada) == [("EMAIL", "SENT", None)]


async def test_deliveries_to_many_are_shared_out_among_workers(
    new_phone: NewPhone, services: Services, dying: list[Job]
) -> None:
    people = [await new_phone(f"Ada {number}") for number in range(4)]
    await tell(services, *people, channels=[EMAIL], run=False)
    assert await jobs.run_due(services, limit=1) == 1
    rows = await stored(services, jobs.queue)
    assert ([row["task"] for row in rows], {row["attempts"] for row in rows}) == ([DELIVER] * 4, {0})
    assert dying == []
    await settle(services)
    for each in people:
        assert await deliveries(services, each) == [("EMAIL", "SENT", None)]


async def test_an_opt_out_after_what_was_read_has_become_old_holds(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await new_phone("Ada")
    await settle(services)
    deliver = fanning_out._deliver

    async def late(*given: Any) -> None:
        await ada.do("setChannelConsent", "recipient { id }", channel="EMAIL", status="REVOKED")
        clock.shift(timedelta(seconds=1))
        await deliver(*given)

    monkeypatch.setattr(fanning_out, "_deliver", late)
    await tell(services, ada, channels=[EMAIL])
    assert await deliveries(services, ada) == [("EMAIL", "SUPPRESSED", "OPTED_OUT")]
    assert await mails(services, ada.user_id) == []
    [item] = await inbox(ada)
    assert item["status"] == "SUPPRESSED"
