"""The port to whatever judges what people publish."""

from collections.abc import Sequence
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


class Classifier(Protocol):
    async def judge(self, text: str, media_ids: Sequence[str]) -> Verdict:
        """A verdict about text and media."""
        ...
