"""Access control beyond being signed in: roles, and a recent proof of identity.

A mutation declares it (`mutation(..., roles=(Role.ADMIN,), fresh=True)`), a field its roles; the SDL shows
what is declared as `@access`. Roles are of a kind: those that an access token tells, and those that are
granted (`core.grants`). A resolver whose rule depends on more calls `need_fresh` or `need_factors` itself.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, StrEnum
from functools import wraps
from typing import Any

from core import clock
from core.audit import Audited, AuditOutcome, record_apart
from core.context import Context
from core.errors import ErrorKind, Forbidden, UserError, error_codes
from core.messages import gettext_noop
from core.security.limits import Rate

error_codes(
    ErrorKind.AUTHENTICATION,
    retryable=True,
    STEP_UP_REQUIRED="Prove again who you are with `stepUp`, then send the same request with the same key.",
)

ADMIN = "ADMIN"
"""The role that may do and see what the deployment's operator may."""
DENIAL_RATE = Rate("denials", 300, 60)
"""Denied reads of a person that are put on record: each is kept for good."""
FRESH = timedelta(minutes=10)
"""Age up to which a proof of identity is good enough for sensitive mutations."""

NOT_ALLOWED = gettext_noop("Your account may not do this.")


Held = Callable[[Context, Collection[Any]], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class RoleKind:
    """Kind of role: the argument of `@access` that lists them, its description, their enum, their check."""

    argument: str
    description: str
    values: Callable[[], type[StrEnum]]
    held: Held


ROLE_KINDS: dict[type, RoleKind] = {}
"""By the class of the roles; a role of no kind is one that the access token tells."""

STAFF_VALUES: set[tuple[str, str]] = set()
"""Values of enums that only the staff meet, by the names of both."""


async def of_token(ctx: Context, roles: Collection[str]) -> bool:
    """True if the caller's access token tells one of the roles."""
    return not ctx.signed_in.roles.isdisjoint(roles)


def role_kind(
    argument: str,
    description: str,
    kind: type,
    held: Held = of_token,
    *,
    values: Callable[[], type[StrEnum]] | None = None,
) -> None:
    """Declares a kind of role; `held` answers for a caller who is signed in.

    `kind` is the class of its roles: the enum that lists them, unless `values` says it later.
    """
    ROLE_KINDS[kind] = RoleKind(argument, description, values or (lambda: kind), held)


def for_staff(*values: Enum) -> None:
    """Declare values of enums that only the staff meet: apps for people are not told of them."""
    STAFF_VALUES.update((type(each).__name__, each.name) for each in values)


def by_kind(roles: Collection[str]) -> Mapping[type, list[str]]:
    """The roles by the class of their kind, `str` for none."""
    found: dict[type, list[str]] = defaultdict(list)
    for role in roles:
        found[type(role) if type(role) in ROLE_KINDS else str].append(role)
    return found


async def holds_any(ctx: Context, roles: Collection[str]) -> bool:
    """True if the caller, who is signed in, has one of the roles."""
    for values, wanted in by_kind(roles).items():
        held = ROLE_KINDS[values].held if values in ROLE_KINDS else of_token
        if await held(ctx, wanted):
            return True
    return False


async def need_roles(ctx: Context, roles: Collection[str]) -> None:
    """FORBIDDEN unless the caller has one of the roles; UNAUTHENTICATED for nobody."""
    ctx.signed_in  # noqa: B018  # UNAUTHENTICATED before anything else.
    if not await holds_any(ctx, roles):
        raise UserError("FORBIDDEN", NOT_ALLOWED)


def need_fresh(ctx: Context, age: timedelta = FRESH) -> None:
    """STEP_UP_REQUIRED unless the caller proved who they are lately: within ten minutes, or the `age`."""
    if clock.timestamp() - ctx.signed_in.authenticated_at > age.total_seconds():
        raise UserError("STEP_UP_REQUIRED", "Confirm that it is you.")


def need_factors(ctx: Context, least: int) -> None:
    """STEP_UP_REQUIRED unless the caller proved so many factors in this session: `stepUp` adds one."""
    if ctx.signed_in.factor_count < least:
        raise UserError("STEP_UP_REQUIRED", "Confirm by a second factor that it is you.")


def guarded(
    resolver: Callable[..., Awaitable[Any]], roles: Collection[str], audit: Audited | None = None
) -> Callable[..., Awaitable[Any]]:
    """The resolver of a field that only some roles may read; FORBIDDEN for others, on record with `audit`."""

    @wraps(resolver)
    async def checked(ctx: Context, *args: Any, **kwargs: Any) -> Any:
        ctx.signed_in  # noqa: B018  # UNAUTHENTICATED before anything else.
        if not await holds_any(ctx, roles):
            if audit is not None:
                await ctx.limit_request(DENIAL_RATE)
                # Keyed, since the executor may begin an answer again.
                key = f"{ctx.operation_id}:{audit.action}"
                await record_apart(ctx, audit.undone(kwargs, AuditOutcome.DENIED, key))
            raise Forbidden(NOT_ALLOWED)
        return await resolver(ctx, *args, **kwargs)

    return checked
