"""Canonical JSON (RFC 8785), within the values that every reader of JSON sees alike."""

import math
from collections.abc import Collection, Mapping

import rfc8785

from core.errors import BadUserInput

SAFE_INTEGER = 2**53 - 1
"""Largest integer that a double holds together with its neighbors."""
MAX_DEPTH = 64
"""Levels of nesting; MongoDB keeps no document of more than 100."""
REFERENCE = "$ref"
"""Name by which drivers of MongoDB take an object for a reference, which is no JSON."""


def normalize(value: object, depth: int = 0) -> object:
    """JSON value as it is stored and hashed: numbers that readers may round are strings.

    Raises BadUserInput for NaN, infinities, lone surrogates, values that are nested too deep, and names that
    MongoDB does not give back as they were.
    """
    if depth > MAX_DEPTH:
        raise BadUserInput(f"Values are nested at most {MAX_DEPTH} deep.")
    if isinstance(value, str):
        return _well_formed(value)
    if isinstance(value, Mapping):
        return {_key(key): normalize(each, depth + 1) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [normalize(each, depth + 1) for each in value]
    return value if value is None or isinstance(value, bool) else _number(value)


def encode(value: object) -> bytes:
    """RFC 8785 text, in UTF-8, of a value that is normalized; ValueError for any other.

    Hashed is what is stored: a number that took the place of its own text would have the same hash.
    """
    if _has_float(value):
        raise ValueError("A value with floating-point numbers is not normalized.")
    return rfc8785.dumps(value)  # type: ignore[arg-type]  # it checks


def hash_input(record: Mapping[str, object], fields: Collection[str]) -> bytes:
    """Canonical JSON of a record's hashed fields, absent ones as null.

    A field that is not declared is a ValueError: it would be open to change.
    """
    if unknown := record.keys() - set(fields):
        raise ValueError(f"Not among the hashed fields: {', '.join(sorted(unknown))}.")
    return encode({field: record.get(field) for field in fields})


def _well_formed(text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise BadUserInput("A text has half of a surrogate pair.") from None
    return text


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise TypeError(f"{key!r} is no key of a JSON object.")
    if key == REFERENCE or "\0" in key:
        raise BadUserInput(f"No name is `{REFERENCE}`, or has a zero character.")
    return _well_formed(key)


def _number(value: object) -> int | str:
    if isinstance(value, int):
        return value if abs(value) <= SAFE_INTEGER else str(value)
    if not isinstance(value, float):
        raise TypeError(f"{value!r} is no JSON value.")
    if not math.isfinite(value):
        raise BadUserInput("Numbers are finite.")
    if abs(value) <= 2**53 and value.is_integer():
        return _number(int(value))
    return rfc8785.dumps(value).decode()


def _has_float(value: object) -> bool:
    if isinstance(value, dict):
        return any(map(_has_float, value.values()))
    if isinstance(value, list | tuple):
        return any(map(_has_float, value))
    return isinstance(value, float)
