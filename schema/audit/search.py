"""Search of the audit log, as clients see it."""

from core.graphql import key, query, type_
from core.graphql.common import Connection, Edge
from resolvers.audit import searching
from schema.audit.types import AuditEntry


@type_
class AuditHighlight:
    """Field of an entry in which words of a search were found."""

    field: str
    """Name of the field, as `action` or, within the details, `details.reason`."""
    fragments: list[str]
    """Parts of the text, at most three, as HTML: words that were found stand between `<em>` and `</em>`, and
    all else is escaped."""


@type_
class AuditSearchEdge(Edge):
    """An audit entry that was found, and its place in the list."""

    node: AuditEntry
    """Audit entry at this place in the list."""
    score: float = key("score")
    """Relevance of the entry, from 0 to 1: words of its action count more than others."""
    highlights: list[AuditHighlight] = key("highlights")
    """Fields in which the words were found, at most 200."""


@type_
class AuditSearchConnection(Connection):
    """A page of audit entries that were found."""

    edges: list[AuditSearchEdge]
    """The entries of this page."""


@type_
class SearchQueries:
    """Search of the audit log."""

    search_audit_entries: AuditSearchConnection = query(
        searching.search_audit_entries,
        query="Words that the entries have all of in their clear fields, at most 10 and 200 characters. Case "
        "and accents do not matter; personal values are never searched.",
    )
    """Entries of the audit log that you may read with all words of a text, the best first: of the 500 newest
    that have them. Each search is put on record. BAD_USER_INPUT when it takes longer than two seconds."""
