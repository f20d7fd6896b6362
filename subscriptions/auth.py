"""Subscriptions to one's sessions and security events."""

from collections.abc import AsyncGenerator
from typing import Any

from core.context import Context
from core.ids import prefix_of
from core.sync.changes import Entry, user_scope
from core.sync.topics import follow
from resolvers.auth import people, security
from stores.auth import SecurityKind, SessionStatus

Event = dict[str, Any]


async def session_events(ctx: Context, *, after: str | None = None) -> AsyncGenerator[Event, None]:
    """Session events of the viewer alone, on every device."""

    async def to_event(entry: Entry) -> Event | None:
        if prefix_of(entry["_id"]) == "session":
            return await _session(ctx, entry)
        if entry["_id"] == security.note(entry["_id"].partition(":")[2]):
            return await _security(ctx, entry["_id"].partition(":")[2])
        return None

    scopes = [user_scope(ctx.viewer_id), security.scope(ctx.viewer_id)]
    async for event in follow(ctx, scopes, after, to_event):
        yield event


async def _session(ctx: Context, entry: Entry) -> Event | None:
    [session] = await people.own_sessions(ctx, [entry["node"]])
    if session is None:
        return None
    if session["status"] == SessionStatus.ENDED:
        ended = {"session_id": session["_id"], "end_reason": session["end_reason"]}
        return {"_type": "SessionEnded", **ended}
    return {"_type": "SessionStarted" if entry["created"] else "SessionUpdated", "session": session}


async def _security(ctx: Context, event_id: str) -> Event | None:
    [event] = await people.own_security_events(ctx, [event_id])
    if event is None:
        return None
    if event["kind"] == SecurityKind.TWO_FACTOR_CHANGED:
        [account] = await people.viewer_accounts(ctx, [{}])
        return {"_type": "TwoFactorChanged", "account": account}
    return {"_type": "SecurityAlert", "event": event}
