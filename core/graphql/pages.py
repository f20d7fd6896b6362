"""Relay connections derived from node types: `Page[Pin]` is `PinConnection`, `Edge[Pin]` is `PinEdge`."""

from typing import TYPE_CHECKING, Any, Generic, TypeVar

from core.graphql.common import Connection
from core.graphql.common import Edge as AnyEdge
from core.graphql.types import type_

T = TypeVar("T")

WORDS: dict[type, tuple[str, str]] = {}
"""By node type, how its descriptions call one and many of it."""
_EDGES: dict[type, type] = {}
_PAGES: dict[type, type] = {}


def called(one: str, many: str) -> Any:
    """Class decorator: the words for one and many, where the type's name with an s would not do."""

    def declare(cls: type) -> type:
        WORDS[cls] = (one, many)
        return cls

    return declare


def edge_type(node: type) -> type:
    """The edge type of a node type: made once."""
    if node not in _EDGES:
        one, _ = words_of(node)
        _EDGES[node] = _made(
            f"{node.__name__}Edge",
            AnyEdge,
            f"{article(one)} {one} and its place in the list.",
            {"node": (node, f"{capitalized(one)} at this place in the list.")},
            node.__module__,
        )
    return _EDGES[node]


def page_type(node: type) -> type:
    """The connection type of a node type: made once."""
    if node not in _PAGES:
        _, many = words_of(node)
        _PAGES[node] = _made(
            f"{node.__name__}Connection",
            Connection,
            f"A page of {many}.",
            {"edges": (list[edge_type(node)], f"The {many} of this page.")},  # type: ignore[misc]
            node.__module__,
        )
    return _PAGES[node]


def words_of(node: type) -> tuple[str, str]:
    """Singular and plural of a node type, for descriptions."""
    if node in WORDS:
        return WORDS[node]
    words = "".join(f" {each.lower()}" if each.isupper() else each for each in node.__name__).strip()
    return words, f"{words}s"


def capitalized(words: str) -> str:
    """The words as a sentence begins with them."""
    return words[0].upper() + words[1:]


def article(word: str) -> str:
    """The indefinite one, as a sentence begins with it: "A user", as it is spoken."""
    spoken_as_vowel = word[0] in "aeiou" and not word.startswith(("eu", "uni", "use"))
    return "An" if spoken_as_vowel else "A"


def _made(name: str, base: type, doc: str, fields: dict[str, tuple[Any, str]], module: str) -> type:
    body = {
        "__doc__": doc,
        "__module__": module,
        "__annotations__": {field: annotation for field, (annotation, _) in fields.items()},
        "__attribute_docs__": {field: text for field, (_, text) in fields.items()},
    }
    return type_(type(name, (base,), body))


if TYPE_CHECKING:

    class Page(Generic[T]):
        """A connection of nodes of one type."""

    class Edge(Generic[T]):
        """An edge to a node of one type."""

else:

    class Page:
        """A connection of nodes of one type."""

        def __class_getitem__(cls, node: type) -> type:
            return page_type(node)

    class Edge:
        """An edge to a node of one type."""

        def __class_getitem__(cls, node: type) -> type:
            return edge_type(node)
