"""Presence and typing indicators: kept in Redis for seconds, published and forgotten."""

from collections.abc import Mapping, Sequence
from typing import Any

from redis.exceptions import RedisError

from core import clock
from core.context import Context, Services
from core.ids import Id
from core.security.limits import Rate
from loaders.chat import ChatSettingsByUser, ChatWithPeer, LastSeenByUser
from resolvers import feed
from resolvers.chat.access import chat_for_update, inbox_scope
from stores import chat as store
from stores.chat import PresenceStatus

Document = Mapping[str, Any]

PRESENT_MS = 60_000
TYPING_MS = 6_000
TYPING_EVERY_MS = 3_000
TOLD = 200
"""Chat partners, latest chats first, who are notified of a person's presence."""
DUE = "presence:due"
TYPING_RATE = Rate("typing", 120, 60)
HEARTBEAT_RATE = Rate("heartbeats", 30, 60)

# Each device says for itself; one that uses the app outweighs one that lies on a table. Answers how the
# person appeared before, and how now.
SAY = """
local now, ttl = tonumber(ARGV[3]), tonumber(ARGV[4])
local function standing()
  local best = 'OFFLINE'
  local said = redis.call('HGETALL', KEYS[1])
  for i = 1, #said, 2 do
    local state, expires = string.match(said[i + 1], '^(%u+)|(%d+)$')
    if tonumber(expires) <= now then redis.call('HDEL', KEYS[1], said[i])
    elseif state == 'ONLINE' then best = 'ONLINE'
    elseif best == 'OFFLINE' then best = state end
  end
  return best
end
local before = standing()
if ARGV[2] == 'OFFLINE' then redis.call('HDEL', KEYS[1], ARGV[1])
elseif ARGV[2] ~= '' then
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2] .. '|' .. string.format('%d', now + ttl))
  redis.call('PEXPIRE', KEYS[1], ttl)
end
return {before, standing()}
"""


async def record_heartbeat(ctx: Context, *, status: PresenceStatus) -> dict[str, Any]:
    """Heartbeat of a device; chat partners are notified if it changes the person's presence."""
    await ctx.limit(HEARTBEAT_RATE)
    own, device = ctx.viewer_id, ctx.signed_in.device_id
    before, after = await _say(ctx.services, own, device, status)
    if after != PresenceStatus.OFFLINE:
        await _expect(ctx.services, own)
    if before != after:
        await announce(ctx.services, own, after)
    return {"presence": {"user_id": own, "status": after, "last_seen_at": None}}


async def _say(
    services: Services, user_id: str, device_id: str, state: str
) -> tuple[PresenceStatus, PresenceStatus]:
    now = int(clock.timestamp() * 1000)
    try:
        script = services.redis.register_script(SAY)
        answer = await script(keys=[f"presence:{user_id}"], args=[device_id, state, now, PRESENT_MS])
    except (RedisError, OSError):
        return PresenceStatus.OFFLINE, PresenceStatus.OFFLINE
    before, after = (PresenceStatus(each.decode()) for each in answer)
    return before, after


async def _expect(services: Services, user_id: str) -> None:
    """Schedule the look whether the person is still there."""
    try:
        await services.redis.zadd(DUE, {user_id: clock.timestamp() * 1000 + PRESENT_MS})
    except (RedisError, OSError):
        return


async def expire(services: Services, *, limit: int = 500) -> int:
    """Publish the absence of people whose heartbeats stopped; return how many there were."""
    now = clock.timestamp() * 1000
    gone = 0
    due: Any = await services.redis.zrangebyscore(DUE, "-inf", now, start=0, num=limit)
    for user_id in (each.decode() for each in due):
        # Of several workers one takes it away, and tells.
        if not await services.redis.zrem(DUE, user_id):
            continue
        _, state = await _say(services, user_id, "", "")
        if state == PresenceStatus.OFFLINE:
            await announce(services, user_id, state)
            gone += 1
        else:
            await _expect(services, user_id)
    return gone


async def announce(services: Services, user_id: str, state: PresenceStatus) -> None:
    """Notify chat partners of the latest chats; each of them may or may not see the presence."""
    if state == PresenceStatus.OFFLINE:
        seen = {"$set": {"last_seen_at": clock.now()}}
        await store.last_seen.update_one(services.db, {"_id": user_id}, seen, upsert=True)
    # Both, by name: with them the index has the order.
    query = {"user_id": user_id, "started": True, "archived": {"$in": [False, True]}}
    rows = await store.members.find(services.db, query, sort=store.LATEST, limit=TOLD, fields=("peer_id",))
    for row in rows:
        services.live.signal(inbox_scope(row["peer_id"]), {"presence": user_id})


async def presences(ctx: Context, users: Sequence[Document]) -> list[dict[str, Any] | None]:
    """Presence of people, as the viewer may see it; None unless the two share a chat and both show it."""
    if ctx.viewer is None:
        return [None for _ in users]
    ids = [user["_id"] for user in users]
    shown = await _showing(ctx, ids)
    states = await _states(ctx, shown)
    seen = dict(zip(shown, await ctx.load_many(LastSeenByUser, shown), strict=True))
    return [
        {
            "user_id": id,
            "status": states[id],
            "last_seen_at": seen[id] if states[id] == PresenceStatus.OFFLINE else None,
        }
        if id in states
        else None
        for id in ids
    ]


async def _showing(ctx: Context, ids: Sequence[str]) -> list[str]:
    """Those of the people whose presence the viewer may see, themselves among them."""
    own = ctx.viewer_id
    others = [id for id in dict.fromkeys(ids) if id != own]
    shown = [own] if own in ids else []
    if not others:
        return shown
    wishes = [own, *others]
    settings = await ctx.load_many(ChatSettingsByUser, wishes)
    show = {id: each["show_presence"] for id, each in zip(wishes, settings, strict=True)}
    if not show[own]:
        return shown
    chats = await ctx.load_many(ChatWithPeer, others)
    blocked_either_way = await feed.blocked_either_way(ctx)
    return shown + [
        id
        for id, chat in zip(others, chats, strict=True)
        if chat and chat["last_sequence"] and show[id] and id not in blocked_either_way
    ]


async def _states(ctx: Context, ids: Sequence[str]) -> dict[str, PresenceStatus]:
    """Presence by person; OFFLINE for all while Redis is down."""
    now = clock.timestamp() * 1000
    try:
        pipeline = ctx.services.redis.pipeline(transaction=False)
        for id in ids:
            pipeline.hvals(f"presence:{id}")
        said = await pipeline.execute()
    except (RedisError, OSError):
        said = [[] for _ in ids]
    return {id: _standing(values, now) for id, values in zip(ids, said, strict=True)}


def _standing(said: Sequence[bytes], now: float) -> PresenceStatus:
    fresh = [
        state for state, _, expires in (each.decode().partition("|") for each in said) if int(expires) > now
    ]
    if PresenceStatus.ONLINE in fresh:
        return PresenceStatus.ONLINE
    return PresenceStatus.AWAY if fresh else PresenceStatus.OFFLINE


async def set_chat_typing(ctx: Context, *, chat_id: Id, typing: bool) -> dict[str, Any]:
    """Send a typing signal to whoever has the chat open, at most every three seconds; none while blocked."""
    await ctx.limit(TYPING_RATE)
    chat = await chat_for_update(ctx, chat_id)
    if chat["peer_gone"] or chat["peer_id"] in await feed.blocked_either_way(ctx):
        return {}
    if await _typing_is_news(ctx, chat["_id"], typing):
        ctx.services.live.signal(store.chat_scope(chat["_id"]), {"typing": ctx.viewer_id, "on": typing})
    return {}


async def _typing_is_news(ctx: Context, chat_id: str, typing: bool) -> bool:
    redis, key = ctx.services.redis, f"typing:{chat_id}:{ctx.viewer_id}"
    try:
        if not typing:
            return bool(await redis.delete(key))
        if await redis.pttl(key) > TYPING_MS - TYPING_EVERY_MS:
            return False
        await redis.set(key, 1, px=TYPING_MS)
    except (RedisError, OSError):
        return False
    return True
