"""Shop roles: assigned and revoked by administrators."""

from collections.abc import Mapping
from typing import Any, TypedDict

from core import ids
from core.context import Context
from core.errors import UserError
from core.ids import Id
from core.security.audit import audited
from loaders.auth import UserById
from loaders.catalog import RolesByUser
from stores.auth import Role
from stores.catalog import people as store
from stores.catalog.kinds import CommerceRole


class Roles(TypedDict):
    user_id: Id
    roles: list[CommerceRole]


async def grant_commerce_role(ctx: Context, *, user_id: Id, role: CommerceRole) -> Roles:
    """Grant a person a role; idempotent."""
    person = await ctx.load(UserById, ids.checked(user_id, "user"))
    if person is None:
        raise UserError("NOT_FOUND", "There is no such person.", field=["userId"])
    held = await ctx.load(RolesByUser, user_id)
    if role not in held:
        grant = {"_id": f"{user_id}|{role}", "user_id": user_id, "role": role}
        await ctx.tx.insert(store.roles, {**grant, "granted_by": ctx.viewer_id, "created_at": ctx.tx.now})
        await audited(ctx, "catalog.role_granted", subject_id=user_id, role=role)
    return {"user_id": user_id, "roles": sorted({*held, role})}


async def revoke_commerce_role(ctx: Context, *, user_id: Id, role: CommerceRole) -> Roles:
    """Revoke a person's role, at once in every process."""
    held = await ctx.load(RolesByUser, ids.checked(user_id, "user"))
    if await ctx.tx.delete(store.roles, f"{user_id}|{role}"):
        await audited(ctx, "catalog.role_revoked", subject_id=user_id, role=role)
    return {"user_id": user_id, "roles": sorted(held - {role})}


async def viewer_roles(ctx: Context, viewer: Mapping[str, Any]) -> list[CommerceRole]:
    """Shop roles of the viewer; an administrator has all of them."""
    if Role.ADMIN in ctx.signed_in.roles:
        return sorted(CommerceRole)
    held = await ctx.load(RolesByUser, ctx.viewer_id)
    return sorted(held)
