"""Edits of a unit of work: entities before and after, and the acts that were put on record."""

from collections.abc import Mapping
from typing import Any

Document = Mapping[str, Any]


class Edits:
    """Trail of a unit's writes, for the record of its act."""

    __slots__ = ("_rows", "acts", "wrote")

    def __init__(self) -> None:
        self.wrote = False
        """True once anything was written."""
        self.acts: set[str] = set()
        """Acts that were put on record, by their names."""
        self._rows: dict[str, tuple[Document, Document]] = {}

    def note(self, before: Document, after: Document) -> None:
        """Remember an edit; of several of one entity, what it was before all of them."""
        earlier = self._rows.get(before["_id"])
        self._rows[before["_id"]] = (earlier[0] if earlier else before, after)

    def of(self, id: str | None) -> tuple[Document, Document]:
        """Entity before and after its edits; nothing if it was not edited."""
        return self._rows.get(id or "", ({}, {}))
