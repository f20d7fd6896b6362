"""Answers that were serialized once for all who get the same."""

from dataclasses import dataclass
from typing import Any

import orjson
from strawberry.types.execution import ExecutionResult


@dataclass
class Written(ExecutionResult):
    """An answer whose data are bytes already: whatever it is sent in takes them as they are."""

    size: int = 0
    """Bytes of the data."""


def written(data: bytes) -> Written:
    fragment: Any = orjson.Fragment(data)
    return Written(data=fragment, errors=None, size=len(data))
