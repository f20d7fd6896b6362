"""Access control beyond being signed in: roles, and a recent proof of identity.

A mutation declares it (`mutation(..., roles=(Role.ADMIN,), fresh=True)`), a field its roles; resolvers whose
rule depends on more call `need_roles` and `need_fresh` themselves.
"""

from collections.abc import Awaitable, Callable, Collection
from datetime import timedelta
from functools import wraps
from typing import Any

from core import clock
from core.context import Context
from core.errors import Forbidden, RefusalKind, UserError, error_codes

error_codes(
    RefusalKind.REPEATABLE,
    STEP_UP_REQUIRED="Prove again who you are with `stepUp`, then send the same request with the same key.",
)

ADMIN = "ADMIN"
"""The role that may do and see what the deployment's operator may."""
FRESH = timedelta(minutes=10)
"""Age up to which a proof of identity is good enough for sensitive mutations."""

NOT_ALLOWED = "Your account may not do this."


def need_roles(ctx: Context, roles: Collection[str]) -> None:
    """FORBIDDEN unless the caller has one of the roles; UNAUTHENTICATED for nobody."""
    if roles and ctx.signed_in.roles.isdisjoint(roles):
        raise UserError("FORBIDDEN", NOT_ALLOWED)


def need_fresh(ctx: Context) -> None:
    """STEP_UP_REQUIRED unless the caller proved who they are within ten minutes."""
    if clock.timestamp() - ctx.signed_in.authenticated_at > FRESH.total_seconds():
        raise UserError("STEP_UP_REQUIRED", "Confirm that it is you.")


def guarded(resolver: Callable[..., Awaitable[Any]], roles: Collection[str]) -> Callable[..., Awaitable[Any]]:
    """The resolver of a field that only some roles may read; FORBIDDEN for others."""

    @wraps(resolver)
    async def checked(ctx: Context, *args: Any, **kwargs: Any) -> Any:
        if ctx.signed_in.roles.isdisjoint(roles):
            raise Forbidden(NOT_ALLOWED)
        return await resolver(ctx, *args, **kwargs)

    return checked
