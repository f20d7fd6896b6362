"""Collection declarations: document type, indexes and shard key."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypedDict, TypeVar, cast

from pymongo.errors import OperationFailure

from core import paging
from core.storage import mongo
from core.storage.indexes import Index, settle
from core.storage.indexes import index as index
from core.storage.mongo import MAX_ROWS, Database
from core.storage.moves import Moves

T = TypeVar("T", bound=Mapping[str, Any])
Target = str | Mapping[str, Any]
"""Target of a write: the document, or its id with its shard key; an id where that is enough."""

NAMESPACE_EXISTS = 48
BATCH = 200

COLLECTIONS: dict[str, "Collection[Any]"] = {}


class Row(TypedDict):
    """Fields of every document of a synced collection: the unit of work writes them."""

    _id: str
    version: int
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Sealed:
    """A field that the deployment's keys encrypt, and the place its text is bound to.

    `place` names other fields of the document in braces, `users/{_id}/phone`; `key:...`: a wrapped data key.
    """

    field: str
    place: str

    def text_of(self, row: Mapping[str, Any]) -> str:
        return str(_at(row, self.field))

    def place_of(self, row: Mapping[str, Any]) -> str:
        return self.place.format_map(row)


@dataclass(frozen=True, slots=True)
class Further:
    """A further node of a collection's documents: the same suffix behind another prefix, for other readers.

    `shown` makes the node's document of the stored one. It is logged when that is inserted or goes, and by
    `tx.changed_further` when it changes.
    """

    scopes: Callable[[Any], Iterable[str]]
    shown: Callable[[Any], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Collection(Generic[T]):
    """One MongoDB collection.

    `versioned` documents carry a version, which the unit of work raises with each change. `synced` ones do
    too, and are logged then: by the unit of work where `scopes` says who reads them, by the resolver
    otherwise. What a person owns, by the field `owner`, is in their export and goes with their account.
    Documents of `insert_only` collections are never changed and never deleted: neither the handle nor the
    database's account (`core.storage.privileges`) can. The hash of `shard_key` says on which shard a document
    lies; without one the collection lies whole on one of them. `moves` says which states may follow which.
    """

    name: str
    document: type[T]
    prefix: str | None = None
    indexes: tuple[Index, ...] = ()
    shard_key: str | None = "_id"
    synced: bool = False
    sealed: tuple[Sealed, ...] = ()
    scopes: Callable[[T], Iterable[str]] | None = None
    owner: str | None = None
    audience_never_shrinks: bool = False
    aspects: tuple[str, ...] = ()
    further: tuple[Further, ...] = ()
    moves: Moves | None = None
    versioned: bool = False
    insert_only: bool = False

    def key_of(self, target: Target) -> dict[str, Any]:
        """Write filter: names one document with its shard key, as the router of a sharded cluster demands."""
        key = self.shard_key
        if isinstance(target, str):
            if key not in (None, "_id"):
                raise TypeError(f"A write to {self.name!r} names `{key}` beside `_id`: pass the document.")
            return {"_id": target}
        named = {"_id": target["_id"]}
        if key is not None:
            try:
                named[key] = _at(target, key)
            except KeyError:
                raise TypeError(f"A write to {self.name!r} names its shard key `{key}`.") from None
        return named

    async def find(
        self,
        db: Database,
        query: Mapping[str, Any],
        *,
        sort: Sequence[tuple[str, int]] = (),
        limit: int = MAX_ROWS,
        fields: Sequence[str] = (),
        batch: bool = False,
        hint: str | None = None,
    ) -> list[T]:
        """Rows of a query; `batch` for small indexed ones, which may travel with others."""
        found = await db.find(self.name, query, sort=sort, limit=limit, fields=fields, batch=batch, hint=hint)
        return cast("list[T]", found)

    async def first(
        self, db: Database, query: Mapping[str, Any], *, sort: Sequence[tuple[str, int]] = ()
    ) -> T | None:
        rows = await self.find(db, query, sort=sort, limit=1)
        return rows[0] if rows else None

    async def batches(
        self,
        db: Database,
        query: Mapping[str, Any],
        *,
        after: str = "",
        size: int = BATCH,
        fields: Sequence[str] = (),
        scan: bool = False,
    ) -> AsyncIterator[list[T]]:
        """All rows of a query by `_id`, so many at a time; each row once, whatever becomes of it meanwhile.

        `scan` reads along the index of `_id`: for queries that no other index serves.
        """
        hint = "_id_" if scan else None
        while True:
            where = {"$and": [query, {"_id": {"$gt": after}}]} if after or scan else query
            rows = await self.find(db, where, sort=[("_id", 1)], limit=size, fields=fields, hint=hint)
            if rows:
                yield rows
            if len(rows) < size:
                return
            after = rows[-1]["_id"]

    async def batches_in_order(
        self,
        db: Database,
        query: Mapping[str, Any],
        order: paging.Sort,
        *,
        size: int = BATCH,
        fields: Sequence[str] = (),
    ) -> AsyncIterator[list[T]]:
        """The same in an order that an index serves: by `_id` each batch would sort all rows of the query."""
        keys = [key for key, _ in order]
        page = paging.KeysetPage(size)
        while True:
            where = {"$and": [query, paging.after_filter(order, page)]}
            shown = (*fields, *keys) if fields else ()
            rows = await self.find(db, where, sort=order, limit=size, fields=shown)
            if rows:
                yield rows
            if len(rows) < size:
                return
            page = paging.KeysetPage(size, position=tuple(rows[-1][key] for key in keys))

    async def page(
        self,
        db: Database,
        query: Mapping[str, Any],
        sort: paging.Sort,
        args: paging.PageArgs,
        *,
        listing: paging.Listing | None = None,
        shown: Callable[[T], Mapping[str, Any]] | None = None,
    ) -> dict[str, Any]:
        """Relay connection: the page of the query's rows that the arguments ask for, in the sort's order.

        Its cursors are good for this query alone, or for the `listing` where edges are made elsewhere too;
        `shown` makes a node of a row. The query may hold anything, `$or` included: the place in the list is
        joined to it, never merged into it.
        """
        named = listing or paging.Listing(self.name, query=query, sort=sort)
        page = paging.parse_page(named, sort, args)
        where = {"$and": [query, beyond]} if (beyond := paging.after_filter(sort, page)) else query
        rows: Sequence[Any] = await self.find(
            db, where, sort=paging.sort_order(sort, page), limit=page.size + 1
        )
        return paging.connection(named, sort, page, [shown(row) for row in rows] if shown else rows)

    def edge(self, query: Mapping[str, Any], sort: paging.Sort, row: T) -> dict[str, Any]:
        """Relay edge of a row by itself, at the place that `page` of the same query gives it."""
        return paging.edge_of(paging.Listing(self.name, query=query, sort=sort), sort, row)

    async def by_ids(self, db: Database, ids: Iterable[str], *, fields: Sequence[str] = ()) -> list[T]:
        wanted = list(dict.fromkeys(ids))
        return cast("list[T]", await db.by_ids(self.name, wanted, fields=fields))

    async def by_id(self, db: Database, target: Target) -> T | None:
        """One document; by an id alone it is looked for on every shard where `_id` is not the key."""
        if isinstance(target, str):
            rows = await self.by_ids(db, [target])
        else:
            rows = await self.find(db, self.key_of(target), limit=1, batch=True)
        return rows[0] if rows else None

    async def update_one(
        self, db: Database, query: Mapping[str, Any], change: Any, *, upsert: bool = False
    ) -> dict[str, Any]:
        """Update one document past the unit of work, which logs nothing of it; what the server says."""
        update = {"q": query, "u": change, "upsert": upsert}
        return await db.write({"update": self.name, "updates": [update]})

    async def upsert_each(self, db: Database, ids: Iterable[str], change: Any) -> list[T]:
        """Change documents, made where there are none, past the unit of work, and read them, at once."""
        named = list(dict.fromkeys(ids))
        if not named:
            return []
        updates = [{"q": {"_id": id}, "u": change, "upsert": True} for id in named]
        await db.write_ahead({"update": self.name, "updates": updates}, lambda error: error)
        return await self.by_ids(db, named)

    async def delete_one(self, db: Database, query: Mapping[str, Any]) -> dict[str, Any]:
        """Delete one document past the unit of work, which logs nothing of it; what the server says."""
        return await db.write({"delete": self.name, "deletes": [{"q": query, "limit": 1}]})

    async def delete_all(self, db: Database, query: Mapping[str, Any]) -> None:
        """Delete all rows of a query at once: of what nobody syncs, and of which there may be many."""
        await db.write({"delete": self.name, "deletes": [{"q": query, "limit": 0}]})

    async def per_parent(
        self,
        db: Database,
        key: str,
        parents: Sequence[str],
        *,
        sort: Sequence[tuple[str, int]],
        limit: int,
        where: Mapping[str, Any] | None = None,
        fields: Sequence[str] = (),
    ) -> dict[str, list[T]]:
        """The first `limit` rows of each parent in one command, each parent read through the index."""
        if not parents:
            return {}
        rows = await db.aggregate(
            1,
            [
                {"$documents": [{"_id": parent} for parent in dict.fromkeys(parents)]},
                {
                    "$lookup": {
                        "from": self.name,
                        "localField": "_id",
                        "foreignField": key,
                        "pipeline": [
                            *([{"$match": where}] if where else []),
                            {"$sort": dict(sort)},
                            {"$limit": limit},
                            *([{"$project": dict.fromkeys(fields, 1)}] if fields else []),
                        ],
                        "as": "rows",
                    }
                },
            ],
            batch=True,
        )
        return {row["_id"]: row["rows"] for row in rows}


def collection(
    name: str,
    document: type[T],
    *,
    prefix: str | None = None,
    indexes: Sequence[Index] = (),
    shard_key: str | None = "_id",
    synced: bool = False,
    sealed: Sequence[Sealed] = (),
    owner: str | None = None,
    moves: Moves | None = None,
    versioned: bool = False,
    insert_only: bool = False,
) -> Collection[T]:
    """Declare a collection; its name is taken once. Its `sealed` fields can be re-encrypted with another key.

    `owner` is the field with the id of whom a document belongs to.
    """
    declared = Collection(
        name,
        document,
        prefix,
        tuple(indexes),
        shard_key,
        synced,
        tuple(sealed),
        owner=owner,
        moves=moves,
        versioned=versioned or synced,
        insert_only=insert_only,
    )
    return _declare(declared)


def entity(
    name: str,
    document: type[T],
    *,
    prefix: str,
    scopes: Callable[[T], Iterable[str]] | None = None,
    owner: str | None = None,
    indexes: Sequence[Index] = (),
    shard_key: str | None = "_id",
    sealed: Sequence[Sealed] = (),
    audience_never_shrinks: bool = False,
    aspects: Sequence[str] = (),
    further: Sequence[Further] = (),
    moves: Moves | None = None,
) -> Collection[T]:
    """Declare a synced collection whose writes log themselves for the readers in its `scopes`.

    `owner` is the field with the id of whom a document belongs to; unless `scopes` says more, nobody else
    reads it. A document with no scopes is gone for all who read it before; with `audience_never_shrinks` no
    reader ever loses one. `aspects` are logged beside a document, by its resolvers, and go with it; `further`
    are nodes of their own that the same document holds.
    """
    if scopes is None:
        if owner is None:
            raise ValueError(f"{name!r}: say who reads it, by `scopes` or `owner`.")
        scopes, audience_never_shrinks = _owners_scope(owner), True
    declared = Collection(
        name,
        document,
        prefix,
        tuple(indexes),
        shard_key,
        True,
        tuple(sealed),
        scopes,
        owner,
        audience_never_shrinks,
        tuple(aspects),
        tuple(further),
        moves,
        versioned=True,
    )
    return _declare(declared)


def _at(document: Any, path: str) -> Any:
    for name in path.split("."):
        document = document[name]
    return document


def _owners_scope(owner: str) -> Callable[[Any], Iterable[str]]:
    return lambda document: (f"user:{document[owner]}",)


def _declare(declared: Collection[T]) -> Collection[T]:
    if declared.name in COLLECTIONS:
        raise ValueError(f"The collection {declared.name!r} is declared twice.")
    COLLECTIONS[declared.name] = declared
    if declared.insert_only:
        mongo.INSERT_ONLY.add(declared.name)
    return declared


async def ensure_indexes(db: Database) -> None:
    """Create missing indexes and rebuild changed ones; processes that start concurrently may all do so."""
    existing = await _names(db)
    for declared in COLLECTIONS.values():
        if declared.name not in existing:
            await _create(db, declared.name)
        if declared.indexes:
            await settle(db, declared.name, declared.indexes)


async def _names(db: Database) -> set[str]:
    rows = await db.command({"listCollections": 1, "nameOnly": True, "cursor": {"batchSize": MAX_ROWS}})
    return {row["name"] for row in rows["cursor"]["firstBatch"]}


async def _create(db: Database, name: str) -> None:
    """Made beforehand: a transaction that makes one conflicts with its neighbours."""
    try:
        await db.command({"create": name})
    except OperationFailure as error:
        if error.code != NAMESPACE_EXISTS:
            raise
