"""Anomalies: unusual patterns in how a log is used, told to its administrators."""

from dataclasses import dataclass
from datetime import datetime

import structlog

from core import ids
from core.context import Context
from core.hooks import Hook
from resolvers.audit.concluding import alerts_scope
from stores.audit import AuditAnomalyKind

logger = structlog.get_logger(__name__)

PREFIX = "audit_anomaly"


@dataclass(frozen=True, slots=True)
class AuditAnomaly:
    """Unusual pattern: what somebody did so many times from one moment to another."""

    kind: AuditAnomalyKind
    org_id: str
    actor_id: str | None
    count: int
    since: datetime
    until: datetime


anomaly_raised = Hook[[Context, AuditAnomaly], None]("audit.anomaly_raised")
"""Called with each anomaly, in the unit of work that raises it."""


async def raise_anomaly(ctx: Context, anomaly: AuditAnomaly) -> None:
    """Alert the administrators of the log with the unit of work; the stream of alerts has it for 90 days."""
    logger.warning(
        "unusual use of the audit log", org=anomaly.org_id, kind=anomaly.kind, actor=anomaly.actor_id
    )
    told = {
        "kind": anomaly.kind,
        "actor_id": anomaly.actor_id,
        "count": anomaly.count,
        "starts_at": anomaly.since,
        "ends_at": anomaly.until,
    }
    scopes = [alerts_scope(anomaly.org_id)]
    ctx.tx.changed({"_id": ids.new_id(PREFIX)}, scopes=scopes, created=True, detail=told, brief=True)
    await anomaly_raised(ctx, anomaly)
