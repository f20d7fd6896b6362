"""Streams of the audit log, as clients see them."""

from typing import Annotated

from core.graphql import Edge, subscription, type_, union
from core.graphql.common import Event, ResyncRequired
from core.graphql.events import Created
from schema.audit.evidence import Evidence
from schema.audit.types import AuditEntry
from subscriptions.audit.incidents import incident_audit_events
from subscriptions.audit.log import audit_log_stream


@type_
class DecisionLogged(Event):
    """An audit entry that records a decision of the incident."""

    audit_entry_edge: Edge[AuditEntry]
    """Edge of the new audit entry, to be put into the lists that show it."""


@type_
class EvidenceAdded(Event):
    """New evidence of the incident, for those who may see it; others are told of its audit entry."""

    evidence_edge: Edge[Evidence]
    """Edge of the new evidence, to be put into the lists that show it."""
    audit_entry_edge: Edge[AuditEntry]
    """Edge of the audit entry about it."""


@type_
class CustodyRecorded(Event):
    """A new record in a chain of custody, for those who may see the evidence; others are told of its audit
    entry."""

    evidence: Evidence
    """Evidence with its chain of custody."""
    audit_entry_edge: Edge[AuditEntry]
    """Edge of the audit entry about it."""


IncidentAuditEvent = Annotated[
    Created[AuditEntry] | DecisionLogged | EvidenceAdded | CustodyRecorded | ResyncRequired,
    union("IncidentAuditEvent", "Events of the log of an incident."),
]


@type_
class AuditEntryBatchSent(Event):
    """A batch of entries of a long query, newest first."""

    audit_entries: list[AuditEntry]
    """Entries of this batch, at most 500."""
    sent_count: int
    """Number of entries sent so far, with those before the stream was resumed."""
    progress_percent: int
    """Percent of the query that was sent, 0 to 100, by the time that the entries cover."""


@type_
class StreamComplete(Event):
    """The end of a long query: all entries were sent."""

    sent_count: int
    """Number of entries sent in all, with those before the stream was resumed."""


AuditLogEvent = Annotated[
    AuditEntryBatchSent | StreamComplete,
    union("AuditLogEvent", "Batches of a long query of the audit log, and its end."),
]


@type_
class StreamSubscriptions:
    """Streams of entries."""

    incident_audit_events: IncidentAuditEvent = subscription(
        incident_audit_events, incident_id="Id of the incident whose log is followed."
    )
    """Entries of an incident as they are recorded, for those who read its log. FORBIDDEN for others, and at
    the moment at which you cease to read it; subscribing is put on record."""
    audit_log_stream: AuditLogEvent = subscription(
        audit_log_stream,
        filter="Filter that the entries match, as for `auditEntries`; all that you may read when left out.",
        after="`eventId` of the last batch you have, after which the stream resumes.",
    )
    """All entries that you may read and the filter finds, newest first, in batches of 500 with their
    progress, then StreamComplete. Each batch is put on record. FORBIDDEN ends the stream when you may read
    less than at its beginning."""
