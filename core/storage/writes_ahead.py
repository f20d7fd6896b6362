"""Writes ahead: writes of a transaction that wait for its next command, and travel with it."""

from collections.abc import Callable, Iterator
from typing import Any

from pymongo.errors import PyMongoError

Refusal = Callable[[PyMongoError], BaseException]

MOST_DOCUMENTS = 100
"""New documents of one command: it holds 16 MB at most."""


class WriteAhead:
    """One command; several new documents of a collection, one after the other, are one."""

    __slots__ = ("_refusals", "command")

    def __init__(self, command: dict[str, Any], refused: Refusal) -> None:
        self.command = command
        self._refusals = [refused]

    def join(self, command: dict[str, Any], refused: Refusal) -> bool:
        """Let a new document come along, if it is of the same collection; False if it is not."""
        added = command.get("documents", ())
        fits = len(added) == 1 and 0 < len(self.command.get("documents", ())) < MOST_DOCUMENTS
        if not fits or command["insert"] != self.command["insert"]:
            return False
        self.command = {**self.command, "documents": [*self.command["documents"], *added]}
        self._refusals.append(refused)
        return True

    def refused(self, error: PyMongoError) -> BaseException:
        """Error to raise for one of the command, or of one of its documents."""
        details: Any = getattr(error, "details", None) or {}
        place = details.get("index", 0)
        return self._refusals[place if place < len(self._refusals) else 0](error)


class WritesAhead:
    """The writes of a transaction that wait, in their order."""

    __slots__ = ("_writes",)

    def __init__(self) -> None:
        self._writes: list[WriteAhead] = []

    def __iter__(self) -> Iterator[WriteAhead]:
        return iter(self._writes)

    def add(self, command: dict[str, Any], refused: Refusal) -> None:
        if not self._writes or not self._writes[-1].join(command, refused):
            self._writes.append(WriteAhead(command, refused))
