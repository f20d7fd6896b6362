"""Audit events: emitted in the transaction that does the act, to whoever keeps the records."""

from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import ip_address, ip_network
from typing import Any

import structlog

from core import clock
from core.context import Context
from core.hooks import Hook

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """Audit event: actor, action, subject; no secret, no address of a person, no whole network address."""

    action: str
    actor_id: str | None
    subject_id: str | None
    at: datetime
    device_id: str | None
    ip_masked: str
    result: str
    detail: dict[str, Any] = field(default_factory=dict)


acted = Hook[[Context, AuditEvent], None]("audit.acted")
"""Called with each event, in the transaction of its act: the record keeper writes with `ctx.tx`."""


async def audited(
    ctx: Context,
    action: str,
    *,
    subject_id: str | None = None,
    result: str = "OK",
    actor_id: str | None = None,
    device_id: str | None = None,
    **detail: Any,
) -> AuditEvent:
    """Put an act of the viewer on record, or of who is named: a sign-in has no viewer yet."""
    viewer = ctx.viewer
    event = AuditEvent(
        action=action,
        actor_id=viewer.user_id if viewer else actor_id,
        subject_id=subject_id,
        at=clock.now(),
        device_id=viewer.device_id if viewer else device_id,
        ip_masked=masked_address(ctx.address),
        result=result,
        detail=detail,
    )
    await acted(ctx, event)
    logger.info(
        "audited", action=action, actor=event.actor_id, subject=subject_id, result=result, ip=event.ip_masked
    )
    return event


def masked_address(address: str) -> str:
    """The network of an address: the last part is nobody's business."""
    try:
        whole = ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    return str(ip_network((whole, 24 if whole.version == 4 else 48), strict=False).network_address)
