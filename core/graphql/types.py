"""Type declarations of schema modules; documents are the sources, there is no mapping layer."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import strawberry
from strawberry.types import get_object_definition
from strawberry.types.field import StrawberryField

from core.graphql.annotations import graphql_type
from core.graphql.bindings import Plain, Spec, Unnamed
from core.graphql.docs import attribute_docs, class_doc
from core.graphql.fields import bound_field
from core.ids import prefix_of

C = TypeVar("C", bound=type)

TAG = "_type"
"""Names the type of a document that has no id: an event, say."""

NODE_TYPES: dict[str, str] = {}
"""GraphQL type names by id prefix."""


def type_name(document: Mapping[str, Any]) -> str | None:
    """Which type of an interface or union a document is: by its tag, else by its id."""
    tag: str | None = document.get(TAG)
    if tag is not None:
        return tag
    id: str = document.get("_id") or ""
    # A part whose id is made of its owner's and a number is not the owner.
    return NODE_TYPES.get(prefix_of(id)) if ":" not in id else None


def node_type(document: Mapping[str, Any]) -> str:
    """The GraphQL type of the thing with the document's id."""
    return NODE_TYPES[prefix_of(document["_id"])]


def type_(cls: C) -> C:
    """An object type."""
    return _declare(cls)


def node(prefix: str) -> Callable[[C], C]:
    """An object type with an id of its own, `implements Node`."""

    def declare(cls: C) -> C:
        if NODE_TYPES.setdefault(prefix, cls.__name__) != cls.__name__:
            raise TypeError(f"{NODE_TYPES[prefix]} and {cls.__name__} share the id prefix {prefix!r}.")
        return _declare(cls)

    return declare


def interface(cls: C) -> C:
    """An interface; its documents tell their type by tag or id."""
    cls.resolve_type = staticmethod(lambda document, info, abstract: type_name(document))  # type: ignore[attr-defined]
    return _declare(cls, is_interface=True)


def union(name: str, description: str) -> Any:
    """For `Annotated[A | B, union("Event", "...")]`: documents carry the name of their type."""
    return strawberry.union(name, description=description)


def fields_of(cls: type) -> list[StrawberryField]:
    """The fields a class declares, to merge into another type's."""
    declared = cls if "__strawberry_definition__" in cls.__dict__ else _declare(cls)
    return get_object_definition(declared, strict=True).fields


def extend(target: type) -> Callable[[C], C]:
    """Add fields to another system's type: where a field must point uphill, the uphill system adds it."""

    def add(cls: C) -> C:
        existing = get_object_definition(target, strict=True).fields
        merge(existing, fields_of(cls), target.__name__)
        return cls

    return add


def merge(existing: list[StrawberryField], added: list[StrawberryField], owner: str) -> None:
    """Add fields to a type's; two systems declaring the same one is an error that names both."""
    taken = {each.python_name: each for each in existing}
    for each in added:
        other = taken.get(each.python_name)
        if other is each:
            # The schema is built a second time in this process.
            continue
        if other is not None:
            raise TypeError(
                f"{owner}.{each.python_name} is declared by both {_module(other)} and {_module(each)}."
            )
        existing.append(each)


def _module(field: StrawberryField) -> str:
    return getattr(field.origin, "__module__", "nobody")


def _declare(cls: C, *, is_interface: bool = False) -> C:
    docs = attribute_docs(cls)
    annotations: dict[str, Any] = inspect.get_annotations(cls)
    for name, value in list(cls.__dict__.items()):
        if isinstance(value, Unnamed):
            setattr(cls, name, value.named(name))
    for name, value in list(cls.__dict__.items()):
        if isinstance(value, Spec) and value.annotation is not None:
            annotations[name] = value.annotation
    for name in annotations:
        value = cls.__dict__.get(name)
        spec = value if isinstance(value, Spec) else Spec(Plain("_id" if name == "id" else name))
        setattr(cls, name, bound_field(name, spec, docs.get(name), cls))
    cls.__annotations__ = {name: graphql_type(hint) for name, hint in annotations.items()}
    if not is_interface:
        name = cls.__name__
        cls.is_type_of = staticmethod(lambda document, info: type_name(document) in (name, None))  # type: ignore[attr-defined]
    decorate = strawberry.interface if is_interface else strawberry.type
    return decorate(cls, description=class_doc(cls))
