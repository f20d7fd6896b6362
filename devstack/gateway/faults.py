"""Faults that the gateway is told to have, each for one request."""

from collections.abc import Iterable
from enum import StrEnum


class GatewayFault(StrEnum):
    """GatewayFault of one request that changes something."""

    REFUSE = "REFUSE"
    """Nothing is done, and the answer is 503."""
    LOSE = "LOSE"
    """It is done, and the connection is cut before the answer."""
    HANG = "HANG"
    """It is done, and no answer comes for as long as anybody waits."""
    DECLINE = "DECLINE"
    """The bank declines, whatever the card."""
    FORGET = "FORGET"
    """It is done, and the key is forgotten, as after 24 hours."""


class Faults:
    """Faults of the next requests, in their order."""

    def __init__(self) -> None:
        self._next: list[GatewayFault | None] = []

    def plan(self, faults: Iterable[GatewayFault | None]) -> None:
        """The next requests have these; None is a request that goes well."""
        self._next.extend(faults)

    def take(self) -> GatewayFault | None:
        return self._next.pop(0) if self._next else None

    def clear(self) -> None:
        self._next.clear()
