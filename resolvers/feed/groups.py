"""Groups: circles of people with posts of their own."""

from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from core import ids, nodes, paging, viewers
from core.context import Context
from core.errors import UserError
from core.ids import Id
from core.nodes import guard
from core.paging import NEWEST, PageArgs
from core.security.limits import Rate
from core.values.bounds import check_length
from core.values.text import Line
from loaders.feed import FollowOfViewer, GroupById, MembershipOfViewer
from resolvers.feed import archiving, retelling
from resolvers.feed.access import blocked_either_way
from resolvers.feed.counting import GROUPS
from resolvers.feed.snapshots import stale
from stores import feed as store
from stores.feed import Group, GroupPrivacy, GroupRole, Member
from stores.feed.kinds import SHOWN
from stores.feed.scopes import group_scope

LONGEST_NAME = 100
MOST_GROUPS = 500
MOST_BROUGHT = 50
GROUP_RATE = Rate("groups", 50, 86_400)

Document = Mapping[str, Any]


class Joined(TypedDict):
    group: Document | None
    group_edge: Document | None
    viewer: Document


class Left(TypedDict):
    group: Document | None
    removed_group_id: str | None
    deleted_group_id: str | None
    viewer: Document


async def own_group(ctx: Context, group: Document) -> bool:
    membership = await ctx.load(MembershipOfViewer, group["_id"])
    return membership is not None and membership["role"] == GroupRole.OWNER


@guard("group", sync="GROUP", owner=own_group, collection="groups")
async def groups(ctx: Context, wanted: Sequence[str]) -> Sequence[Group | None]:
    """Access guard of groups: name and size for everybody signed in; posts for members."""
    if ctx.viewer is None:
        return [None for _ in wanted]
    return await ctx.load_many(GroupById, wanted)


async def check_member(ctx: Context, group_id: str) -> None:
    membership = await ctx.load(MembershipOfViewer, ids.checked(group_id, "group"))
    if membership is None:
        raise UserError("NOT_MEMBER", "You are not in this group.", field=["groupId"])


async def viewer_groups(ctx: Context, area: Document, *, args: PageArgs) -> dict[str, Any]:
    """The viewer's groups, joined last first."""
    shown = await store.members.page(ctx.db, {"user_id": ctx.viewer_id}, NEWEST, args)
    found = await ctx.load_many(GroupById, [edge["node"]["group_id"] for edge in shown["edges"]])
    return paging.referring(shown, found)


async def posts_of(ctx: Context, group: Document, *, args: PageArgs) -> dict[str, Any]:
    """Posts of a group, newest first; for members."""
    listing = _posts_listing(group["_id"])
    if ctx.viewer is None or await ctx.load(MembershipOfViewer, group["_id"]) is None:
        return paging.nothing(listing, NEWEST, args)
    hidden = sorted(await blocked_either_way(ctx))
    query = {
        "$and": [
            {"group_id": group["_id"], "author_id": {"$nin": hidden}},
            {"$or": [{"state": {"$in": list(SHOWN)}}, {"author_id": ctx.viewer_id}]},
        ]
    }
    return await archiving.page(ctx, query, NEWEST, args, listing=listing)


def _posts_listing(group_id: str) -> paging.Listing:
    return paging.Listing("group posts", group=group_id)


def post_edge(post: Document) -> dict[str, Any]:
    """The post's place in its group, newest first."""
    return paging.edge_of(_posts_listing(post["group_id"]), NEWEST, post)


async def viewer_roles(ctx: Context, groups: Sequence[Document]) -> list[GroupRole]:
    if ctx.viewer is None:
        return [GroupRole.NONE for _ in groups]
    rows = await ctx.load_many(MembershipOfViewer, [group["_id"] for group in groups])
    return [GroupRole(row["role"]) if row else GroupRole.NONE for row in rows]


async def create_group(
    ctx: Context,
    *,
    id: Id | None = None,
    name: Line,
    privacy: GroupPrivacy = GroupPrivacy.OPEN,
    member_ids: Sequence[Id] = (),
) -> Joined:
    """A group of the viewer's, with friends they bring along."""
    await ctx.limit(GROUP_RATE)
    check_length(name, least=1, most=LONGEST_NAME, field="name")
    brought = await _friends(ctx, member_ids)
    await _check_room(ctx, [ctx.viewer_id], field="name")
    await _check_room(ctx, brought, field="memberIds")
    made = await ctx.tx.insert(
        store.groups,
        {
            "_id": ids.minted(id, "group"),
            "name": name,
            "privacy": privacy,
            "member_count": 1 + len(brought),
        },
    )
    row = await _join(ctx, made, ctx.viewer_id, GroupRole.OWNER)
    for person in brought:
        await _join(ctx, made, person, GroupRole.MEMBER)
    return _joined(ctx, made, row)


def _joined(ctx: Context, group: Document | None, row: Member) -> Joined:
    listing = paging.Listing(store.members.name, query={"user_id": ctx.viewer_id}, sort=NEWEST)
    edge = paging.edge_to(listing, NEWEST, row, group)
    return {"group": group, "group_edge": edge, "viewer": viewers.document(ctx)}


async def _friends(ctx: Context, wanted: Sequence[str]) -> list[str]:
    people = list(dict.fromkeys(ids.checked(each, "user") for each in wanted))
    if len(people) > MOST_BROUGHT:
        raise UserError("TOO_MANY", "At most {limit} people.", field=["memberIds"], limit=MOST_BROUGHT)
    edges = await ctx.load_many(FollowOfViewer, people) if people else []
    if not all(edge and edge["mutual"] for edge in edges):
        raise UserError("NOT_FOUND", "Only friends can be brought along.", field=["memberIds"])
    return people


async def join_group(ctx: Context, *, group_id: Id) -> Joined:
    """Join a group; idempotent."""
    found = await nodes.for_update(ctx, store.groups, group_id)
    row = await store.membership(ctx.db, group_id, ctx.viewer_id)
    if row is None:
        if found["privacy"] == GroupPrivacy.CLOSED:
            raise UserError("FORBIDDEN", "This group is closed.", field=["groupId"])
        await ctx.limit(GROUP_RATE)
        await _check_room(ctx, [ctx.viewer_id], field="groupId")
        row = await _join(ctx, found, ctx.viewer_id, GroupRole.MEMBER)
        # A former member may have comments there, which show their posts again.
        await retelling.group_changed(ctx, ctx.viewer_id, group_id)
        return _joined(ctx, await _count(ctx, found, 1), row)
    return _joined(ctx, found, row)


async def _check_room(ctx: Context, people: Sequence[str], *, field: str) -> None:
    """Raise LIMIT_REACHED where one of these people is in as many groups as anybody may be."""
    found = await store.counted(ctx.db, store.members, "user_id", people) if people else {}
    if any(count >= MOST_GROUPS for count in found.values()):
        raise UserError("LIMIT_REACHED", "At most {limit} groups.", field=[field], limit=MOST_GROUPS)


async def leave_group(ctx: Context, *, group_id: Id) -> Left:
    """Leave a group. An owner is succeeded by the oldest member; an empty group is deleted."""
    group: Document | None = await nodes.for_update(ctx, store.groups, group_id)
    row = await store.membership(ctx.db, group_id, ctx.viewer_id)
    if row is not None:
        group = await leave(ctx, row)
    return {
        "group": group,
        "removed_group_id": group_id if group else None,
        "deleted_group_id": None if group else group_id,
        "viewer": viewers.document(ctx),
    }


async def leave(ctx: Context, row: Member) -> dict[str, Any] | None:
    group_id, user_id = row["group_id"], row["user_id"]
    await ctx.tx.delete(store.members, row)
    ctx.tx.revoked(user_id, group_scope(group_id))
    await retelling.group_changed(ctx, user_id, group_id)
    stale(ctx, user_id)
    found = await store.groups.by_id(ctx.db, group_id)
    if found is None:
        return None
    heir = await store.members.first(ctx.db, {"group_id": group_id}, sort=[("created_at", 1), ("_id", 1)])
    if heir is None:
        await ctx.tx.delete(store.groups, group_id)
        await retelling.group_gone(ctx, group_id)
        return None
    if row["role"] == GroupRole.OWNER:
        await ctx.tx.update(store.members, heir, set={"role": GroupRole.OWNER})
    return await _count(ctx, found, -1)


async def _join(ctx: Context, found: Group, user_id: str, role: GroupRole) -> Member:
    row = {
        "_id": store.pair(found["_id"], user_id),
        "group_id": found["_id"],
        "user_id": user_id,
        "role": role,
        "created_at": ctx.tx.now,
    }
    made = await ctx.tx.insert(store.members, row)
    ctx.tx.granted(user_id, group_scope(found["_id"]))
    stale(ctx, user_id)
    return made


async def _count(ctx: Context, found: Group, by: int) -> dict[str, Any] | None:
    return await ctx.tx.count(GROUPS, found["_id"], {"member_count": by}, aspect=None)
