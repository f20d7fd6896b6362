"""Operation manifests: registers trusted documents from the files that clients' builds write."""

from typing import Any

import orjson
from graphql import GraphQLError, OperationDefinitionNode, get_operation_ast, parse, validate

from core import clock
from core.graphql.build import Schema
from core.graphql.validation import RULES
from core.operations import TrustedOperation, operations
from core.storage.mongo import Database

APOLLO = "apollo-persisted-query-manifest"
PREFIX = "sha256:"


def read(content: bytes, schema: Schema) -> list[TrustedOperation]:
    """The operations of a manifest, each checked against the schema; ValueError says what is wrong."""
    now = clock.now()
    return [
        # graphql-codegen writes the prefix of the draft, which requests may leave out.
        {"_id": id.removeprefix(PREFIX), "name": _checked(id, body, schema), "body": body, "added_at": now}
        for id, body in entries(orjson.loads(content))
    ]


def entries(manifest: Any) -> list[tuple[str, str]]:
    """Ids and documents in Apollo's format, or in Relay's and graphql-codegen's, which is a plain object."""
    if not isinstance(manifest, dict):
        raise ValueError("a manifest is a JSON object")
    if manifest.get("format") == APOLLO:
        return [(str(each["id"]), str(each["body"])) for each in manifest["operations"]]
    if not all(isinstance(body, str) for body in manifest.values()):
        raise ValueError("it is neither Apollo's manifest nor an object of ids and documents")
    return list(manifest.items())


def _checked(id: str, body: str, schema: Schema) -> str:
    """The operation's name."""
    try:
        document = parse(body)
        errors = validate(schema._schema, document, RULES)
    except GraphQLError as error:
        errors = [error]
    if errors:
        raise ValueError(f"{id}: {errors[0].message}")
    operation = get_operation_ast(document)
    if not isinstance(operation, OperationDefinitionNode):
        raise ValueError(f"{id}: a trusted document holds one operation")
    return operation.name.value if operation.name else ""


async def add(db: Database, found: list[TrustedOperation]) -> int:
    """Store those that are new; how many that was. What an id means never changes."""
    if not found:
        return 0
    updates = [{"q": {"_id": each["_id"]}, "u": {"$setOnInsert": each}, "upsert": True} for each in found]
    answer = await db.write({"update": operations.name, "updates": updates, "ordered": False})
    return len(answer.get("upserted", []))
