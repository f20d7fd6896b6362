"""Schemas that rules are tried on: the one that is served, and small ones that break a rule."""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any, NamedTuple

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLNamedType,
    GraphQLSchema,
    build_schema,
    is_specified_scalar_type,
    value_from_ast_untyped,
)

from core.graphql.build import Schema
from core.settings import Settings
from server import lifespan

Rule = Callable[[GraphQLSchema], list[str]]
"""Rule of the conventions: a schema in, findings out, each a sentence that says what to write instead."""

SHARED = '''
directive @access(roles: [Role!], stepUp: Boolean) on FIELD_DEFINITION
directive @area(name: String!) on FIELD_DEFINITION | OBJECT | INTERFACE | UNION | ENUM | INPUT_OBJECT | SCALAR
directive @tag(name: String!) on FIELD_DEFINITION | OBJECT | ENUM | INPUT_OBJECT

"""Role of a person: permissions beyond their own account."""
enum Role @area(name: "common") {
  """Administers the accounts of all people."""
  ADMIN
}

"""Node of the graph, read again by `node`."""
interface Node @area(name: "common") {
  """Id of this node, opaque to clients."""
  id: ID!
}

"""Root of all reads."""
type Query {
  """Node with this id; null when there is none."""
  node(
    """Id of the node to read."""
    id: ID!
  ): Node @area(name: "common")
}
'''
"""Definitions that every example stands on; they break no rule."""


@cache
def declared() -> Schema:
    """The schema that is served, with what Python declares of it: bindings, roles, marks."""
    return lifespan.make_schema(Settings())


@cache
def current() -> GraphQLSchema:
    """The schema that is served, read from its SDL: `ast_node` of each element has its directives."""
    return build_schema(declared().as_str())


def example(sdl: str) -> GraphQLSchema:
    """A schema of these definitions beside `Node` and `Query`, which they may extend."""
    return build_schema(f"{SHARED}\n{sdl}")


def directive(element: Any, name: str) -> list[dict[str, Any]]:
    """The arguments of each directive of this name on a type, field or value that is read from SDL."""
    node = getattr(element, "ast_node", None)
    return [
        {argument.name.value: value_from_ast_untyped(argument.value) for argument in each.arguments or ()}
        for each in (node and node.directives) or ()
        if each.name.value == name
    ]


class Element(NamedTuple):
    """Described element of a schema: a type, field, argument, input field or enum value."""

    path: str
    """Schema coordinate: `Post`, `Post.text`, `Post.comments(first:)`."""
    kind: str
    """TYPE, FIELD, MUTATION, ARGUMENT, INPUT or VALUE."""
    definition: Any

    @property
    def description(self) -> str:
        return " ".join((self.definition.description or "").split())


def types(schema: GraphQLSchema) -> list[GraphQLNamedType]:
    """Types that the schema itself declares, by name."""
    return [
        each
        for name, each in sorted(schema.type_map.items())
        if not name.startswith("__") and not is_specified_scalar_type(each)
    ]


def elements(schema: GraphQLSchema) -> Iterator[Element]:
    """Everything that has a description."""
    for owner in types(schema):
        yield Element(owner.name, "TYPE", owner)
        if isinstance(owner, GraphQLEnumType):
            for name, value in owner.values.items():
                yield Element(f"{owner.name}.{name}", "VALUE", value)
        for name, field in getattr(owner, "fields", {}).items():
            path = f"{owner.name}.{name}"
            yield Element(path, _kind(schema, owner), field)
            for argument, each in getattr(field, "args", {}).items():
                yield Element(f"{path}({argument}:)", "ARGUMENT", each)


def _kind(schema: GraphQLSchema, owner: GraphQLNamedType) -> str:
    if owner is schema.mutation_type:
        return "MUTATION"
    return "INPUT" if isinstance(owner, GraphQLInputObjectType) else "FIELD"
