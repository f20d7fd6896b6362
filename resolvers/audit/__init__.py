"""Audit log: the keeper of what is put on record; for other systems: its alerts."""

from resolvers.audit.anomalies import AuditAnomaly, anomaly_raised
from resolvers.audit.concluding import IntegrityAlert, alerted
from resolvers.audit.evidence_files import compromised

__all__ = ["AuditAnomaly", "IntegrityAlert", "alerted", "anomaly_raised", "compromised"]
