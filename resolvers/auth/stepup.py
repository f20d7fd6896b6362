"""Proving again who one is, for what is sensitive."""

from collections.abc import Mapping
from typing import Any

from core.context import Context
from core.errors import Refused
from resolvers.auth import keys, passwords, sessions
from resolvers.auth.accounts import ACCOUNT_RATE
from resolvers.auth.keys import Proof
from stores import auth as store
from stores.auth import AuthFactor, User


async def prepare_step_up(
    ctx: Context, *, password: str | None = None, key: Mapping[str, Any] | None = None
) -> Proof | None:
    """Judge the one proof, before anything is written."""
    _, user = await sessions.signed_in(ctx)
    if (password is None) == (key is None):
        raise Refused("INVALID_INPUT", "Give one proof of who you are.")
    if key is not None:
        signed = dict(key)
        named = (signed.pop("challenge_id"), signed.pop("key_id"))
        return await keys.proven(ctx, ctx.signed_in.device_id, *named, signed, user_id=user["_id"])
    await _check_password(ctx, user, password or "")
    return None


async def step_up(ctx: Context, *, prepared: Proof | None = None, **given: Any) -> dict[str, Any]:
    """The session's tokens with a fresh `auth_time`, for one proof."""
    session, user = await sessions.signed_in(ctx)
    factor = AuthFactor.PASSWORD
    if prepared is not None:
        if refusal := await keys.used(ctx, prepared):
            return refusal
        factor = AuthFactor(prepared.key["kind"])
    return await sessions.proven(ctx, user, session, factor)


async def _check_password(ctx: Context, user: User, password: str) -> None:
    await ctx.limit(ACCOUNT_RATE, store.email_key(user["email"]))
    if not await passwords.matches(user["password_hash"], password):
        raise Refused("INVALID_CREDENTIALS", "The password is wrong.", field=["password"])
