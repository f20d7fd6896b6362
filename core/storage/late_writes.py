"""Late writes of a unit of work, sent with its log in one round trip: one command per kind and collection."""

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

from core.storage.store import Collection

T = TypeVar("T", bound=Mapping[str, Any])


class LateWrites:
    """Inserts, deletions, and documents that take the place of those with their id; the last one counts."""

    __slots__ = ("_deleted", "_inserted", "_replaced")

    def __init__(self) -> None:
        self._inserted: dict[str, list[Mapping[str, Any]]] = {}
        self._replaced: dict[str, dict[str, tuple[Mapping[str, Any] | None, Mapping[str, Any]]]] = {}
        """By id, the document and what the one in its place must match."""
        self._deleted: dict[str, list[Mapping[str, Any]]] = {}

    def insert(self, store: Collection[T], document: T) -> None:
        self._inserted.setdefault(store.name, []).append(document)

    def replace(
        self,
        store: Collection[T],
        id: str,
        document: T | None,
        *,
        where: Mapping[str, Any] | None = None,
    ) -> None:
        """Put the document in the place of the one with this id; None takes that away.

        DuplicateKeyError where there is one that does not match `where`.
        """
        self._replaced.setdefault(store.name, {})[id] = (document, where or {})

    def delete(self, store: Collection[T], query: Mapping[str, Any]) -> None:
        """Delete the one document of a query, if it is there still."""
        self._deleted.setdefault(store.name, []).append(query)

    def commands(self) -> Iterator[dict[str, Any]]:
        for name, documents in self._inserted.items():
            yield {"insert": name, "documents": documents}
        for name, queries in self._deleted.items():
            yield {"delete": name, "deletes": [{"q": query, "limit": 1} for query in queries]}
        for name, by_id in self._replaced.items():
            gone = [{"q": {"_id": id}, "limit": 1} for id, (document, _) in by_id.items() if document is None]
            put = [
                {"q": {"_id": id, **where}, "u": document, "upsert": True}
                for id, (document, where) in by_id.items()
                if document is not None
            ]
            if gone:
                yield {"delete": name, "deletes": gone}
            if put:
                yield {"update": name, "updates": put}
