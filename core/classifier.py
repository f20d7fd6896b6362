"""The port to whatever judges what people publish."""

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple, Protocol


class Verdict(NamedTuple):
    """What is to become of something."""

    refuse: bool = False
    """It is beyond doubt: it does not appear at all."""
    limit: bool = False
    """It is doubtful: strangers do not see it until a person has judged."""
    label: str | None = None
    """SENSITIVE or MISLEADING."""
    reason: str | None = None
    """A reason that a report could have."""


class Shown(NamedTuple):
    """A picture, or the poster of a film, of a size that is enough to judge by."""

    id: str
    mime: str
    read: Callable[[], Awaitable[bytes]]
    """Its bytes, for those who look at them."""


class Classifier(Protocol):
    async def judge(self, text: str, shown: Sequence[Shown]) -> Verdict:
        """A verdict about text and media."""
        ...
