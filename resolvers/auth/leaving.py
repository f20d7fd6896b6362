"""Account deletion: requested, thirty days of grace, then erased in every system."""

from datetime import timedelta
from typing import Any

from core import clock
from core.audit import Act, AuditOutcome, record
from core.context import Context
from core.erasure import ERASERS, held
from core.errors import ErrorKind, UserError, error_codes
from resolvers.auth import lockout, security, sessions, telling
from resolvers.auth.deletion import SCHEDULED, called_off
from resolvers.auth.sessions import signed_in
from stores import auth as store
from stores.auth import AccountStatus, SecurityEventKind, SessionEndReason, User

error_codes(
    ErrorKind.WRONG_STATUS,
    retryable=True,
    LEGAL_HOLD="The data must be kept for now, as by law: ask again when that is over.",
)

GRACE = timedelta(days=30)
POSTPONED = timedelta(days=1)
"""Time after which a deletion that is due is tried again, where the data must be kept."""
BLANK: dict[str, Any] = {
    "first_name": None,
    "last_name": None,
    "handle": None,
    "bio": None,
    "avatar_id": None,
    "email": "",
    "email_verified": False,
    "locale": "en",
    "time_zone": "UTC",
    "roles": [],
    "status": AccountStatus.DELETED,
    "password_hash": "",
    "accepted_terms_version": "",
}
"""Tombstone of a deleted account: the values that replace a person's own."""
LEFT = {*BLANK, "_id", "version", "created_at", "updated_at"}


async def request_account_deletion(ctx: Context) -> dict[str, Any]:
    """Schedule the deletion; other devices are signed out, this one may still cancel it."""
    _, user = await signed_in(ctx)
    if any(await held(ctx, user["_id"])):
        raise UserError("LEGAL_HOLD", "Your data must be kept for now: they are under a legal hold.")
    scheduled = await telling.change(
        ctx,
        user["_id"],
        set={"status": AccountStatus.DELETION_SCHEDULED, "deletion_due_at": clock.now() + GRACE},
        where={"status": AccountStatus.ACTIVE},
    )
    if scheduled is None:
        return {**telling.account_changed(user), **sessions.ended_sessions([])}
    ended = await sessions.end_others(ctx, SessionEndReason.ACCOUNT_CLOSED)
    await security.record(ctx, user["_id"], SecurityEventKind.DELETION, result="SCHEDULED")
    return {**telling.account_changed(scheduled), **sessions.ended_sessions(ended)}


async def cancel_account_deletion(ctx: Context) -> telling.AccountChanged:
    """Cancel the deletion; idempotent."""
    _, user = await signed_in(ctx)
    if user["status"] == AccountStatus.DELETED:
        raise UserError("NOT_FOUND", "This account is gone.")
    return telling.account_changed(await called_off(ctx, user))


async def delete(ctx: Context, user: User) -> bool:
    """Erase the person, end their sessions, and record the systems that have to erase their part.

    False for one whose deletion was called off, or is put off because the data must be kept.
    """
    if any(await held(ctx, user["_id"])):
        await _postpone(ctx, user["_id"])
        return False
    rest = [name for name in user if name not in LEFT]
    if await ctx.tx.update(store.users, user["_id"], set=BLANK, unset=rest, where=SCHEDULED) is None:
        return False
    for session in await store.active_sessions(ctx.db, user["_id"]):
        await sessions.end(ctx, session, SessionEndReason.ACCOUNT_CLOSED)
    for name in await store.keys_of(ctx.db, user["_id"]):
        await ctx.tx.delete(store.user_keys, name["_id"])
    await lockout.unlock(ctx, user)
    devices = await store.devices.find(ctx.db, {"user_id": user["_id"]}, fields=("device_id",))
    await ctx.tx.insert(
        store.deletions,
        {
            "_id": user["_id"],
            "email": ctx.services.crypto.seal(user["email"], place=f"deletions/{user['_id']}"),
            "device_ids": [device["device_id"] for device in devices],
            "state": "ERASING",
            "pending": sorted(ERASERS),
            "attempts": 0,
            "next_at": clock.now(),
            "created_at": clock.now(),
            "done_at": None,
        },
    )
    return True


async def _postpone(ctx: Context, user_id: str) -> None:
    """Put a deletion off, as its person is shown by the account."""
    due_at = clock.now() + POSTPONED
    if await telling.change(ctx, user_id, set={"deletion_due_at": due_at}, where=SCHEDULED) is not None:
        act = Act(
            "auth.deletion_held", "ACCESS_DENIED", "ACCOUNT", user_id, user_id, outcome=AuditOutcome.DENIED
        )
        await record(ctx, act)
