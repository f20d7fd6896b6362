"""Reading people and sessions, each through its access guard."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from core import ids, nodes
from core.context import PERSONAL, Context
from core.errors import NotFound
from core.hooks import Hook, on
from core.ids import Id
from core.nodes import guard, reader_scopes
from core.paging import PageArgs
from core.sync.changes import user_scope
from loaders.auth import UserById
from resolvers.auth.addresses import masked_email
from stores import auth as store
from stores.auth import Role, Session, SessionStatus, User, UserStatus

Document = Mapping[str, Any]

hidden = Hook[[Context, Sequence[str]], AbstractSet[str]]("auth.hidden")
"""Ids of those of these people who are hidden from the viewer; may name others too."""

TWO_FACTOR_SHOWN = ("method", "masked_destination", "backup_codes_left")
EVENT_SORT = [("at", -1), ("_id", -1)]
SESSION_SORT = [("last_seen_at", -1), ("_id", -1)]


@guard("user", sync="USER", kept="users")
async def visible_people(ctx: Context, wanted: Sequence[str]) -> Sequence[User | None]:
    """People the viewer may see: oneself always, others while active, administrators see all."""
    found = await ctx.load_many(UserById, wanted)
    own = ctx.viewer_id_or_none
    others = [id for id in wanted if id != own]
    away = set[str]().union(*await hidden(ctx, others)) if others else set()
    return [
        user if user and (user["_id"] == own or (_present(ctx, user) and user["_id"] not in away)) else None
        for user in found
    ]


def _present(ctx: Context, user: User) -> bool:
    if ctx.viewer is not None and Role.ADMIN in ctx.viewer.roles:
        return user["status"] != UserStatus.DELETED
    return user["status"] == UserStatus.ACTIVE


own_sessions = nodes.owned(store.sessions)
own_security_events = nodes.owned(store.security_events)


@on(reader_scopes)
async def own_scope(ctx: Context) -> list[str]:
    return [user_scope(ctx.viewer_id)]


async def user(ctx: Context, *, id: Id) -> User:
    """NOT_FOUND for unknown, deleted and blocking people alike."""
    [found] = await visible_people(ctx, [ids.checked(id, "user")])
    if found is None:
        raise NotFound("There is no such person.")
    return found


async def viewer_users(
    ctx: Context, viewers: Sequence[Document], *, shown: tuple[str, ...] = ()
) -> list[User]:
    # One's own account is never hidden from oneself.
    [found] = await ctx.load_level(UserById, [ctx.viewer_id], shown)
    if found is None:
        raise NotFound("This account is gone.")
    return [found] * len(viewers)


async def viewer_session(ctx: Context, viewer: Document) -> Session:
    [found] = await own_sessions(ctx, [ctx.signed_in.session_id])
    if found is None:
        raise NotFound("This session is gone.")
    return found


async def viewer_sessions(
    ctx: Context,
    viewer: Document,
    *,
    status: SessionStatus = SessionStatus.ACTIVE,
    args: PageArgs,
) -> dict[str, Any]:
    return await sessions_of(ctx, ctx.viewer_id, status=status, args=args)


async def sessions_of(ctx: Context, user_id: str, *, status: SessionStatus, args: PageArgs) -> dict[str, Any]:
    """Latest use first."""
    whole = {"user_id": user_id, "status": status}
    return {**await store.sessions.page(ctx.db, whole, SESSION_SORT, args), "whole": whole}


async def session_count(ctx: Context, connection: Document) -> int:
    return await store.count_sessions(ctx.db, connection["whole"])


def current(ctx: Context, session: Document) -> bool:
    """True if it is the session of this request."""
    return ctx.viewer is not None and ctx.viewer.session_id == session["_id"]


async def viewer_security_events(ctx: Context, viewer: Document, *, args: PageArgs) -> dict[str, Any]:
    return await security_events_of(ctx, ctx.viewer_id, args=args)


async def security_events_of(ctx: Context, user_id: str, *, args: PageArgs) -> dict[str, Any]:
    """Security events of a person, newest first."""
    return await store.security_events.page(ctx.db, {"user_id": user_id}, EVENT_SORT, args)


def private(name: str) -> Any:
    """A field only its owner and administrators see; null for others."""

    def own(ctx: Context, user: Document) -> Any:
        viewer = ctx.viewer
        mine = viewer is not None and (viewer.user_id == user["_id"] or "ADMIN" in viewer.roles)
        return user.get(name) if mine else None

    return own


def email(ctx: Context, user: Document) -> str | None:
    """Email, in full for its owner alone; administrators see it masked."""
    address: str | None = private("email")(ctx, user)
    own = ctx.viewer is not None and ctx.viewer.user_id == user["_id"]
    return address if own or not address else masked_email(address)


def org(ctx: Context, user: Document) -> str | None:
    """Organisation of a person: only they and administrators see it."""
    own = private("_id")(ctx, user) is not None
    return user.get("org", PERSONAL) if own else None


def two_factor(ctx: Context, user: Document) -> dict[str, Any] | None:
    """Two-factor settings: only their owner and administrators see them."""
    if private("_id")(ctx, user) is None:
        return None
    chosen = user.get("two_factor")
    if not chosen:
        return {"enabled": False, "method": None, "masked_destination": None, "backup_codes_left": 0}
    return {"enabled": True, **{name: chosen[name] for name in TWO_FACTOR_SHOWN}}


def full_name(user: Document) -> str:
    """First and last name, else the handle."""
    names = " ".join(filter(None, (user.get("first_name"), user.get("last_name"))))
    return names or user.get("handle") or "Somebody"
