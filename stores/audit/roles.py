"""Roles of an organization's audit log: who reads what of it, and who gives them."""

from datetime import timedelta

from core.grants import GrantScope, grant_role

LONGEST_EXTERNAL = timedelta(days=90)


def evidence_scope(org_id: str | None) -> str:
    """Scope of the change log in which an organization's evidence is."""
    return f"evidence:{org_id}"


def _opens_evidence(scope_id: str | None) -> list[str]:
    return [evidence_scope(scope_id)]


AUDIT_ADMIN = grant_role(
    "AUDIT_ADMIN",
    GrantScope.ORGANIZATION,
    "Administers the organization's audit log and evidence, and gives its other roles.",
    opens=_opens_evidence,
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
    "Reads encrypted fields, which hold personal data, of the entries that other roles let one read.",
    given_by=[AUDIT_ADMIN],
    shows_more=True,
)
COMPLIANCE_OFFICER = grant_role(
    "COMPLIANCE_OFFICER",
    GrantScope.ORGANIZATION,
    "Reads the organization's audit log, its evidence and its legal holds.",
    given_by=[AUDIT_ADMIN],
    opens=_opens_evidence,
)
EVIDENCE_CUSTODIAN = grant_role(
    "EVIDENCE_CUSTODIAN",
    GrantScope.ORGANIZATION,
    "Collects the organization's evidence and has custody of it.",
    given_by=[AUDIT_ADMIN],
    opens=_opens_evidence,
)
EVIDENCE_HANDLERS = (EVIDENCE_CUSTODIAN, COMPLIANCE_OFFICER, AUDIT_ADMIN)
"""Roles whose holders see and collect an organization's evidence, and may have custody of it."""
EXTERNAL_AUDITOR = grant_role(
    "EXTERNAL_AUDITOR",
    GrantScope.SERVICE,
    "Reads the incidents to which organizations gave access by `grantAuditAccess`, which gives this role as "
    "well; held for 90 days at most.",
    longest=LONGEST_EXTERNAL,
    shows_more=True,
)
