"""State machines: which states of a document may follow which, in one table beside its collection.

    products = entity(..., moves=Moves({HIDDEN: {ACTIVE}, ACTIVE: {DISCONTINUED}, DISCONTINUED: {ACTIVE}}))

The unit of work holds every write to the table: one that sets the state is conditional on a state that it may
leave, so that two who move the same document never both succeed.
"""

from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import Any

from core.errors import UserError


class Moves:
    """State machine of a collection: from each state those that may follow, none after a final one.

    `field` holds the state. A write that leaves the state as it is is no move, and always allowed.
    """

    def __init__(
        self, table: Mapping[Any, Collection[Any]], *, field: str = "status", code: str = "WRONG_STATUS"
    ) -> None:
        self.table: dict[StrEnum, frozenset[StrEnum]] = {
            state: frozenset(following) for state, following in table.items()
        }
        if unknown := frozenset().union(*self.table.values()) - self.table.keys():
            raise ValueError(f"No row of the table begins with {sorted(unknown)}.")
        self.field, self.code = field, code
        self._into = {
            state: [was for was, following in self.table.items() if state in following or was == state]
            for state in self.table
        }

    def before(self, state: StrEnum) -> list[StrEnum]:
        """States from which a document moves to this one: a filter that a repeated move does not pass."""
        return [was for was in self._into[state] if was != state]

    def condition(self, changes: Mapping[str, Any], where: Mapping[str, Any]) -> dict[str, Any]:
        """Filter that a write of these changes needs beside `where`: the states from which it may be done.

        ValueError where `where` names others: the resolver and the table contradict each other.
        """
        if self.field not in changes:
            return {}
        allowed = self._into[changes[self.field]]
        if self.field not in where:
            return {self.field: {"$in": allowed}}
        named = where[self.field]
        if not set(named["$in"] if isinstance(named, Mapping) else [named]) <= set(allowed):
            raise ValueError(f"From {named} nothing becomes {changes[self.field]}: see the table of moves.")
        return {}

    def refusal(self, document: Mapping[str, Any], **entities: Any) -> UserError:
        """The refusal of a move that the document's state does not allow."""
        return UserError(
            self.code,
            "It is {status}.",
            field=[self.field],
            values={"status": document[self.field]},
            **entities,
        )

    def drawn(self) -> str:
        """The table as a Mermaid state diagram."""
        begins = next(iter(self.table))
        lines = ["stateDiagram-v2", f"    [*] --> {begins}"]
        for was, following in self.table.items():
            order = [state for state in self.table if state in following]
            lines += [f"    {was} --> {state}" for state in order]
            if not following:
                lines.append(f"    {was} --> [*]")
        return "\n".join(lines)
