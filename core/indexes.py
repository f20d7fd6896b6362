"""Indexes as they are declared, and as a database has them: what differs is built anew."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
import structlog
from pymongo.errors import OperationFailure

from core.mongo import Database

logger = structlog.get_logger(__name__)

INDEX_NOT_FOUND = 27
OPTIONS = ("unique", "sparse", "partialFilterExpression", "expireAfterSeconds")
"""What makes two indexes of the same keys different."""

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


async def settle(db: Database, collection: str, declared: Sequence[Index]) -> None:
    """Make the collection's indexes those that are declared, while it is read and written.

    An index that has another definition now is replaced: the new one is built beside it first, so that
    queries and uniqueness never go without. Only one without options is dropped before: it keeps its name, by
    which queries may ask for it. Indexes of keys that are not declared are somebody else's, and stay.
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
        await db.command({"createIndexes": collection, "indexes": fresh})
    for each in missing:
        if each.keys in replacing:
            await _replace(db, collection, each, stale)
    for other in stale:
        await _drop(db, collection, other["name"])


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
    await db.command({"createIndexes": collection, "indexes": [definition]})


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
