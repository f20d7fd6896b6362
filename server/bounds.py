"""Structural limits of a document: what is counted of its text, each part of it once.

All of it is linear in the document, whatever its fragments grow to: a fragment is looked at once, and where
it is spread only what is known of it is taken.
"""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

from core.errors import QueryTooComplex
from core.settings import Settings


@dataclass(slots=True)
class Counts:
    """Counts over the text of a document, whatever it costs."""

    aliases: int = 0
    fragments: int = 0
    spreads: int = 0
    directives: int = 0
    repeated_fields: int = 0
    """Fields given again in the same selection: each is compared with each other when validated."""
    repeated_directives: int = 0
    depth: int = 0


def check(document: DocumentNode, settings: Settings) -> None:
    """QueryTooComplex for a document with more of something than it may have."""
    found = counts(document)
    for what, count, most in (
        ("aliases", found.aliases, settings.max_aliases),
        ("fragments", found.fragments, settings.max_fragments),
        ("spreads", found.spreads, settings.max_spreads),
        ("directives", found.directives, settings.max_directives),
        ("repeated directives", found.repeated_directives, settings.max_repeated_directives),
        ("repeated fields", found.repeated_fields, settings.max_repeated_fields),
        ("depth", found.depth, settings.max_depth),
    ):
        if count > most:
            raise exceeded(what, most, count)


def counts(document: DocumentNode) -> Counts:
    walk = _Walk()
    for each in document.definitions:
        if isinstance(each, OperationDefinitionNode | FragmentDefinitionNode):
            walk.definition(each)
    walk.found.depth = max((walk.depth(each) for each in walk.depths), default=0)
    return walk.found


@dataclass(slots=True)
class _Depth:
    """Depth of a definition by itself, and the fragments spread in it with their depths."""

    own: int = 0
    spread: dict[str, int] = field(default_factory=dict)
    whole: int | None = None


class _Walk:
    def __init__(self) -> None:
        self.found = Counts()
        self.depths: list[_Depth] = []
        self._fragments: dict[str, _Depth] = {}

    def definition(self, node: OperationDefinitionNode | FragmentDefinitionNode) -> None:
        own = _Depth()
        self.depths.append(own)
        if isinstance(node, FragmentDefinitionNode):
            self.found.fragments += 1
            self._fragments[node.name.value] = own
        self._directives(node)
        for each in node.variable_definitions or ():
            self._directives(each)
        self._selections(node.selection_set, own)

    def _selections(self, top: SelectionSetNode, own: _Depth) -> None:
        """Without recursion: how deep inline fragments go is nobody's limit."""
        left: list[tuple[SelectionSetNode, int, Counter[str]]] = [(top, 1, Counter())]
        while left:
            node, depth, names = left.pop()
            for each in node.selections:
                self._directives(each)
                if isinstance(each, FieldNode):
                    self._field(each, depth, own, names)
                    if each.selection_set is not None:
                        left.append((each.selection_set, depth + 1, Counter()))
                elif isinstance(each, InlineFragmentNode):
                    left.append((each.selection_set, depth, names))
                elif isinstance(each, FragmentSpreadNode):
                    self.found.spreads += 1
                    name = each.name.value
                    own.spread[name] = max(depth, own.spread.get(name, 0))

    def _field(self, node: FieldNode, depth: int, own: _Depth, names: Counter[str]) -> None:
        own.own = max(own.own, depth)
        self.found.aliases += node.alias is not None
        name = (node.alias or node.name).value
        self.found.repeated_fields += name in names
        names[name] += 1

    def _directives(self, node: Any) -> None:
        if node.directives:
            names = [each.name.value for each in node.directives]
            self.found.directives += len(names)
            self.found.repeated_directives += len(names) - len(set(names))

    def depth(self, top: _Depth) -> int:
        """With what its fragments add; a circle adds nothing, and is for validation to refuse."""
        left = [top]
        while left:
            here = left[-1]
            if here.whole is None:
                here.whole = 0
                waiting = [self._fragments[name] for name in here.spread if name in self._fragments]
                left += [each for each in waiting if each.whole is None]
                continue
            left.pop()
            spread = [
                at - 1 + (self._fragments[name].whole or 0)
                for name, at in here.spread.items()
                if name in self._fragments
            ]
            here.whole = max(here.whole, here.own, *spread, 0)
        return top.whole or 0


def exceeded(what: str, most: int, found: int | None = None) -> QueryTooComplex:
    more = {"found": found} if found is not None else {}
    return QueryTooComplex(f"The document has more than {most:,} {what}.", limit=what, allowed=most, **more)
