"""Administration of accounts: each action is written to the audit log with its reason."""

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, TypedDict, Unpack

from core import clock, ids
from core.audit import Act, record
from core.context import PERSONAL, Context
from core.errors import UserError, check_version
from core.ids import Id
from core.jobs import enqueue
from core.one_of import one_of
from core.values.bounds import check_length
from core.values.text import Line
from resolvers.auth import granting, lockout, revocations, security, sessions, telling
from stores import auth as store
from stores.auth import AccountStatus, Role, SecurityEventKind, SessionEndReason, SessionStatus, User

LONGEST_REASON = 500
LONGEST_JOB_ROLE = 100
LONGEST_LOCK = timedelta(days=30)
ORG = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


class Placement(TypedDict, total=False):
    """Place of a person in an organization; null takes it away."""

    organization: str | None
    job_role: Line | None


@one_of
class AccountBy(TypedDict, total=False):
    """Key of an account: one of several."""

    user_id: Id | None
    """Id of the person."""
    email: str | None
    """Email address of the account, whole."""


async def account(ctx: Context, *, by: AccountBy) -> dict[str, Any] | None:
    """Any account that is not deleted, by one of its keys; None when there is none."""
    user_id, email = by.get("user_id"), by.get("email")
    if user_id is not None:
        user = await store.users.by_id(ctx.db, ids.checked(user_id, "user"))
    else:
        user = await store.user_by_email(ctx.db, email or "")
    return store.account_of(user) if user and user["status"] != AccountStatus.DELETED else None


async def suspend_user(ctx: Context, *, user_id: Id, reason: str) -> telling.AccountChanged:
    """Suspend an account until it is restored; its sessions end."""
    user = await _account_for_update(ctx, user_id, reason)
    if user["status"] == AccountStatus.SUSPENDED:
        return telling.account_changed(user)
    suspended = await _moved(ctx, user, AccountStatus.ACTIVE, AccountStatus.SUSPENDED)
    for session in await store.active_sessions(ctx.db, user["_id"]):
        await sessions.end(ctx, session, SessionEndReason.ACCOUNT_CLOSED)
    return telling.account_changed(suspended)


async def unsuspend_user(ctx: Context, *, user_id: Id, reason: str) -> telling.AccountChanged:
    user = await _account_for_update(ctx, user_id, reason)
    if user["status"] == AccountStatus.ACTIVE:
        return telling.account_changed(user)
    active = await _moved(ctx, user, AccountStatus.SUSPENDED, AccountStatus.ACTIVE)
    return telling.account_changed(active)


async def _moved(ctx: Context, user: User, was: AccountStatus, becomes: AccountStatus) -> User:
    moved = await telling.change(ctx, user["_id"], set={"status": becomes}, where={"status": was})
    if moved is None:
        account = store.account_of(user)
        raise UserError(
            "WRONG_STATUS", "The account is {status}.", values={"status": user["status"]}, account=account
        )
    return moved


async def lock_user(ctx: Context, *, user_id: Id, lock_minutes: int, reason: str) -> telling.AccountChanged:
    """Lock an account for a time: no sign-in by any factor; sessions go on."""
    life = timedelta(minutes=lock_minutes)
    if not timedelta() < life <= LONGEST_LOCK:
        raise UserError(
            "OUT_OF_RANGE", "From a minute to {limit} days.", field=["lockMinutes"], limit=LONGEST_LOCK.days
        )
    user = await _account_for_update(ctx, user_id, reason)
    locked = await telling.change(ctx, user["_id"], set={"locked_until": clock.now() + life})
    assert locked is not None
    await security.record(ctx, user["_id"], SecurityEventKind.LOCKED, result="BY_ADMIN", reason=reason)
    return telling.account_changed(locked)


async def unlock_user(ctx: Context, *, user_id: Id, reason: str) -> telling.AccountChanged:
    """Lift an administrator's lock and the lockout after too many failures."""
    user = await _account_for_update(ctx, user_id, reason)
    unlocked = await telling.change(ctx, user["_id"], unset=["locked_until"])
    assert unlocked is not None
    await lockout.unlock(ctx, user)
    return telling.account_changed(unlocked)


async def set_user_roles(
    ctx: Context,
    *,
    user_id: Id,
    roles: Sequence[Role],
    reason: str,
    expected_version: int | None = None,
    **place: Unpack[Placement],
) -> telling.AccountChanged:
    """Replace a person's roles; their access tokens are renewed before they are used again."""
    if (org := place.get("organization")) is not None and not ORG.fullmatch(org):
        raise UserError("INVALID_FORMAT", "Small letters, digits and dashes.", field=["organization"])
    check_length(place.get("job_role") or "", most=LONGEST_JOB_ROLE, field="jobRole")
    user = await _account_for_update(ctx, user_id, reason)
    account = store.account_of(user)
    check_version(expected_version, account["version"], account=account)
    updated = await assigned(ctx, user, roles, place)
    named = sorted(map(str, roles))
    await _record(ctx, "auth.roles_assigned", user, reason, "ACCESS_GRANTED", roles=named, organization=org)
    return telling.account_changed(updated)


async def assigned(ctx: Context, user: User, roles: Sequence[Role], place: Placement) -> User:
    changes: dict[str, Any] = {"roles": list(dict.fromkeys([Role.MEMBER, *roles]))}
    if "organization" in place:
        changes["org"] = place["organization"] or PERSONAL
        if changes["org"] != store.org_of(user):
            await granting.leave_organization(ctx, user["_id"])
    if "job_role" in place:
        changes["job_role"] = place["job_role"] or None
    updated = await telling.change(ctx, user["_id"], set=changes)
    assert updated is not None
    revocations.tell(ctx, revocations.stale(user["_id"]))
    return updated


async def revoke_user_sessions(ctx: Context, *, user_id: Id, reason: str) -> dict[str, Any]:
    """End the sessions of one person, but for the session that asks."""
    _check_reason(reason)
    user = await store.users.by_id(ctx.db, ids.checked(user_id, "user"))
    if user is None:
        raise UserError("NOT_FOUND", "There is no such account.", field=["userId"])
    own = ctx.signed_in.session_id
    active = [each for each in await store.active_sessions(ctx.db, user["_id"]) if each["_id"] != own]
    for session in active:
        await sessions.end(ctx, session, SessionEndReason.REVOKED_BY_ADMIN)
    await security.record(
        ctx,
        user["_id"],
        SecurityEventKind.SESSION_REVOKED,
        result="BY_ADMIN",
        reason=reason,
        count=len(active),
    )
    return {"ended_session_count": len(active)}


async def revoke_all_sessions(ctx: Context, *, reason: str) -> dict[str, Any]:
    """Revoke all tokens but this session's at once; a job ends the sessions themselves."""
    _check_reason(reason)
    own = ctx.signed_in.session_id
    count = await store.count_sessions(ctx.db, {"status": SessionStatus.ACTIVE}) - 1
    revocations.tell(ctx, revocations.everybody(own))
    await enqueue(ctx.tx, "auth.end_everybody", before=clock.now().isoformat(), but=own)
    await _record(ctx, "auth.everybody_revoked", None, reason, count=count)
    return {"ended_session_count": count}


async def _record(
    ctx: Context, action: str, user: User | None, reason: str, kind: str = "DECISION_MADE", **details: Any
) -> None:
    """Put on record what an administrator did to an account, or to all; reasons may tell of a person."""
    id, sensitive = user["_id"] if user else None, {"reason": reason}
    await record(ctx, Act(action, kind, "ACCOUNT", id, id, details=details, sensitive=sensitive))


async def _account_for_update(ctx: Context, user_id: str, reason: str) -> User:
    """Account of another person; one's own is not to be changed in this way."""
    _check_reason(reason)
    user = await store.users.by_id(ctx.db, ids.checked(user_id, "user"))
    if user is None or user["status"] == AccountStatus.DELETED:
        raise UserError("NOT_FOUND", "There is no such account.", field=["userId"])
    if user["_id"] == ctx.viewer_id:
        raise UserError("FORBIDDEN", "This is your own account.", field=["userId"])
    return user


def _check_reason(reason: str) -> None:
    check_length(reason, least=1, most=LONGEST_REASON, field="reason")
