"""Operator commands on accounts, run from the command line, where nobody is signed in."""

from collections.abc import Sequence
from typing import Any

from core import ids
from core.audit import Act, record
from core.context import Context
from core.errors import UserError
from core.values.bounds import check_length
from resolvers.auth import admin, passwords
from resolvers.auth.accounts import LONGEST, opened
from resolvers.auth.addresses import valid_email
from stores import auth as store
from stores.auth import AccountStatus, Role

BY = "command line"


async def give_roles(
    ctx: Context, *, email: str, roles: Sequence[Role], org: str | None
) -> list[Role] | None:
    """Give roles to an account; return its roles, or None if there is no such account."""
    user = await store.user_by_email(ctx.db, email)
    if user is None:
        return None
    changed = await admin.assigned(ctx, user, roles, {} if org is None else {"organization": org})
    await _record(ctx, "auth.roles_assigned", user["_id"], roles)
    return changed["roles"]


async def prepare(ctx: Context, *, email: str, password: str) -> dict[str, Any]:
    """Canonical email and hashed password; hashing takes its time."""
    address = valid_email(email)
    await passwords.check_strength(ctx, password, address, field="password")
    return {"email": address, "password_hash": await passwords.hash_password(password)}


async def create(
    ctx: Context, *, account: dict[str, Any], roles: Sequence[Role], name: str | None
) -> list[Role]:
    """Create an active account; raises for a taken email. The operator vouches for its owner."""
    if await store.user_by_email(ctx.db, account["email"]) is not None:
        raise UserError(
            "CONFLICT",
            "{email} has an account: give it roles by `landfall roles`.",
            values={"email": account["email"]},
        )
    check_length(name or "", most=LONGEST, field="name")
    user_id, kept = ids.new_id("user"), list(dict.fromkeys([Role.MEMBER, *roles]))
    made = {
        **account,
        "_id": user_id,
        "email_verified": True,
        "first_name": name,
        "locale": "en",
        "time_zone": "UTC",
        "accepted_terms_version": BY,
        "roles": kept,
        "status": AccountStatus.ACTIVE,
    }
    await opened(ctx, account["email"], made)
    await _record(ctx, "auth.user_created", user_id, kept)
    return kept


async def _record(ctx: Context, action: str, user_id: str, roles: Sequence[Role]) -> None:
    details = {"by": BY, "roles": sorted(roles)}
    await record(ctx, Act(action, "ACCESS_GRANTED", "ACCOUNT", user_id, user_id, details=details))
