"""Inputs of which exactly one field is given: oneOf input objects in GraphQL."""

from typing import TypeVar

C = TypeVar("C", bound=type)

MARK = "__one_of__"


def one_of(cls: C) -> C:
    """Declare a TypedDict with `total=False`, whose values may all be None, as one of several."""
    setattr(cls, MARK, True)
    return cls


def is_one_of(cls: object) -> bool:
    return getattr(cls, MARK, False)
