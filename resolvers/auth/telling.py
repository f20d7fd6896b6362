"""Publishing account changes: public fields to everybody who keeps the person, others to their devices."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, TypedDict

from core.context import Context
from core.sync.changes import user_scope
from stores import auth as store
from stores.auth import User

Document = Mapping[str, Any]

PUBLIC = frozenset({"first_name", "last_name", "handle", "bio", "avatar_id", "status"})
"""Fields of an account that others may read, or that decide whether they see it; counters are apart."""


class UserChanged(TypedDict):
    user: User


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
    shown = not PUBLIC.isdisjoint(set or ())
    fields = {**(set or {}), **({"shown_at": ctx.tx.now} if shown else {})}
    moved = {**(inc or {}), **({} if shown else {"private_changes": 1})}
    user = await ctx.tx.update(store.users, user_id, set=fields, inc=moved, unset=unset, where=where)
    if user is not None and not shown:
        ctx.tx.skip_log(user)
        ctx.tx.changed(user, aspect="own", scopes=[user_scope(user_id)], audience_never_shrinks=True)
    return user


def version(ctx: Context, user: Document) -> int:
    """Version for the reader: the person counts all changes, others those of public fields."""
    mine = ctx.viewer_id_or_none == user["_id"]
    hidden = 0 if mine else user.get("private_changes") or 0
    return int(user["version"]) - int(hidden)


def updated_at(ctx: Context, user: Document) -> datetime:
    """Time of the last change for the reader: of any field for the person, of a public one for others."""
    mine = ctx.viewer_id_or_none == user["_id"]
    moment: datetime = user["updated_at"] if mine else user.get("shown_at") or user["created_at"]
    return moment
