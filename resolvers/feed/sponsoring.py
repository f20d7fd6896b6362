"""Sponsored posts: paid for a period, set by administrators."""

from datetime import datetime, timedelta
from typing import Any

from core import ids
from core.context import Context
from core.errors import UserError, check_version
from core.ids import Id
from resolvers.feed.access import post_for_update, visible_posts
from resolvers.feed.moderating import checked_reason
from resolvers.feed.viewer_relations import open_to_strangers
from stores import feed as store
from stores.feed import Post, Sponsorship

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
    checked_reason(reason)
    post = await post_for_update(ctx, post_id)
    if not open_to_strangers(post):
        raise UserError("FORBIDDEN", "Only public posts are shown to strangers.", field=["postId"])
    _check_version(expected_version, await store.sponsorships.by_id(ctx.db, post_id), post)
    start = starts_at or ctx.tx.now
    if not start < ends_at <= start + LONGEST or ends_at <= ctx.tx.now:
        raise UserError("OUT_OF_RANGE", "It ends after it starts, and within a year.", field=["endsAt"])
    changed = await ctx.tx.put(store.sponsorships, post_id, {"starts_at": start, "ends_at": ends_at})
    return {"sponsorship": _shown(changed, post)}


async def cancel_post_sponsorship(
    ctx: Context, *, post_id: Id, reason: str, expected_version: int | None = None
) -> dict[str, Any]:
    """End a sponsorship; idempotent. Stored snapshots show it for a few minutes more."""
    checked_reason(reason)
    [post] = await visible_posts(ctx, [ids.checked(post_id, "post")])
    current = await store.sponsorships.by_id(ctx.db, post_id)
    _check_version(expected_version, current, post)
    if current is not None and current["ends_at"] > ctx.tx.now:
        period = {"starts_at": min(current["starts_at"], ctx.tx.now), "ends_at": ctx.tx.now}
        current = await ctx.tx.put(store.sponsorships, post_id, period)
    return {"post": post, "sponsorship": _shown(current, post)}


def _check_version(expected: int | None, current: Sponsorship | None, post: Post | None) -> None:
    check_version(expected, current["version"] if current else 0, sponsorship=_shown(current, post))


def _shown(sponsorship: Sponsorship | None, post: Post | None) -> dict[str, Any] | None:
    """The sponsorship with its post; None when either is not there for the viewer."""
    if sponsorship is None or post is None:
        return None
    # Without its `_id`, which is the post's: receipts would keep it as a reference to that.
    return {**{name: value for name, value in sponsorship.items() if name != "_id"}, "post": post}
