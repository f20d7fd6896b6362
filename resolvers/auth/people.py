"""Reading people and sessions, each through its access guard."""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Any, TypedDict

from core import ids, nodes, paging
from core.context import PERSONAL, Context
from core.errors import NotFound
from core.hooks import Hook, on
from core.nodes import guard, reader_scopes
from core.paging import PageArgs
from core.sync.changes import user_scope
from loaders.auth import UserById
from resolvers.auth.addresses import masked_email
from stores import auth as store
from stores.auth import AccountStatus, Role, Session, SessionStatus, User

Document = Mapping[str, Any]

hidden = Hook[[Context, Sequence[str]], AbstractSet[str]]("auth.hidden")
"""Ids of those of these people who are hidden from the viewer; may name others too."""

TWO_FACTOR_SHOWN = ("method", "masked_destination", "backup_codes_left")
EVENT_SORT = [("at", -1), ("_id", -1)]
KEPT_AS = {
    "user_id": ("_id",),
    "version": ("account_changes",),
    "updated_at": ("account_changed_at", "created_at"),
}
"""Fields of an account by their names in the stored document."""
SESSION_SORT = [("last_seen_at", -1), ("_id", -1)]


@guard("user", sync="USER", collection="users")
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
        return user["status"] != AccountStatus.DELETED
    return user["status"] == AccountStatus.ACTIVE


@guard("account", sync="ACCOUNT", collection="users")
async def visible_accounts(ctx: Context, wanted: Sequence[str]) -> list[dict[str, Any] | None]:
    """Accounts the viewer may see: their own; administrators see all that are not deleted."""
    readable = {id: ids.sibling(id, "user") for id in wanted if _may_read_account(ctx, id)}
    found = dict(zip(readable, await ctx.load_many(UserById, list(readable.values())), strict=True))
    return [_account_seen(ctx, found.get(id)) for id in wanted]


def _may_read_account(ctx: Context, id: str) -> bool:
    viewer = ctx.viewer
    return viewer is not None and (Role.ADMIN in viewer.roles or id == store.account_id(viewer.user_id))


def _account_seen(ctx: Context, user: User | None) -> dict[str, Any] | None:
    if user is None or (user["status"] == AccountStatus.DELETED and user["_id"] != ctx.viewer_id):
        return None
    return store.account_of(user)


own_sessions = nodes.owned(store.sessions)
own_security_events = nodes.owned(store.security_events)


@on(reader_scopes)
async def own_scope(ctx: Context) -> list[str]:
    return [user_scope(ctx.viewer_id)]


async def viewer_users(
    ctx: Context, viewers: Sequence[Document], *, shown: tuple[str, ...] = ()
) -> list[User]:
    # One's own account is never hidden from oneself.
    [found] = await ctx.load_level(UserById, [ctx.viewer_id], shown)
    if found is None:
        raise NotFound("This account is gone.")
    return [found] * len(viewers)


async def viewer_accounts(
    ctx: Context, viewers: Sequence[Document], *, shown: tuple[str, ...] = ()
) -> list[dict[str, Any]]:
    """The viewer's account, of which `shown` is read."""
    kept = tuple(dict.fromkeys(each for name in shown for each in KEPT_AS.get(name, (name,))))
    [found] = await viewer_users(ctx, [{}], shown=kept)
    return [store.account_of(found)] * len(viewers)


async def viewer_session(ctx: Context, viewer: Document) -> Session:
    [found] = await own_sessions(ctx, [ctx.signed_in.session_id])
    if found is None:
        raise NotFound("This session is gone.")
    return found


class SessionFilter(TypedDict, total=False):
    """Filter of a list of sessions."""

    statuses: list[SessionStatus] | None
    """Statuses that the sessions have one of; ACTIVE alone when left out."""


async def sessions(
    ctx: Context, account: Document, *, filter: SessionFilter | None = None, args: PageArgs
) -> dict[str, Any]:
    """Sessions of an account, latest use first."""
    statuses = (filter or {}).get("statuses") or [SessionStatus.ACTIVE]
    whole = {"user_id": account["user_id"], "status": paging.any_of(statuses)}
    return {**await store.sessions.page(ctx.db, whole, SESSION_SORT, args), "whole": whole}


async def session_count(ctx: Context, connection: Document) -> int:
    return await store.count_sessions(ctx.db, connection["whole"])


def factors(ctx: Context, viewer: Document) -> list[str]:
    """Factors that were proven in the session, as the access token tells."""
    return list(ctx.signed_in.factors)


def current(ctx: Context, session: Document) -> bool:
    """True if it is the session of this request."""
    return ctx.viewer is not None and ctx.viewer.session_id == session["_id"]


async def security_events(ctx: Context, account: Document, *, args: PageArgs) -> dict[str, Any]:
    """Security events of an account, newest first."""
    return await store.security_events.page(ctx.db, {"user_id": account["user_id"]}, EVENT_SORT, args)


def email(ctx: Context, account: Document) -> str:
    """Email, in full for its owner alone; administrators see it masked."""
    address: str = account["email"]
    return address if is_own(ctx, account) else masked_email(address)


def is_own(ctx: Context, account: Document) -> bool:
    return bool(ctx.viewer_id_or_none == account["user_id"])


def org(account: Document) -> str | None:
    """Organization of a person; None for those who belong to none."""
    named = store.org_of(account)
    return None if named == PERSONAL else named


def two_factor(account: Document) -> dict[str, Any]:
    chosen = account.get("two_factor")
    if not chosen:
        return {"enabled": False, "method": None, "masked_destination": None, "backup_codes_left": 0}
    return {"enabled": True, **{name: chosen[name] for name in TWO_FACTOR_SHOWN}}


def shown_at(user: Document) -> datetime:
    """Time of the last change that others may read."""
    moment: datetime = user.get("shown_at") or user["created_at"]
    return moment


def full_name(user: Document) -> str:
    """First and last name, else the handle."""
    names = " ".join(filter(None, (user.get("first_name"), user.get("last_name"))))
    return names or user.get("handle") or "Somebody"
