"""Size of an answer: bounded before its bytes are made, where it may be large, and exactly afterwards.

What an answer is made of is shared: a text that is asked for a hundred times is a hundred references until it
is written out.
"""

from collections.abc import Iterator
from typing import Any

import orjson
from graphql import GraphQLError
from strawberry.types.execution import ExecutionResult

from core.errors import QueryTooComplex
from executor import Written
from server.cost import Weight

MOST_UNSEEN = 1_000
"""Long values up to which an answer is written out unseen: together they are some tens of megabytes."""

PLAIN = 8
"""Bytes taken for a value that is no text."""


def too_large(most: int) -> ExecutionResult:
    message = f"The answer has more than {most:,} bytes: ask for less of it at once."
    fault = QueryTooComplex(message, limit="answer bytes", allowed=most)
    return ExecutionResult(data=None, errors=[GraphQLError(fault.message, extensions=fault.extensions)])


def fits(answer: ExecutionResult, most: int, weight: Weight | None = None) -> bool:
    """True if an answer is small enough to send; one that is light by its weight is not measured."""
    if isinstance(answer, Written):
        return answer.size <= most
    return (weight is not None and weight.texts <= MOST_UNSEEN) or sized(answer.data, most)


def sized(data: Any, most: int) -> bool:
    """True if the data take at most so many bytes: a lower bound, which stops as soon as it is exceeded."""
    left = [data]
    while left:
        value = left.pop()
        if value.__class__ is dict:
            most -= PLAIN * len(value)
            left += value.values()
        elif value.__class__ is list:
            left += value
        elif value.__class__ is str:
            most -= len(value) if value.isascii() else 2 * len(value)
        if most < 0:
            return False
    return True


def body_of(response: Any, most: int) -> bytes:
    """A response's JSON, or in its shape that it is too large; each of a batch fits by itself."""
    batch = isinstance(response, list)
    body = None if batch and not sized(response, most) else orjson.dumps(response, default=str)
    if body is not None and len(body) <= most:
        return body
    told = {"data": None, "errors": [error.formatted for error in too_large(most).errors or ()]}
    return orjson.dumps([told] * len(response) if batch else told)


def objects(data: Any) -> int:
    """Number of objects in an answer."""
    return sum(1 for _ in _objects(data)) - 1 if isinstance(data, dict) else 0


def _objects(data: Any) -> Iterator[Any]:
    left = [data]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            yield value
            left += value.values()
        elif isinstance(value, list):
            left += value


def never_ran(result: ExecutionResult) -> bool:
    """True if its variables did not fit: such an error is of no field."""
    errors = result.errors or []
    return result.data is None and any(
        error.path is None and (error.extensions or {}).get("code") == "BAD_USER_INPUT" for error in errors
    )
