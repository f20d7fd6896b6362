"""Enums as clients see them: a field or argument that is typed with one is enough to declare it."""

import enum as enums
from collections.abc import Mapping
from typing import Any, TypeVar

import strawberry
from strawberry.types.enum import StrawberryEnumDefinition

from core.graphql.docs import attribute_docs, class_doc

E = TypeVar("E", bound=type[enums.Enum])


def enum(cls: E) -> E:
    """An enum of another layer, shown with the descriptions written there."""
    if "__strawberry_definition__" in cls.__dict__:
        return cls
    strawberry.enum(cls, description=class_doc(cls))
    definition: StrawberryEnumDefinition = cls.__strawberry_definition__  # type: ignore[attr-defined]
    docs = attribute_docs(cls)
    for value in definition.values:
        value.description = docs.get(value.name)
    return cls


DECLARED: dict[Any, Any] = {}
"""Enums that declarations make, by the NewType with which resolvers annotate their values."""


def declared_enum(name: str, description: str, values: Mapping[str, str], *, of: Any = None) -> Any:
    """An enum that the systems' declarations make: values with the descriptions they give, in order.

    Resolvers annotate its values `of` a NewType, where there is one.
    """
    make: Any = enums.StrEnum
    made = make(name, {value: value for value in sorted(values)})
    strawberry.enum(made, description=description)
    for value in made.__strawberry_definition__.values:
        value.description = values[value.name]
    if of is not None:
        DECLARED[of] = made
    return made
