"""Cancellation of a scheduled account deletion."""

from typing import Any

from core.context import Context
from resolvers.auth import security, telling
from stores.auth import AccountStatus, SecurityEventKind, User

SCHEDULED = {"status": AccountStatus.DELETION_SCHEDULED}


async def called_off(ctx: Context, user: User, **how: Any) -> User:
    """Put the account back in use: its owner signed in or cancelled the deletion."""
    active = await telling.change(
        ctx,
        user["_id"],
        set={"status": AccountStatus.ACTIVE},
        unset=["deletion_due_at"],
        where=SCHEDULED,
    )
    if active is None:
        return user
    await security.record(ctx, user["_id"], SecurityEventKind.DELETION, result="CALLED_OFF", **how)
    return active
