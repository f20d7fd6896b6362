"""Rules of deprecation: what replaces a field and until when it stays, and who still asks for it."""

import json
import re
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from graphql import (
    FieldNode,
    GraphQLError,
    GraphQLField,
    GraphQLSchema,
    TypeInfo,
    TypeInfoVisitor,
    Visitor,
    parse,
    specified_rules,
    validate,
    visit,
)

from server.operation_manifest import entries
from tests.conventions.schemas import elements

REASON = re.compile(r"Use `[^`]+`\. Until (\d{4}-\d{2}-\d{2})\.")

Documents = Mapping[str, str]
"""Documents of released apps, by file and operation."""


def undated(schema: GraphQLSchema) -> list[str]:
    """The reason of a deprecation names what replaces it, and the day until which it stays."""
    return [
        f'{each.path} is deprecated with "{reason}": write "Use `x`. Until 2027-06-30."'
        for each in elements(schema)
        if (reason := getattr(each.definition, "deprecation_reason", None)) is not None
        and _until(reason) is None
    ]


def not_served(schema: GraphQLSchema, documents: Documents) -> list[str]:
    """Fields that released apps ask for are still there."""
    return [
        f"{name} is in people's hands and no longer served: {error.message}"
        for name, text in documents.items()
        for error in _errors(schema, text)
    ]


def still_asked_for(schema: GraphQLSchema, documents: Documents, today: date) -> list[str]:
    """No released app asks for a deprecated field whose day has passed."""
    return [
        f"{name} asks for {path}, deprecated until {until}: leave it for as long, or release the app without."
        for name, text in documents.items()
        for path, until in _deprecated(schema, text)
        if until is None or until < today
    ]


def released(folder: Path) -> Documents:
    """Documents of the folder: manifests of apps' builds, and plain GraphQL."""
    found = {each.name: each.read_text() for each in sorted(folder.glob("*.graphql"))}
    for manifest in sorted(folder.glob("*.json")):
        for id, body in entries(json.loads(manifest.read_text())):
            found[f"{manifest.name}:{id[:12]}"] = body
    return found


def _until(reason: str) -> date | None:
    found = REASON.fullmatch(reason)
    return date.fromisoformat(found[1]) if found else None


def _errors(schema: GraphQLSchema, text: str) -> list[GraphQLError]:
    return validate(schema, parse(text), specified_rules)


def _deprecated(schema: GraphQLSchema, text: str) -> Iterator[tuple[str, date | None]]:
    """Deprecated fields that a document selects, with the day of each."""
    selected = _Selected(TypeInfo(schema))
    visit(parse(text), TypeInfoVisitor(selected.info, selected))
    for path, field in selected.found.items():
        if field.deprecation_reason is not None:
            yield path, _until(field.deprecation_reason)


class _Selected(Visitor):
    """Fields that a document selects, by schema coordinate."""

    def __init__(self, info: TypeInfo) -> None:
        super().__init__()
        self.info = info
        self.found: dict[str, GraphQLField] = {}

    def enter_field(self, node: FieldNode, *_: Any) -> None:
        owner, field = self.info.get_parent_type(), self.info.get_field_def()
        if owner is not None and field is not None:
            self.found[f"{owner.name}.{node.name.value}"] = field
