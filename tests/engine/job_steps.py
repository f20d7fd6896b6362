"""Steps shared by the tests of jobs."""

import asyncio
from typing import Any

from core import jobs
from core.context import Context, Services

NAME = "test.note"


class Notes:
    """Recording task: the arguments of each run, and the error that the next ones raise."""

    def __init__(self) -> None:
        self.done: list[Any] = []
        self.failure: Exception | None = None
        self.seconds = 0.0
        self.began, self.came = asyncio.Event(), asyncio.Event()

    async def __call__(self, services: Services, **arguments: Any) -> None:
        self.done.append(arguments)
        self.began.set()
        await asyncio.sleep(self.seconds)
        if self.failure is not None:
            raise self.failure
        self.came.set()


async def ask_for(
    services: Services, name: str = NAME, *, fail: bool = False, times: int = 1, **when: Any
) -> None:
    ctx = Context(services)

    async def work() -> None:
        for number in range(times):
            await jobs.enqueue(ctx.tx, name, number=number, **when)
        if fail:
            raise RuntimeError("The unit is undone.")

    await ctx.unit(work)


async def waiting(services: Services) -> list[dict[str, Any]]:
    return await services.db.find("jobs", {})


async def clear(services: Services) -> None:
    """Run the jobs that other tests left, and delete their dead letters."""
    while await jobs.run_due(services):
        continue
    await services.db.write({"delete": "jobs", "deletes": [{"q": {}, "limit": 0}]})
