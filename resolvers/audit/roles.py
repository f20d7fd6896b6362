"""Roles of the audit log: the platform's auditors read it, administrators give access to it."""

from core.context import Context
from stores.auth import Role


def reads_log(ctx: Context) -> bool:
    """True if the viewer reads the log of their organization, without personal values."""
    return ctx.viewer is not None and Role.AUDITOR in ctx.viewer.roles
