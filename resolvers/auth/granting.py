"""Granting and revoking roles: who may give which, and for how long."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypedDict

from core import grants, ids, jobs, nodes
from core.audit import Act, Mode, record
from core.context import PERSONAL, Context
from core.errors import UserError
from core.grants import OF_THINGS, GrantRole, GrantScope
from core.ids import Id
from core.security.access import NOT_ALLOWED
from loaders.auth import UserById
from resolvers.auth import grants_held, grants_shown
from stores import auth as store
from stores.auth import MOST_GRANTS, AccountStatus, Grant, Role, User

END = "auth.end_grant"


class Granted(TypedDict):
    grant: Grant
    grant_edge: dict[str, Any]


class Revoked(TypedDict):
    deleted_grant_id: Id | None


async def grant_role(
    ctx: Context,
    *,
    user_id: Id,
    role: GrantRole,
    scope_id: Id | None = None,
    held_until: datetime | None = None,
) -> Granted:
    """Grant a person a role, or change when the grant ends; idempotent."""
    declared = grants.GRANT_ROLES[role]
    person = await _person(ctx, user_id)
    place = await _place(ctx, declared, person, scope_id)
    await _check_giver(ctx, declared, place)
    if declared.scope is GrantScope.ORGANIZATION and store.org_of(person) != place:
        raise UserError("NOT_FOUND", "There is no such person in your organization.", field=["userId"])
    _check_end(ctx, declared, held_until)
    # Two that give at once do so one after the other, as does who takes the person out of the organization.
    await ctx.tx.lock_document(store.users, user_id)
    grant = await _given(ctx, declared, person, place, held_until)
    return {"grant": grant, "grant_edge": grants_shown.edge(grant)}


async def revoke_role(ctx: Context, *, user_id: Id, role: GrantRole, scope_id: Id | None = None) -> Revoked:
    """Revoke a person's role, at once in every process; succeeds if it is not held."""
    declared = grants.GRANT_ROLES[role]
    person = await _person(ctx, user_id)
    place = await _place(ctx, declared, person, scope_id)
    await _check_giver(ctx, declared, place)
    grant = await store.grant_of(ctx.db, user_id, declared, place)
    if grant is None or await end(ctx, grant) is None:
        return {"deleted_grant_id": None}
    await _record(ctx, "auth.role_revoked", grant)
    return {"deleted_grant_id": Id(grant["_id"])}


async def hold_until(ctx: Context, user_id: str, role: GrantRole, moment: datetime) -> None:
    """Have a person hold a role of the service until a moment at least; the caller checks who may give it."""
    person = await _person(ctx, user_id)
    await ctx.tx.lock_document(store.users, user_id)
    known = await store.grant_of(ctx.db, user_id, role, None)
    if known is None or (known["expires_at"] is not None and known["expires_at"] < moment):
        await _given(ctx, role, person, None, moment)


async def end(ctx: Context, grant: Grant) -> Grant | None:
    """End a grant, for its holder's devices too; None when it has ended already."""
    ended = await ctx.tx.delete(store.grants, grant)
    if ended is None:
        return None
    await jobs.cancel(ctx.tx, END, key=grant["_id"])
    others = [each for each in await store.grants_of(ctx.db, grant["user_id"]) if each["_id"] != grant["_id"]]
    still_open = {scope for each in others for scope in grants_shown.opened_by(each)}
    for scope in grants_shown.opened_by(grant):
        if scope not in still_open:
            ctx.tx.revoked(grant["user_id"], scope)
    grants_held.tell(ctx, grant["user_id"])
    return ended


async def end_expired(ctx: Context, grant_id: str, user_id: str) -> None:
    """End a grant whose time is over; it has been in force no more since then."""
    grant = await store.grants.by_id(ctx.db, {"_id": grant_id, "user_id": user_id})
    if grant is not None and grant["expires_at"] is not None and grant["expires_at"] <= ctx.tx.now:
        await end(ctx, grant)
        await _record(ctx, "auth.role_ended", grant)


async def leave_organization(ctx: Context, user_id: str) -> None:
    """End the person's roles in their organization, which they leave."""
    for grant in await store.grants_of(ctx.db, user_id):
        if grant["scope"] == GrantScope.ORGANIZATION:
            await end(ctx, grant)
            await _record(ctx, "auth.role_revoked", grant)


async def _given(
    ctx: Context, role: GrantRole, person: User, place: str | None, expires_at: datetime | None
) -> Grant:
    known = await store.grant_of(ctx.db, person["_id"], role, place)
    if known is not None and known["expires_at"] == expires_at:
        return known
    given = {"granted_by": ctx.viewer_id, "expires_at": expires_at}
    if known is not None:
        grant = await ctx.tx.edit(store.grants, known, given)
    else:
        if await store.count_grants(ctx.db, person["_id"]) >= MOST_GRANTS:
            raise UserError("LIMIT_REACHED", "At most {limit} roles.", limit=MOST_GRANTS)
        named = {"user_id": person["_id"], "role": str(role), "scope": role.scope, "scope_id": place}
        grant = await ctx.tx.insert(store.grants, {"_id": ids.new_id("grant"), **named, **given})
        for scope in role.opens(place):
            ctx.tx.granted(person["_id"], scope)
    if expires_at is None:
        await jobs.cancel(ctx.tx, END, key=grant["_id"])
    else:
        id = grant["_id"]
        await jobs.enqueue(ctx.tx, END, due_at=expires_at, key=id, grant_id=id, user_id=person["_id"])
    grants_held.tell(ctx, person["_id"])
    await _record(ctx, "auth.role_granted", grant)
    return grant


async def _record(ctx: Context, action: str, grant: Mapping[str, Any]) -> None:
    ends = grant["expires_at"].isoformat() if grant["expires_at"] else None
    where = {"role": grant["role"], "scope": grant["scope"], "scope_id": grant["scope_id"], "ends": ends}
    holder = grant["user_id"]
    act = Act(action, "ACCESS_GRANTED", "ACCOUNT", resource_id=holder, subject_id=holder, details=where)
    await record(ctx, act, Mode.SYNC)


async def _person(ctx: Context, user_id: str) -> User:
    person = await ctx.load(UserById, ids.checked(user_id, "user"))
    if person is None or person["status"] == AccountStatus.DELETED:
        raise UserError("NOT_FOUND", "There is no such person.", field=["userId"])
    return person


async def _place(ctx: Context, role: GrantRole, person: User, scope_id: str | None) -> str | None:
    """Organization or thing that a role is given in; None in scopes of which there is one."""
    if role.scope not in OF_THINGS:
        if scope_id is not None:
            raise UserError("INVALID_INPUT", "This role is not held in a single thing.", field=["scopeId"])
        return _organization(ctx, person) if role.scope is GrantScope.ORGANIZATION else None
    if scope_id is None:
        raise UserError("REQUIRED", "Say in what the role is held.", field=["scopeId"])
    ids.checked(scope_id, role.scope.lower())
    if scope_id not in await nodes.visible(ctx, [scope_id]):
        raise UserError("NOT_FOUND", nodes.GONE, field=["scopeId"])
    return scope_id


def _organization(ctx: Context, person: User) -> str:
    """Organization of a role: the caller's, or for an administrator that of the person."""
    if not _administers(ctx):
        return grants.need_organization(ctx)
    if (org := store.org_of(person)) == PERSONAL:
        raise UserError("NO_ORGANIZATION", "The account belongs to no organization.", field=["userId"])
    return org


async def _check_giver(ctx: Context, role: GrantRole, place: str | None) -> None:
    givers = [grants.GRANT_ROLES[name] for name in role.given_by]
    within = place if role.scope in OF_THINGS else None
    if not _administers(ctx) and not await grants.holds(ctx, *givers, within=within):
        raise UserError("FORBIDDEN", NOT_ALLOWED)


def _administers(ctx: Context) -> bool:
    return Role.ADMIN in ctx.signed_in.roles


def _check_end(ctx: Context, role: GrantRole, expires_at: datetime | None) -> None:
    if expires_at is None:
        if role.longest is not None:
            raise UserError("REQUIRED", "This role is given for a time.", field=["heldUntil"])
        return
    if expires_at <= ctx.tx.now:
        raise UserError("OUT_OF_RANGE", "A grant ends in the future.", field=["heldUntil"])
    if role.longest is not None and expires_at > ctx.tx.now + role.longest:
        days = role.longest.days
        raise UserError("OUT_OF_RANGE", "At most {limit} days ahead.", field=["heldUntil"], limit=days)
