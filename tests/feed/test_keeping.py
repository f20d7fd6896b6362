"""Maintenance of the feed: archiving, reconciling counters, erasing an account."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from core import clock, jobs
from core.context import Context, Services
from core.erasure import ERASERS, EXPORTERS
from jobs import feed as feed_jobs
from resolvers.feed import archiving, erasing, reconciling, retelling
from tests.conftest import NewPhone
from tests.feed.steps import befriend, comment, follow, insert_posts, publish, written
from tests.phone import Phone

YEAR = timedelta(days=366)
TIMELINE = """query($id: ID!, $first: Int, $after: String, $last: Int, $before: String) { user(id: $id) {
  posts(first: $first, after: $after, last: $last, before: $before) {
    edges { node { id } } pageInfo { hasNextPage hasPreviousPage endCursor startCursor } } } }"""


async def set_fields(services: Services, collection: str, id: str, **fields: Any) -> None:
    update = {"q": {"_id": id}, "u": {"$set": {**fields, "updated_at": clock.now()}}}
    await services.db.write({"update": collection, "updates": [update]})


@pytest.fixture
async def archived(new_phone: NewPhone, services: Services) -> tuple[Phone, list[str], list[str]]:
    """An author with three posts of this year and four of the year before, which lie in the archive."""
    ada = await new_phone("Ada")
    now = clock.now()
    old = await insert_posts(services, ada.user_id, [now - YEAR - timedelta(hours=n) for n in range(4)])
    new = await insert_posts(services, ada.user_id, [now - timedelta(hours=n) for n in range(3)])
    await archiving.archive(services)
    assert await written(services, "posts", {"author_id": ada.user_id}) == 3
    assert await written(services, "posts_archive", {"author_id": ada.user_id}) == 4
    return ada, new, old


async def test_archived_posts_are_read_as_ever(
    archived: tuple[Phone, list[str], list[str]], new_phone: NewPhone
) -> None:
    ada, new, old = archived
    grace = await new_phone("Grace")
    node = await grace.run("query($id: ID!) { post(id: $id) { id text } }", id=old[0])
    assert node == {"post": {"id": old[0], "text": "A post"}}
    found, after = [], None
    while True:
        page = (await grace.run(TIMELINE, id=ada.user_id, first=2, after=after))["user"]["posts"]
        found += [edge["node"]["id"] for edge in page["edges"]]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    assert found == new + old
    back, before = [], None
    while True:
        page = (await grace.run(TIMELINE, id=ada.user_id, last=3, before=before))["user"]["posts"]
        back = [edge["node"]["id"] for edge in page["edges"]] + back
        if not page["pageInfo"]["hasPreviousPage"]:
            break
        before = page["pageInfo"]["startCursor"]
    assert back == new + old


async def test_a_group_s_old_posts_are_its_posts_still(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    group = (await ada.do("createGroup", "group { id }", name="Ours"))["group"]["id"]
    now, fields = clock.now(), {"visibility": "GROUP", "group_id": group}
    moments = [
        now - timedelta(hours=1),
        now - timedelta(hours=2),
        now - YEAR,
        now - YEAR - timedelta(hours=1),
    ]
    posts = await insert_posts(services, ada.user_id, moments, **fields)
    await archiving.archive(services)
    assert await written(services, "posts_archive", {"group_id": group}) == 2
    query = """query($id: ID!, $after: String) { group(id: $id) { posts(first: 3, after: $after) {
      edges { node { id } } pageInfo { hasNextPage endCursor } } } }"""
    found, after = [], None
    for more in (True, False):
        page = (await ada.run(query, id=group, after=after))["group"]["posts"]
        found += [edge["node"]["id"] for edge in page["edges"]]
        after = page["pageInfo"]["endCursor"]
        assert page["pageInfo"]["hasNextPage"] is more
    assert found == posts


@pytest.mark.parametrize("act", ["comment", "react", "edit", "share", "delete"])
async def test_whoever_touches_an_archived_post_brings_it_back(
    archived: tuple[Phone, list[str], list[str]], new_phone: NewPhone, services: Services, act: str
) -> None:
    ada, _, old = archived
    grace = await new_phone("Grace")
    id = old[1]
    if act == "comment":
        await comment(grace, id)
    elif act == "react":
        shown = "subject { ... on Post { reactionSummary { count } } }"
        done = await grace.do("setReaction", shown, subjectId=id, kind="LIKE")
        assert (done["errors"], done["subject"]["reactionSummary"]["count"]) == ([], 1)
    elif act == "edit":
        done = await ada.do("updatePost", "post { text version }", postId=id, text="Again", expectedVersion=1)
        assert done["post"] == {"text": "Again", "version": 2}
    elif act == "share":
        done = await grace.do("sharePost", "sharedPost { shareCount }", postId=id)
        assert done["sharedPost"] == {"shareCount": 1}
    else:
        done = await ada.do("deletePost", "deletedPostId", postId=id)
        assert done["errors"] == []
    assert await written(services, "posts_archive", {"_id": id}) == 0
    assert await written(services, "posts", {"_id": id}) == (0 if act == "delete" else 1)


@pytest.mark.parametrize("marked", [False, None])
async def test_an_archived_post_is_one_wherever_that_is_not_written_in_it(
    archived: tuple[Phone, list[str], list[str]], new_phone: NewPhone, services: Services, marked: bool | None
) -> None:
    """The erasure of its author went on for ever."""
    ada, _, [one, other, *_] = archived
    for id in (one, other):
        await set_fields(services, "posts_archive", id, archived=marked)
    await comment(await new_phone("Grace"), one)
    assert await written(services, "posts", {"_id": one, "archived": None}) == 1
    await asyncio.wait_for(ERASERS["feed"](services, ada.user_id), 10)
    for collection in ("posts", "posts_archive"):
        assert await written(services, collection, {"author_id": ada.user_id}) == 0


async def test_a_pinned_post_is_not_put_away(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    [pinned] = await insert_posts(services, ada.user_id, [clock.now() - YEAR], pinned=True)
    await feed_jobs.archive(services)
    assert await written(services, "posts", {"_id": pinned}) == 1


async def test_counters_are_put_right(new_phone: NewPhone, services: Services) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    await follow(grace, ada)
    post = await publish(ada)
    top = await comment(grace, post)
    gone = await comment(grace, post)
    await comment(ada, post, parentId=top)
    await grace.do("deleteComment", "deletedCommentId", commentId=gone)
    await grace.do("setReaction", "subject { __typename }", subjectId=post, kind="LOVE")
    await grace.do("sharePost", "post { id }", postId=post)
    # What is right stays as it is.
    before = [await services.db.find(name, {"_id": id}) for name, id in (("posts", post), ("comments", top))]
    await feed_jobs.reconcile(services)
    after = [await services.db.find(name, {"_id": id}) for name, id in (("posts", post), ("comments", top))]
    assert before == after
    await set_fields(services, "posts", post, comment_count=9, share_count=0, reactions={"LIKE": 4})
    await set_fields(services, "comments", top, reply_count=-1)
    await set_fields(services, "users", ada.user_id, follower_count=7, post_count=0)
    assert await reconciling.reconcile(services) >= 6
    query = """query($id: ID!, $top: ID!, $ada: ID!) {
      post(id: $id) { commentCount shareCount reactionSummary { count like love } }
      node(id: $top) { ... on Comment { replyCount } } user(id: $ada) { followerCount postCount } }"""
    assert await ada.run(query, id=post, top=top, ada=ada.user_id) == {
        "post": {
            "commentCount": 2,
            "shareCount": 1,
            "reactionSummary": {"count": 1, "like": 0, "love": 1},
        },
        "node": {"replyCount": 1},
        "user": {"followerCount": 1, "postCount": 1},
    }


async def test_whoever_leaves_takes_their_posts_along(new_phone: NewPhone, services: Services) -> None:
    """`UserDeleted`: posts, comments and reactions erased, ties ended, nothing of theirs left."""
    ada, grace, alan = [await new_phone(name) for name in ("Ada", "Grace", "Alan")]
    await befriend(ada, grace)
    hers, his = await publish(ada, "Mine"), await publish(grace, "Theirs")
    top = await comment(ada, his, "A thread")
    await comment(grace, his, "A reply", parentId=top)
    alone = await comment(ada, his, "Alone")
    for subject in (his, top):
        await ada.do("setReaction", "subject { __typename }", subjectId=subject, kind="LIKE")
    await ada.do("sharePost", "post { id }", postId=his, visibility="PUBLIC")
    made = await ada.do("createGroup", "group { id }", name="Ours", memberIds=[grace.user_id])
    await ada.do("submitReport", "report { id }", subjectId=his, reason="SPAM", note="Private")
    await ada.do("blockUser", "removedUserId", userId=alan.user_id)
    [old] = await insert_posts(services, ada.user_id, [clock.now() - YEAR])
    said = await comment(grace, old, "On an old post")
    await archiving.archive(services)
    exported = {name: rows async for name, rows in EXPORTERS["feed"](services, ada.user_id)}
    assert {"posts", "comments", "reactions", "following", "groups", "reports"} <= set(exported)
    assert {row["text"] for row in exported["comments"]} == {"A thread", "Alone"}
    for _ in range(2):
        await ERASERS["feed"](services, ada.user_id)
    await jobs.run_due(services)
    # What hung on an archived post went with it.
    assert await services.db.find("comments", {"_id": said}) == []
    for name, key in (
        ("posts", "author_id"),
        ("posts_archive", "author_id"),
        ("comments", "author_id"),
        ("reactions", "user_id"),
        ("follows", "follower_id"),
        ("follows", "followee_id"),
        ("group_members", "user_id"),
        ("reports", "reporter_id"),
        ("blocks", "user_id"),
        ("feed_inbox", "user_id"),
        ("feed_inbox", "author_id"),
    ):
        assert await written(services, name, {key: ada.user_id}) == 0, (name, key)
    query = """query($his: ID!, $hers: ID!, $group: ID!) {
      post(id: $his) { commentCount shareCount reactionSummary { count }
        comments { edges { node { id text author { id } replyCount } } } }
      gone: node(id: $hers) { id } group(id: $group) { viewerRole memberCount }
      viewer { user { followerCount followingCount } } }"""
    assert await grace.run(query, his=his, hers=hers, group=made["group"]["id"]) == {
        "post": {
            "commentCount": 1,
            "shareCount": 0,
            "reactionSummary": {"count": 0},
            "comments": {"edges": [{"node": {"id": top, "text": None, "author": None, "replyCount": 1}}]},
        },
        "gone": None,
        "group": {"viewerRole": "OWNER", "memberCount": 1},
        "viewer": {"user": {"followerCount": 0, "followingCount": 0}},
    }
    assert await written(services, "comments", {"_id": alone, "text": ""}) == 1


async def test_shares_in_the_archive_count_too(new_phone: NewPhone, services: Services) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    shared = await publish(ada)
    passed_on = {"shared_post_id": shared, "shared_author_id": ada.user_id}
    await insert_posts(services, grace.user_id, [clock.now() - YEAR, clock.now()], **passed_on)
    await archiving.archive(services)
    assert await written(services, "posts_archive", passed_on) == 1
    await set_fields(services, "posts", shared, share_count=2)
    await reconciling.reconcile(services)
    query = "query($id: ID!) { post(id: $id) { shareCount } }"
    assert await ada.run(query, id=shared) == {"post": {"shareCount": 2}}
    await set_fields(services, "posts", shared, share_count=0)
    assert await reconciling.reconcile(services) >= 1
    assert await ada.run(query, id=shared) == {"post": {"shareCount": 2}}


async def test_of_very_many_the_latest_commenters_are_told(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retelling, "MOST_COMMENTERS", 2)
    ada, *others = [await new_phone(name) for name in ("Ada", "Grace", "Alan", "Edith")]
    post = await publish(ada)
    said = [await comment(each, post) for each in others]
    # A later change makes the first comment the latest.
    await others[0].do("updateComment", "comment { id }", commentId=said[0], text="On second thought")
    query = "query($t: SyncToken) { viewer { changes(since: $t, types: [COMMENT]) { nodes { id } token } } }"
    tokens = [(await each.run(query))["viewer"]["changes"]["token"] for each in others]
    await retelling.commenters(services, post)
    told = [
        (await each.run(query, t=token))["viewer"]["changes"]["nodes"]
        for each, token in zip(others, tokens, strict=True)
    ]
    assert told == [[{"id": said[0]}], [], [{"id": said[2]}]]


async def test_an_erasure_that_is_killed_between_two_steps_leaves_nothing_half_readable(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each comment is whole or has neither text nor author; the next run ends it, and counts stay exact."""
    monkeypatch.setattr(erasing, "BATCH", 1)
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    await befriend(ada, grace)
    hers, his = await publish(ada, "Mine"), await publish(grace, "Theirs")
    top = await comment(ada, his, "A thread")
    own = await comment(ada, his, "To myself", parentId=top)
    other = await comment(ada, his, "Another thread")
    answer = await comment(grace, his, "A reply", parentId=other)
    await comment(grace, hers, "On yours")
    for subject in (his, answer):
        await ada.do("setReaction", "subject { __typename }", subjectId=subject, kind="LIKE")
    [old] = await insert_posts(services, ada.user_id, [clock.now() - YEAR])
    await archiving.archive(services)
    query = """query($id: ID!, $ids: [ID!]!) { post(id: $id) { commentCount reactionSummary { count } }
      nodes(ids: $ids) { id ... on Comment { text author { id } replyCount }
        ... on Post { words: text by: author { id } } } }"""
    theirs, unit, owner = [top, own, other, hers, old], Context.unit, {"id": ada.user_id}

    async def shown() -> tuple[Any, list[Any]]:
        found = await grace.run(query, id=his, ids=theirs)
        return found["post"], found["nodes"]

    runs = 0
    while True:
        left = 1

        async def killed(self: Context, work: Any) -> Any:
            nonlocal left
            if not left:
                raise ConnectionResetError("The process is killed.")
            left -= 1
            return await unit(self, work)

        with monkeypatch.context() as patched:
            patched.setattr(Context, "unit", killed)
            try:
                await ERASERS["feed"](services, ada.user_id)
            except ConnectionResetError:
                runs += 1
            else:
                break
        post, nodes = await shown()
        for each in filter(None, nodes):
            if each["id"].startswith("post_"):
                assert (each["words"], each["by"]) in (("Mine", owner), ("A post", owner))
            else:
                assert (each["text"] is None) is (each["author"] is None), each
        # What is still there is counted, what is gone is not.
        rows = await services.db.find("comments", {"post_id": his, "state": {"$ne": "REMOVED"}})
        assert post["commentCount"] == len(rows)
    # Two posts, three comments, two reactions, two followings: each in a step of its own.
    assert runs >= 8
    await jobs.run_due(services)
    post, nodes = await shown()
    assert post == {"commentCount": 1, "reactionSummary": {"count": 0}}
    stub = {"id": other, "text": None, "author": None, "replyCount": 1}
    assert nodes == [None, None, stub, None, None]
    assert await written(services, "comments", {"author_id": ada.user_id}) == 0
    assert await written(services, "comments", {"post_id": hers}) == 0
