"""Publishing account changes: public fields to everybody who keeps the person, the rest to their devices."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from core.context import Context
from resolvers.auth.phones import number_changed
from stores import auth as store
from stores.auth import User

PUBLIC = frozenset({"first_name", "last_name", "handle", "bio", "avatar_id", "status"})
"""Fields of an account that others may read, or that decide whether they see it; counters are apart."""
OF_ACCOUNT_TOO = frozenset({"status"})
"""Public fields that the person's account shows as well."""


class UserChanged(TypedDict):
    user: User


class AccountChanged(TypedDict):
    account: dict[str, Any]


async def change(
    ctx: Context,
    user_id: str,
    *,
    set: Mapping[str, Any] | None = None,
    inc: Mapping[str, int] | None = None,
    unset: Sequence[str] = (),
    where: Mapping[str, Any] | None = None,
) -> User | None:
    """Change an account if it still matches `where`, log it for those it concerns, and return it."""
    named = {*(set or ()), *(inc or ()), *unset}
    public, private = not PUBLIC.isdisjoint(named), not named <= PUBLIC - OF_ACCOUNT_TOO
    stamps: dict[str, Any] = {"shown_at": ctx.tx.now} if public else {}
    moved = dict(inc or {})
    if private:
        stamps["account_changed_at"], moved["account_changes"] = ctx.tx.now, 1
    fields = {**(set or {}), **stamps}
    user = await ctx.tx.update(
        store.users, user_id, set=fields, inc=moved, unset=unset, where=where, version=public
    )
    if user is None:
        return None
    if not public:
        ctx.tx.skip_log(user)
    if private:
        ctx.tx.changed_further(store.users, user)
    if "phone_index" in named:
        await number_changed(ctx, user_id)
    return user


async def change_account(ctx: Context, user_id: str, fields: Mapping[str, Any]) -> AccountChanged:
    """Change private fields of an account that is there, and return it as payloads have it."""
    user = await change(ctx, user_id, set=fields)
    assert user is not None
    return account_changed(user)


async def account_moved(ctx: Context, user_id: str) -> AccountChanged:
    """Log an account one of whose fields is kept in another document, which has changed."""
    return await change_account(ctx, user_id, {"account_changed_at": ctx.tx.now})


def account_changed(user: Mapping[str, Any]) -> AccountChanged:
    return {"account": store.account_of(user)}
