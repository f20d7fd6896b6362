"""Security events: stored, written to the audit log, and told to their owner if urgent."""

from collections.abc import Mapping
from typing import Any

from core import clock, ids
from core.audit import Act, AuditOutcome
from core.audit import record as put_on_record
from core.context import Context
from core.jobs import enqueue
from core.security.networks import masked_address
from core.sync.changes import user_scope
from ports.auth import GeoIp
from stores import auth as store
from stores.auth import Device, SecurityEvent, SecurityEventKind

QUIET = frozenset(
    {SecurityEventKind.SIGN_IN, SecurityEventKind.SIGN_IN_FAILED, SecurityEventKind.SESSION_REVOKED}
)
"""Security events that are listed only; the owner is notified of all others."""

SIGNED_IN = (SecurityEventKind.SIGN_IN, SecurityEventKind.NEW_DEVICE)
DENIED = (SecurityEventKind.SIGN_IN_FAILED, SecurityEventKind.REUSE_DETECTED)


async def record(
    ctx: Context,
    user_id: str,
    kind: SecurityEventKind,
    *,
    device: Device | None = None,
    result: str = "OK",
    **detail: Any,
) -> SecurityEvent:
    """Write the event in the running unit of work; `device` is the caller's own unless it is given."""
    event = await ctx.tx.insert(
        store.security_events,
        {
            "_id": ids.new_id("security_event"),
            "user_id": user_id,
            "kind": kind,
            "alerting": kind not in QUIET,
            "device": device or await _own_device(ctx, user_id),
            "ip_masked": masked_address(ctx.address),
            "approx_location": place_of(ctx),
            "at": clock.now(),
        },
    )
    if event["alerting"]:
        ctx.tx.changed(
            event, scopes=[user_scope(user_id)], created=True, audience_never_shrinks=True, brief=True
        )
        await enqueue(ctx.tx, "auth.alert", event_id=event["_id"])
    else:
        ctx.tx.skip_log(event)
    await put_on_record(ctx, _act(event, result, detail))
    return event


def _act(event: SecurityEvent, result: str, detail: Mapping[str, Any]) -> Act:
    """Audit act of a security event."""
    kind, user_id = event["kind"], event["user_id"]
    event_type = {
        **dict.fromkeys(SIGNED_IN, "ACCESS_GRANTED"),
        **dict.fromkeys(DENIED, "ACCESS_DENIED"),
    }.get(kind, "USER_ACTION")
    return Act(
        f"auth.{kind.lower()}",
        event_type,
        "ACCOUNT",
        resource_id=user_id,
        subject_id=user_id,
        outcome=AuditOutcome.DENIED if kind in DENIED else AuditOutcome.OK,
        details={"result": result, **{name: value for name, value in detail.items() if name != "reason"}},
        sensitive={"reason": detail["reason"]} if detail.get("reason") else {},
        # Somebody who has just signed in is not the viewer yet; a failed sign-in has no known actor.
        actor_id=user_id if kind in SIGNED_IN else None,
        device_id=event["device"]["_id"] if event["device"] else None,
    )


def place_of(ctx: Context) -> str | None:
    """Approximate location of the request; None if unknown."""
    places = ctx.services.get(GeoIp)
    return places.place(ctx.address) if ctx.address else None


async def record_apart(ctx: Context, user_id: str, kind: SecurityEventKind, **how: Any) -> None:
    """The same in its own unit of work: a user error rolls back its mutation's writes, but not this."""
    apart = ctx.fork()
    await apart.unit(lambda: record(apart, user_id, kind, **how))


async def _own_device(ctx: Context, user_id: str) -> Device | None:
    viewer = ctx.viewer
    if viewer is None or viewer.user_id != user_id:
        return None
    session = await store.sessions.by_id(ctx.db, {"_id": viewer.session_id, "user_id": user_id})
    return session["device"] if session else None
