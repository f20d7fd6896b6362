"""Saved queries of the audit log, as clients see them."""

from core.graphql import Edge, Page, connection, mutation, node, type_
from core.graphql.common import JSON, Entity
from core.ids import Id
from resolvers.audit import saved_queries


@node("saved_audit_query")
class SavedAuditQuery(Entity):
    """Query of the audit log that its owner saved under a name."""

    name: str
    """Name of the query, 1 to 100 characters."""
    filter: JSON
    """Filter of the query, as `auditEntries` takes it: a JSON object with the fields of
    AuditEntryFilterInput."""


@type_
class SavedQueriesOfViewer:
    """Saved queries of the viewer."""

    saved_audit_queries: Page[SavedAuditQuery] = connection(saved_queries.viewer_queries)
    """Queries of the audit log that you saved, newest first."""


@type_
class SavedQueryMutations:
    """Saving and deleting queries."""

    save_audit_query = mutation(
        saved_queries.save_audit_query,
        refuses="LIMIT_REACHED NO_ORGANIZATION REQUIRED TOO_LONG TOO_MANY",
        returns={
            "saved_audit_query": (
                SavedAuditQuery,
                "Saved query as it is now; on CONFLICT without your change, null when refused otherwise.",
            ),
            "saved_audit_query_edge": Edge[SavedAuditQuery],
        },
        saved_audit_query_id="Id of the query that gets another name and filter; a new one when left out.",
        name="Name of the query, 1 to 100 characters.",
        filter="Filter of the query, as `auditEntries` takes it.",
        expected_version="Version of the saved query that was edited: CONFLICT if there is a newer one. The "
        "last writer wins when left out.",
    )
    """Save a query of the audit log for all your devices, at most 100."""
    delete_audit_query = mutation(
        saved_queries.delete_audit_query,
        refuses="NO_ORGANIZATION",
        returns={"deleted_saved_audit_query_id": Id},
    )
    """Delete a saved query for good."""
