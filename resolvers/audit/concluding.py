"""Conclusion of a check: it is stored, the entries that failed are marked, and the alerts go out."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial

import structlog
from prometheus_client import Counter

from core import clock, ids
from core.context import Context, Services
from core.hooks import Hook
from resolvers.audit.findings import Findings
from stores import audit as store
from stores.audit import AuditIntegrity, IntegrityCheck, IntegrityCheckKind, IntegrityCheckStatus

logger = structlog.get_logger(__name__)

DAMAGED = Counter("landfall_audit_damaged_total", "Damaged chains and logs that checks found.")


@dataclass(frozen=True, slots=True)
class IntegrityAlert:
    """Alert: a check found a chain, or where `chain_id` is None the log, damaged from this place on."""

    check: IntegrityCheck
    chain_id: str | None
    first_bad_seq: int | None


alerted = Hook[[Context, IntegrityAlert], None]("audit.alerted")
"""Called for each damaged chain, in the unit of work that stores the check."""


def alerts_scope(org_id: str) -> str:
    """Scope of the change log in which the alerts of an organization's log are."""
    return f"audit_alerts:{org_id}"


def begun(
    org_id: str,
    kind: IntegrityCheckKind,
    *,
    performed_by_id: str | None = None,
    start_entry_id: str | None = None,
    end_entry_id: str | None = None,
    log_size: int = 0,
) -> IntegrityCheck:
    """Check that runs from now on."""
    return IntegrityCheck(
        _id=ids.new_id(store.CHECK_PREFIX),
        org_id=org_id,
        kind=kind,
        status=IntegrityCheckStatus.RUNNING,
        performed_at=clock.now(),
        finished_at=None,
        performed_by_id=performed_by_id,
        start_entry_id=start_entry_id,
        end_entry_id=end_entry_id,
        log_size=log_size,
        checked_entry_count=0,
        integrity_valid=None,
        failed_entry_ids=[],
        hash_chain_broken=False,
        damages=[],
    )


def finished(check: IntegrityCheck, findings: Findings, at: datetime) -> IntegrityCheck:
    """The check with what it found."""
    return {
        **check,
        "status": IntegrityCheckStatus.FINISHED,
        "finished_at": at,
        "checked_entry_count": findings.checked,
        "integrity_valid": not findings.count,
        "failed_entry_ids": findings.failed_entry_ids,
        "hash_chain_broken": findings.broken,
        "damages": [damage._asdict() for damage in findings.damages],
    }


async def fail(services: Services, check: IntegrityCheck) -> None:
    """Say of a check that runs that it cannot be made; one that was made meanwhile stays as it is."""
    ctx = Context(services)
    failed = {"status": IntegrityCheckStatus.FAILED, "finished_at": clock.now()}
    where = {"status": IntegrityCheckStatus.RUNNING}
    await ctx.unit(lambda: ctx.tx.update(store.checks, check, set=failed, where=where, touch=False))


async def finish(services: Services, check: IntegrityCheck, findings: Findings) -> IntegrityCheck:
    """Conclude a check in a unit of work of its own."""
    ctx = Context(services)
    return await ctx.unit(partial(conclude, ctx, check, findings))


async def conclude(ctx: Context, check: IntegrityCheck, findings: Findings) -> IntegrityCheck:
    """Store a check with the unit of work, in place of the running one if that is stored already."""
    whole = finished(check, findings, ctx.tx.now)
    changes = {name: value for name, value in whole.items() if name not in ("_id", "org_id")}
    await ctx.tx.update(store.checks, check, set=changes, initial={}, touch=False)
    failed = [(each.chain_id, each.entry_id) for each in findings.damages]
    await store.mark_integrity(ctx.db, failed, AuditIntegrity.BROKEN)
    for chain_id, seq in findings.first_by_chain().items():
        _alert(ctx, whole, chain_id, seq)
        await alerted(ctx, IntegrityAlert(whole, chain_id, seq))
    return whole


def _alert(ctx: Context, check: IntegrityCheck, chain_id: str | None, seq: int | None) -> None:
    logger.critical("audit log damaged", org=check["org_id"], chain=chain_id, seq=seq, check=check["_id"])
    scopes, told = [alerts_scope(check["org_id"])], {"chain_id": chain_id, "first_bad_seq": seq}
    ctx.tx.changed(
        check, scopes=scopes, aspect=f"alert:{chain_id or ''}", created=True, detail=told, brief=True
    )

    async def count() -> None:
        DAMAGED.inc()

    ctx.tx.after_commit(count)
