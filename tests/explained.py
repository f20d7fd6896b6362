"""What MongoDB says of how it runs a read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from core.mongo import Database

ASIDE = ("lsid", "$clusterTime", "$db", "$readPreference", "txnNumber", "autocommit", "startTransaction")
ASIDE += ("maxTimeMS", "readConcern", "writeConcern")
"""Parts of a command that are no part of its plan."""


@dataclass(frozen=True, slots=True)
class Cost:
    """Documents and keys looked at; `scans` of whole collections and `sorts` in memory."""

    documents: int
    keys: int
    scans: int
    sorts: int


async def examined(db: Database, command: Mapping[str, Any]) -> Cost:
    """Run the read again and count."""
    plain = {name: value for name, value in command.items() if name not in ASIDE}
    answer = await db.command({"explain": plain, "verbosity": "executionStats"})
    statistics = [each["executionStats"] for each in _parts(answer) if "executionStats" in each]
    scans, sorts = shape(answer)
    return Cost(
        sum(each["totalDocsExamined"] for each in statistics),
        sum(each["totalKeysExamined"] for each in statistics),
        scans,
        sorts,
    )


def shape(answer: Mapping[str, Any]) -> tuple[int, int]:
    """How many scans of whole collections and sorts in memory a plan has."""
    stages = [each.get("stage") for part in _winning(answer) for each in _parts(part)]
    blocking = sum(1 for each in _parts(answer) if "$sort" in each and "sortKey" in each["$sort"])
    return stages.count("COLLSCAN"), stages.count("SORT") + blocking


def _winning(answer: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for part in _parts(answer):
        if "winningPlan" in part:
            yield part["winningPlan"]


def _parts(value: Any) -> Iterator[Mapping[str, Any]]:
    """All documents within one, itself first."""
    if isinstance(value, Mapping):
        yield value
        for inner in value.values():
            yield from _parts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _parts(inner)
