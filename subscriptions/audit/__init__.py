"""Subscriptions to the audit log."""

from subscriptions.audit.alerts import audit_alerts
from subscriptions.audit.incidents import INCIDENT_EVENTS, incident_audit_events
from subscriptions.audit.log import audit_log_stream

__all__ = ["INCIDENT_EVENTS", "audit_alerts", "audit_log_stream", "incident_audit_events"]
