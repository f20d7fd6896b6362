"""Scoped grants: roles that people hold in something, for a time.

A system declares each role with its scope and who may give it:

    SHOPKEEPER = grant_role("SHOPKEEPER", GrantScope.SHOP, "Gives the other roles of the shop.")
    PACKER = grant_role("PACKER", GrantScope.SHOP, "Packs what was ordered.", given_by=[SHOPKEEPER])

and asks for it where something is done: `mutation(..., roles=(PACKER,))`, `await grants.need(ctx, PACKER)`,
`await grants.holds(ctx, PROVIDER_OWNER, within=provider_id)`. A check reads nothing: each process keeps the
grants of those who were asked about, and hears of changes within a second.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from math import inf
from typing import Any, Protocol

from core import clock
from core.context import PERSONAL, Context
from core.errors import ErrorKind, UserError, error_codes
from core.security.access import ADMIN, NOT_ALLOWED, role_kind

error_codes(
    ErrorKind.FORBIDDEN,
    NO_ORGANIZATION="This is for members of an organization, and the account belongs to none.",
)


class GrantScope(StrEnum):
    """Scope of a granted role: the sort of thing that it is held in."""

    SERVICE = "SERVICE"
    """Role in the whole service."""
    ORGANIZATION = "ORGANIZATION"
    """Role in the organization that the person belongs to; leaving it ends the grant."""
    SHOP = "SHOP"
    """Role in the shop."""
    PROVIDER = "PROVIDER"
    """Role in one provider of appointments, which `scopeId` names."""
    RESTAURANT = "RESTAURANT"
    """Role in one restaurant, which `scopeId` names."""
    SITE = "SITE"
    """Role in one site, which `scopeId` names."""
    PLANT = "PLANT"
    """Role in one plant, which `scopeId` names."""


OF_THE_OPERATOR = frozenset({GrantScope.SERVICE, GrantScope.SHOP})
"""Scopes of which there is one each; an administrator has their roles without a grant."""
OF_THINGS = frozenset(GrantScope) - OF_THE_OPERATOR - {GrantScope.ORGANIZATION}
"""Scopes of things with an id, whose prefix is the scope in lower case."""


def no_log_scopes(scope_id: str | None) -> Iterable[str]:
    """Scopes of the change log that a role opens: none."""
    return ()


class GrantRole(str):
    """Granted role: its name, with what its system declares of it."""

    scope: GrantScope
    description: str
    given_by: frozenset[str]
    """Roles in the same thing whose holders may give and take this one; administrators may in any case."""
    longest: timedelta | None
    """Longest time it may be given for; None for a role that may last."""
    opens: Callable[[str | None], Iterable[str]]
    """Scopes of the change log that a holder reads, by the organization or thing it is held in."""
    shows_more: bool
    """True if it opens no field of its own, but shows more in fields that others read too."""


GRANT_ROLES: dict[str, GrantRole] = {}


def grant_role(
    name: str,
    scope: GrantScope,
    description: str,
    *,
    given_by: Collection[GrantRole] = (),
    longest: timedelta | None = None,
    opens: Callable[[str | None], Iterable[str]] = no_log_scopes,
    shows_more: bool = False,
) -> GrantRole:
    """Declare a role; it becomes a value of the schema's `GrantRole`."""
    if name in GRANT_ROLES:
        raise ValueError(f"The role {name} is declared twice.")
    if any(giver.scope != scope for giver in given_by):
        raise ValueError(f"{name}: who gives it holds a role in the same scope.")
    role = GRANT_ROLES[name] = GrantRole(name)
    role.scope, role.description, role.longest, role.opens = scope, description, longest, opens
    role.given_by, role.shows_more = frozenset(given_by), shows_more
    return role


def declared_roles() -> type[StrEnum]:
    """Enum of all declared roles, the same one until a further role is declared."""
    names = tuple(sorted(GRANT_ROLES))
    if names not in _ENUMS:
        docs = {name: GRANT_ROLES[name].description for name in names}
        make: Any = StrEnum
        made = make("GrantRole", {name: name for name in names})
        made.__doc__ = "Granted role, of those that the systems declare; each is held in a scope."
        made.__attribute_docs__ = docs
        _ENUMS[names] = made
    return _ENUMS[names]


_ENUMS: dict[tuple[str, ...], type[StrEnum]] = {}


@dataclass(frozen=True, slots=True)
class Held:
    """Role that a person holds, in an organization or thing, until a moment in seconds since the epoch."""

    role: str
    scope_id: str | None
    until: float = inf


class GrantsOfPeople(Protocol):
    """Grants by person, as this process knows them; a system implements it."""

    async def of(self, user_id: str) -> Sequence[Held]:
        """Grants of a person, which may have expired."""
        ...


async def held_until(ctx: Context, *roles: GrantRole, within: str | None = None) -> float:
    """When the viewer ceases to hold the last of the roles, in seconds since the epoch; 0 for not held now.

    Roles of an organization count in the viewer's own; those of things `within` one, or in any when none is
    named. An administrator has the roles of the service and its shop.
    """
    viewer = ctx.viewer
    if viewer is None:
        return 0.0
    if ADMIN in viewer.roles and any(role.scope in OF_THE_OPERATOR for role in roles):
        return inf
    wanted = {str(role): role for role in roles}
    found = [
        each.until
        for each in await ctx.services.get(GrantsOfPeople).of(viewer.user_id)
        if each.role in wanted and _is_within(wanted[each.role], each.scope_id, viewer.org, within)
    ]
    until = max(found, default=0.0)
    return until if until > clock.timestamp() else 0.0


def _is_within(role: GrantRole, scope_id: str | None, org: str, within: str | None) -> bool:
    if role.scope is GrantScope.ORGANIZATION:
        return scope_id == org != PERSONAL
    return role.scope in OF_THE_OPERATOR or within is None or scope_id == within


async def holds(ctx: Context, *roles: GrantRole, within: str | None = None) -> bool:
    """True if the viewer holds one of the roles now; False for nobody."""
    return await held_until(ctx, *roles, within=within) > 0


async def need(ctx: Context, *roles: GrantRole, within: str | None = None) -> None:
    """FORBIDDEN unless the viewer holds one of the roles now; NO_ORGANIZATION where all are of one."""
    if not await holds(ctx, *roles, within=within):
        if of_organizations(roles):
            need_organization(ctx)
        raise UserError("FORBIDDEN", NOT_ALLOWED)


def of_organizations(roles: Collection[str]) -> bool:
    """True if all that may be granted of the roles, one at least, are roles of organizations."""
    granted = [role for role in roles if isinstance(role, GrantRole)]
    return bool(granted) and all(role.scope is GrantScope.ORGANIZATION for role in granted)


def need_organization(ctx: Context) -> str:
    """The viewer's organization; NO_ORGANIZATION for those who belong to none."""
    if ctx.org == PERSONAL:
        raise UserError("NO_ORGANIZATION", "This is for members of an organization.")
    return ctx.org


async def _held(ctx: Context, roles: Collection[GrantRole]) -> bool:
    """True if the viewer holds one of the roles that a declaration names; NO_ORGANIZATION as in `need`."""
    if await holds(ctx, *roles):
        return True
    if of_organizations(roles):
        need_organization(ctx)
    return False


role_kind(
    "grants",
    "Granted roles, one of which is needed; ADMIN has those of the scopes SERVICE and SHOP.",
    GrantRole,
    _held,
    values=declared_roles,
)
