"""Rotation of the key that signs the logs: the next checkpoint of each introduces the new one."""

from core.audit import Act, record
from core.context import PERSONAL, Context
from resolvers.audit import log_keys
from stores import audit as store


class TooMany(ValueError):
    """There are as many keys as are ever read."""


async def rotate(ctx: Context, *, distrust: bool = False) -> str:
    """Add a key that signs from now on, with the unit of work; its id.

    With `distrust` no former key vouches for it: one of them was stolen.
    """
    keys = await store.all_log_keys(ctx.db)
    if len(keys) >= store.MOST_LOG_KEYS:
        raise TooMany(f"There are {len(keys)} keys already.")
    made = await ctx.tx.insert(store.log_keys, log_keys.made(ctx.services, keys))
    if distrust:
        for key in keys:
            if "distrusted_at" not in key:
                stolen = {"distrusted_at": ctx.tx.now}
                await ctx.tx.update(store.log_keys, key["_id"], set=stolen, touch=False)
    details = {"key": made["_id"], "former_keys_distrusted": distrust}
    act = Act("audit.key_rotated", "SYSTEM_EVENT", "AUDIT_LOG", details=details, org_id=PERSONAL)
    await record(ctx, act)
    return made["_id"]
