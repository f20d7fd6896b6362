"""Subscription to the alerts of an organization's audit log, for as long as one administers it."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

from core import clock, grants
from core.audit import Act, AuditOutcome, record_apart
from core.context import Context
from core.errors import Forbidden
from core.ids import prefix_of
from core.security.access import NOT_ALLOWED
from core.storage.loader import by_id
from core.sync.changes import Entry
from core.sync.listeners import Signal
from core.sync.topics import follow
from resolvers.audit.anomalies import PREFIX
from resolvers.audit.concluding import alerts_scope
from resolvers.audit.reading import READ_RATE
from resolvers.audit.recording import META
from resolvers.auth import grants_scope
from stores import audit as store
from stores import auth as accounts
from stores.audit.roles import AUDIT_ADMIN

Event = dict[str, Any]


async def audit_alerts(ctx: Context, *, after: str | None = None) -> AsyncGenerator[Event, None]:
    """Alerts of the viewer's organization."""
    org_id, until = grants.need_organization(ctx), 0.0

    async def need() -> None:
        nonlocal until
        until = await grants.held_until(ctx, AUDIT_ADMIN)
        if not until:
            raise Forbidden(NOT_ALLOWED)

    async def to_event(entry: Entry) -> Event | None:
        if entry["node"] == grants_scope(ctx.viewer_id):
            await _need_now(ctx, org_id)
        await need()
        return await _event(ctx, entry)

    async def on_signal(signal: Signal | None) -> list[Event]:
        await need()
        return []

    def left() -> float | None:
        """Seconds for which the role is held."""
        return None if until == float("inf") else max(until - clock.timestamp(), 0.0)

    # The viewer's own grants too: a role that is taken ends the stream at once.
    scopes = [alerts_scope(org_id), grants_scope(ctx.viewer_id)]
    try:
        await need()
    except Forbidden:
        await ctx.limit_request(READ_RATE)
        denied = AuditOutcome.DENIED
        await record_apart(
            ctx, Act("audit.alerts_watched", "ACCESS_DENIED", "AUDIT_LOG", outcome=denied, source=META)
        )
        raise
    async with aclosing(
        follow(ctx, scopes, after, to_event, authorize=need, on_signal=on_signal, idle_timeout=left)
    ) as events:
        async for event in events:
            yield event


async def _need_now(ctx: Context, org_id: str) -> None:
    """FORBIDDEN unless the role is held by what is stored: this process may learn of a change after us."""
    grant = await accounts.grant_of(ctx.db, ctx.viewer_id, AUDIT_ADMIN, org_id)
    if grant is None:
        raise Forbidden(NOT_ALLOWED)


async def _event(ctx: Context, entry: Entry) -> Event | None:
    detail = entry.get("detail")
    if detail is None:
        return None
    if prefix_of(entry["node"]) == PREFIX:
        return {"_type": "AuditAnomalyDetected", "anomaly": detail}
    check = await ctx.load(by_id(store.checks), entry["node"])
    if check is None:
        return None
    return {"_type": "IntegrityCheckFailed", "integrity_check": check, **detail}
