"""Arguments: values that fit their types and mostly mean something, as literals and as variables."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    Undefined,
)

from core.graphql.types import NODE_TYPES

SAMPLES: Mapping[str, Sequence[Any]] = {
    "Boolean": [True, False],
    "Float": [0.0, 1.5, -2.25, 1e6],
    "DateTime": ["2026-01-31T08:30:00.000Z", "2026-01-31T09:30:00+01:00"],
    "Date": ["2026-01-31"],
    "Decimal": ["12.50", "0"],
    "URL": ["https://example.com/a"],
    "JSON": [{"a": [1, None]}],
}
NOTHING = "01h455vb4pex5vsknk084sn02q"
"""The rest of an id that nothing has."""
PAGES = ("first", "last")
CURSORS = ("after", "before")


@dataclass
class Values:
    """Writes arguments of one document and keeps the variables they use."""

    rng: random.Random
    ids: Mapping[str, Sequence[str]]
    """Existing ids by prefix."""
    tokens: Sequence[str]
    wild: bool = False
    """True if values may be wrong."""
    given: dict[str, Any] = field(default_factory=dict)
    definitions: dict[str, str] = field(default_factory=dict)

    def arguments(self, owner: str, name: str, definition: GraphQLField) -> str:
        """A field's arguments in parentheses; empty when there are none."""
        written = []
        for argument, declared in definition.args.items():
            if not self._wanted(argument, declared):
                continue
            value = self._written(argument, declared, owner if argument == "id" else name)
            if value is not None:
                written.append(f"{argument}: {value}")
        return f"({', '.join(written)})" if written else ""

    def condition(self, value: bool) -> str:
        """A Boolean for a directive: a literal or a variable, given or by default."""
        roll = self.rng.random()
        if roll < 0.3:
            return str(value).lower()
        name = f"{'yes' if value else 'no'}{'ByDefault' if roll < 0.5 else ''}"
        if name.endswith("ByDefault"):
            self.definitions[name] = f"Boolean = {str(value).lower()}"
        else:
            self.definitions[name], self.given[name] = "Boolean!", value
        return f"${name}"

    def _wanted(self, argument: str, declared: GraphQLArgument) -> bool:
        if isinstance(declared.type, GraphQLNonNull) and declared.default_value is Undefined:
            return True
        if argument in ("last", "before") and not self.wild:
            # With `first`, or without `last`, they are refused.
            return False
        return self.rng.random() < 0.4

    def _written(self, argument: str, declared: GraphQLArgument, of: str) -> str | None:
        """A literal or variable; None to leave the argument out."""
        roll = self.rng.random()
        if roll < 0.35:
            return self._variable(argument, declared, of)
        if roll < 0.4 and not isinstance(declared.type, GraphQLNonNull):
            return "null"
        return self._literal(self.value(argument, declared.type, of), declared.type)

    def _variable(self, argument: str, declared: GraphQLArgument, of: str) -> str:
        name = f"v{len(self.definitions)}"
        type, value = declared.type, self.value(argument, declared.type, of)
        roll = self.rng.random()
        optional = declared.default_value is not Undefined or not isinstance(type, GraphQLNonNull)
        if roll < 0.25:
            bare = type.of_type if isinstance(type, GraphQLNonNull) else type
            self.definitions[name] = f"{bare} = {self._literal(value, bare)}"
            if roll < 0.1:
                self.given[name] = self.value(argument, bare, of)
        elif roll < 0.4 and optional:
            # Left out altogether: the argument's default counts, or it is as if not written.
            self.definitions[name] = str(type.of_type if isinstance(type, GraphQLNonNull) else type)
        elif roll < 0.5 and not isinstance(type, GraphQLNonNull):
            self.definitions[name], self.given[name] = str(type), None
        else:
            self.definitions[name], self.given[name] = str(type), value
        return f"${name}"

    def value(self, argument: str, type: Any, of: str) -> Any:
        """A value in JSON."""
        if isinstance(type, GraphQLNonNull):
            return self.value(argument, type.of_type, of)
        if isinstance(type, GraphQLList):
            return self._list(argument, type.of_type, of)
        if isinstance(type, GraphQLEnumType):
            return self.rng.choice(list(type.values))
        if isinstance(type, GraphQLInputObjectType) and type.is_one_of:
            name, each = self.rng.choice(list(type.fields.items()))
            return {name: self.value(name, each.type, of)}
        if isinstance(type, GraphQLInputObjectType):
            return {
                name: self.value(name, each.type, of)
                for name, each in type.fields.items()
                if isinstance(each.type, GraphQLNonNull) or self.rng.random() < 0.5
            }
        return self._scalar(argument, type.name, of)

    def _list(self, argument: str, item: Any, of: str) -> Any:
        if self.rng.random() < 0.15:
            # One value stands for a list of it.
            return self.value(argument, item, of)
        return [self.value(argument, item, of) for _ in range(self.rng.randint(0, 4))]

    def _scalar(self, argument: str, type: str, of: str) -> Any:
        if type == "Int":
            return self._int(argument)
        if type == "ID":
            return self._id(argument, of)
        if type == "SyncToken":
            return self._nonsense() or self.rng.choice(list(self.tokens))
        if type in SAMPLES:
            return self.rng.choice(list(SAMPLES[type]))
        if argument in CURSORS:
            return "nonsense" if self.wild else None
        if argument == "currencyCode":
            return self._nonsense() or "EUR"
        return self._nonsense() or self.rng.choice(["Hello", "sea", "ünïcödé 🌊", 'with "quotes"'])

    def _int(self, argument: str) -> int:
        if self.wild and self.rng.random() < 0.2:
            return self.rng.choice([0, -1, 101])
        return self.rng.choice(
            [1, 1, 2, 3, 5, 5, 10] + [100] * (argument in PAGES and self.rng.random() < 0.2)
        )

    def _id(self, argument: str, of: str) -> str:
        if argument == "idempotencyKey":
            return f"key-{self.rng.randrange(10**12)}"
        if found := self._nonsense():
            return found
        return self.rng.choice(list(self._fitting(argument, of)))

    def _fitting(self, argument: str, of: str) -> Sequence[str]:
        """Ids of what an argument's name, or else its field's, speaks of; anything, if that is not clear."""
        if argument == "subjectId":
            return self.ids[self.rng.choice(["post", "comment"])]
        for words in (argument.removesuffix("Ids").removesuffix("Id"), of):
            for prefix in NODE_TYPES:
                if words.lower().rstrip("s").endswith(prefix):
                    return self.ids.get(prefix) or [f"{prefix}_{NOTHING}"]
        return self.ids[self.rng.choice(list(self.ids))]

    def _nonsense(self) -> str | None:
        return "nonsense" if self.wild and self.rng.random() < 0.1 else None

    def _literal(self, value: Any, type: Any) -> str:
        named = type.of_type if isinstance(type, GraphQLNonNull) else type
        if value is None:
            return "null"
        if isinstance(named, GraphQLList):
            if not isinstance(value, list):
                return self._literal(value, named.of_type)
            return "[" + ", ".join(self._literal(item, named.of_type) for item in value) + "]"
        if isinstance(named, GraphQLEnumType):
            return str(value)
        if isinstance(named, GraphQLInputObjectType):
            fields = (f"{key}: {self._literal(each, named.fields[key].type)}" for key, each in value.items())
            return "{" + ", ".join(fields) + "}"
        return _plain_literal(value)


def _plain_literal(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    if isinstance(value, list):
        return "[" + ", ".join(map(_plain_literal, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_plain_literal(each)}" for key, each in value.items()) + "}"
    return "null" if value is None else str(value)
