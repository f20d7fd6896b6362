"""Quality values (RFC 9110, 12.4.2): the weights of what a request's `Accept` fields name.

A field is a client's to write, and so may be long, contradict itself or make no sense: only its beginning is
read, the best weight of what is named twice counts, and a weight that is none is 0.
"""

import re
from collections.abc import Mapping
from functools import lru_cache

LONGEST = 500
"""Characters that are read; clients that say what they mean send a third of that."""
_WEIGHT = re.compile(r"0(?:\.\d*)?|1(?:\.0*)?", re.ASCII)


def weights(field: str | None) -> Mapping[str, float]:
    """Weights of the names in a field, in small letters: from 0 (not acceptable) to 1, the best first."""
    return _weights((field or "")[: LONGEST + 1].lower())


def accepts(field: str | None, *wanted: str) -> bool:
    """True if a field names one of those as acceptable; a wildcard names nothing."""
    found = weights(field)
    return any(found.get(each, 0.0) > 0 for each in wanted)


@lru_cache(maxsize=512)
def _weights(field: str) -> Mapping[str, float]:
    # What the end cuts through is another name.
    ranges = field.split(",") if len(field) <= LONGEST else field.split(",")[:-1]
    found: dict[str, float] = {}
    for each in ranges:
        name, *parameters = map(str.strip, each.split(";"))
        if name:
            found[name] = max(found.get(name, 0.0), _weight(parameters))
    # Sorting is stable: of what is liked as much, the first is taken.
    return dict(sorted(found.items(), key=lambda each: -each[1]))


def _weight(parameters: list[str]) -> float:
    for each in parameters:
        name, _, value = each.partition("=")
        if name.strip() == "q":
            return float(value) if _WEIGHT.fullmatch(value.strip()) else 0.0
    return 1.0
