"""Live events derived from their node type: `Changes[Pin]` is `PinCreated | PinUpdated | PinDeleted`."""

from typing import TYPE_CHECKING, Annotated, Any, Generic, TypeVar

from core.binding.common import Event, ResyncRequired
from core.binding.pages import words_of
from core.binding.types import NODE_TYPES, type_, union
from core.ids import Id

T = TypeVar("T")

_CHANGES: dict[type, Any] = {}


def changes_type(node: type) -> Any:
    """The union of the events that tell of a node's changes: made once."""
    if node not in _CHANGES:
        one, _ = words_of(node)
        prefix = next(prefix for prefix, name in NODE_TYPES.items() if name == node.__name__)
        created = _event(node, "Created", f"A new {one}.", prefix, node, f"The new {one}.")
        updated = _event(node, "Updated", f"A changed {one}.", prefix, node, f"The {one} as it is now.")
        deleted = _event(
            node, "Deleted", f"A {one} that is gone.", f"deleted_{prefix}_id", Id, "Id to forget."
        )
        described = union(f"{node.__name__}Event", f"Change of a {one}.")
        _CHANGES[node] = Annotated[created | updated | deleted | ResyncRequired, described]
    return _CHANGES[node]


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

else:

    class Changes:
        """The events of a node type."""

        def __class_getitem__(cls, node: type) -> Any:
            return changes_type(node)
