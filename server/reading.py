"""Document cache: parsed and validated once, within bounds, for all who send the same text.

Nothing that runs before an operation was weighed may take more than a little for each letter of it: the text
has a greatest length and so many tokens and comments, what is counted of its parts is bounded before it is
validated, and so is what validation may compare.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    parse,
    validate,
)
from graphql.validation.rules import overlapping_fields_can_be_merged
from graphql.validation.validate import ValidationAbortedError

from core.graphql.validation import RULES
from core.lru_cache import LruCache
from core.settings import Settings
from server import bounds
from server.bounds import exceeded
from server.cost import Operation, Scales

MOST_DOCUMENTS = 1_000
MOST_LETTERS = 4_000_000
"""Letters of all cached documents: a parsed one takes some forty bytes for each."""

MOST_COMMENTS = 1_000
MOST_ERRORS = 20
"""Most errors reported of one document: each looks for similar names."""

MOST_COMPARED = 50_000
"""Fields of one document that validation compares with each other: about five microseconds each."""
overlapping_fields_can_be_merged.MAX_COMPLEXITY_BUDGET = MOST_COMPARED

LETTERS_EACH = 10
"""Letters of a document that is new to this process for which reading it costs 1."""


@dataclass(slots=True)
class Reading:
    """Parsed document; one that does not parse or validate has errors, and costs nothing more."""

    document: DocumentNode | None = None
    errors: list[GraphQLError] = field(default_factory=list)
    nodes: Mapping[str | None, OperationDefinitionNode] = field(default_factory=dict)
    operations: dict[str | None, Operation] = field(default_factory=dict)
    """Those that were weighed."""
    scales: Scales | None = None

    @property
    def sound(self) -> bool:
        return not self.errors

    def operation(self, name: str | None) -> Operation | None:
        """None where it has none of the name, or is not sound."""
        found = self.operations.get(name)
        if found is None and self.scales is not None and (node := self.nodes.get(name)) is not None:
            found = self.operations[name] = self.scales.operation(node)
        return found


class Readings:
    """Documents that were read, for one schema."""

    def __init__(self, schema: GraphQLSchema, settings: Settings) -> None:
        self._schema = schema
        self._settings = settings
        self._known: LruCache[Reading] = LruCache(most=MOST_DOCUMENTS, size=MOST_LETTERS)

    def known(self, text: str) -> Reading | None:
        return self._known.get(text)

    def price(self, text: str) -> int:
        """Cost of reading a document that is new; QueryTooComplex for one that is too long."""
        most = self._settings.max_document_length
        if len(text) > most:
            raise exceeded("characters", most, len(text))
        return 1 + len(text) // LETTERS_EACH

    def read(self, text: str) -> Reading:
        """QueryTooComplex for a document with too much of something; what is wrong else is in its errors."""
        found = self._known.get(text)
        if found is None:
            found = self._read(text)
            self._known.put(text, found, len(text))
        return found

    def _read(self, text: str) -> Reading:
        most = self._settings.max_tokens
        try:
            document = parse(text, max_tokens=most, max_comments=MOST_COMMENTS)
        except GraphQLError as error:
            if f"more than {most} tokens" in error.message:
                raise exceeded("tokens", most) from None
            if f"more than {MOST_COMMENTS} comments" in error.message:
                raise exceeded("comments", MOST_COMMENTS) from None
            if "nested too deeply" in error.message:
                raise exceeded("depth", self._settings.max_depth) from None
            return Reading(errors=[error])
        bounds.check(document, self._settings)
        errors = self._errors(document)
        if errors:
            return Reading(document, errors)
        return Reading(document, nodes=_operations(document), scales=Scales(self._schema, document))

    def _errors(self, document: DocumentNode) -> list[GraphQLError]:
        hidden = self._settings.production
        errors = validate(self._schema, document, RULES, max_errors=MOST_ERRORS, hide_suggestions=hidden)
        aborted = errors and isinstance(errors[-1], ValidationAbortedError)
        if aborted and "Too many validation errors" not in errors[-1].message:
            raise exceeded("comparisons", MOST_COMPARED)
        return errors


def _operations(document: DocumentNode) -> Mapping[str | None, OperationDefinitionNode]:
    found = [each for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    named: dict[str | None, OperationDefinitionNode] = {
        each.name.value: each for each in found if each.name is not None
    }
    return {**named, None: found[0]} if len(found) == 1 else named


def as_mapping(variables: Any) -> Mapping[str, Any]:
    return variables if isinstance(variables, dict) else {}
