"""Indexes as they are declared, and as a database has them: those that differ are rebuilt."""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
import structlog
from pymongo.errors import DuplicateKeyError, OperationFailure, PyMongoError

from core.storage.mongo import Database

logger = structlog.get_logger(__name__)

INDEX_NOT_FOUND = 27
PROGRESS_SECONDS = 5.0
SHOWN_ROWS, SHOWN_GROUPS = 4, 5
OPTIONS = ("unique", "sparse", "partialFilterExpression", "expireAfterSeconds")
"""Options that make two indexes of the same keys different."""

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
A_MOMENT = {"$gt": LONG_AGO}
A_TEXT = {"$gt": ""}
"""Filters of partial indexes, for keys that may be null. MongoDB reads such an index only for queries that
imply its filter: equality implies these two, `due` implies the first, and nothing implies `$type`."""


def due(key: str, until: datetime) -> dict[str, Any]:
    """Rows whose moment has come, by an index of those that have one (`A_MOMENT`)."""
    return {key: {**A_MOMENT, "$lte": until}}


@dataclass(frozen=True, slots=True)
class Index:
    keys: tuple[tuple[str, int], ...]
    options: dict[str, Any] = field(default_factory=dict)
    serves: Mapping[str, Any] | None = None
    """A query as it is asked, of a partial index: a test explains that the index is read for it."""

    @property
    def name(self) -> str:
        return "_".join(f"{key}_{way}" for key, way in self.keys)

    @property
    def definition(self) -> dict[str, Any]:
        return {"key": dict(self.keys), "name": self.name, **self.options}

    @property
    def other_name(self) -> str:
        """For one that is built while its predecessor of the same keys is still read."""
        told = orjson.dumps(self.options, option=orjson.OPT_SORT_KEYS, default=str)
        return f"{self.name}_{hashlib.blake2b(told, digest_size=4).hexdigest()}"


def index(*keys: str, serves: Mapping[str, Any] | None = None, **options: Any) -> Index:
    """`index("author_id", "-created_at", unique=True)`: a leading minus sorts downwards."""
    parts = ((key.lstrip("-"), -1 if key.startswith("-") else 1) for key in keys)
    return Index(tuple(parts), options, serves)


class NotUnique(RuntimeError):
    """A unique index cannot be built: the message names the rows that are in its way."""

    def __init__(self, collection: str, doubles: Sequence[tuple[str, Sequence[Any]]]) -> None:
        same = "; ".join(f"{', '.join(map(str, rows))} (the same {keys})" for keys, rows in doubles)
        super().__init__(
            f"A unique index of the collection {collection} cannot be built, because of these documents: "
            f"{same or 'unknown ones'}. Keep one of each, then start again."
        )


async def settle(db: Database, collection: str, declared: Sequence[Index]) -> None:
    """Make the collection's indexes those that are declared, while it is read and written.

    An index that has another definition now is replaced: the new one is built beside it first, so that
    queries and uniqueness never go without. Only one without options is dropped before: it keeps its name, by
    which queries may ask for it. Indexes of keys that are not declared are others', and stay.
    """
    existing = await _existing(db, collection)
    missing = [each for each in declared if not any(_same(each, other) for other in existing)]
    stale = [
        other
        for other in existing
        if any(each.keys == _keys(other) for each in declared)
        and not any(_same(each, other) for each in declared)
    ]
    replacing = {_keys(other) for other in stale}
    fresh = [each.definition for each in missing if each.keys not in replacing]
    if fresh:
        await _build(db, collection, fresh)
    for each in missing:
        if each.keys in replacing:
            await _replace(db, collection, each, stale)
    for other in stale:
        await _drop(db, collection, other["name"])


async def retire(db: Database, collection: str, *keys: str) -> int:
    """Drop the indexes of keys that are declared no more; how many there were."""
    former = index(*keys).keys
    found = [each for each in await _existing(db, collection) if _keys(each) == former]
    for each in found:
        await _drop(db, collection, each["name"])
    return len(found)


async def _replace(db: Database, collection: str, wanted: Index, stale: list[dict[str, Any]]) -> None:
    """Build the index beside those of its keys, or in their place where it cannot be otherwise."""
    logger.info("index changed", collection=collection, index=wanted.name)
    definition = wanted.definition
    for other in [other for other in stale if _keys(other) == wanted.keys]:
        if not wanted.options or _but_for_expiry(wanted, other):
            # MongoDB takes two that differ in their expiry alone for one.
            stale.remove(other)
            await _drop(db, collection, other["name"])
        elif other["name"] == wanted.name:
            definition["name"] = wanted.other_name
    await _build(db, collection, [definition])


async def _build(db: Database, collection: str, definitions: Sequence[dict[str, Any]]) -> None:
    """Build the indexes without a timeout: a big collection needs minutes, so progress is logged."""
    loop = asyncio.get_running_loop()
    began, names = loop.time(), [each["name"] for each in definitions]
    command = {"createIndexes": collection, "indexes": list(definitions)}
    building = asyncio.ensure_future(db.command(command))
    try:
        while not (await asyncio.wait([building], timeout=PROGRESS_SECONDS))[0]:
            took, far = round(loop.time() - began), await _progress(db, collection)
            logger.info("building indexes", collection=collection, indexes=names, seconds=took, **far)
        await building
    except DuplicateKeyError:
        raise NotUnique(collection, await _doubles(db, collection, definitions)) from None
    finally:
        building.cancel()


async def _progress(db: Database, collection: str) -> dict[str, Any]:
    """Progress of an index build in the collection; empty for a user who may not read it."""
    stages = [
        {"$currentOp": {"allUsers": True}},
        {"$match": {"command.createIndexes": collection, "progress.total": {"$gt": 0}}},
        {"$project": {"progress": 1}},
        {"$limit": 1},
    ]
    command = {"aggregate": 1, "pipeline": stages, "cursor": {}, "maxTimeMS": 1_000}
    try:
        answer = await db.client["admin"].command(command)
    except PyMongoError:
        return {}
    for row in answer["cursor"]["firstBatch"]:
        return {"percent": round(100 * row["progress"]["done"] / row["progress"]["total"])}
    return {}


async def _doubles(
    db: Database, collection: str, definitions: Sequence[Mapping[str, Any]]
) -> list[tuple[str, list[Any]]]:
    """The unique keys that rows share, and the ids of such rows: of each key a few."""
    found = []
    for each in definitions:
        if each.get("unique"):
            names = {f"k{place}": f"${key}" for place, key in enumerate(each["key"])}
            rows = {"$firstN": {"input": "$_id", "n": SHOWN_ROWS}}
            stages: list[dict[str, Any]] = [
                {"$match": each.get("partialFilterExpression", {})},
                {"$group": {"_id": names, "rows": rows, "count": {"$sum": 1}}},
                {"$match": {"count": {"$gt": 1}}},
                {"$limit": SHOWN_GROUPS},
            ]
            command = {"aggregate": collection, "pipeline": stages, "cursor": {}, "allowDiskUse": True}
            answer = await db.command(command)
            found += [(", ".join(each["key"]), row["rows"]) for row in answer["cursor"]["firstBatch"]]
    return found


async def _existing(db: Database, collection: str) -> list[dict[str, Any]]:
    answer = await db.command({"listIndexes": collection, "cursor": {"batchSize": 100}})
    found: list[dict[str, Any]] = answer["cursor"]["firstBatch"]
    return found


async def _drop(db: Database, collection: str, name: str) -> None:
    try:
        await db.command({"dropIndexes": collection, "index": name})
    except OperationFailure as error:
        # Another process that starts beside us did it.
        if error.code != INDEX_NOT_FOUND:
            raise


def _keys(existing: Mapping[str, Any]) -> tuple[tuple[str, Any], ...]:
    return tuple(existing["key"].items())


def _same(declared: Index, existing: Mapping[str, Any]) -> bool:
    return declared.keys == _keys(existing) and all(
        declared.options.get(name) == existing.get(name) for name in OPTIONS
    )


def _but_for_expiry(declared: Index, existing: Mapping[str, Any]) -> bool:
    name = "expireAfterSeconds"
    return declared.options.get(name) != existing.get(name) and all(
        declared.options.get(each) == existing.get(each) for each in OPTIONS if each != name
    )
