"""Request notes: which operations ran for a request, and the codes they failed with; for metrics and logs."""

from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from typing import Any

MOST_NOTED = 100
"""Codes noted of one request: a flush has many refusals."""
LONGEST_NAME = 100
ANONYMOUS = "(anonymous)"
UNREADABLE = "(unreadable)"
"""Label for an operation without a name, and for a document that does not parse."""


class Notes:
    """Outcome of a request, for logs and metrics."""

    __slots__ = ("codes", "operations")

    def __init__(self) -> None:
        self.operations: list[str] = []
        self.codes: list[str] = []


NOTES: ContextVar[Notes | None] = ContextVar("notes", default=None)
"""Of the request, or the operation on a socket, that is worked for."""


def begin() -> Notes:
    """Note for this task, and those it starts, from now on."""
    notes = Notes()
    NOTES.set(notes)
    return notes


def operation(name: str) -> None:
    notes = NOTES.get()
    if notes is not None and len(notes.operations) < MOST_NOTED:
        notes.operations.append(name[:LONGEST_NAME])


def code(code: str) -> None:
    notes = NOTES.get()
    if notes is not None and len(notes.codes) < MOST_NOTED:
        notes.codes.append(code)


def errors(answers: Any) -> None:
    """The codes of the errors in an answer's JSON, or in those of a batch."""
    for answer in answers if isinstance(answers, list) else (answers,):
        for error in answer.get("errors") or ():
            _code_of(error.get("extensions"))


def told(errors: Iterable[Any]) -> None:
    """The codes of GraphQL errors."""
    for error in errors:
        _code_of(error.extensions)


def _code_of(extensions: Mapping[str, Any] | None) -> None:
    code(str((extensions or {}).get("code", "INTERNAL")))
