"""Makes documents over the whole schema: every field, argument, fragment shape and directive there is."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLUnionType,
    is_leaf_type,
)

DEEPEST = 6
BOOLEAN_VARIABLES = {"yes": True, "no": False}


@dataclass
class Maker:
    """Random documents with the variables they use; `ids` are existing ids by field."""

    schema: GraphQLSchema
    rng: random.Random
    ids: dict[str, Sequence[str]]
    variables: dict[str, Any] = field(default_factory=dict)
    definitions: dict[str, str] = field(default_factory=dict)
    fragments: list[str] = field(default_factory=list)
    budget: int = 0

    def query(self) -> tuple[str, dict[str, Any]]:
        self.variables, self.definitions, self.fragments = {}, {}, []
        self.budget = self.rng.randint(3, 60)
        assert self.schema.query_type is not None
        selection = self._selection(self.schema.query_type, 0)
        declared = ", ".join(f"${name}: {type}" for name, type in self.definitions.items())
        head = f"query Q({declared})" if declared else "query Q"
        return "\n".join([f"{head} {selection}", *self.fragments]), dict(self.variables)

    def _selection(self, type: Any, depth: int) -> str:
        parts = [self._part(type, depth) for _ in range(self.rng.randint(1, 5))]
        chosen = [part for part in parts if part] or ["__typename"]
        return "{ " + " ".join(chosen) + " }"

    def _part(self, type: Any, depth: int) -> str:
        self.budget -= 1
        roll = self.rng.random()
        if roll < 0.06:
            return self._aliased("__typename") + self._directive()
        if roll < 0.16 and depth < DEEPEST and self.budget > 0:
            condition = self._condition(type)
            return f"... on {condition.name}{self._directive()} {self._selection(condition, depth + 1)}"
        if roll < 0.22 and depth < DEEPEST and self.budget > 0:
            return self._fragment(type, depth)
        if isinstance(type, GraphQLUnionType):
            return "__typename"
        return self._field(type, depth)

    def _fragment(self, type: Any, depth: int) -> str:
        name = f"F{len(self.fragments)}"
        self.fragments.append("")
        place = len(self.fragments) - 1
        self.fragments[place] = f"fragment {name} on {type.name} {self._selection(type, depth + 1)}"
        return f"...{name}{self._directive()}"

    def _condition(self, type: Any) -> Any:
        """A type that may apply: itself, one of its possible types, or an interface it has."""
        options = [] if isinstance(type, GraphQLUnionType) else [type]
        if isinstance(type, (GraphQLInterfaceType, GraphQLUnionType)):
            options += self.schema.get_possible_types(type)
        elif isinstance(type, GraphQLObjectType):
            options += type.interfaces
        return self.rng.choice(options)

    def _field(self, type: Any, depth: int) -> str:
        name, definition = self.rng.choice(list(type.fields.items()))
        named = _named(definition.type)
        leaf = is_leaf_type(named)
        if not leaf and (depth >= DEEPEST or self.budget <= 0):
            return "__typename"
        arguments = self._arguments(name, definition)
        text = self._aliased(name) + arguments + self._directive()
        return text if leaf else f"{text} {self._selection(named, depth + 1)}"

    def _aliased(self, name: str) -> str:
        """An alias of its own, so that fragments never conflict; merging has its own test."""
        return f"a{self.rng.randrange(10**9)}: {name}"

    def _directive(self) -> str:
        roll = self.rng.random()
        if roll < 0.9:
            return ""
        name = self.rng.choice(list(BOOLEAN_VARIABLES))
        condition = f"${name}" if roll < 0.96 else str(BOOLEAN_VARIABLES[name]).lower()
        if condition.startswith("$"):
            self.definitions[name], self.variables[name] = "Boolean!", BOOLEAN_VARIABLES[name]
        return f" @{self.rng.choice(['include', 'skip'])}(if: {condition})"

    def _arguments(self, name: str, definition: GraphQLField) -> str:
        given = []
        for argument, declared in definition.args.items():
            if not isinstance(declared.type, GraphQLNonNull) and self.rng.random() < 0.6:
                continue
            given.append(f"{argument}: {self._value(argument, declared.type, name)}")
        return f"({', '.join(given)})" if given else ""

    def _value(self, argument: str, type: Any, of: str) -> str:
        value = self._plain(argument, type, of)
        if self.rng.random() < 0.4:
            variable = f"v{len(self.definitions)}"
            self.definitions[variable] = str(type)
            self.variables[variable] = value
            return f"${variable}"
        return self._literal(value, type)

    def _plain(self, argument: str, type: Any, of: str) -> Any:
        if isinstance(type, GraphQLNonNull):
            return self._plain(argument, type.of_type, of)
        if isinstance(type, GraphQLList):
            return [self._plain(argument, type.of_type, of) for _ in range(self.rng.randint(0, 4))]
        if isinstance(type, GraphQLEnumType):
            return self.rng.choice(list(type.values))
        if isinstance(type, GraphQLInputObjectType):
            return {name: self._plain(name, each.type, of) for name, each in type.fields.items()}
        if type.name == "Int":
            return self.rng.choice([1, 2, 3, 5, 10, 100] * 4 + [0, -1, 101])
        if type.name == "ID":
            prefix = of if of in self.ids and self.rng.random() < 0.98 else self.rng.choice(list(self.ids))
            return "nonsense" if self.rng.random() < 0.02 else self.rng.choice(self.ids[prefix])
        return self.rng.choice(["nonsense", ""])

    def _literal(self, value: Any, type: Any) -> str:
        named = type.of_type if isinstance(type, GraphQLNonNull) else type
        if isinstance(named, GraphQLList):
            return "[" + ", ".join(self._literal(item, named.of_type) for item in value) + "]"
        if isinstance(named, GraphQLEnumType):
            return str(value)
        return f'"{value}"' if isinstance(value, str) else str(value)


def _named(type: Any) -> Any:
    while isinstance(type, (GraphQLNonNull, GraphQLList)):
        type = type.of_type
    return type
