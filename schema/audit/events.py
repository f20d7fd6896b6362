"""Alerts of the audit log, as clients see them."""

from datetime import datetime
from typing import Annotated

from core.graphql import key, subscription, type_, union
from core.graphql.common import Event, ResyncRequired
from core.ids import Id
from schema.audit.checks import IntegrityCheck
from stores.audit import AuditAnomalyKind
from subscriptions.audit import alerts


@type_
class IntegrityCheckFailed(Event):
    """Alert that a check found a chain of the audit log, or the log as a whole, damaged."""

    integrity_check: IntegrityCheck
    """Check that found the damage."""
    chain_id: str | None
    """Name of the damaged chain; null for the log as a whole."""
    first_bad_seq: int | None
    """Number in the chain at which the damage begins; null for an entry without a place, and for the log."""


@type_
class AuditAnomaly:
    """Unusual pattern in how somebody uses the audit log."""

    kind: AuditAnomalyKind
    """Kind of the unusual pattern."""
    actor_id: Id | None
    """Id of the person who acted; null when nobody was signed in."""
    act_count: int = key("count")
    """Number of reads, exports or denials that were counted."""
    starts_at: datetime
    """Time from which on the acts were counted."""
    ends_at: datetime
    """Time up to which the acts were counted."""


@type_
class AuditAnomalyDetected(Event):
    """Alert that somebody uses the audit log in an unusual way."""

    anomaly: AuditAnomaly
    """Unusual pattern that was detected."""


AuditAlertEvent = Annotated[
    IntegrityCheckFailed | AuditAnomalyDetected | ResyncRequired,
    union("AuditAlertEvent", "Alerts about the audit log of an organization."),
]


@type_
class AlertSubscriptions:
    """Streams of alerts."""

    audit_alerts: AuditAlertEvent = subscription(alerts.audit_alerts)
    """Alerts about the log of your organization, for its administrators: damage that a check found, and
    unusual patterns of use. FORBIDDEN ends the stream when you cease to administer the log."""
