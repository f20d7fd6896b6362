"""Follow graph: follow, mute and block."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from core import clock, ids, viewers
from core.audit import Act, record
from core.context import Context
from core.errors import UserError
from core.hooks import Hook
from core.ids import Id
from core.security.limits import Rate
from loaders.feed import FollowOfViewer, FollowToViewer
from resolvers import auth
from resolvers.feed import fanout, lists, notifications, retelling
from resolvers.feed.counting import PEOPLE
from resolvers.feed.notifications import Notice
from resolvers.feed.snapshots import stale
from stores import auth as accounts
from stores import feed as store
from stores.auth import User
from stores.feed import Follow, FollowStatus
from stores.feed.scopes import followers_scope, friends_scope

FOLLOW_RATE = Rate("follows", 200, 86_400)

Document = Mapping[str, Any]

parting = Hook[[Context, str], None]("feed.parting")
"""Called on a block: writes documents that concurrent writes between the two touch, so that they conflict."""
rejoining = Hook[[Context, str], None]("feed.rejoining")
"""Called when neither of the two blocks the other any more."""


class Followed(TypedDict):
    user: Document
    follow: Follow
    following_edge: Document | None
    removed_user_id: str | None
    viewer: Document


class Unfollowed(TypedDict):
    user: Document
    removed_user_id: Id
    deleted_follow_id: str | None
    viewer: Document


class Muted(TypedDict):
    user: Document
    follow: Follow
    muted_user_edge: Document | None
    viewer: Document


class Unmuted(TypedDict):
    user: Document
    follow: Follow
    removed_user_id: Id
    viewer: Document


class Blocked(TypedDict):
    user: User | None
    blocked_user_edge: Document | None
    removed_user_id: Id
    deleted_follow_id: str | None
    viewer: Document


class Unblocked(TypedDict):
    user: User | None
    removed_user_id: Id
    viewer: Document


async def follow_user(ctx: Context, *, user_id: Id, notify: bool | None = None) -> Followed:
    """Follow a person; idempotent, and unmutes. `notify`: push new posts of a friend."""
    person: Document = await _person_for_update(ctx, user_id)
    await ctx.limit(FOLLOW_RATE)
    edge = await store.follow(ctx.db, ctx.viewer_id, user_id)
    muted = edge is not None and edge["state"] == FollowStatus.MUTED
    if edge is None:
        edge = await _begin(ctx, user_id)
        person = await _count(ctx, user_id, "follower_count", 1) or person
        # Strict: concurrent follows conflict on this counter, which enforces the limit.
        await _count(ctx, ctx.viewer_id, "following_count", 1, strict=True)
        notifications.tell(ctx, Notice.FOLLOW, ctx.viewer_id, [user_id])
    elif muted:
        edge = await _set_state(ctx, edge, FollowStatus.FOLLOWING)
    if notify is not None and notify != edge.get("notify", False):
        edge = await ctx.tx.edit(store.follows, edge, {"notify": notify})
    moved(ctx)
    return {
        "user": person,
        "follow": edge,
        "following_edge": lists.following_edge(edge, person),
        "removed_user_id": user_id if muted else None,
        "viewer": viewers.document(ctx),
    }


def moved(ctx: Context) -> None:
    """Publish a change of the viewer's graph and invalidate their feed, here and on their other devices."""
    stale(ctx, ctx.viewer_id)
    notifications.tell(ctx, Notice.RESET, "graph", [ctx.viewer_id])


async def _begin(ctx: Context, user_id: str) -> Follow:
    await _claim_pair(ctx, user_id)
    following = await store.follows_of(ctx.db, ctx.viewer_id)
    if len(following) >= store.MOST_FOLLOWED:
        raise UserError(
            "LIMIT_REACHED", "At most {limit} people.", field=["userId"], limit=store.MOST_FOLLOWED
        )
    returned = await store.follow(ctx.db, user_id, ctx.viewer_id)
    edge = await ctx.tx.insert(
        store.follows,
        {
            "_id": ids.new_id("follow"),
            "follower_id": ctx.viewer_id,
            "followee_id": user_id,
            "state": FollowStatus.FOLLOWING,
            "mutual": returned is not None,
        },
    )
    ctx.tx.granted(ctx.viewer_id, followers_scope(user_id))
    await fanout.catch_up(ctx, ctx.viewer_id, user_id, friends=returned is not None)
    if returned is not None:
        await fanout.catch_up(ctx, user_id, ctx.viewer_id, friends=True)
        await _set_mutual(ctx, returned, True)
        ctx.tx.granted(ctx.viewer_id, friends_scope(user_id))
        ctx.tx.granted(user_id, friends_scope(ctx.viewer_id))
        await retelling.relation_changed(ctx, ctx.viewer_id, user_id)
    return edge


async def unfollow_user(ctx: Context, *, user_id: Id) -> Unfollowed:
    person: Document = await _person_for_update(ctx, user_id)
    edge = await store.follow(ctx.db, ctx.viewer_id, user_id)
    if edge is not None:
        person = await end(ctx, edge) or person
    moved(ctx)
    return {
        "user": person,
        "removed_user_id": user_id,
        "deleted_follow_id": edge["_id"] if edge else None,
        "viewer": viewers.document(ctx),
    }


async def mute_user(ctx: Context, *, user_id: Id) -> Muted:
    """Keep a followed person out of the feed."""
    person, edge = await _muted(ctx, user_id, FollowStatus.MUTED)
    listed = lists.muted_edge(edge, person)
    return {"user": person, "follow": edge, "muted_user_edge": listed, "viewer": viewers.document(ctx)}


async def unmute_user(ctx: Context, *, user_id: Id) -> Unmuted:
    person, edge = await _muted(ctx, user_id, FollowStatus.FOLLOWING)
    return {"user": person, "follow": edge, "removed_user_id": user_id, "viewer": viewers.document(ctx)}


async def _muted(ctx: Context, user_id: str, state: FollowStatus) -> tuple[User, Follow]:
    person = await _person_for_update(ctx, user_id)
    edge = await store.follow(ctx.db, ctx.viewer_id, user_id)
    if edge is None:
        raise UserError("NOT_FOUND", "You do not follow this person.", field=["userId"])
    if edge["state"] != state:
        edge = await _set_state(ctx, edge, state)
    moved(ctx)
    return person, edge


async def block_user(ctx: Context, *, user_id: Id) -> Blocked:
    """Block a person: hide the two from each other and end their follows."""
    ids.checked(user_id, "user")
    if user_id == ctx.viewer_id:
        raise UserError("FORBIDDEN", "You cannot block yourself.", field=["userId"])
    if await accounts.users.by_id(ctx.db, user_id) is None:
        raise UserError("NOT_FOUND", "There is no such person.", field=["userId"])
    id = store.pair(ctx.viewer_id, user_id)
    own = {"_id": id, "user_id": ctx.viewer_id}
    block, followed = await store.blocks.by_id(ctx.db, own), None
    if block is None:
        await _check_room(ctx)
        await _claim_pair(ctx, user_id)
        await parting(ctx, user_id)
        made = {**own, "blocked_id": user_id, "created_at": clock.now()}
        block = await ctx.tx.insert(store.blocks, made)
        followed = await store.follow(ctx.db, ctx.viewer_id, user_id)
        notifications.block_changed(ctx, ctx.viewer_id, user_id)
        for follower, followee in ((ctx.viewer_id, user_id), (user_id, ctx.viewer_id)):
            edge = await store.follow(ctx.db, follower, followee)
            if edge is not None:
                await end(ctx, edge)
        await retelling.relation_changed(ctx, ctx.viewer_id, user_id)
        # Not about them: who is blocked does not read that they are.
        await record(ctx, Act("feed.user_blocked", "USER_ACTION", "ACCOUNT", user_id))
    stale(ctx, ctx.viewer_id, user_id)
    ctx.refresh()
    person = await accounts.users.by_id(ctx.db, user_id)
    return {
        "user": person,
        "blocked_user_edge": lists.blocked_edge(block, person),
        "removed_user_id": user_id,
        "deleted_follow_id": followed["_id"] if followed else None,
        "viewer": viewers.document(ctx),
    }


async def _check_room(ctx: Context) -> None:
    """Raise LIMIT_REACHED for whoever blocks as many as anybody may: each request reads them all."""
    blocked = await store.counted(ctx.db, store.blocks, "user_id", [ctx.viewer_id])
    if blocked[ctx.viewer_id] >= store.MOST_BLOCKED:
        raise UserError(
            "LIMIT_REACHED", "At most {limit} people.", field=["userId"], limit=store.MOST_BLOCKED
        )


async def unblock_user(ctx: Context, *, user_id: Id) -> Unblocked:
    id = store.pair(ctx.viewer_id, ids.checked(user_id, "user"))
    gone = await ctx.tx.delete(store.blocks, {"_id": id, "user_id": ctx.viewer_id})
    returned = {"_id": store.pair(user_id, ctx.viewer_id), "user_id": user_id}
    if gone is not None and await store.blocks.by_id(ctx.db, returned) is None:
        await rejoining(ctx, user_id)
        await retelling.relation_changed(ctx, ctx.viewer_id, user_id)
    notifications.block_changed(ctx, ctx.viewer_id, user_id)
    stale(ctx, ctx.viewer_id, user_id)
    ctx.refresh()
    [person] = await auth.visible_people(ctx, [user_id])
    return {"user": person, "removed_user_id": user_id, "viewer": viewers.document(ctx)}


async def _claim_pair(ctx: Context, other_id: str) -> None:
    """Lock the pair, so that concurrent follows and blocks between the two conflict."""
    await store.claim_pair(ctx.db, ctx.viewer_id, other_id, ctx.tx.now)


async def end(ctx: Context, edge: Follow) -> Document | None:
    """Delete an edge; posts seen through it leave the follower's devices. Returns the followed person."""
    follower, followee = edge["follower_id"], edge["followee_id"]
    await ctx.tx.delete(store.follows, edge)
    ctx.tx.revoked(follower, followers_scope(followee))
    returned = await store.follow(ctx.db, followee, follower)
    if returned is not None:
        await _set_mutual(ctx, returned, False)
    if edge["mutual"]:
        ctx.tx.revoked(follower, friends_scope(followee))
        ctx.tx.revoked(followee, friends_scope(follower))
        await retelling.relation_changed(ctx, follower, followee)
    await fanout.forget(ctx, follower, followee)
    person = await _count(ctx, followee, "follower_count", -1)
    await _count(ctx, follower, "following_count", -1)
    return person


async def _set_mutual(ctx: Context, edge: Follow, mutual: bool) -> None:
    await ctx.tx.update(store.follows, edge, set={"mutual": mutual}, version=False)


async def _set_state(ctx: Context, edge: Follow, state: FollowStatus) -> Follow:
    # The person's node shows the viewer's follow state; for others nothing changed.
    ctx.tx.reshown(edge["followee_id"], to=[edge["follower_id"]])
    return await ctx.tx.edit(store.follows, edge, {"state": state})


async def _count(
    ctx: Context, user_id: str, counter: str, by: int, *, strict: bool = False
) -> Document | None:
    return await ctx.tx.count(PEOPLE, user_id, {counter: by}, strict=strict)


async def _person_for_update(ctx: Context, user_id: str) -> User:
    """A visible person who is not the viewer."""
    ids.checked(user_id, "user")
    if user_id == ctx.viewer_id:
        raise UserError("FORBIDDEN", "This cannot be done to oneself.", field=["userId"])
    [person] = await auth.visible_people(ctx, [user_id])
    if person is None:
        raise UserError("NOT_FOUND", "There is no such person.", field=["userId"])
    return person


async def follow_states(ctx: Context, people: Sequence[Document]) -> list[FollowStatus]:
    return [
        FollowStatus(edge["state"]) if edge else FollowStatus.NOT_FOLLOWING
        for edge in await follows(ctx, people)
    ]


async def are_friends(ctx: Context, people: Sequence[Document]) -> list[bool]:
    return [bool(edge and edge["mutual"]) for edge in await follows(ctx, people)]


async def viewer_is_followed(ctx: Context, people: Sequence[Document]) -> list[bool]:
    if ctx.viewer is None:
        return [False for _ in people]
    found = await ctx.load_many(FollowToViewer, [person["_id"] for person in people])
    return [edge is not None for edge in found]


async def follows(ctx: Context, people: Sequence[Document]) -> list[Follow | None]:
    """The viewer's follows of people; None for those they do not follow."""
    if ctx.viewer is None:
        return [None for _ in people]
    return await ctx.load_many(FollowOfViewer, [person["_id"] for person in people])
