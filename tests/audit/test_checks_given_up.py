"""Checks whose workers are killed: they go on with the next one, or say that they failed."""

from datetime import timedelta
from typing import Any

import pytest

from core import clock, jobs
from core.context import Services
from resolvers.audit import checking
from tests.audit.tampering import Log
from tests.audit.test_checking import NODE, auditor, log, verify
from tests.phone import Phone

__all__ = ["auditor", "log"]


async def running(log: Log, auditor: Phone) -> dict[str, Any]:
    """Check that waits for its job, which is the only one in its lane."""
    await jobs.run_due(log.services)
    links = await log.links()
    return await verify(auditor, links[0]["entry_id"], links[3]["entry_id"])


async def killed(services: Services) -> None:
    """A worker took the job, and died."""
    job, _ = await jobs.claim(services.db, [jobs.Lane.BULK])
    assert job is not None
    assert job["task"] == "audit.verify_range"
    clock.shift(timedelta(seconds=61))


async def test_a_check_whose_worker_was_killed_goes_on_with_the_next(
    log: Log, auditor: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "MOST_AT_ONCE", 3)
    begun = await running(log, auditor)
    await killed(log.services)
    assert (await auditor.run(NODE, id=begun["id"]))["node"]["status"] == "RUNNING"
    await jobs.run_due(log.services)
    check = (await auditor.run(NODE, id=begun["id"]))["node"]
    assert (check["status"], check["integrityValid"], check["checkedEntryCount"]) == ("FINISHED", True, 4)


async def test_a_check_whose_every_worker_was_killed_has_failed_until_its_job_is_run_again(
    log: Log, auditor: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "MOST_AT_ONCE", 3)
    begun = await running(log, auditor)
    for _ in range(len(jobs.RETRIES) + 1):
        await killed(log.services)
    await jobs.run_due(log.services)
    check = (await auditor.run(NODE, id=begun["id"]))["node"]
    assert (check["status"], check["integrityValid"], check["failedEntryIds"]) == ("FAILED", None, [])
    assert check["finishedAt"] is not None
    letters = await jobs.dead_letters(log.services.db)
    [dead] = [each for each in letters if begun["id"] in str(each["arguments"])]
    assert await jobs.retry(log.services.db, dead["_id"])
    await jobs.run_due(log.services)
    check = (await auditor.run(NODE, id=begun["id"]))["node"]
    assert (check["status"], check["integrityValid"]) == ("FINISHED", True)
    # Who gives it up late finds it made.
    await checking.give_up(log.services, log.org_id, begun["id"])
    assert (await auditor.run(NODE, id=begun["id"]))["node"] == check
