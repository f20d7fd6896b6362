"""Push notifications to devices of a person."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TypedDict, Unpack

import structlog

from core.context import Context, Services
from core.ports import DeliveryFailed, FailureCode, Permanent, PushPriority
from resolvers.auth import devices
from stores.auth import OwnDevice

logger = structlog.get_logger(__name__)


class PushLook(TypedDict, total=False):
    """Options of a push: what `core.ports.Pusher` takes beside the text, each with its default."""

    collapse: str
    ttl: timedelta | None
    silent: bool
    category: str
    priority: PushPriority


async def push(
    services: Services,
    to: Sequence[OwnDevice],
    *,
    title: str,
    text: str,
    data: Mapping[str, str],
    **look: Unpack[PushLook],
) -> int:
    """Send a push to devices, as `devices_with_push` finds those of a person; return how many took it.

    Raises the last `DeliveryFailed` when it should have reached some and reached none.

    One with the same `collapse` takes the place of the last on the device's screen.
    """
    reached, failed = 0, None
    for device in to:
        token = services.crypto.open(device["push_token"] or "", place=devices.token_place(device["_id"]))
        try:
            await services.pusher.send(token=token, title=title, text=text, data=data, **look)
            reached += 1
        except DeliveryFailed as problem:
            if isinstance(problem, Permanent) and problem.code == FailureCode.UNREGISTERED:
                await _forget(services, device)
                continue
            logger.warning("push not sent", reason=str(problem))
            failed = problem
    if failed and not reached:
        raise failed
    return reached


async def _forget(services: Services, device: OwnDevice) -> None:
    """Remove the token of a device from which the app was uninstalled."""
    ctx = Context(services)

    async def work() -> None:
        await devices.forget_token(ctx, device["user_id"], device["device_id"])

    await ctx.unit(work)
