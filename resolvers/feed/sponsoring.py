"""Sponsored posts: paid for a period, set by administrators."""

from datetime import datetime, timedelta
from typing import Any

from core import ids
from core.context import Context
from core.errors import UserError, check_version
from core.ids import Id
from core.security.audit import audited
from resolvers.feed.access import post_for_update, visible_posts
from resolvers.feed.moderating import checked_reason
from resolvers.feed.viewer_relations import open_to_strangers
from stores import feed as store

LONGEST = timedelta(days=366)


async def set_post_sponsorship(
    ctx: Context,
    *,
    post_id: Id,
    starts_at: datetime | None = None,
    ends_at: datetime,
    reason: str,
    expected_version: int | None = None,
) -> dict[str, Any]:
    """Sponsor a post, or change its period. People it is hidden from do not see it, paid or not."""
    why = checked_reason(reason)
    post = await post_for_update(ctx, post_id)
    if not open_to_strangers(post):
        raise UserError("FORBIDDEN", "Only public posts are shown to strangers.", field=["postId"])
    current = await store.sponsorships.by_id(ctx.db, post_id)
    version = current.get("version", 1) if current else 0
    shown = {**current, "post": post, "version": version} if current else None
    check_version(expected_version, version, sponsorship=shown)
    start = starts_at or ctx.tx.now
    if not start < ends_at <= start + LONGEST or ends_at <= ctx.tx.now:
        raise UserError("OUT_OF_RANGE", "It ends after it starts, and within a year.", field=["endsAt"])
    change = {"starts_at": start, "ends_at": ends_at, "version": version + 1}
    if await ctx.tx.update(store.sponsorships, post_id, set=change) is None:
        await ctx.tx.insert(store.sponsorships, {"_id": post_id, **change})
    await audited(ctx, "feed.sponsor", subject_id=post_id, until=ends_at.isoformat(), reason=why)
    return {"sponsorship": {"post": post, **change}}


async def cancel_post_sponsorship(ctx: Context, *, post_id: Id, reason: str) -> dict[str, Any]:
    """End a sponsorship; idempotent. Stored snapshots show it for a few minutes more."""
    why = checked_reason(reason)
    if await ctx.tx.delete(store.sponsorships, post_id) is not None:
        await audited(ctx, "feed.end_sponsorship", subject_id=post_id, reason=why)
    [post] = await visible_posts(ctx, [ids.checked(post_id, "post")])
    return {"post": post}
