"""Devices of a person: known from their first sign-in there, reached by push."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from core import clock, ids
from core.context import Context
from core.errors import BadUserInput, UserError
from core.ids import Id
from core.nodes import guard
from core.paging import PageArgs
from core.storage.loader import in_order
from core.values.bounds import check_length
from core.values.text import Opaque
from resolvers.auth import security
from stores import auth as store
from stores.auth import Device, OwnDevice, SecurityEventKind, Session

SORT = [("last_seen_at", -1), ("device_id", -1)]
LONGEST_TOKEN = 4096


def device_of(given: Mapping[str, Any]) -> Device:
    return {
        "_id": id_of(given["device_id"]),
        "name": str(given["name"])[:100],
        "platform": given["platform"],
        "os_version": (given.get("os_version") or "")[:50] or None,
        "app_version": (given.get("app_version") or "")[:50] or None,
        "push_enabled": False,
    }


def id_of(given: str) -> str:
    """The device's TypeID; phones may mint it as a plain UUID."""
    try:
        return ids.from_uuid(UUID(given), "device")
    except ValueError:
        return ids.checked(given, "device")


def device_owner(ctx: Context, arguments: Mapping[str, Any]) -> str:
    """Owner of an anonymous mutation's idempotency keys: the device."""
    given = arguments.get("device_id") or (arguments.get("device") or {}).get("device_id")
    if given is None:
        raise BadUserInput("A device id is needed.")
    return id_of(given)


@guard("device")
async def own_devices(ctx: Context, wanted: Sequence[str]) -> Sequence[Mapping[str, Any] | None]:
    own = ctx.viewer_id_or_none
    rows = await store.own_devices(ctx.db, own, wanted) if own else []
    return in_order(wanted, map(shown, rows))


async def of_account(ctx: Context, account: Mapping[str, Any], *, args: PageArgs) -> dict[str, Any]:
    """Devices of an account, latest use first."""
    return await store.devices.page(ctx.db, {"user_id": account["user_id"]}, SORT, args, shown=shown)


def shown(row: OwnDevice) -> dict[str, Any]:
    """Device under the id that its client minted: the stored key names the person too."""
    return {**row, "_id": row["device_id"]}


async def signed_in(ctx: Context, user_id: str, device: Device) -> Device:
    """Record a sign-in on the device and its push token; a new device is announced to the others."""
    now = clock.now()
    named = store.device_named(user_id, device["_id"])
    told = {name: value for name, value in device.items() if name not in ("_id", "push_enabled")}
    here = security.place_of(ctx)
    seen = {"last_seen_at": now, "approx_location": here}
    known = await store.devices.first(ctx.db, named)
    kind = SecurityEventKind.SIGN_IN
    if known is not None:
        await ctx.tx.update(store.devices, named, set={**told, **seen})
        if _elsewhere(known.get("approx_location"), here):
            kind = SecurityEventKind.NEW_DEVICE
    else:
        # The first of all is the one they signed up on.
        first = await store.devices.first(ctx.db, {"user_id": user_id}) is None
        kind = SecurityEventKind.SIGN_IN if first else SecurityEventKind.NEW_DEVICE
        await ctx.tx.insert(
            store.devices,
            {
                **told,
                **named,
                "device_id": device["_id"],
                "push_enabled": False,
                "created_at": now,
                **seen,
            },
        )
    await security.record(ctx, user_id, kind, device=device)
    return {**device, "push_enabled": bool(known and known["push_enabled"])}


def _elsewhere(before: str | None, now: str | None) -> bool:
    """True if a device is in another country than the last time; cities change on every train."""
    if before is None or now is None:
        return False
    return before.rpartition(", ")[2] != now.rpartition(", ")[2]


async def set_push_token(ctx: Context, *, device_id: Id, token: Opaque | None = None) -> dict[str, Any]:
    """Register a push token for one of the viewer's devices; None unregisters it."""
    if token is not None:
        check_length(token, least=1, most=LONGEST_TOKEN, field="token")
    named = store.device_named(ctx.viewer_id, id_of(device_id))
    place = token_place(named["_id"])
    index = ctx.services.crypto.blind(token, place="devices/push_token") if token else None
    for other in await store.devices_with_token(ctx.db, index) if index else ():
        if other["_id"] != named["_id"]:
            # The phone changed hands: what was the former owner's must not be shown to the new one.
            await forget_token(ctx, other["user_id"], other["device_id"])
    reached = {
        "push_enabled": token is not None,
        "push_token": ctx.services.crypto.seal(token, place=place) if token else None,
        "push_index": index,
    }
    device = await ctx.tx.update(store.devices, named, set=reached)
    if device is None:
        raise UserError("NOT_FOUND", "You never signed in on this device.", field=["deviceId"])
    await _show_push(ctx, ctx.viewer_id, device["device_id"], enabled=token is not None)
    return {"device": shown(device)}


def token_place(key: str) -> str:
    return f"devices/{key}/push_token"


async def session_ended(ctx: Context, session: Session) -> None:
    """Forget the push token of a device on which its owner has no session left."""
    user_id, id = session["user_id"], session["device"]["_id"]
    if session["device"]["push_enabled"] and not await store.active_on(ctx.db, user_id, id):
        await forget_token(ctx, user_id, id)


async def forget_token(ctx: Context, user_id: str, id: str) -> None:
    """Remove the push token of a device."""
    gone = {"push_enabled": False, "push_token": None, "push_index": None}
    await ctx.tx.update(store.devices, store.device_named(user_id, id), set=gone)
    await _show_push(ctx, user_id, id, enabled=False)


async def _show_push(ctx: Context, user_id: str, id: str, *, enabled: bool) -> None:
    """Copy the device's push state into its sessions."""
    for session in await store.active_on(ctx.db, user_id, id):
        if session["device"]["push_enabled"] != enabled:
            await ctx.tx.update(store.sessions, session, set={"device.push_enabled": enabled})
