"""Audited mutations: the acts of those that declare one, with their units of work or beside them."""

from collections.abc import Mapping
from typing import Any

import structlog

from core import outages
from core.audit import Audited, AuditOutcome, Mode, record, record_apart
from core.context import Context
from core.errors import UserError

logger = structlog.get_logger(__name__)

Arguments = Mapping[str, Any]


async def done(ctx: Context, declared: Audited | None, arguments: Arguments) -> None:
    """Record with the unit of work that the mutation was done; one that changed nothing was no act."""
    edits = ctx.tx.edits
    if declared is None or declared.action in edits.acts or not edits.wrote:
        return
    before, after = edits.of(declared.resource_id(arguments))
    await record(ctx, declared.done(arguments, before, after))


async def done_apart(ctx: Context, declared: Audited | None, arguments: Arguments) -> None:
    """Record that a mutation was done that has no unit of work of its own."""
    if declared is not None:
        await record_apart(ctx, declared.done(arguments, {}, {}))


async def failed(
    ctx: Context, declared: Audited | None, arguments: Arguments, key: str, error: Exception
) -> None:
    """Record, in a unit of its own, that the caller may not do this, or that it met a bug.

    Under its receipt's `key`, so that a retry is no second denial.
    """
    outcome = _outcome(declared, error) if declared is not None else None
    if declared is None or outcome is None:
        return
    entry_key = ctx.services.signer.digest(f"{key}:{outcome}".encode())
    act = declared.undone(arguments, outcome, entry_key)
    try:
        await record_apart(ctx, act)
    except Exception as problem:
        # The database is away: the act comes on record when it is back.
        outages.log(logger, "act recorded later", problem, action=act.action, outcome=outcome)
        await record(ctx, act, Mode.ASYNC)


def _outcome(declared: Audited, error: Exception) -> AuditOutcome | None:
    """Outcome of a mutation that ended so; None for refusals and outages that are no matter of record."""
    if isinstance(error, UserError):
        return AuditOutcome.DENIED if error.code in declared.denials else None
    return AuditOutcome.FAILED if outages.fault_of(error) is None else None
