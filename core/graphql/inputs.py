"""Input objects: declared as classes, or derived from the TypedDicts that resolvers take.

`PinChange` gives `PinChangeInput`, with the strings under its keys.
"""

import types
import typing
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, TypeVar, get_args

import strawberry

from core.graphql.annotations import graphql_type
from core.graphql.changes import STAYS, described, sent_types
from core.graphql.docs import attribute_docs, class_doc
from core.graphql.filling import filled
from core.one_of import MARK, is_one_of
from core.values import text

C = TypeVar("C", bound=type)


def input_(cls: C) -> C:
    """An input object; fields without a default are required."""
    docs = attribute_docs(cls)
    readers = {name: _reader(hint) for name, hint in cls.__annotations__.items()}
    inherited: Mapping[str, Any] = getattr(cls, "__readers__", {})
    cls.__readers__ = {**inherited, **readers}  # type: ignore[attr-defined]
    annotations = {name: graphql_type(hint) for name, hint in cls.__annotations__.items()}
    for name, hint in annotations.items():
        # `from_` is `from`, which is no name in Python.
        given = _default(cls, name, hint)
        if name.endswith("_"):
            given["name"] = name.removesuffix("_")
        setattr(cls, name, strawberry.field(description=docs.get(name), **given))
    cls.__annotations__ = annotations
    made = strawberry.input(cls, description=class_doc(cls), one_of=is_one_of(cls))
    made.__strawberry_definition__.from_input = filled  # type: ignore[attr-defined]
    return made


def _reader(hint: Any) -> Callable[[str], str] | None:
    """Return the function that reads text typed into an input field; None for a field that holds no text."""
    found = (text.READERS.get(hint), *map(_reader, get_args(hint)))
    return next(filter(None, found), None)


def _default(cls: type, name: str, hint: Any) -> dict[str, Any]:
    """Default of an input field that is left out: optional ones tell absence from null."""
    if isinstance(cls.__dict__.get(name), list):
        return {"default_factory": list}
    if name in cls.__dict__:
        return {"default": cls.__dict__[name]}
    return {"default": strawberry.UNSET} if type(None) in get_args(hint) else {}


@cache
def input_type(given: Any) -> type:
    """The input type of a TypedDict; strings under its keys are the descriptions. Made once."""
    body = {
        "__doc__": given.__doc__,
        "__module__": given.__module__,
        "__annotations__": {name: taken(hint) for name, hint in sent_types(given).items()},
        "__attribute_docs__": _docs(given),
        MARK: is_one_of(given),
    }
    return input_(type(f"{given.__name__}Input", (), body))


def _docs(given: Any) -> dict[str, str]:
    """Descriptions of a TypedDict's keys; those that may be left out, but not be null, are of an update."""
    stay = {name for name, rule in described(given).items() if rule == STAYS}
    return {name: f"{text} {STAYS}" if name in stay else text for name, text in attribute_docs(given).items()}


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


def is_input(hint: Any) -> bool:
    """True if an annotation is a TypedDict, or has one within."""
    return typing.is_typeddict(hint) or any(map(is_input, get_args(hint)))
