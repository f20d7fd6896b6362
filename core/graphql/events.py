"""Live events derived from their node type: `Changes[Pin]` is `PinCreated | PinUpdated | PinDeleted`.

Topics that tell of more than one type, or of less, name the events: `Created[Pin] | Deleted[Pin] | ...`.
"""

from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar

from core.graphql.common import Event, ResyncRequired
from core.graphql.pages import article, words_of
from core.graphql.types import NODE_TYPES, type_, union
from core.ids import Id

T = TypeVar("T")


@cache
def changes_type(node: type) -> Any:
    """The union of the events that tell of a node's changes: made once."""
    one, _ = words_of(node)
    events = created_type(node) | updated_type(node) | deleted_type(node) | ResyncRequired
    return Annotated[events, union(f"{node.__name__}Event", f"Change of {article(one).lower()} {one}.")]


@cache
def created_type(node: type) -> type:
    """The event of a new node: made once."""
    one, _ = words_of(node)
    return _event(node, "Created", f"A new {one}.", _prefix(node), node, f"The {one} that was created.")


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
    return _event(
        node, "Deleted", f"{article(one)} {one} that is gone.", field, Id, f"Id of the {one} to forget."
    )


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

    class Changes(Generic[T]):
        """The events of a node type."""

    class Created(Generic[T]):
        """The event of a new node of a type."""

    class Updated(Generic[T]):
        """The event of a changed node of a type."""

    class Deleted(Generic[T]):
        """The event of a node of a type that is gone."""

else:

    class Changes:
        """The events of a node type."""

        def __class_getitem__(cls, node: type) -> Any:
            return changes_type(node)

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
