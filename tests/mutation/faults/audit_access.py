"""Planted faults of access to the audit log."""

from tests.mutation.fault import Fault

ACCESS = "resolvers/audit/access.py"
PERSONAL_VALUES = ("tests/audit/test_personal_values.py",)

FAULTS = [
    Fault(
        "readers of personal values read those of other organizations",
        ACCESS,
        'or entry["org_id"] == self.personal_org_id:',
        "or self.personal_org_id is not None:",
        PERSONAL_VALUES,
    ),
    Fault(
        "whoever reads the log reads what is personal in it",
        "resolvers/audit/roles.py",
        "return await grants.holds(ctx, AUDIT_PII_READER)",
        "return await reads_log(ctx)",
        PERSONAL_VALUES,
    ),
    Fault(
        "a compliance officer does not read the log",
        "resolvers/audit/roles.py",
        "grants.holds(ctx, AUDIT_READER, COMPLIANCE_OFFICER)",
        "grants.holds(ctx, AUDIT_READER)",
        PERSONAL_VALUES,
    ),
]
