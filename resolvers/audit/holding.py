"""Legal holds: placed on an incident or a person, whose data are then neither erased nor archived."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from core import erasure, grants, ids, nodes, paging
from core.audit import Act, Mode, record
from core.context import Context
from core.errors import UserError
from core.hooks import on
from core.ids import Id
from core.nodes import guard
from core.one_of import one_of
from core.paging import NEWEST, Listing, PageArgs
from core.values.bounds import check_length
from loaders.audit import HoldById
from loaders.auth import UserById
from resolvers.audit.incidents import check_known
from stores import audit as store
from stores import auth as accounts
from stores.audit import LegalHold
from stores.audit.roles import AUDIT_ADMIN, COMPLIANCE_OFFICER

HOLDERS = (COMPLIANCE_OFFICER, AUDIT_ADMIN)
"""Roles that place, release and read the legal holds of their organization."""
LONGEST_REASON = 1_000


@one_of
class LegalHoldTarget(TypedDict, total=False):
    """Target of a legal hold: an incident, or a person."""

    incident_id: Id | None
    """Id of the incident whose entries are kept."""
    subject_id: Id | None
    """Id of the person whose data are kept: a member of the organization, or one its log tells of."""


class LegalHoldFilter(TypedDict, total=False):
    """Filter of the legal holds of an organization."""

    active: bool | None
    """True to show only those that were not released."""


class Changed(TypedDict):
    legal_hold: LegalHold


class Placed(Changed):
    legal_hold_edge: dict[str, Any]


@guard("legal_hold", owner="placed_by")
async def visible_holds(ctx: Context, wanted: Sequence[str]) -> list[LegalHold | None]:
    """Access guard of legal holds: for the organization's compliance officers and administrators."""
    if not await grants.holds(ctx, *HOLDERS):
        return [None for _ in wanted]
    found = await ctx.load_many(HoldById, wanted)
    return [each if each and each["org_id"] == ctx.org else None for each in found]


async def legal_holds(
    ctx: Context, *, filter: LegalHoldFilter | None = None, args: PageArgs
) -> dict[str, Any]:
    """Legal holds of the viewer's organization, newest first."""
    active = store.ACTIVE_HOLD if (filter or {}).get("active") else {}
    query = {"org_id": grants.need_organization(ctx), **active}
    return await store.holds.page(ctx.db, query, NEWEST, args, listing=_listing(query))


def _listing(query: Mapping[str, Any]) -> Listing:
    return Listing(store.holds.name, query=query)


async def place_legal_hold(
    ctx: Context, *, id: Id | None = None, target: LegalHoldTarget, reason: str
) -> Placed:
    """Place a legal hold; there may be several on one target, each for its own reason."""
    reason = reason.strip()
    check_length(reason, least=1, most=LONGEST_REASON, field="reason")
    subject_id, incident_id = target.get("subject_id"), target.get("incident_id")
    if incident_id is not None:
        await check_known(ctx, [incident_id], field=["target", "incidentId"])
        # Who is in the incident and is erased at the same time is erased first, or not at all.
        await store.claim_holds(ctx.db, [ctx.org])
    if subject_id is not None:
        await _check_subject(ctx, subject_id)
    hold_id = ids.minted(id, "legal_hold")
    made = {
        "_id": hold_id,
        "org_id": ctx.org,
        "incident_id": incident_id,
        "subject_id": subject_id,
        "reason": ctx.services.crypto.seal(reason, place=f"audit_holds/{hold_id}/reason"),
        "placed_by": ctx.viewer_id,
        "created_at": ctx.tx.now,
        "released_by": None,
        "released_at": None,
    }
    hold = await ctx.tx.insert(store.holds, made)
    await _record(ctx, "audit.legal_hold_placed", hold, {"reason": reason})
    edge = paging.edge_of(_listing({"org_id": ctx.org}), NEWEST, hold)
    return {"legal_hold": hold, "legal_hold_edge": edge}


async def release_legal_hold(ctx: Context, *, legal_hold_id: Id) -> Changed:
    """Release a legal hold; idempotent."""
    hold = await nodes.for_update(ctx, store.holds, legal_hold_id)
    if hold["released_at"] is None:
        released = {"released_by": ctx.viewer_id, "released_at": ctx.tx.now}
        hold = await ctx.tx.edit(store.holds, hold, released)
        await _record(ctx, "audit.legal_hold_released", hold, {})
    return {"legal_hold": hold}


async def reasons(ctx: Context, holds: Sequence[LegalHold]) -> list[str]:
    """Reasons of holds, decrypted."""
    crypto = ctx.services.crypto
    return [crypto.open(each["reason"], place=f"audit_holds/{each['_id']}/reason") for each in holds]


@on(erasure.held)
async def person_held(ctx: Context, user_id: str) -> bool:
    """Legal holds keep accounts from being erased."""
    return await keeps(ctx, user_id)


async def keeps(ctx: Context, user_id: str) -> bool:
    """True if a hold keeps a person from being erased; else none comes while the unit of work does it."""
    incidents = await store.incidents_of(ctx.db, user_id)
    await store.claim_holds(ctx.db, [org_id for org_id, _ in incidents])
    return await store.holds_person(ctx.db, user_id)


async def _check_subject(ctx: Context, subject_id: str) -> None:
    """NOT_FOUND for a person who is neither of the viewer's organization nor in its log.

    Who is erased at the same time is erased first, or not at all.
    """
    person = await ctx.load(UserById, ids.checked(subject_id, "user"))
    known = person is not None and (
        accounts.org_of(person) == ctx.org or await store.in_log(ctx.services.db, ctx.org, subject_id)
    )
    if not known or (person and person["status"] == accounts.AccountStatus.DELETED):
        raise UserError("NOT_FOUND", "There is no such person.", field=["target", "subjectId"])
    await ctx.tx.lock_document(accounts.users, subject_id)


async def _record(ctx: Context, action: str, hold: LegalHold, sensitive: Mapping[str, Any]) -> None:
    act = Act(
        action,
        "DECISION_MADE",
        "AUDIT_LOG",
        resource_id=hold["_id"],
        incident_id=hold["incident_id"],
        details={"subject_id": hold["subject_id"]},
        sensitive=sensitive,
    )
    await record(ctx, act, Mode.SYNC)
