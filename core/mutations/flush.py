"""Flush: the mutations of one document, or of one array of operations, in their order.

The first with a transient error, which is to be retried as it is, defers all that follow: they are not run,
so that nothing overtakes it and nothing that depends on it fails for good. One that can be retried only
after a cure (repeatable), or met a bug, defers only the mutations that name the ids it minted.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from core import deadline, outages
from core.errors import ERROR_CODES, ErrorKind, UserError
from core.messages import gettext_noop

Minted = Callable[[], Iterable[str]]
"""Gives the ids that a mutation's input mints."""

FINISH = 2.0
"""Seconds beyond the deadline of its operation that a mutation which is under way has to end."""
ANSWER = 2.0
"""Seconds that remain then to put the answer together."""

MESSAGE = gettext_noop("Something before it has to come again first.")


class Flush:
    """Flush state: the outcome of the mutations so far, as far as the next one must know it."""

    __slots__ = (
        "_ends",
        "_held",
        "_retry_after",
        "_stopped",
        "_told",
        "entities",
        "foreseen",
        "is_array",
        "receipts",
        "slot",
    )

    def __init__(self) -> None:
        self.begin_operation()
        self.is_array = False
        """True for an array of several operations."""
        self.slot: Any = None
        """Its slot in the bulkhead of flushes, held for as long as it runs."""
        self._stopped = False
        self._retry_after: int | None = None
        self._held: dict[str, int | None] = {}
        """Ids whose creation has to be retried, with the seconds to wait before that."""

    def begin_operation(self) -> None:
        """Begin the next operation of an array, with a deadline of its own."""
        self._told = False
        self._ends: float | None = None
        self.foreseen = False
        """True once the receipts of its mutations were read in advance."""
        self.receipts: Mapping[str, Any] = {}
        """Receipts of its mutations that were done before."""
        self.entities: Mapping[str, Any] | None = None
        """Entities those receipts refer to; valid as long as nothing is written."""

    def end(self) -> None:
        """End the flush: release its slot."""
        if self.slot is not None:
            self.slot.release()

    def begin(self) -> float | None:
        """Begin another mutation, unless the time of the operation is over; the moment when it must end.

        As soon as there is something to tell, the deadline stops the flush instead of the answer.
        """
        if not self._told:
            return None
        if self._ends is None:
            self._ends = deadline.ends()
            deadline.extend(FINISH + ANSWER)
        if asyncio.get_running_loop().time() >= self._ends:
            self.stop(1)
        return self._ends + FINISH if self._ends < deadline.NEVER else None

    def deferral(self, arguments: Mapping[str, Any]) -> UserError | None:
        """The refusal of a mutation that must wait for an earlier one; None for one that may run."""
        if self._stopped:
            return UserError("DEFERRED", MESSAGE, retry_after_seconds=self._retry_after)
        if self._held:
            for text in _texts(arguments):
                if text in self._held:
                    return UserError("DEFERRED", MESSAGE, retry_after_seconds=self._held[text])
        return None

    def stop(self, retry_after: int | None) -> None:
        """Run no more mutations: those that follow are to be retried after as many seconds."""
        if not self._stopped:
            self._stopped, self._retry_after = True, retry_after

    def hold(self, minted: Minted, retry_after: int | None) -> None:
        """Defer all later mutations that name one of these ids."""
        self._held |= dict.fromkeys(minted(), retry_after)

    def answered(self, payload: Mapping[str, Any], minted: Minted) -> None:
        """Record a mutation's payload: its errors decide which later ones are deferred."""
        self._told = True
        for error in payload["errors"]:
            code, retry_after = ERROR_CODES[error["code"]], error["retry_after_seconds"]
            if code.kind is ErrorKind.TRANSIENT:
                self.stop(retry_after)
            if code.retryable:
                self.hold(minted, retry_after)

    def failed(self, error: BaseException, minted: Minted = tuple) -> None:
        """Record a mutation that has no payload; after a bug its outcome is unknown."""
        self._told = True
        fault = outages.fault_of(error)
        if fault is not None and fault.transient:
            self.stop(fault.extensions.get("retryAfterSeconds"))
        elif fault is None:
            self.hold(minted, None)


def _texts(value: Any) -> Iterator[str]:
    """All texts of an input, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _texts(inner)
