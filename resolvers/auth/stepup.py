"""Proving again who one is, for what is sensitive."""

from typing import Any

from core.context import Context
from core.errors import NotFound, Refused, Unauthenticated
from resolvers.auth import passwords, sessions
from resolvers.auth.accounts import ACCOUNT_RATE
from stores import auth as store
from stores.auth import AuthFactor, Session, SessionStatus, User


async def step_up(ctx: Context, *, password: str | None = None) -> dict[str, Any]:
    """The session's tokens with a fresh `auth_time`, for one proof."""
    session, user = await signed_in(ctx)
    if password is None:
        raise Refused("INVALID_INPUT", "Give one proof of who you are.")
    await _check_password(ctx, user, password)
    return await sessions.proven(ctx, user, session, AuthFactor.PASSWORD)


async def signed_in(ctx: Context) -> tuple[Session, User]:
    """The viewer's session and account, read now."""
    session = await store.sessions.by_id(ctx.db, ctx.signed_in.session_id)
    if session is None or session["status"] == SessionStatus.ENDED:
        raise Unauthenticated("SESSION_REVOKED")
    user = await store.users.by_id(ctx.db, ctx.viewer_id)
    if user is None:
        raise NotFound("This account is gone.")
    return session, user


async def _check_password(ctx: Context, user: User, password: str) -> None:
    await ctx.limit(ACCOUNT_RATE, store.email_key(user["email"]))
    if not await passwords.matches(user["password_hash"], password):
        raise Refused("INVALID_CREDENTIALS", "The password is wrong.", field=["password"])
