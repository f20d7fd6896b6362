"""Cross-request read batcher: small reads of one turn of the event loop go to MongoDB as one command.

What a command costs the driver is more than what the rows of a small read cost, and a screen needs many small
reads at once: authors, pictures, the viewer's reactions. Reads of the same documents by id become one, of
whatever request; the others become branches of one aggregation. Each still reads after it was asked for, so
nothing older is seen than if it had travelled alone.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pymongo.errors import OperationFailure

from core import deadline

Row = dict[str, Any]
Stage = Mapping[str, Any]
Send = Callable[[dict[str, Any]], Awaitable[list[Row]]]

TAG = "~"
"""Says of each row of a united answer which branch it is of."""
MOST_BRANCHES = 16
"""Branches are read one after the other: more would keep the last waiting."""
MOST_IDS = 1_000
TURNS = 3
"""Of the event loop: by then those who were woken together with the first have asked too, through tasks and
loaders."""
BUSY = 2
"""While so many commands are under way, reads wait for the next answer, and for company."""
HELD_SECONDS = 0.002
"""So long at most."""


@dataclass(slots=True)
class Read:
    """One read: the command that is sent when it travels alone, and its stages as a branch of another."""

    collection: str | None
    """None: the stages begin with `$documents`."""
    command: dict[str, Any]
    stages: Sequence[Stage]
    rows: "asyncio.Future[list[Row]]"
    ids: Sequence[str] = ()
    """Set where it is by ids alone; such reads of one collection are merged."""
    fields: tuple[str, ...] = ()
    """Hashable: reads of other fields are others."""


@dataclass(slots=True)
class BatchedRead:
    """Branch of a batch: one read, or several by id that were merged."""

    collection: str | None
    command: dict[str, Any]
    stages: Sequence[Stage]
    reads: list[Read] = field(default_factory=list)

    def answer(self, rows: list[Row]) -> None:
        if len(self.reads) == 1:
            _give(self.reads[0], rows)
            return
        found = {row["_id"]: row for row in rows}
        for read in self.reads:
            # Requests never share a document: one of them might change its own.
            _give(read, [row.copy() for id in read.ids if (row := found.get(id)) is not None])

    def fail(self, error: BaseException) -> None:
        for read in self.reads:
            if not read.rows.done():
                read.rows.set_exception(error)


def _give(read: Read, rows: list[Row]) -> None:
    # It is done where the request was cancelled meanwhile.
    if not read.rows.done():
        read.rows.set_result(rows)


class ReadBatcher:
    """Read batcher: collects the reads of a turn of the event loop and sends them."""

    def __init__(self, send: Send, options: Mapping[str, Any]) -> None:
        self._send = send
        self._options = options
        self._asked: list[Read] = []
        self._ends = 0.0
        """When the last of those who asked will be ended."""
        self._sending: set[asyncio.Task[None]] = set()
        self._held: asyncio.TimerHandle | None = None

    def by_ids(
        self, collection: str, command: dict[str, Any], ids: Sequence[str], fields: Sequence[str]
    ) -> "asyncio.Future[list[Row]]":
        loop = asyncio.get_running_loop()
        read = Read(collection, command, (), loop.create_future(), ids, tuple(fields))
        return self._join(loop, read)

    def rows(
        self, collection: str | None, command: dict[str, Any], stages: Sequence[Stage]
    ) -> "asyncio.Future[list[Row]]":
        loop = asyncio.get_running_loop()
        return self._join(loop, Read(collection, command, stages, loop.create_future()))

    def _join(self, loop: asyncio.AbstractEventLoop, read: Read) -> "asyncio.Future[list[Row]]":
        if not self._asked:
            loop.call_soon(self._wait, loop, TURNS)
        self._asked.append(read)
        self._ends = max(self._ends, deadline.ends())
        return read.rows

    def _wait(self, loop: asyncio.AbstractEventLoop, turns: int) -> None:
        if turns:
            loop.call_soon(self._wait, loop, turns - 1)
        else:
            self._depart()

    def _depart(self) -> None:
        if len(self._sending) < BUSY:
            self._leave()
        elif self._held is None:
            self._held = asyncio.get_running_loop().call_later(HELD_SECONDS, self._leave)

    def _arrived(self, task: "asyncio.Task[None]") -> None:
        self._sending.discard(task)
        if self._held is not None:
            self._leave()

    def _leave(self) -> None:
        if self._held is not None:
            self._held.cancel()
            self._held = None
        asked, self._asked = self._asked, []
        deadline.end_at(self._ends)
        self._ends = 0.0
        branches = merged(asked)
        for start in range(0, len(branches), MOST_BRANCHES):
            # A task of its own: a request that is cancelled must not take the others' rows along.
            task = asyncio.create_task(self._answer(branches[start : start + MOST_BRANCHES]))
            self._sending.add(task)
            task.add_done_callback(self._arrived)

    async def _answer(self, branches: Sequence[BatchedRead]) -> None:
        try:
            if len(branches) == 1:
                branches[0].answer(await self._send(branches[0].command))
            else:
                for branch, rows in zip(branches, await self._united(branches), strict=True):
                    branch.answer(rows)
        except OperationFailure as error:
            if len(branches) == 1:
                branches[0].fail(error)
            else:
                # One of them is at fault, and only its readers shall know.
                await asyncio.gather(*(self._answer([branch]) for branch in branches))
        except BaseException as error:
            for branch in branches:
                branch.fail(error)
            if not isinstance(error, Exception):
                raise

    async def _united(self, branches: Sequence[BatchedRead]) -> list[list[Row]]:
        answers: list[list[Row]] = [[] for _ in branches]
        for row in await self._send(united(branches, self._options)):
            answers[row.pop(TAG)].append(row)
        return answers


def merged(asked: Iterable[Read]) -> list[BatchedRead]:
    """Branches for reads, those of documents of one collection by id made one."""
    branches: list[BatchedRead] = []
    by_id: dict[Any, list[Read]] = {}
    for read in asked:
        if read.ids:
            by_id.setdefault((read.collection, read.fields), []).append(read)
        else:
            branches.append(BatchedRead(read.collection, read.command, read.stages, [read]))
    for reads in by_id.values():
        branches.extend(_by_id(reads))
    return branches


def _by_id(reads: list[Read]) -> Iterable[BatchedRead]:
    part: list[Read] = []
    ids: dict[str, None] = {}
    for read in reads:
        if part and len(ids) + len(read.ids) > MOST_IDS:
            yield _one_of(part, list(ids))
            part, ids = [], {}
        part.append(read)
        ids.update(dict.fromkeys(read.ids))
    yield _one_of(part, list(ids))


def _one_of(reads: list[Read], ids: list[str]) -> BatchedRead:
    first = reads[0]
    command = first.command
    query = {"_id": {"$in": ids}}
    if len(reads) > 1:
        command = {**command, "filter": query, "limit": len(ids), "batchSize": len(ids) + 1}
    stages: list[Stage] = [{"$match": query}]
    if first.fields:
        stages.append({"$project": dict.fromkeys(first.fields, 1)})
    return BatchedRead(first.collection, command, stages, reads)


def united(branches: Sequence[BatchedRead], options: Mapping[str, Any]) -> dict[str, Any]:
    """One aggregation of all branches, each row with the number of its branch."""
    first, *others = branches
    pipeline: list[Stage] = [*first.stages, {"$set": {TAG: 0}}]
    for number, branch in enumerate(others, 1):
        union: dict[str, Any] = {"pipeline": [*branch.stages, {"$set": {TAG: number}}]}
        if branch.collection is not None:
            union["coll"] = branch.collection
        pipeline.append({"$unionWith": union})
    return {"aggregate": first.collection or 1, "pipeline": pipeline, **options}
