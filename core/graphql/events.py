"""Live events derived from their node type: `Created[Pin]` brings a `pinEdge`, `Updated[Pin]` the pin.

A stream's union names them: `Created[Pin] | Updated[Pin] | Deleted[Pin] | ResyncRequired`.
"""

from functools import cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from core.graphql.common import Event
from core.graphql.pages import article, edge_type, words_of
from core.graphql.types import NODE_TYPES, type_
from core.ids import Id

T = TypeVar("T")


@cache
def created_type(node: type) -> type:
    """The event of a new node: made once."""
    one, _ = words_of(node)
    text = f"Edge of the new {one}, to be put into the lists that show it."
    return _event(node, "Created", f"A new {one}.", f"{_prefix(node)}_edge", edge_type(node), text)


@cache
def updated_type(node: type) -> type:
    """The event of a changed node: made once."""
    one, _ = words_of(node)
    return _event(node, "Updated", f"A changed {one}.", _prefix(node), node, f"The {one} as it is now.")


@cache
def deleted_type(node: type) -> type:
    """The event of a node that is gone: made once."""
    one, _ = words_of(node)
    field = f"deleted_{_prefix(node)}_id"
    text = f"Id of the {one} to forget."
    return _event(node, "Deleted", f"{article(one)} {one} that is gone.", field, Id, text)


def _prefix(node: type) -> str:
    return next(prefix for prefix, name in NODE_TYPES.items() if name == node.__name__)


def _event(node: type, what: str, doc: str, field: str, kind: Any, text: str) -> type:
    body = {
        "__doc__": doc,
        "__module__": node.__module__,
        "__annotations__": {field: kind},
        "__attribute_docs__": {field: text},
    }
    return type_(type(f"{node.__name__}{what}", (Event,), body))


if TYPE_CHECKING:

    class Created(Generic[T]):
        """The event of a new node of a type."""

    class Updated(Generic[T]):
        """The event of a changed node of a type."""

    class Deleted(Generic[T]):
        """The event of a node of a type that is gone."""

else:

    class Created:
        """The event of a new node of a type."""

        def __class_getitem__(cls, node: type) -> type:
            return created_type(node)

    class Updated:
        """The event of a changed node of a type."""

        def __class_getitem__(cls, node: type) -> type:
            return updated_type(node)

    class Deleted:
        """The event of a node of a type that is gone."""

        def __class_getitem__(cls, node: type) -> type:
            return deleted_type(node)
