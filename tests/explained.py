"""Query plans: MongoDB's explain output and profile, and every kind of read that was sent."""

import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pymongo.errors import OperationFailure

from core.storage import mongo, reads, store
from core.storage.mongo import Database

ASIDE = ("lsid", "$clusterTime", "$db", "$readPreference", "txnNumber", "autocommit", "startTransaction")
ASIDE += ("maxTimeMS", "readConcern", "writeConcern")
"""Parts of a command that are no part of its plan."""
TESTS = str(Path(__file__).parent)
CARRIERS = {module.__file__ for module in (mongo, reads, store)} | {__file__}
"""Modules that only pass on other modules' reads."""

Document = Mapping[str, Any]
Stages = Sequence[Document]


@dataclass(frozen=True, slots=True)
class Cost:
    """Documents and keys looked at; `scans` of whole collections and `sorts` in memory."""

    documents: int
    keys: int
    scans: int
    sorts: int


async def examined(db: Database, command: Document) -> Cost:
    """Run the read again and count."""
    plain = {name: value for name, value in command.items() if name not in ASIDE}
    answer = await db.command({"explain": plain, "verbosity": "executionStats"})
    statistics = [each["executionStats"] for each in _parts(answer) if "executionStats" in each]
    return Cost(
        sum(each["totalDocsExamined"] for each in statistics),
        sum(each["totalKeysExamined"] for each in statistics),
        scans=_stages(answer, "winningPlan").count("COLLSCAN"),
        sorts=_stages(answer, "winningPlan").count("SORT"),
    )


@dataclass
class Profile:
    """Totals of the reads of a while, as the server's profiler counted them."""

    commands: int = 0
    documents: int = 0
    keys: int = 0


@asynccontextmanager
async def profiled(db: Database, collection: str) -> AsyncIterator[Profile]:
    found = Profile()
    await db.command({"profile": 2})
    yield found
    await db.command({"profile": 0})
    for row in await db.find("system.profile", {"ns": f"{db.name}.{collection}"}):
        found.commands += 1
        found.documents += row["docsExamined"]
        found.keys += row["keysExamined"]
    await db.command({"drop": "system.profile"})


@dataclass
class Kinds:
    """Every kind of read that the code sends, by collection, filter and order without their values."""

    found: dict[str, tuple[str, Stages]] = field(default_factory=dict)

    def wrap(self, send: Callable[[Database, dict[str, Any]], Awaitable[dict[str, Any]]]) -> Any:
        """`Database.command` that notes what it is given."""

        async def command(db: Database, given: dict[str, Any]) -> dict[str, Any]:
            if not of_tests():
                self.note(given)
            return await send(db, given)

        return command

    def note(self, command: Document) -> None:
        for collection, stages in reads_of(command):
            if collection.startswith("system."):
                continue
            self.found.setdefault(f"{collection} {_kind(stages)}", (collection, stages))

    async def problems(self, db: Database, allowed: Document) -> list[str]:
        """Reads that look at a whole collection, or whose order no index has."""
        found = []
        for name, (collection, stages) in self.found.items():
            explain = {"aggregate": collection, "pipeline": list(stages), "cursor": {}}
            try:
                answer = await db.command({"explain": explain, "verbosity": "queryPlanner"})
            except OperationFailure:
                # A test sent nonsense to see it refused.
                continue
            scans = "COLLSCAN" in _stages(answer, "winningPlan")
            # Which plan wins among few rows is chance: one without a sort must be there.
            plans = [_stages({"plan": each}, "plan") for each in _plans(answer)]
            sorts = bool(plans) and all("SORT" in plan for plan in plans)
            blocking = any("sortKey" in each.get("$sort", ()) for each in _parts(answer))
            if (scans or sorts or blocking) and not any(name.startswith(each) for each in allowed):
                found.append(f"{name}: {'scans' if scans else 'sorts'}")
        return sorted(found)


KINDS = Kinds()
"""Of this process, whatever Landfalls there are in it."""


def of_tests() -> bool:
    """True if a test itself is the reader."""
    frame = sys._getframe(2)
    while frame is not None and frame.f_code.co_filename in CARRIERS:
        frame = frame.f_back  # type: ignore[assignment]
    return frame is not None and frame.f_code.co_filename.startswith(TESTS)


def reads_of(command: Document) -> Iterator[tuple[str, Stages]]:
    """The filters of a command, each as the beginning of a pipeline of its own."""
    name, collection = next(iter(command.items()))
    if name == "find":
        yield collection, _stages_of(command.get("filter"), command.get("sort"))
    elif name == "aggregate":
        yield from _branches(collection, command["pipeline"])
    elif name in ("findAndModify", "count"):
        yield collection, _stages_of(command.get("query"), command.get("sort"))
    elif name in ("update", "delete"):
        for each in (*command.get("updates", ()), *command.get("deletes", ())):
            yield collection, _stages_of(each["q"], None)


def _stages_of(query: Any, sort: Any) -> Stages:
    return [{"$match": dict(query or {})}, *([{"$sort": dict(sort)}] if sort else [])]


def _branches(collection: Any, stages: Stages) -> Iterator[tuple[str, Stages]]:
    """Unions and look-ups read for themselves; what comes after a group is bounded by it."""
    own: list[Document] = []
    for stage in stages:
        if "$unionWith" in stage:
            union = stage["$unionWith"]
            yield from _branches(union.get("coll", 1), union["pipeline"])
        elif "$lookup" in stage:
            lookup = stage["$lookup"]
            joined = {"$match": {lookup["foreignField"]: {"$in": ["x"]}}}
            yield from _branches(lookup["from"], [joined, *lookup.get("pipeline", ())])
        elif {"$match", "$sort"} & stage.keys():
            own.append(stage)
        elif "$group" in stage:
            break
    if isinstance(collection, str):
        yield collection, own


def _kind(value: Any) -> str:
    """A query without its values; of enumerations and flags they say which partial index may be read."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{name}: {_kind(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(dict.fromkeys(map(_kind, value))) + "]"
    named = isinstance(value, bool) or value is None or (isinstance(value, str) and value.isupper())
    return str(value) if named else "?"


def _plans(answer: Document) -> Iterator[Document]:
    for part in _parts(answer):
        if "winningPlan" in part:
            yield part["winningPlan"]
            yield from part.get("rejectedPlans", ())


def _stages(answer: Document, name: str) -> list[str]:
    plans = [part[name] for part in _parts(answer) if name in part]
    return [each["stage"] for plan in plans for each in _parts(plan) if "stage" in each]


def _parts(value: Any) -> Iterator[Document]:
    """All documents within one, itself first."""
    if isinstance(value, Mapping):
        yield value
        for inner in value.values():
            yield from _parts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _parts(inner)
