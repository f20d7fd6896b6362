"""Push notifications to all devices of a person."""

from collections.abc import Mapping

import structlog

from core.context import Context, Services
from core.ports import DeliveryFailed
from resolvers.auth import devices
from stores import auth as store
from stores.auth import OwnDevice

logger = structlog.get_logger(__name__)


async def push(
    services: Services,
    user_id: str,
    *,
    title: str,
    text: str,
    data: Mapping[str, str],
    collapse: str = "",
) -> int:
    """Send a push to a person's devices; return how many took it.

    `DeliveryFailed` when it should have reached some and reached none.

    One with the same `collapse` takes the place of the last on the device's screen.
    """
    reached, failed = 0, False
    for device in await store.devices_with_push(services.db, user_id):
        try:
            token = services.crypto.open(device["push_token"] or "", place=devices.token_place(device["_id"]))
            if await services.pusher.send(token=token, title=title, text=text, data=data, collapse=collapse):
                reached += 1
            else:
                await _forget(services, device)
        except DeliveryFailed as problem:
            logger.warning("push not sent", reason=str(problem))
            failed = True
    if failed and not reached:
        raise DeliveryFailed("No device was reached.")
    return reached


async def _forget(services: Services, device: OwnDevice) -> None:
    """Remove the token of a device from which the app was uninstalled."""
    ctx = Context(services)

    async def work() -> None:
        await devices.forget_token(ctx, device["user_id"], device["device_id"])

    await ctx.unit(work)
