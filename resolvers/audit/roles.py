"""Roles of the audit log: who reads it, and who reads what is personal in it."""

from core import grants
from core.context import Context
from stores.audit.roles import (
    AUDIT_ADMIN,
    AUDIT_PII_READER,
    AUDIT_READER,
    COMPLIANCE_OFFICER,
    EXTERNAL_AUDITOR,
)
from stores.auth import Role

READERS = (Role.AUDITOR, AUDIT_READER, COMPLIANCE_OFFICER)
"""Roles that read the log of an organization as a whole, its checkpoints included."""
CHECKERS = (*READERS, AUDIT_ADMIN)
"""Roles that check the log of an organization, and read what checks found."""

GRANTED = (AUDIT_READER, COMPLIANCE_OFFICER, AUDIT_PII_READER, EXTERNAL_AUDITOR)
"""Granted roles by which entries, or what is personal in them, are read."""


async def reads_log(ctx: Context) -> bool:
    """True if the viewer reads the log of their organization, without personal values."""
    if ctx.viewer is None:
        return False
    return Role.AUDITOR in ctx.viewer.roles or await grants.holds(ctx, AUDIT_READER, COMPLIANCE_OFFICER)


async def reads_personal_values(ctx: Context) -> bool:
    """True if the viewer reads the encrypted fields of what they may read of their organization's log."""
    return await grants.holds(ctx, AUDIT_PII_READER)


async def reads_granted_incidents(ctx: Context) -> bool:
    """True if the viewer may use the access to incidents that organizations granted to them."""
    return await grants.holds(ctx, EXTERNAL_AUDITOR)


async def reads_checks(ctx: Context) -> bool:
    """True if the viewer reads what checks of the log of their organization found."""
    return ctx.viewer is not None and (await reads_log(ctx) or await grants.holds(ctx, AUDIT_ADMIN))
