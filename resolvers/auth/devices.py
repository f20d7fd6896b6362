"""The devices of a person: known from their first sign-in there."""

from core import clock
from core.context import Context
from resolvers.auth import security
from stores import auth as store
from stores.auth import Device, SecurityKind


async def signed_in(ctx: Context, user_id: str, device: Device) -> None:
    """Note a sign-in on the device; one never seen before is told to the others."""
    now = clock.now()
    key = store.device_key(user_id, device["_id"])
    told = {name: value for name, value in device.items() if name not in ("_id", "push_enabled")}
    known = await ctx.tx.update(store.devices, key, set={**told, "last_seen_at": now})
    kind = SecurityKind.SIGN_IN
    if known is None:
        # The first of all is the one they signed up on.
        first = await store.devices.first(ctx.db, {"user_id": user_id}) is None
        kind = SecurityKind.SIGN_IN if first else SecurityKind.NEW_DEVICE
        await ctx.tx.insert(
            store.devices,
            {
                **told,
                "_id": key,
                "user_id": user_id,
                "device_id": device["_id"],
                "push_enabled": False,
                "push_token": None,
                "approx_location": None,
                "created_at": now,
                "last_seen_at": now,
            },
        )
    await security.record(ctx, user_id, kind, device=device)
