"""Roles of an organization's audit log: who reads what of it, and who gives them."""

from datetime import timedelta

from core.grants import GrantScope, grant_role

LONGEST_EXTERNAL = timedelta(days=90)

AUDIT_ADMIN = grant_role(
    "AUDIT_ADMIN",
    GrantScope.ORGANIZATION,
    "Administers the organization's audit log and gives its other roles.",
)
AUDIT_READER = grant_role(
    "AUDIT_READER",
    GrantScope.ORGANIZATION,
    "Reads the organization's audit log, without encrypted fields.",
    given_by=[AUDIT_ADMIN],
)
AUDIT_PII_READER = grant_role(
    "AUDIT_PII_READER",
    GrantScope.ORGANIZATION,
    "Reads encrypted fields, which hold personal data, of the entries that other roles let one read; no "
    "permissions in this API.",
    given_by=[AUDIT_ADMIN],
)
COMPLIANCE_OFFICER = grant_role(
    "COMPLIANCE_OFFICER",
    GrantScope.ORGANIZATION,
    "Reads the organization's audit log, its evidence and its legal holds.",
    given_by=[AUDIT_ADMIN],
)
EVIDENCE_CUSTODIAN = grant_role(
    "EVIDENCE_CUSTODIAN",
    GrantScope.ORGANIZATION,
    "Collects the organization's evidence and has custody of it; no permissions in this API.",
    given_by=[AUDIT_ADMIN],
)
EXTERNAL_AUDITOR = grant_role(
    "EXTERNAL_AUDITOR",
    GrantScope.SERVICE,
    "Belongs to no organization that is audited: reads and exports the incidents to which organizations gave "
    "access; held for 90 days at most; no permissions in this API.",
    longest=LONGEST_EXTERNAL,
)
