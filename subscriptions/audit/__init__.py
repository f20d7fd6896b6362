"""Subscriptions to the audit log."""

from subscriptions.audit.alerts import audit_alerts

__all__ = ["audit_alerts"]
