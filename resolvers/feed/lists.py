"""Lists of people: followers, followed, reactors, muted, blocked, suggested."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from core import paging, viewers
from core.context import Context
from core.errors import Unauthenticated
from core.paging import NEWEST, PageArgs
from core.storage.store import Collection
from core.values.bounds import check_limit
from loaders.auth import UserById
from loaders.feed import FollowsByFollower
from resolvers import auth
from resolvers.feed.access import blocked_either_way
from stores import auth as accounts
from stores import feed as store
from stores.auth import User
from stores.feed import FollowStatus, ReactionKind

Document = Mapping[str, Any]

MOST_SUGGESTED = 50


social = viewers.area("social")


async def following(ctx: Context, user: Document, *, args: PageArgs) -> dict[str, Any]:
    """People that a person follows, latest first."""
    return await _follow_list(ctx, user, "follower_id", "followee_id", args)


async def followers(ctx: Context, user: Document, *, args: PageArgs) -> dict[str, Any]:
    """Followers of a person, latest first."""
    return await _follow_list(ctx, user, "followee_id", "follower_id", args)


async def _follow_list(ctx: Context, user: Document, side: str, other: str, args: PageArgs) -> dict[str, Any]:
    if ctx.viewer is None:
        raise Unauthenticated(ctx.refusal)
    listing = _follows_listing(user["_id"], side)
    if user.get("follow_lists_hidden") and user["_id"] != ctx.viewer_id:
        return paging.nothing(listing, NEWEST, args)
    return await _persons(ctx, store.follows, listing, {side: user["_id"]}, other, args)


def _follows_listing(user_id: str, side: str) -> paging.Listing:
    return paging.Listing("follows", user=user_id, side=side)


def following_edge(follow: Document, person: Document | None) -> dict[str, Any] | None:
    """The person's place among those that the follower follows."""
    return paging.edge_to(_follows_listing(follow["follower_id"], "follower_id"), NEWEST, follow, person)


def muted_edge(follow: Document, person: Document | None) -> dict[str, Any] | None:
    """The person's place among those that the follower has muted."""
    return paging.edge_to(_muted_listing(follow["follower_id"]), NEWEST, follow, person)


def blocked_edge(block: Document, person: Document | None) -> dict[str, Any] | None:
    """The person's place among those that the blocker has blocked."""
    return paging.edge_to(_blocked_listing(block["user_id"]), NEWEST, block, person)


def _muted_listing(user_id: str) -> paging.Listing:
    return paging.Listing("muted", user=user_id)


def _blocked_listing(user_id: str) -> paging.Listing:
    return paging.Listing("blocked", user=user_id)


async def _persons(
    ctx: Context,
    rows: Collection[Any],
    listing: paging.Listing,
    query: Mapping[str, Any],
    other: str,
    args: PageArgs,
    *,
    unseen: bool = False,
) -> dict[str, Any]:
    """Connection over the people of the rows, latest first; with `unseen`, also those hidden from one."""
    shown = await rows.page(ctx.db, query, NEWEST, args, listing=listing)
    wanted = [row["node"][other] for row in shown["edges"]]
    found: Sequence[User | None] = await (
        ctx.load_many(UserById, wanted) if unseen else auth.visible_people(ctx, wanted)
    )
    return paging.referring(shown, found)


async def muted_users(ctx: Context, area: Document, *, args: PageArgs) -> dict[str, Any]:
    listing = _muted_listing(ctx.viewer_id)
    query = {"follower_id": ctx.viewer_id, "state": FollowStatus.MUTED}
    return await _persons(ctx, store.follows, listing, query, "followee_id", args)


async def blocked_users(ctx: Context, area: Document, *, args: PageArgs) -> dict[str, Any]:
    """People the viewer blocked: nowhere else are they shown to each other."""
    listing = _blocked_listing(ctx.viewer_id)
    query = {"user_id": ctx.viewer_id}
    return await _persons(ctx, store.blocks, listing, query, "blocked_id", args, unseen=True)


class ReactorFilter(TypedDict, total=False):
    """Filter of the people who reacted to a post."""

    kinds: list[ReactionKind] | None
    """Kinds of reactions that the people gave one of; all when left out."""


async def reactors(
    ctx: Context, post: Document, *, filter: ReactorFilter | None = None, args: PageArgs
) -> dict[str, Any]:
    """People who reacted to a post, latest first."""
    kinds = (filter or {}).get("kinds")
    listing = paging.Listing("reactors", post=post["_id"], kinds=kinds and sorted(kinds))
    query = {"subject_id": post["_id"], **({"kind": paging.any_of(kinds)} if kinds else {})}
    return await _persons(ctx, store.reactions, listing, query, "user_id", args)


async def suggested_users(ctx: Context, area: Document, *, limit: int = 10) -> list[User]:
    """Suggested people: most followed by those one follows; widely followed ones when there are few."""
    check_limit(limit, most=MOST_SUGGESTED)
    edges = await ctx.load(FollowsByFollower, ctx.viewer_id)
    known = {edge["followee_id"] for edge in edges} | {ctx.viewer_id} | await blocked_either_way(ctx)
    near = await store.acquaintances(ctx.db, [edge["followee_id"] for edge in edges], limit=limit * 2)
    wanted = [id for id in near if id not in known][:limit]
    if len(wanted) < limit:
        popular = await accounts.popular(ctx.db, limit=limit + len(known))
        wanted += [id for id in popular if id not in known and id not in wanted][: limit - len(wanted)]
    return [person for person in await auth.visible_people(ctx, wanted) if person]


async def set_follow_lists_hidden(ctx: Context, *, hidden: bool) -> auth.AccountChanged:
    """Hide the viewer's follow lists from others, or show them."""
    return await auth.change_account(ctx, ctx.viewer_id, {"follow_lists_hidden": hidden})
