"""The end of a transaction beside reads that nobody waits for any more: a loader's, or another branch's."""

import asyncio
import time
from contextlib import suppress
from typing import Any

import pytest
from pymongo.errors import InvalidOperation

from core.context import Services
from core.storage import mongo
from core.storage.mongo import Database
from tests.conftest import NewPhone

QUICK = 3.0
"""Seconds that an end may take: one that reads past another's answer waits for fifteen."""


class GivenUp(Exception):
    """Exception of a resolver while reads are under way."""


async def given_up(db: Database, *, reads: int, turns: int) -> list[Any]:
    """A transaction that ends so, and what becomes of its reads."""
    reading: list[asyncio.Task[Any]] = []
    with suppress(GivenUp):
        async with mongo.transaction(db) as handle:
            await handle.by_ids("users", ["user_nobody"])
            reading += [asyncio.create_task(handle.by_ids("users", ["user_nobody"])) for _ in range(reads)]
            for _ in range(turns):
                await asyncio.sleep(0)
            raise GivenUp
    async with asyncio.timeout(QUICK):
        return await asyncio.gather(*reading, return_exceptions=True)


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
async def test_it_does_not_wait_for_long(services: Services, turns: int) -> None:
    """The answer to a read that was under way was taken for the end's, which then waited in vain."""
    began = time.monotonic()
    ended = await given_up(services.db, reads=3, turns=turns)
    assert time.monotonic() - began < QUICK
    late = [each for each in ended if isinstance(each, BaseException)]
    assert {type(each) for each in late} <= {InvalidOperation}
    assert [mongo.transient(each) for each in late] == [False] * len(late)


async def test_reads_that_come_late_keep_no_connection(services: Services, new_phone: NewPhone) -> None:
    """Each kept one for good: after a hundred, no mutation of the process went through any more."""
    for _ in range(120):
        await given_up(services.db, reads=2, turns=1)
    ada = await new_phone("Ada")
    async with asyncio.timeout(QUICK):
        made = await ada.do("createPost", "post { id }", text="Hello")
    assert made["errors"] == []


async def test_a_read_after_the_commit_is_refused(services: Services) -> None:
    async with mongo.transaction(services.db) as handle:
        await handle.by_ids("users", ["user_nobody"])
    with pytest.raises(InvalidOperation):
        await handle.by_ids("users", ["user_nobody"])
