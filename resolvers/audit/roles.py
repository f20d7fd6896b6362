"""Roles of the audit log: the platform's auditors read it, administrators give access to it."""

from core.context import Context
from stores.audit.roles import AUDIT_READER, COMPLIANCE_OFFICER
from stores.auth import Role

READERS = (Role.AUDITOR, AUDIT_READER, COMPLIANCE_OFFICER)
"""Roles that read the log of an organization as a whole, checkpoints and checks of it included."""


def reads_log(ctx: Context) -> bool:
    """True if the viewer reads the log of their organization, without personal values."""
    return ctx.viewer is not None and Role.AUDITOR in ctx.viewer.roles
