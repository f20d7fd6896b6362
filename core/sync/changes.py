"""The change log: one document per changed entity, its latest change, written in the writer's transaction.

`scopes` are the readers who may see the entity (`user:<id>`, `post:<id>`); a scope that loses sight moves to
`former_scopes`, so its readers learn of it as a deletion. Entries of type MEMBERSHIP say that a reader gained
or lost a whole scope. `node` is the entity to show: an aspect of a thing (its reactions) has an entry of its
own.

Formats of an entry's `_id`, which `core/storage/unit.py` writes and `aspect_of` reads:

    post_01h4...                    the entity itself
    reactions:post_01h4...          an aspect of it, `<aspect>:<id>`; aspects may hold colons
    again:user_01h...:post_01h4...  an entity that did not change, but reads differently for this person
    scope:user_01h...:<scope>       type MEMBERSHIP: the person gained the scope, or lost it (`detail.lost`)
    again:user_01h...:<scope>       type MEMBERSHIP: it reads differently for this person (`detail.again`)

Entries of type NOTE are of no entity; each system chooses their ids.
"""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NotRequired, TypedDict, cast

from pymongo.errors import OperationFailure

from core.storage import merging
from core.storage.migrations import migration, rename_fields
from core.storage.mongo import Database
from core.storage.store import collection, index
from core.sync.log_offset import LogOffset

KEPT = timedelta(days=90)
"""Retention of tombstones and former scopes; an older token starts over."""

UNKNOWABLE = (13, 72)
"""Error codes of `getParameter` that is not allowed: for users without the right, and on a sharded router."""

MEMBERSHIP = "MEMBERSHIP"
NOTE = "NOTE"
"""Types of entries that are no entities: a membership, and a notice to read something again."""


class Entry(TypedDict):
    _id: str
    type: str
    node: str
    version: int
    scopes: list[str]
    former_scopes: list[str]
    at: datetime
    revision: int
    deleted: bool
    created: bool
    scope: NotRequired[str]
    detail: NotRequired[dict[str, Any]]
    archived: NotRequired[bool]


log = collection(
    "changes",
    Entry,
    indexes=[
        # `archived` is last: what a first sync leaves out is passed over in the index, without its document.
        index("scopes", "at", "_id", "archived"),
        index("former_scopes", "at", "_id"),
        # Tombstones and notes expire: living entities keep their entry for first syncs.
        index("expires_at", expireAfterSeconds=0, partialFilterExpression={"expires_at": {"$exists": True}}),
    ],
)


@migration("core.log-names")
async def _log_names(db: Database) -> int:
    """Give entries of earlier versions today's names."""
    renamed = await rename_fields(db, log, {"former": "former_scopes", "aged": "archived"})
    older = {"q": {"type": "SCOPE"}, "u": {"$set": {"type": MEMBERSHIP}}, "multi": True}
    answer = await db.write({"update": log.name, "updates": [older]})
    return renamed + int(answer["nModified"])


@dataclass(frozen=True, slots=True)
class Change:
    """One change to log at commit."""

    id: str
    type: str
    node: str
    version: int
    scopes: tuple[str, ...] | None
    deleted: bool = False
    created: bool = False
    audience_never_shrinks: bool = False
    """True if it never loses a scope: then no former reader must be notified."""
    scope: str | None = None
    detail: dict[str, Any] | None = None
    brief: bool = False
    """True if it is news only for those who have synchronised before."""

    @property
    def expires(self) -> bool:
        """True if the entry expires: it need not outlive the oldest good token."""
        return self.deleted or self.brief or self.type == NOTE


def user_scope(user_id: str) -> str:
    return f"user:{user_id}"


def aspect_of(entry: Entry) -> str:
    """Aspect of the node that an entry is about: "reactions"; empty for the node itself."""
    return entry["_id"].removesuffix(entry["node"]).rstrip(":")


def place(entry: Entry) -> LogOffset:
    """Offset of the entry in the log, with the number of its change."""
    return LogOffset(entry["at"], entry["_id"], entry["revision"])


def appending(changes: Iterable[Change], *, new: Container[str] = ()) -> list[dict[str, Any]]:
    """Command that upserts the entries, if there are any; DuplicateKeyError where a `new` id is taken.

    So ids are unique over all shards, even of documents whose shard key is not `_id`.
    """
    updates = [
        {
            "q": {"_id": change.id, **({"deleted": True} if change.id in new else {})},
            "u": _upsert(change),
            "upsert": True,
        }
        for change in changes
    ]
    return [{"update": log.name, "updates": updates, "ordered": True}] if updates else []


def _upsert(change: Change) -> list[dict[str, Any]]:
    """A pipeline, because `former_scopes` depends on the scopes the entry had."""
    kept = {"$ifNull": ["$scopes", []]}
    scopes: Any = kept if change.scopes is None else list(change.scopes)
    if change.deleted:
        scopes = []
    fields: dict[str, Any] = {
        "type": change.type,
        "node": change.node,
        "version": change.version,
        "former_scopes": {
            "$setDifference": [{"$setUnion": [kept, {"$ifNull": ["$former_scopes", []]}]}, scopes]
        },
        "scopes": scopes,
        "at": "$$NOW",
        "revision": {"$add": [{"$ifNull": ["$revision", 0]}, 1]},
        "deleted": change.deleted,
        "created": change.created,
        "scope": change.scope,
        "detail": {"$literal": change.detail},
        "expires_at": {"$add": ["$$NOW", int(KEPT.total_seconds() * 1000)]} if change.expires else "$$REMOVE",
    }
    return [{"$set": fields}]


async def since(
    db: Database,
    scopes: Sequence[str],
    *,
    after: LogOffset | None = None,
    floor: datetime | None = None,
    limit: int,
    former_scopes: bool = True,
    archived: bool = True,
) -> list[Entry]:
    """Entries of the scopes in log order, strictly past `after`, else at or past `floor`.

    It looks at no more than about three times what it returns, however many scopes and entries there are.
    """
    fields = ("scopes", "former_scopes") if former_scopes else ("scopes",)
    among: dict[str, Any] = {} if archived else {"archived": {"$ne": True}}
    queries = [{field: {"$in": group}, **among} for field in fields for group in merging.groups(scopes)]
    if len(queries) > len(fields):
        places = await _first_of(db, queries, after, floor, limit, shown=("at",))
        found = {entry["_id"]: entry for entry in await named(db, [each["_id"] for each in places])}
        if len(found) == len(places):
            # An entry written again since is given here, and once more at its later place.
            return [cast("Entry", {**found[each["_id"]], "at": each["at"]}) for each in places]
    return cast("list[Entry]", await _first_of(db, queries, after, floor, limit))


async def _first_of(
    db: Database,
    queries: Sequence[dict[str, Any]],
    after: LogOffset | None,
    floor: datetime | None,
    limit: int,
    *,
    shown: Sequence[str] = (),
) -> list[dict[str, Any]]:
    """The first rows of the queries together. An entry may be in many of them: of several groups of scopes
    only the places are read, which the index has, and then each entry once."""
    reads = [_reading(db, query, after, floor, shown) for query in queries]
    return await merging.first_of(reads, _order, limit) if reads else []


def _order(row: dict[str, Any]) -> tuple[datetime, str]:
    return row["at"], row["_id"]


def _reading(
    db: Database,
    query: dict[str, Any],
    after: LogOffset | None,
    floor: datetime | None,
    shown: Sequence[str],
) -> merging.Read:
    """Return a reader of a group of scopes by one field: of all of each row, or of `shown` beside its id."""
    order = [("at", 1), ("_id", 1)]
    cut: list[dict[str, Any]] = [{"$project": dict.fromkeys(shown, 1)}] if shown else []

    async def read(last: dict[str, Any] | None, limit: int) -> list[dict[str, Any]]:
        place = LogOffset(*_order(last)) if last else after
        if place is None:
            bounded = {**query, "at": {"$gte": floor}} if floor else query
            return await db.find(log.name, bounded, sort=order, limit=limit, fields=shown, batch=True)
        # Two ranges, one after the other: an `$or` of them would have every match read and sorted.
        # Of one moment by id alone: else MongoDB does not see that the index has them in order.
        same = [*_range({**query, "at": place.at, "_id": {"$gt": place.id}}, {"_id": 1}, limit), *cut]
        later = [*_range({**query, "at": {"$gt": place.at}}, dict(order), limit), *cut]
        stages = [*same, {"$unionWith": {"coll": log.name, "pipeline": later}}, {"$limit": limit}]
        return await db.aggregate(log.name, stages, limit=limit + 1, batch=True)

    return read


def _range(query: dict[str, Any], order: dict[str, int], limit: int) -> list[dict[str, Any]]:
    return [{"$match": query}, {"$sort": order}, {"$limit": limit}]


async def archive(db: Database, ids: Sequence[str]) -> None:
    """Leave these out of first syncs: they are the old end of a long list, to be read through the list.

    Devices that have synchronised before still get every change to them.
    """
    update = {"q": {"_id": {"$in": list(ids)}}, "u": {"$set": {"archived": True}}, "multi": True}
    await db.write({"update": log.name, "updates": [update]})


async def named(db: Database, ids: Sequence[str]) -> list[Entry]:
    rows = await db.by_ids(log.name, list(dict.fromkeys(ids)))
    return rows  # type: ignore[return-value]


async def database_time(db: Database) -> datetime:
    """MongoDB's clock, by which `at` is written: ours may differ."""
    answer: datetime = (await db.command({"hello": 1}))["localTime"]
    return answer


async def overlap(db: Database, assumed: float) -> timedelta:
    """Time after its `at` in which a change may still be committed: the server's limit on transactions.

    A user with rights on its own database alone may not read it: then it is what the settings assume.
    """
    limit = "transactionLifetimeLimitSeconds"
    try:
        answer = await db.client["admin"].command({"getParameter": 1, limit: 1})
    except OperationFailure as error:
        if error.code not in UNKNOWABLE:
            raise
        answer = {limit: assumed}
    return timedelta(seconds=float(answer[limit]) + 1)
