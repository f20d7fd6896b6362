"""Chain of custody of evidence: who had it, from whom and what for, each record with its audit entry."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypedDict

from core import clock, grants, ids, nodes
from core.audit import Act, AuditOutcome, Mode, record
from core.context import PERSONAL, Context
from core.errors import ErrorKind, UserError, error_codes
from core.grants import GrantsOfPeople
from core.ids import Id
from core.security.limits import Rate
from core.values.bounds import check_length
from loaders.audit import CustodyByEvidence
from stores import audit as store
from stores.audit import CustodyAction, CustodyRecord, Evidence, EvidenceStatus
from stores.audit.roles import AUDIT_ADMIN, EVIDENCE_HANDLERS

error_codes(
    ErrorKind.FORBIDDEN,
    NOT_CUSTODIAN="Somebody else has custody of the evidence: only they, or an AUDIT_ADMIN, record more.",
)
error_codes(
    ErrorKind.WRONG_STATUS,
    ALREADY_ARCHIVED="The evidence was archived, which ends its chain of custody.",
    INVALID_ACTION="The action has no place here in the chain of custody of this evidence.",
)

CUSTODY_RATE = Rate("custody", 120, 3600)
LONGEST_LOCATION, LONGEST_NOTES = 200, 2_000


class Kept(TypedDict):
    evidence: Evidence


def act_on(
    evidence: Evidence,
    action: str,
    event_type: str = "EVIDENCE_COLLECTED",
    *,
    outcome: AuditOutcome = AuditOutcome.OK,
    reason: str | None = None,
    details: Mapping[str, Any] | None = None,
    sensitive: Mapping[str, Any] | None = None,
) -> Act:
    """Act on evidence, which belongs to its incident."""
    return Act(
        action,
        event_type,
        "EVIDENCE",
        resource_id=evidence["_id"],
        incident_id=evidence["incident_id"],
        outcome=outcome,
        reason=reason,
        details=details or {},
        sensitive=sensitive or {},
        org_id=evidence["org_id"],
    )


async def record_custody(
    ctx: Context,
    *,
    evidence_id: Id,
    action: CustodyAction,
    received_by_id: Id | None = None,
    location: str | None = None,
    notes: str | None = None,
) -> Kept:
    """Record what became of evidence: who has it from now on, where and what for."""
    await ctx.limit(CUSTODY_RATE)
    check_length(location or "", most=LONGEST_LOCATION, field="location")
    check_length(notes or "", most=LONGEST_NOTES, field="notes")
    evidence = await nodes.for_update(ctx, store.evidence, evidence_id)
    if evidence["custodian_id"] != ctx.viewer_id and not await grants.holds(ctx, AUDIT_ADMIN):
        raise UserError(
            "NOT_CUSTODIAN", "The evidence is in the custody of somebody else.", evidence=evidence
        )
    _check_action(evidence, action)
    if action is CustodyAction.TRANSFERRED and received_by_id is None:
        raise UserError("REQUIRED", "Say who receives the evidence.", field=["receivedById"])
    receiver = received_by_id or evidence["custodian_id"]
    if receiver != evidence["custodian_id"]:
        await _check_receiver(ctx, receiver)
    told = {"action": action, "handed_off_by_id": evidence["custodian_id"], "received_by_id": receiver}
    noted = {"location": location or None, "notes": notes or None}
    # Notes may tell of people: they are hashed as what was encrypted.
    act = act_on(evidence, "audit.custody_recorded", details=told, sensitive=noted)
    await add_record(ctx, evidence, evidence["custody_count"], act, action, receiver, **noted)
    archived = {"archived_at": ctx.tx.now} if action is CustodyAction.ARCHIVED else {}
    changed = await ctx.tx.update(
        store.evidence, evidence, set={"custodian_id": receiver, **archived}, inc={"custody_count": 1}
    )
    assert changed is not None
    return {"evidence": changed}


def _check_action(evidence: Evidence, action: CustodyAction) -> None:
    if evidence["archived_at"] is not None:
        raise UserError("ALREADY_ARCHIVED", "The evidence was archived already.", evidence=evidence)
    if action is CustodyAction.COLLECTED or evidence["status"] == EvidenceStatus.EXPIRED:
        raise UserError(
            "INVALID_ACTION",
            "This has no place in the chain of custody.",
            field=["action"],
            evidence=evidence,
        )
    last = evidence["custody_count"] + 1 >= store.MOST_CUSTODY
    if last and action is not CustodyAction.ARCHIVED:
        raise UserError(
            "LIMIT_REACHED",
            "At most {limit} records; the last one archives the evidence.",
            limit=store.MOST_CUSTODY,
            evidence=evidence,
        )


async def _check_receiver(ctx: Context, user_id: str) -> None:
    """NOT_FOUND unless the person may have custody of the organization's evidence."""
    ids.checked(user_id, "user")
    if ctx.org == PERSONAL or not await _handles(ctx, user_id):
        raise UserError("NOT_FOUND", "They may not have custody of evidence here.", field=["receivedById"])


async def _handles(ctx: Context, user_id: str) -> bool:
    now, roles = clock.timestamp(), EVIDENCE_HANDLERS
    held = await ctx.services.get(GrantsOfPeople).of(user_id)
    return any(each.role in roles and each.scope_id == ctx.org and each.until > now for each in held)


async def add_record(
    ctx: Context,
    evidence: Evidence,
    number: int,
    act: Act,
    action: CustodyAction,
    receiver: str,
    *,
    location: str | None = None,
    notes: str | None = None,
) -> None:
    """Add a record at its place; its audit entry has one in its chain too before anybody is answered."""
    entry_id = ids.new_id(store.PREFIX)
    await record(ctx, replace(act, entry_id=entry_id), Mode.SYNC)
    made = {
        "_id": store.custody_id(evidence["_id"], number),
        "evidence_id": evidence["_id"],
        "recorded_at": ctx.tx.now,
        "handed_off_by_id": evidence["custodian_id"],
        "received_by_id": receiver,
        "action": action,
        "location": location,
        "notes": notes,
        "entry_id": entry_id,
    }
    await ctx.tx.insert(store.custody, made)


async def chains_of_custody(ctx: Context, evidence: Sequence[Mapping[str, Any]]) -> list[list[CustodyRecord]]:
    """Chain of custody of each piece of evidence."""
    return await ctx.load_level(CustodyByEvidence, [each["_id"] for each in evidence])
