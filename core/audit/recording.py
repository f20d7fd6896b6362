"""Audit recording: acts are handed to the keeper of the records, in a unit of work."""

import structlog

from core.audit.acts import Act, Mode
from core.context import Context
from core.hooks import Hook

logger = structlog.get_logger(__name__)

recorded = Hook[[Context, Act, Mode], None]("audit.recorded")
"""Called with each act, in its unit of work: the keeper writes with `ctx.tx`."""


async def record(ctx: Context, act: Act, mode: Mode = Mode.UNIT) -> None:
    """Put an act on record with the running unit of work; ASYNC ones need none."""
    if mode is not Mode.ASYNC:
        ctx.tx.edits.acts.add(act.action)
    await recorded(ctx, act, mode)
    logger.info(
        "audited",
        action=act.action,
        actor=ctx.viewer_id_or_none or act.actor_id,
        resource=act.resource_id,
        subject=act.subject_id,
        outcome=act.outcome,
    )


async def record_apart(ctx: Context, *acts: Act) -> None:
    """Put acts on record in a unit of work of their own: for reads, and refusals that roll a mutation back.

    A context of its own as well: what else the operation reads is no part of the record's transaction.
    """
    apart = ctx.fork()

    async def work() -> None:
        for act in acts:
            await record(apart, act)

    if acts:
        await apart.unit(work)
