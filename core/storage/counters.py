"""Delta counters: counters of one document that many people move at once, without conflicts between them.

A transaction that has a counter to itself moves it in its document, like any other field. While another one
of this process is at it, or after a conflict with one of another process, it inserts a delta instead: a
document of its own, which conflicts with nothing. `core/storage/folding.py` adds the deltas up into the
counted document, in one transaction for all there are, before the requests that wrote them are answered. A
process that dies in between leaves its deltas to the next fold: each is added exactly once, because it is
deleted in the transaction that adds it.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypedDict

from core.storage.mongo import Database
from core.storage.store import Collection, collection, index

Document = Mapping[str, Any]


class Delta(TypedDict):
    """Increments that one transaction adds to the counters of a document."""

    _id: str
    counter: str
    """Names the `Counters` it belongs to."""
    subject_id: str
    moved: list[tuple[str, int]]
    """Fields, with dots inside them, and by how much they move."""
    aspect: str | None
    initial: Document | None
    created_at: datetime


deltas = collection(
    "counter_deltas", Delta, indexes=[index("subject_id"), index("created_at")], shard_key="subject_id"
)

Scopes = Callable[[Any], Iterable[str]]
Settle = Callable[[Any, str, Any], Awaitable[None]]

COUNTERS: dict[str, "Counters"] = {}


def always(document: Document) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Counters:
    """The counters of a collection's documents.

    `scopes` are the readers of a document, of an entity those it declares; None: its counters are not logged.
    While `audience_never_shrinks` of one, it keeps all its readers; with `version` they move its version.
    `settle` is called in the transaction of a fold with the document as it is now, None when it is gone: what
    depends on a counter, and what was written beside a deletion, is put right there, because a delta
    conflicts with nothing.
    """

    store: Collection[Any]
    scopes: Scopes | None = None
    audience_never_shrinks: Callable[[Any], bool] = always
    version: bool = False
    settle: Settle | None = None
    archive: Collection[Any] | None = None
    """Where a document is that was put away meanwhile."""

    def key(self, id: str) -> str:
        return f"{self.store.name}|{id}"

    async def counted(self, db: Database, id: str) -> Any:
        """The document that they count for, or where it was put away; None when it is gone."""
        found = await self.store.by_id(db, id)
        return found if found or self.archive is None else await self.archive.by_id(db, id)


def counters(
    store: Collection[Any],
    scopes: Scopes | None = None,
    *,
    audience_never_shrinks: Callable[[Any], bool] = always,
    version: bool = False,
    settle: Settle | None = None,
    archive: Collection[Any] | None = None,
) -> Counters:
    """Declare the counters of a collection, for `ctx.tx.count`."""
    if store.shard_key not in (None, "_id"):
        raise ValueError(f"What {store.name!r} counts is moved by `_id` alone, which is not its shard key.")
    declared = Counters(store, scopes or store.scopes, audience_never_shrinks, version, settle, archive)
    if COUNTERS.setdefault(store.name, declared) is not declared:
        raise ValueError(f"The counters of {store.name!r} are declared twice.")
    return declared


def with_moved(document: Document, moved: Iterable[tuple[str, int]]) -> dict[str, Any]:
    """A copy whose counters are moved: what MongoDB's `$inc` would make of it."""
    shown = dict(document)
    for field, by in moved:
        outer, _, inner = field.partition(".")
        if inner:
            shown[outer] = {**(shown.get(outer) or {})}
            shown[outer][inner] = shown[outer].get(inner, 0) + by
        else:
            shown[field] = shown.get(field, 0) + by
    return shown
