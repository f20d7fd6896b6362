"""Sessions: started by a sign-in, kept alive by refresh token rotation, ended for good."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from core import clock, ids, nodes
from core.context import Context, Viewer
from core.errors import ErrorKind, NotFound, Unauthenticated, UserError, error_codes
from core.ids import Id
from core.mutations.references import referenced_id
from core.security.limits import Rate
from core.security.networks import masked_address
from core.values.text import Opaque
from resolvers.auth import deletion, devices, metrics, revocations, security
from resolvers.auth.devices import device_of, id_of
from resolvers.auth.tokens import REFRESH_ABSOLUTE, REFRESH_IDLE, Tokens
from stores import auth as store
from stores.auth import (
    AccountStatus,
    AuthFactor,
    SecurityEventKind,
    Session,
    SessionEndReason,
    SessionStatus,
    User,
)

error_codes(
    ErrorKind.AUTHENTICATION,
    SESSION_EXPIRED="The session has ended, was idle too long or is too old: sign in again.",
    REFRESH_REUSED="A superseded refresh token was used: the session was ended for safety.",
)

GRACE_SECONDS = 30
REPLAY_SECONDS = 300
MOST_SESSIONS = 20
HISTORY_DAYS = 90
REFRESH_RATE = Rate("refresh", 60, 60)


def sign_out_owner(ctx: Context, arguments: Mapping[str, Any]) -> str:
    """Owner of a sign-out's idempotency keys: the refresh token, else the viewer."""
    token = arguments.get("refresh_token")
    return f"token:{hashlib.sha256(token.encode()).hexdigest()}" if token else ctx.viewer_id


async def start(
    ctx: Context, user: User, device: Mapping[str, Any], *, factors: Sequence[AuthFactor]
) -> dict[str, Any]:
    """Start a session and return its payload; beyond the limit, the longest idle one is evicted."""
    _refuse_locked(user)
    # Locks the account: suspension, deletion and a new password end all sessions, so none may start unseen by
    # them, and two that start together may not exceed the limit.
    await ctx.tx.lock_document(store.users, user["_id"])
    known = await devices.signed_in(ctx, user["_id"], device_of(device))
    if user["status"] == AccountStatus.DELETION_SCHEDULED:
        user = await deletion.called_off(ctx, user, device=known)
    for oldest in (await store.active_sessions(ctx.db, user["_id"]))[: -(MOST_SESSIONS - 1)]:
        await end(ctx, oldest, SessionEndReason.EVICTED)
    now = clock.now()
    session = await ctx.tx.insert(
        store.sessions,
        {
            "_id": ids.new_id("session"),
            "user_id": user["_id"],
            "device": known,
            "status": SessionStatus.ACTIVE,
            "end_reason": None,
            "factors": list(factors),
            "ip_masked": masked_address(ctx.address),
            "approx_location": security.place_of(ctx),
            "counter": 1,
            "rotated_at": now,
            "authenticated_at": now,
            "last_seen_at": now,
            "last_validated_at": now,
            "expires_at": now + REFRESH_IDLE,
            "absolute_expires_at": now + REFRESH_ABSOLUTE,
            "ended_at": None,
            "purge_at": None,
        },
    )
    return _with_tokens(ctx, user, session)


def _refuse_locked(user: User) -> None:
    """Raise for an administrator's lock; the failure lockout does not stop a person who holds a key."""
    until, now = user.get("locked_until"), clock.now()
    if until is not None and until > now:
        left = max(1, round((until - now).total_seconds()))
        raise UserError("ACCOUNT_LOCKED", "This account is locked for now.", retry_after_seconds=left)


async def signed_in(ctx: Context) -> tuple[Session, User]:
    """The viewer's session and account, read in this transaction."""
    me = ctx.signed_in
    session = await store.sessions.by_id(ctx.db, {"_id": me.session_id, "user_id": me.user_id})
    if session is None or session["status"] == SessionStatus.ENDED:
        raise Unauthenticated("SESSION_REVOKED")
    user = await store.users.by_id(ctx.db, ctx.viewer_id)
    if user is None:
        raise NotFound("This account is gone.")
    return session, user


async def refresh(ctx: Context, *, refresh_token: Opaque, device_id: Id) -> dict[str, Any]:
    """Rotate the pair, or repeat the current one for a lost answer; any older token ends the session.

    Only what is wrong with the token is of kind AUTHENTICATION: a fault must never make a phone forget it.
    """
    try:
        return await _refreshed(ctx, refresh_token, device_id)
    except UserError as refusal:
        metrics.REFRESHES_REFUSED.labels(refusal.code).inc()
        raise


async def _refreshed(ctx: Context, refresh_token: str, device_id: str) -> dict[str, Any]:
    claims = ctx.services.get(Tokens).refresh_claims(refresh_token)
    if claims is None:
        raise UserError("SESSION_EXPIRED", "Sign in again.")
    await ctx.limit(REFRESH_RATE, claims.session_id)
    session = await store.sessions.by_id(ctx.db, {"_id": claims.session_id, "user_id": claims.user_id})
    user = await store.users.by_id(ctx.db, claims.user_id)
    if session is None or user is None or session["status"] == SessionStatus.ENDED:
        raise UserError("SESSION_EXPIRED", "Sign in again.")
    if user["status"] in (AccountStatus.SUSPENDED, AccountStatus.DELETED):
        raise UserError("SESSION_EXPIRED", "Sign in again.")
    renewed = session["last_validated_at"].timestamp()
    if ctx.services.get(revocations.Revocations).swept(session["_id"], renewed):
        raise UserError("SESSION_EXPIRED", "Sign in again.")
    now = clock.now()
    if now >= session["expires_at"]:
        raise UserError("SESSION_EXPIRED", "Sign in again.")
    if not same_device(session, device_id) or claims.counter < session["counter"] - 1:
        return await _reused(ctx, session)
    if claims.counter == session["counter"] - 1:
        if (now - session["rotated_at"]).total_seconds() > GRACE_SECONDS:
            return await _reused(ctx, session)
        return _with_tokens(ctx, user, session)
    rotated = await ctx.tx.update(
        store.sessions,
        session,
        set={
            "counter": session["counter"] + 1,
            "rotated_at": now,
            "last_seen_at": now,
            "last_validated_at": now,
            "expires_at": min(now + REFRESH_IDLE, session["absolute_expires_at"]),
        },
        where={"counter": session["counter"]},
    )
    if rotated is None:
        raise UserError("UNAVAILABLE", "Try again.")
    return _with_tokens(ctx, user, rotated)


def same_device(session: Session, given: str) -> bool:
    return session["device"]["_id"] == id_of(given)


async def _reused(ctx: Context, session: Session) -> dict[str, Any]:
    """End the session of a reused refresh token; the error is committed, unlike others, which roll back."""
    await end(ctx, session, SessionEndReason.REUSE_DETECTED)
    await security.record(
        ctx, session["user_id"], SecurityEventKind.REUSE_DETECTED, device=session["device"], result="ENDED"
    )
    refusal = UserError("REFRESH_REUSED", "The session was ended for safety: sign in again.")
    metrics.REFRESHES_REFUSED.labels(refusal.code).inc()
    return {"errors": [refusal.document]}


async def sign_out(ctx: Context, *, refresh_token: Opaque | None = None) -> dict[str, Any]:
    """Sign out by refresh token or bearer token, even an expired one; idempotent."""
    if refresh_token is not None:
        claims = ctx.services.get(Tokens).refresh_claims(refresh_token)
        if claims is None:
            raise UserError("INVALID_INPUT", "This is not a refresh token.", field=["refreshToken"])
        own = {"_id": claims.session_id, "user_id": claims.user_id}
    else:
        own = {"_id": ctx.signed_in.session_id, "user_id": ctx.signed_in.user_id}
    session = await store.sessions.by_id(ctx.db, own)
    if session is not None and session["status"] == SessionStatus.ACTIVE:
        session = await end(ctx, session, SessionEndReason.SIGNED_OUT)
    return {"session": session, "removed_session_id": own["_id"]}


async def revoke_session(ctx: Context, *, session_id: Id) -> dict[str, Any]:
    """End one's own session on another device."""
    session = await nodes.for_update(ctx, store.sessions, session_id)
    if session["status"] == SessionStatus.ACTIVE:
        session = await end(ctx, session, SessionEndReason.REVOKED_BY_USER)
        await security.record(ctx, ctx.viewer_id, SecurityEventKind.SESSION_REVOKED)
    return {"session": session, "removed_session_id": session["_id"]}


async def revoke_other_sessions(ctx: Context) -> dict[str, Any]:
    """End all of one's sessions but this one."""
    ended = await end_others(ctx, SessionEndReason.REVOKED_BY_USER)
    if ended:
        await security.record(ctx, ctx.viewer_id, SecurityEventKind.SESSION_REVOKED, count=len(ended))
    return ended_sessions(ended)


async def end_others(ctx: Context, reason: SessionEndReason) -> list[Session]:
    """End all sessions of the viewer but this one; return them as they are now."""
    own = ctx.signed_in.session_id
    others = [each for each in await store.active_sessions(ctx.db, ctx.viewer_id) if each["_id"] != own]
    return [await end(ctx, session, reason) for session in others]


def ended_sessions(ended: Sequence[Session]) -> dict[str, Any]:
    """Sessions that left the list of active ones, as payloads have them."""
    return {"sessions": list(ended), "removed_session_ids": [each["_id"] for each in ended]}


async def proven(ctx: Context, user: User, session: Session, factor: AuthFactor) -> dict[str, Any]:
    """Payload of a session whose owner has just authenticated again."""
    factors = list(dict.fromkeys([*session["factors"], factor]))
    fresh = await ctx.tx.update(
        store.sessions,
        session,
        set={"authenticated_at": clock.now(), "last_seen_at": clock.now(), "factors": factors},
        where={"status": SessionStatus.ACTIVE},
    )
    if fresh is None:
        raise Unauthenticated("SESSION_REVOKED")
    return _with_tokens(ctx, user, fresh)


async def end(ctx: Context, session: Session, reason: SessionEndReason) -> Session:
    """End a session; requests and sockets of its tokens are refused within a second."""
    now = clock.now()
    changes = {
        "status": SessionStatus.ENDED,
        "end_reason": reason,
        "ended_at": now,
        "purge_at": now + timedelta(days=HISTORY_DAYS),
    }
    ended = await ctx.tx.update(store.sessions, session, set=changes)
    assert ended is not None
    await devices.session_ended(ctx, ended)
    revocations.tell(ctx, revocations.note(session["_id"]))

    async def count() -> None:
        metrics.SESSIONS_ENDED.labels(reason).inc()

    ctx.tx.after_commit(count)
    return ended


async def reissue(ctx: Context, stored: dict[str, Any], first_at: datetime) -> dict[str, Any]:
    """Issue the tokens of a replayed sign-in or refresh again, for five minutes after the first request."""
    session_id = referenced_id(stored.get("session"))
    if session_id is None:
        return {}
    session = await store.sessions.by_id(ctx.db, session_id)
    if session is None:
        raise UserError("EXPIRED", "Sign in again.")
    user = await store.users.by_id(ctx.db, session["user_id"])
    age = (clock.now() - first_at).total_seconds()
    if user is None or session["status"] == SessionStatus.ENDED or age > REPLAY_SECONDS:
        raise UserError("EXPIRED", "Sign in again.")
    return _with_tokens(ctx, user, session)


async def check(ctx: Context, session_id: str) -> None:
    """Raise UNAUTHENTICATED if the session has ended; reads MongoDB while Redis is down."""
    session = await store.sessions.by_id(ctx.services.db, session_id)
    if session is None or session["status"] == SessionStatus.ENDED:
        raise Unauthenticated("SESSION_REVOKED")


def _with_tokens(ctx: Context, user: User, session: Session) -> dict[str, Any]:
    pair = ctx.services.get(Tokens).issue(user, session)
    # The rest of the operation runs as this person: the payload may show private fields.
    roles, org = frozenset(map(str, user["roles"])), store.org_of(user)
    proven = session["authenticated_at"].timestamp()
    ctx.viewer = Viewer(
        user["_id"], session["_id"], session["device"]["_id"], roles, org, proven, clock.timestamp()
    )
    ctx.refresh()
    return {"tokens": pair, "session": session, "user": user, "account": store.account_of(user)}
