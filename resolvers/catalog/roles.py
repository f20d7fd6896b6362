"""Shop roles: assigned and revoked by administrators."""

from collections.abc import Mapping, Sequence
from typing import Any

from core import ids
from core.context import Context
from core.errors import UserError
from core.ids import Id
from loaders.auth import UserById
from loaders.catalog import RolesByUser
from resolvers import auth
from stores.auth import Role
from stores.catalog import people as store
from stores.catalog.kinds import CommerceRole


async def grant_commerce_role(ctx: Context, *, user_id: Id, role: CommerceRole) -> auth.AccountChanged:
    """Grant a person a role; idempotent."""
    await _check_person(ctx, user_id)
    held = await ctx.load(RolesByUser, user_id)
    if role not in held:
        grant = {"_id": f"{user_id}|{role}", "user_id": user_id, "role": role}
        await ctx.tx.insert(store.roles, {**grant, "granted_by": ctx.viewer_id, "created_at": ctx.tx.now})
    return await auth.account_moved(ctx, user_id)


async def revoke_commerce_role(ctx: Context, *, user_id: Id, role: CommerceRole) -> auth.AccountChanged:
    """Revoke a person's role, at once in every process."""
    await _check_person(ctx, user_id)
    await ctx.tx.delete(store.roles, f"{user_id}|{role}")
    return await auth.account_moved(ctx, user_id)


async def _check_person(ctx: Context, user_id: str) -> None:
    if await ctx.load(UserById, ids.checked(user_id, "user")) is None:
        raise UserError("NOT_FOUND", "There is no such person.", field=["userId"])


async def of_accounts(ctx: Context, accounts: Sequence[Mapping[str, Any]]) -> list[list[CommerceRole]]:
    """Shop roles of accounts; an administrator has all of them."""
    held = await ctx.load_many(RolesByUser, [account["user_id"] for account in accounts])
    return [
        sorted(CommerceRole if Role.ADMIN in account["roles"] else roles)
        for account, roles in zip(accounts, held, strict=True)
    ]
