"""HTTP cache policy for answers by GET: their lifetime and audience, as the selected fields declare.

An answer is public when nobody signed the request, every root field says how long it holds (`max_age`), and
no field that is the viewer's own was selected. Everything else by GET is `private, no-store`.
"""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from aiohttp import web
from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    get_argument_values,
    get_operation_ast,
    get_variable_values,
    parse,
    visit,
)
from graphql.execution.values import VariableValues

from core.graphql.build import Schema
from core.graphql.fields import BoundField

PRIVATE = "private, no-store"
LONGEST_DOCUMENT = 20_000
REMEMBERED = 200


@dataclass(frozen=True, slots=True)
class CacheRequest:
    """Root fields of an operation that has no field of the viewer's own."""

    operation: OperationDefinitionNode
    roots: tuple[tuple[Any, FieldNode], ...]


def seconds(schema: Schema, query: str | None, name: str | None, variables: Any) -> int | None:
    """Seconds for which a shared cache may keep the answer; None when none may."""
    if not query or len(query) > LONGEST_DOCUMENT:
        return None
    asked = _asked(schema._schema, query, name)
    if asked is None:
        return None
    values = get_variable_values(schema._schema, asked.operation.variable_definitions or (), variables or {})
    if not isinstance(values, VariableValues):
        return None
    ages = [_age(definition, node, values) for definition, node in asked.roots]
    known = [age for age in ages if age is not None]
    return min(known) if known and len(known) == len(ages) else None


def _age(definition: Any, node: FieldNode, values: VariableValues) -> int | None:
    declared = _bound(definition).metadata["max_age"]
    if not callable(declared):
        age: int | None = declared
        return age
    try:
        return int(declared(get_argument_values(definition, node, values)))
    except GraphQLError:
        return None


@lru_cache(maxsize=REMEMBERED)
def _asked(schema: GraphQLSchema, query: str, name: str | None) -> CacheRequest | None:
    try:
        document = parse(query, no_location=True)
    except GraphQLError:
        return None
    operation = get_operation_ast(document, name)
    if operation is None or operation.operation is not OperationType.QUERY:
        return None
    finder = _Finder(schema, document)
    visit(document, TypeInfoVisitor(finder.types, finder))
    return None if finder.personal else CacheRequest(operation, tuple(finder.roots))


class _Finder(Visitor):
    """Looks at every field of a document, those of fragments included."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        super().__init__()
        self.types = TypeInfo(schema)
        self.query = schema.query_type
        self.roots: list[tuple[Any, FieldNode]] = []
        self.personal = False

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        definition = self.types.get_field_def()
        if node.name.value == "__typename":
            return
        bound = definition.extensions.get("strawberry-definition") if definition else None
        if not isinstance(bound, BoundField) or _private(bound):
            self.personal = True
        elif self.types.get_parent_type() is self.query:
            self.roots.append((definition, node))


def _private(bound: BoundField) -> bool:
    return bool(bound.metadata["personal"] or bound.metadata["restricted"])


def _bound(definition: Any) -> BoundField:
    bound: BoundField = definition.extensions["strawberry-definition"]
    return bound


def mark(request: web.Request, response: web.Response, body: Any, age: int | None) -> None:
    """Say how long the answer may be kept, and answer 304 to who has it still."""
    if age is None or "Authorization" in request.headers or "errors" in body:
        response.headers["Cache-Control"] = PRIVATE
        return
    assert isinstance(response.body, bytes)
    etag = f'"{hashlib.blake2b(response.body, digest_size=16).hexdigest()}"'
    response.headers["Cache-Control"] = f"public, max-age={age}"
    response.headers["ETag"] = etag
    for own in ("RateLimit", "RateLimit-Policy"):
        # They depend on the caller who asked first.
        response.headers.pop(own, None)
    response.headers["Vary"] = "Authorization, Accept, Accept-Encoding"
    wanted = [each.strip().removeprefix("W/") for each in request.headers.get("If-None-Match", "").split(",")]
    if etag in wanted or "*" in wanted:
        response.set_status(304)
        response.body = None
