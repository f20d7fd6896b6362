"""Input objects derived from the TypedDicts that resolvers take: `PinChange` gives `PinChangeInput`."""

import types
import typing
from collections.abc import Sequence
from functools import cache
from typing import Any

from core.graphql.docs import attribute_docs
from core.graphql.types import input_


@cache
def input_type(given: Any) -> type:
    """The input type of a TypedDict; strings under its keys are the descriptions. Made once."""
    body = {
        "__doc__": given.__doc__,
        "__module__": given.__module__,
        "__annotations__": {name: taken(hint) for name, hint in typing.get_type_hints(given).items()},
        "__attribute_docs__": attribute_docs(given),
    }
    return input_(type(f"{given.__name__}Input", (), body))


def taken(hint: Any) -> Any:
    """A resolver's annotation with input types in place of its TypedDicts."""
    if typing.is_typeddict(hint):
        return input_type(hint)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (list, Sequence):
        return list[taken(arguments[0])]  # type: ignore[misc]
    if origin in (typing.Union, types.UnionType):
        return typing.Union[tuple(map(taken, arguments))]  # noqa: UP007
    return hint
