"""The archive of old posts makes no difference to anybody: order, counts, and what devices keep."""

from datetime import timedelta
from typing import Any

import pytest

from core import clock, jobs
from core.context import Context, Services
from core.erasure import ERASERS
from core.storage.mongo import Database
from resolvers.feed import archiving
from resolvers.feed.counting import POSTS
from stores import feed as store
from stores.auth import Role
from tests.conftest import NewPhone
from tests.feed.steps import comment, insert_posts, publish, written
from tests.feed.test_keeping import TIMELINE, YEAR, set_fields
from tests.phone import Phone, deleted_ids

GROUP = """query($id: ID!, $first: Int, $after: String, $last: Int, $before: String) { group(id: $id) {
  posts(first: $first, after: $after, last: $last, before: $before) {
    edges { node { id } } pageInfo { hasNextPage hasPreviousPage endCursor startCursor } } } }"""
CHANGES = """query($since: SyncToken) { viewer { changes(since: $since, types: [POST]) {
  nodes { id ... on Post { group { id } sharedPost { id } } } deleted { id } token } } }"""


async def put_away(services: Services, *ids: str) -> None:
    """Make these posts more than a year old, and move them into the archive."""
    for number, id in enumerate(ids):
        await set_fields(services, "posts", id, created_at=clock.now() - YEAR - timedelta(hours=number))
    await archiving.archive(services)
    for id in ids:
        assert await written(services, "posts_archive", {"_id": id}) == 1


async def changes(phone: Phone, since: str | None = None) -> dict[str, Any]:
    found = await phone.run(CHANGES, since=since)
    return dict(found["viewer"]["changes"])


async def walked(phone: Phone, query: str, thing: str, id: str, size: int, *, back: bool) -> list[str]:
    """All posts of a list, read page by page, in the order of the list."""
    found: list[str] = []
    cursor = None
    while True:
        given = {"last": size, "before": cursor} if back else {"first": size, "after": cursor}
        page = (await phone.run(query, id=id, **given))[thing]["posts"]
        ids = [edge["node"]["id"] for edge in page["edges"]]
        found = [*ids, *found] if back else [*found, *ids]
        info = page["pageInfo"]
        if not info["hasPreviousPage" if back else "hasNextPage"]:
            return found
        cursor = info["startCursor" if back else "endCursor"]


@pytest.mark.parametrize("size", [1, 2, 3, 10])
@pytest.mark.parametrize("back", [False, True], ids=["forward", "backward"])
async def test_a_post_that_came_back_stands_in_its_place(
    new_phone: NewPhone, services: Services, size: int, back: bool
) -> None:
    """Behind it, younger posts that are in the archive still were skipped."""
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    now = clock.now()
    old = await insert_posts(services, ada.user_id, [now - YEAR - timedelta(hours=n) for n in range(5)])
    new = await insert_posts(services, ada.user_id, [now - timedelta(hours=n) for n in range(2)])
    await archiving.archive(services)
    for id in (old[1], old[3]):
        await grace.do("setReaction", "subject { __typename }", subjectId=id, kind="LIKE")
    assert await written(services, "posts", {"author_id": ada.user_id}) == 4
    assert await walked(grace, TIMELINE, "user", ada.user_id, size, back=back) == new + old


@pytest.mark.parametrize("back", [False, True], ids=["forward", "backward"])
async def test_a_post_of_a_group_that_came_back_stands_in_its_place(
    new_phone: NewPhone, services: Services, back: bool
) -> None:
    ada = await new_phone("Ada")
    group = (await ada.do("createGroup", "group { id }", name="Ours"))["group"]["id"]
    now, fields = clock.now(), {"visibility": "GROUP", "group_id": group}
    moments = [now, *(now - YEAR - timedelta(hours=n) for n in range(4))]
    made = await insert_posts(services, ada.user_id, moments, **fields)
    await archiving.archive(services)
    await ada.do("setReaction", "subject { __typename }", subjectId=made[3], kind="LIKE")
    assert await walked(ada, GROUP, "group", group, 2, back=back) == made


@pytest.mark.parametrize("contended", [False, True], ids=["alone", "contended"])
@pytest.mark.parametrize("act", ["comment", "reaction", "share"])
async def test_counts_of_an_archived_post_are_exact(
    new_phone: NewPhone, services: Services, act: str, contended: bool
) -> None:
    """Decrements of a post in the archive were lost."""
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    post = await publish(ada)
    said = await comment(grace, post)
    await grace.do("setReaction", "subject { __typename }", subjectId=post, kind="LOVE")
    shared = (await grace.do("sharePost", "post { id }", postId=post, visibility="PUBLIC"))["post"]["id"]
    await put_away(services, post)
    contention = services.counters.contention
    if contended:
        assert contention.try_acquire(POSTS.key(post))
    try:
        if act == "comment":
            done = await grace.do("deleteComment", "post { commentCount }", commentId=said)
            assert done["post"] == {"commentCount": 0}
        elif act == "share":
            assert (await grace.do("deletePost", "deletedPostId", postId=shared))["errors"] == []
        else:
            await ERASERS["feed"](services, grace.user_id)
    finally:
        if contended:
            contention.release(POSTS.key(post))
    await services.counters.fold({(store.posts.name, post): []})
    query = "query($id: ID!) { post(id: $id) { commentCount shareCount reactionSummary { count } } }"
    counts = (await ada.run(query, id=post))["post"]
    whole = {"commentCount": 1, "shareCount": 1, "reactionSummary": {"count": 1}}
    less: dict[str, Any] = {
        "comment": {"commentCount": 0},
        "share": {"shareCount": 0},
        "reaction": {"commentCount": 0, "shareCount": 0, "reactionSummary": {"count": 0}},
    }
    assert counts == {**whole, **less[act]}


async def test_an_archived_share_tells_that_its_post_is_hidden(
    new_phone: NewPhone, services: Services
) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    post = await publish(ada)
    share = (await grace.do("sharePost", "post { id }", postId=post, visibility="PUBLIC"))["post"]["id"]
    await put_away(services, share)
    first = await changes(grace)
    assert first["nodes"] == [{"id": share, "group": None, "sharedPost": {"id": post}}]
    for act, shown in (("blockUser", None), ("unblockUser", {"id": post})):
        assert (await ada.do(act, "removedUserId", userId=grace.user_id))["errors"] == []
        await jobs.run_due(services)
        then = await changes(grace, first["token"])
        assert then["nodes"] == [{"id": share, "group": None, "sharedPost": shown}], act
        first = then


async def test_an_archived_post_of_a_blocked_member_leaves_their_devices(
    new_phone: NewPhone, services: Services
) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    group = (await ada.do("createGroup", "group { id }", name="Ours", privacy="OPEN"))["group"]["id"]
    assert (await grace.do("joinGroup", "group { id }", groupId=group))["errors"] == []
    post = await publish(ada, visibility="GROUP", groupId=group)
    await put_away(services, post)
    first = await changes(grace)
    assert [node["id"] for node in first["nodes"]] == [post]
    await ada.do("blockUser", "removedUserId", userId=grace.user_id)
    await jobs.run_due(services)
    then = await changes(grace, first["token"])
    assert deleted_ids(then) == [post]
    await ada.do("unblockUser", "removedUserId", userId=grace.user_id)
    await jobs.run_due(services)
    assert [node["id"] for node in (await changes(grace, then["token"]))["nodes"]] == [post]


async def test_moderators_see_an_archived_post_that_was_reported(
    new_phone: NewPhone, services: Services
) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    rosa = await new_phone("Rosa", roles=[Role.MEMBER, Role.MODERATOR])
    post = await publish(ada)
    await put_away(services, post)
    made = await grace.do("submitReport", "report { id }", subjectId=post, reason="SPAM")
    query = "query($id: ID!) { node(id: $id) { ... on Report { subject { id } } } }"
    assert await rosa.run(query, id=made["report"]["id"]) == {"node": {"subject": {"id": post}}}


async def test_a_post_that_comes_back_meanwhile_is_there(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It moved between the looks into the two collections, and a device was told that it is gone."""
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    await grace.do("followUser", "user { id }", userId=ada.user_id)
    post = await publish(ada)
    first = await changes(grace)
    await put_away(services, post)
    await set_fields(services, "posts_archive", post, text="Then")
    ctx = Context(services)

    async def again() -> None:
        ctx.tx.changed(
            (await store.posts_by_ids(ctx.db, [post]))[0], aspect="shared", scopes=[f"user:{grace.user_id}"]
        )

    await ctx.unit(again)
    by_ids = Database.by_ids
    moved = False

    async def moving(self: Database, collection: str, ids: Any, **how: Any) -> Any:
        nonlocal moved
        if collection == "posts_archive" and not moved and self.session is None:
            moved = True
            other = Context(services, viewer=None)

            async def touch() -> None:
                [row] = await store.archive.by_ids(other.db, [post])
                await archiving.at_hand(other, store.from_archive(row))

            await other.unit(touch)
        return await by_ids(self, collection, ids, **how)

    monkeypatch.setattr(Database, "by_ids", moving)
    then = await changes(grace, first["token"])
    assert moved
    assert deleted_ids(then) == []
    assert [node["id"] for node in then["nodes"]] == [post]


async def test_posts_of_a_group_that_is_gone_show_it_no_more(new_phone: NewPhone, services: Services) -> None:
    """Their authors keep them, with a group that nobody finds."""
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    group = (await ada.do("createGroup", "group { id }", name="Ours", privacy="OPEN"))["group"]["id"]
    await grace.do("joinGroup", "group { id }", groupId=group)
    made = {}
    for phone in (ada, grace):
        recent, old = [await publish(phone, visibility="GROUP", groupId=group) for _ in range(2)]
        await put_away(services, old)
        made[phone.user_id] = {recent, old}
    # One left before, and is no member any more when the group goes with the other.
    await grace.do("leaveGroup", "removedGroupId", groupId=group)
    await jobs.run_due(services)
    kept = {phone.user_id: await changes(phone) for phone in (ada, grace)}
    left = await ada.do("leaveGroup", "deletedGroupId", groupId=group)
    assert left["deletedGroupId"] == group
    await jobs.run_due(services)
    for phone in (ada, grace):
        then = await changes(phone, kept[phone.user_id]["token"])
        told = {node["id"]: node["group"] for node in then["nodes"]}
        assert told == dict.fromkeys(made[phone.user_id]), phone.user_id
