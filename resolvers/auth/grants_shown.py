"""Grants as people see them: their own, and those that they may give and take."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from core import clock
from core.context import Context
from core.errors import Forbidden
from core.grants import GRANT_ROLES, OF_THINGS, GrantRole, GrantScope, Held, no_log_scopes
from core.hooks import on
from core.ids import Id
from core.nodes import guard, reader_scopes
from core.paging import NEWEST, Listing, PageArgs, any_of, edge_of
from core.security.access import NOT_ALLOWED
from core.storage.loader import by_id
from resolvers.auth.grants_held import GrantsHeld
from stores import auth as store
from stores.auth import Grant, Role


class GrantFilter(TypedDict, total=False):
    """Filter of a list of grants."""

    scopes: list[GrantScope] | None
    """Scopes that the grants have one of, at most 100."""
    scope_ids: list[Id] | None
    """Ids of things that the grants are in one of, at most 100."""
    roles: list[GrantRole] | None
    """Roles that the grants give one of, at most 100."""
    user_ids: list[Id] | None
    """Ids of people who hold the grants, at most 100."""


@guard("grant", sync="GRANT", collection="grants")
async def visible_grants(ctx: Context, wanted: Sequence[str]) -> list[Grant | None]:
    """Access guard of grants in force: for their holder, administrators, and those who may give the role."""
    found = await ctx.load_many(by_id(store.grants), wanted)
    return [each if each and await _may_see(ctx, each) else None for each in found]


async def _may_see(ctx: Context, grant: Grant) -> bool:
    viewer, expires = ctx.viewer, grant["expires_at"]
    if viewer is None or (expires is not None and expires <= clock.now()):
        return False
    if grant["user_id"] == viewer.user_id or Role.ADMIN in viewer.roles:
        return True
    return grant["role"] in (await _may_give(ctx)).get(grant["scope_id"], ())


async def _may_give(ctx: Context) -> dict[str | None, list[str]]:
    """Roles that the viewer's own roles allow to give, by the organization or thing; None where it is one."""
    found: dict[str | None, list[str]] = {}
    for own in await ctx.services.get(GrantsHeld).of(ctx.viewer_id):
        if _in_force(ctx, own):
            given = [role for role in GRANT_ROLES.values() if own.role in role.given_by]
            found.setdefault(own.scope_id, []).extend(given)
    return {scope_id: roles for scope_id, roles in found.items() if roles}


def _in_force(ctx: Context, own: Held) -> bool:
    role = GRANT_ROLES.get(own.role)
    if role is None or own.until <= clock.timestamp():
        return False
    return role.scope is not GrantScope.ORGANIZATION or own.scope_id == ctx.org


async def own_grants(ctx: Context, viewer: Mapping[str, Any], *, args: PageArgs) -> dict[str, Any]:
    """Grants of the viewer that are in force, newest first."""
    own = {"user_id": ctx.viewer_id}
    return await _page(ctx, own, args, own)


async def grants(ctx: Context, *, filter: GrantFilter | None = None, args: PageArgs) -> dict[str, Any]:
    """Grants in force that the viewer may give and take, newest first; administrators see all."""
    wanted = _wanted(filter or {})
    conditions = [wanted]
    if Role.ADMIN not in ctx.signed_in.roles:
        places = await _may_give(ctx)
        if not places:
            raise Forbidden(NOT_ALLOWED)
        conditions.append({"$or": [{"role": any_of(places[id]), "scope_id": id} for id in places]})
    return await _page(ctx, {"$and": conditions}, args, wanted)


def _wanted(filter: GrantFilter) -> dict[str, Any]:
    """Query of a filter: lists join by OR, its fields by AND."""
    names = {"scopes": "scope", "scope_ids": "scope_id", "roles": "role", "user_ids": "user_id"}
    return {names[name]: any_of(values) for name, values in filter.items() if values}  # type: ignore[arg-type]


async def _page(
    ctx: Context, query: Mapping[str, Any], args: PageArgs, wanted: Mapping[str, Any]
) -> dict[str, Any]:
    # Neither the moment nor what the viewer may see is part of what a cursor is good for.
    listing = Listing(store.grants.name, query=wanted)
    return await store.grants.page(
        ctx.db, {"$and": [query, store.in_force(clock.now())]}, NEWEST, args, listing=listing
    )


def edge(grant: Grant) -> dict[str, Any]:
    """Edge of a grant in the list without a filter."""
    return edge_of(Listing(store.grants.name, query={}), NEWEST, grant)


def opened_by(grant: Mapping[str, Any]) -> frozenset[str]:
    """Scopes of the change log that a grant opens to its holder."""
    role = GRANT_ROLES.get(grant["role"])
    return frozenset(role.opens(grant["scope_id"])) if role is not None else frozenset()


@on(reader_scopes)
async def granted_scopes(ctx: Context) -> list[str]:
    """Scopes that the viewer's roles open, read from the database: what a delta is told must be no older."""
    if all(role.opens is no_log_scopes for role in GRANT_ROLES.values()):
        return []
    found = await store.grants_of(ctx.db, ctx.viewer_id)
    now = clock.now()
    return [
        scope
        for grant in found
        if grant["expires_at"] is None or grant["expires_at"] > now
        for scope in opened_by(grant)
    ]


def organization(grant: Mapping[str, Any]) -> str | None:
    """Organization that a role is held in; None in other scopes."""
    name: str | None = grant["scope_id"]
    return name if grant["scope"] == GrantScope.ORGANIZATION else None


def thing(grant: Mapping[str, Any]) -> str | None:
    """Id of the thing that a role is held in; None in scopes of which there is one, and of organizations."""
    id: str | None = grant["scope_id"]
    return id if grant["scope"] in OF_THINGS else None
