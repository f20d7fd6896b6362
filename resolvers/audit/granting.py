"""Access of external auditors: granted for some incidents and a time, and revoked."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypedDict

from core import clock, grants, ids, nodes, paging
from core.audit import Act, Mode, record
from core.context import Context
from core.errors import UserError
from core.ids import Id
from core.nodes import guard
from core.paging import NEWEST, Listing, PageArgs
from core.security.access import NOT_ALLOWED
from core.values.bounds import check_count
from loaders.audit import AccessGrantById
from resolvers.audit.incidents import check_known
from resolvers.auth import hold_role_until
from stores import audit as store
from stores.audit import AuditAccessGrant
from stores.audit.roles import AUDIT_ADMIN, EXTERNAL_AUDITOR, LONGEST_EXTERNAL

MOST_INCIDENTS = 100
MOST_GRANTS = 100
"""Grants of an organization to one person that are in force: what others grant them is no matter of its."""


class Changed(TypedDict):
    audit_access_grant: AuditAccessGrant


class Granted(Changed):
    audit_access_grant_edge: dict[str, Any]


@guard("audit_access_grant", owner="granted_by")
async def visible_grants(ctx: Context, wanted: Sequence[str]) -> list[AuditAccessGrant | None]:
    """Access guard of access to incidents: for the grantee, and the organization's administrators."""
    found = await ctx.load_many(AccessGrantById, wanted)
    org = ctx.org if await grants.holds(ctx, AUDIT_ADMIN) else None
    own = ctx.viewer_id_or_none
    return [each if each and (each["grantee_id"] == own or each["org_id"] == org) else None for each in found]


async def own_grants(ctx: Context, viewer: Mapping[str, Any], *, args: PageArgs) -> dict[str, Any]:
    """Access to incidents that the viewer was granted and that is in force, newest first."""
    own = {"grantee_id": ctx.viewer_id}
    return await _page(ctx, {**own, **store.in_force(clock.now())}, args, own)


async def access_grants(ctx: Context, *, args: PageArgs) -> dict[str, Any]:
    """Access to incidents that the viewer's organization granted, newest first, with what is over."""
    granted = {"org_id": grants.need_organization(ctx)}
    return await _page(ctx, granted, args, granted)


async def _page(
    ctx: Context, query: Mapping[str, Any], args: PageArgs, named: Mapping[str, Any]
) -> dict[str, Any]:
    return await store.access_grants.page(ctx.db, query, NEWEST, args, listing=_listing(named))


def _listing(named: Mapping[str, Any]) -> Listing:
    return Listing(store.access_grants.name, query=named)


async def grant_audit_access(
    ctx: Context,
    *,
    id: Id | None = None,
    user_id: Id,
    incident_ids: list[Id],
    pii: bool = False,
    expires_at: datetime,
) -> Granted:
    """Grant a person, of whatever organization, access to some incidents until a moment."""
    check_count(incident_ids, least=1, most=MOST_INCIDENTS, field="incident_ids")
    _check_end(ctx, expires_at)
    incidents = list(dict.fromkeys(incident_ids))
    await check_known(ctx, incidents, field=["incidentIds"])
    await hold_role_until(ctx, ids.checked(user_id, "user"), EXTERNAL_AUDITOR, expires_at)
    held = {"grantee_id": user_id, "org_id": ctx.org, **store.in_force(ctx.tx.now)}
    if len(await store.access_grants.find(ctx.db, held, limit=MOST_GRANTS, fields=["_id"])) >= MOST_GRANTS:
        raise UserError("LIMIT_REACHED", "At most {limit} at a time.", field=["userId"], limit=MOST_GRANTS)
    made = {
        "_id": ids.minted(id, "audit_access_grant"),
        "org_id": ctx.org,
        "grantee_id": user_id,
        "incident_ids": incidents,
        "pii": pii,
        "granted_by": ctx.viewer_id,
        "created_at": ctx.tx.now,
        "expires_at": expires_at,
        "revoked_at": None,
    }
    grant = await ctx.tx.insert(store.access_grants, made)
    await _tell(ctx, grant, "audit.access_granted")
    edge = paging.edge_of(_listing({"org_id": ctx.org}), NEWEST, grant)
    return {"audit_access_grant": grant, "audit_access_grant_edge": edge}


async def revoke_audit_access(ctx: Context, *, audit_access_grant_id: Id) -> Changed:
    """Revoke access at once, in every process and in open streams; idempotent."""
    grant = await nodes.for_update(ctx, store.access_grants, audit_access_grant_id)
    if grant["org_id"] != ctx.org:
        raise UserError("FORBIDDEN", NOT_ALLOWED)
    if grant["revoked_at"] is None:
        grant = await ctx.tx.edit(store.access_grants, grant, {"revoked_at": ctx.tx.now})
        await _tell(ctx, grant, "audit.access_revoked")
    return {"audit_access_grant": grant}


def access_scope(user_id: str) -> str:
    """Scope of the change log that tells of changed access of a person: streams look again."""
    return f"audit_access:{user_id}"


async def _tell(ctx: Context, grant: AuditAccessGrant, action: str) -> None:
    """Log the change for open streams, and put it on record."""
    grantee = grant["grantee_id"]
    ctx.tx.notice(access_scope(grantee), scopes=[access_scope(grantee)])
    details = {
        "incident_ids": grant["incident_ids"],
        "pii": grant["pii"],
        "expires_at": grant["expires_at"],
    }
    act = Act(
        action, "ACCESS_GRANTED", "AUDIT_LOG", resource_id=grant["_id"], subject_id=grantee, details=details
    )
    await record(ctx, act, Mode.SYNC)


def _check_end(ctx: Context, expires_at: datetime) -> None:
    if expires_at <= ctx.tx.now:
        raise UserError("OUT_OF_RANGE", "Access ends in the future.", field=["expiresAt"])
    if expires_at > ctx.tx.now + LONGEST_EXTERNAL:
        days = LONGEST_EXTERNAL.days
        raise UserError("OUT_OF_RANGE", "At most {limit} days ahead.", field=["expiresAt"], limit=days)
