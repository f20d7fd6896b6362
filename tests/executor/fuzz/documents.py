"""Documents over the whole schema: every field, argument, fragment shape and directive there is."""

import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_leaf_type,
)

from tests.executor.fuzz.values import Values

DEEPEST = 6
PERSONAL = "viewer"
ON_RECORD = frozenset(
    {"auditEntries", "auditEntry", "recentAuditEntries", "searchAuditEntries", "auditLogStream"}
)
"""Fields whose reading is an entry of what they read: asked twice, they answer twice."""


@dataclass(frozen=True, slots=True)
class Document:
    text: str
    variables: dict[str, Any]
    kind: str
    fields: frozenset[str]
    """Names of those it asks for."""


@dataclass
class Maker:
    """Random documents. It learns which fields are mostly refused, so that tame ones leave them out."""

    schema: GraphQLSchema
    rng: random.Random
    ids: Mapping[str, Sequence[str]]
    tokens: Sequence[str]
    mutations: Sequence[str] = ()
    """Those that may be run."""
    used: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)

    def query(self, *, wild: bool, signed_in: bool) -> Document:
        draft = self._draft(wild)
        root = self.schema.query_type
        assert root is not None
        leave_out = set() if signed_in or wild else {PERSONAL}
        return draft.document("query", draft.selection(root, 0, leave_out))

    def mutation(self, *, wild: bool) -> Document:
        draft = self._draft(wild)
        root = self.schema.mutation_type
        assert root is not None
        chosen = [self.rng.choice(list(self.mutations)) for _ in range(self.rng.randint(1, 3))]
        parts = [draft.field(root, name, 0) for name in chosen]
        return draft.document("mutation", "{ " + " ".join(parts) + " }")

    def subscription(self, *, wild: bool) -> Document:
        draft = self._draft(wild)
        root = self.schema.subscription_type
        assert root is not None
        name = self.rng.choice([name for name in root.fields if name not in ON_RECORD])
        return draft.document("subscription", "{ " + draft.field(root, name, 0, directives=False) + " }")

    def learn(self, document: Document, failed: Iterable[str]) -> None:
        """Record the outcome of a tame document: its fields, and the names of those with errors."""
        self.used.update(document.fields)
        self.refused.update(set(failed))

    def mostly_refused(self, name: str) -> bool:
        return self.used[name] >= 4 and self.refused[name] / self.used[name] > 0.2

    def _draft(self, wild: bool) -> "Draft":
        return Draft(self, Values(self.rng, self.ids, self.tokens, wild), self.rng.randint(3, 60))


@dataclass
class Draft:
    """A document that is being written."""

    maker: Maker
    values: Values
    budget: int
    fragments: list[str] = field(default_factory=list)
    fields: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.rng = self.maker.rng
        self.schema = self.maker.schema

    def document(self, kind: str, selection: str) -> Document:
        declared = ", ".join(f"${name}: {type}" for name, type in self.values.definitions.items())
        head = f"{kind} Q({declared})" if declared else f"{kind} Q"
        text = "\n".join([f"{head} {selection}", *self.fragments])
        return Document(text, dict(self.values.given), kind, frozenset(self.fields))

    def selection(self, type: Any, depth: int, leave_out: Iterable[str] = ()) -> str:
        least = 2 if isinstance(type, GraphQLUnionType) else 1
        parts = [self._part(type, depth, leave_out) for _ in range(self.rng.randint(least, 5))]
        return "{ " + (" ".join(part for part in parts if part) or "__typename") + " }"

    def _part(self, type: Any, depth: int, leave_out: Iterable[str]) -> str:
        self.budget -= 1
        roll = self.rng.random()
        deeper = depth < DEEPEST and self.budget > 0
        if roll < 0.06:
            return self._aliased("__typename") + self._directive()
        if deeper and (roll < 0.16 or isinstance(type, GraphQLUnionType)):
            condition = self._condition(type)
            inner = self.selection(condition, depth + 1, leave_out)
            if roll < 0.02:
                return f"...{self._directive()} {self.selection(type, depth + 1, leave_out)}"
            return f"... on {condition.name}{self._directive()} {inner}"
        if deeper and roll < 0.22:
            return self._fragment(type, depth, leave_out)
        if isinstance(type, GraphQLUnionType):
            return "__typename"
        names = [name for name in type.fields if name not in leave_out and name not in ON_RECORD]
        chosen = self.rng.choice(names)
        if not self.values.wild and self.maker.mostly_refused(chosen):
            chosen = self.rng.choice(names)
            if self.maker.mostly_refused(chosen):
                return "__typename"
        return self.field(type, chosen, depth)

    def _fragment(self, type: Any, depth: int, leave_out: Iterable[str]) -> str:
        name = f"F{len(self.fragments)}"
        self.fragments.append("")
        place = len(self.fragments) - 1
        on = self._condition(type) if self.rng.random() < 0.5 else type
        self.fragments[place] = f"fragment {name} on {on.name} {self.selection(on, depth + 1, leave_out)}"
        again = f" ...{name}" if self.rng.random() < 0.1 else ""
        return f"...{name}{self._directive()}{again}"

    def _condition(self, type: Any) -> Any:
        """A type that may apply: itself, one of its possible types, or an interface it has."""
        options = [] if isinstance(type, GraphQLUnionType) else [type]
        if isinstance(type, (GraphQLInterfaceType, GraphQLUnionType)):
            options += self.schema.get_possible_types(type)
        elif isinstance(type, GraphQLObjectType):
            options += type.interfaces
        return self.rng.choice(options)

    def field(self, type: Any, name: str, depth: int, *, directives: bool = True) -> str:
        definition = type.fields[name]
        named: Any = get_named_type(definition.type)
        leaf = is_leaf_type(named)
        if not leaf and (depth >= DEEPEST or (self.budget <= 0 and depth > 0)):
            return "__typename"
        self.fields.add(name)
        start = self._aliased(name) + self.values.arguments(named.name, name, definition)
        directive = self._directive() if directives else ""
        if leaf:
            return start + directive
        text = f"{start}{directive} {self.selection(named, depth + 1)}"
        if self.rng.random() < 0.05 and type is not self.schema.mutation_type:
            # Twice under one key: both selections are merged.
            text += f" {start} {self.selection(named, depth + 1)}"
        return text

    def _aliased(self, name: str) -> str:
        """An alias of its own, so that fragments never conflict."""
        return f"a{self.rng.randrange(10**9)}: {name}"

    def _directive(self) -> str:
        if self.rng.random() < 0.9:
            return ""
        name = self.rng.choice(["include", "skip"])
        # More often than not it stays.
        stays = self.rng.random() < 0.6
        return f" @{name}(if: {self.values.condition(stays is (name == 'include'))})"
