"""Home feed: contents, paging, and degradation when parts fail."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from core import clock, jobs
from core.context import Services
from core.ids import sibling
from ports.feed import Ranker
from providers.formula import Formula
from resolvers.feed.background import KeyedTasks
from tests.conftest import NewPhone
from tests.feed.steps import befriend, feed_of, follow, insert_posts, publish
from tests.feed.test_ranking import ids_of, page_of
from tests.phone import Phone, key

pytestmark = pytest.mark.usefixtures("no_posts")


async def circle(new_phone: NewPhone, services: Services, count: int) -> tuple[Phone, Phone, list[str]]:
    """Ada, whom she follows, and so many posts of theirs, an hour apart."""
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    await follow(ada, grace)
    start = clock.now() - timedelta(hours=count)
    posts = await insert_posts(services, grace.user_id, [start + timedelta(hours=n) for n in range(count)])
    return ada, grace, posts


async def whole(phone: Phone, size: int = 5, after: str | None = None) -> list[str]:
    """All pages of the ranked feed, joined."""
    found: list[str] = []
    while True:
        page = await page_of(phone, size, after)
        found += ids_of(page)
        if not page["pageInfo"]["hasNextPage"]:
            return found
        assert len(page["edges"]) == size
        after = page["pageInfo"]["endCursor"]


async def forget_snapshots(services: Services, user_id: str) -> None:
    async for name in services.redis.scan_iter(match=f"feed:*{user_id}*"):
        await services.redis.delete(name)


async def test_pages_are_of_one_snapshot_however_the_ranking_moves(
    new_phone: NewPhone, services: Services
) -> None:
    ada, grace, posts = await circle(new_phone, services, 12)
    first = await page_of(ada, 5)
    newest = await publish(grace, "Later")
    await grace.do("setReaction", "subject { __typename }", subjectId=posts[0], kind="LIKE")
    second = await page_of(ada, 50, first["pageInfo"]["endCursor"])
    assert second["snapshotId"] == first["snapshotId"]
    joined = ids_of(first) + ids_of(second)
    assert len(set(joined)) == len(joined)
    assert newest not in joined
    assert set(posts) <= set(joined)


async def test_backwards_is_the_same_order(new_phone: NewPhone, services: Services) -> None:
    ada, _, posts = await circle(new_phone, services, 8)
    query = """query($last: Int, $before: String) { viewer { feed(last: $last, before: $before) {
      edges { node { id } } pageInfo { hasPreviousPage startCursor } } } }"""
    forwards, backwards, before = await whole(ada, 50), [], None
    while True:
        page = (await ada.run(query, last=7, before=before))["viewer"]["feed"]
        backwards = ids_of(page) + backwards
        if not page["pageInfo"]["hasPreviousPage"]:
            break
        before = page["pageInfo"]["startCursor"]
    assert backwards == forwards[: len(backwards)]
    assert set(posts) <= set(backwards)


async def test_a_snapshot_is_shown_for_a_minute_then_renewed_behind(
    new_phone: NewPhone, services: Services
) -> None:
    ada, grace, _ = await circle(new_phone, services, 3)
    first = await page_of(ada, 3)
    assert (await page_of(ada, 3))["snapshotId"] == first["snapshotId"]
    later = await publish(grace, "Later")
    await jobs.run_due(services)
    clock.shift(timedelta(seconds=61))
    assert (await page_of(ada, 3))["snapshotId"] == first["snapshotId"]
    await services.get(KeyedTasks).done()
    renewed = await page_of(ada, 50)
    assert renewed["snapshotId"] != first["snapshotId"]
    assert later in ids_of(renewed)


@pytest.mark.parametrize("change", ["publish", "follow", "unfollow", "mute", "unmute", "block", "unblock"])
async def test_what_one_does_makes_the_feed_stale_at_once(
    new_phone: NewPhone, services: Services, change: str
) -> None:
    ada, grace, posts = await circle(new_phone, services, 2)
    if change in ("unmute", "unblock"):
        await ada.do(f"{change[2:]}User", "viewer { id }", userId=grace.user_id)
    if change == "follow":
        await ada.do("unfollowUser", "viewer { id }", userId=grace.user_id)
    before = await page_of(ada)
    if change == "publish":
        mine = await publish(ada, "Mine")
        assert ids_of(await page_of(ada))[0] == mine
        return
    done = await ada.do(f"{change}User", "viewer { id }", userId=grace.user_id)
    assert (done["errors"], done["viewer"]) == ([], {"id": sibling(ada.user_id, "viewer")})
    after = await page_of(ada)
    assert after["snapshotId"] != before["snapshotId"]
    followed = {edge["node"]["id"] for edge in after["edges"] if edge["reason"] == "FOLLOW"}
    assert set(posts) & followed == (set(posts) if change in ("follow", "unmute") else set())


async def test_a_missing_snapshot_is_ranked_anew_and_pages_go_on(
    new_phone: NewPhone, services: Services
) -> None:
    """Row: Snapshot missing."""
    ada, _, posts = await circle(new_phone, services, 15)
    first = await page_of(ada, 5)
    await forget_snapshots(services, ada.user_id)
    again = await page_of(ada, 5)
    assert (len(again["edges"]), again["degraded"]) == (5, False)
    await forget_snapshots(services, ada.user_id)
    rest = await whole(ada, 3, first["pageInfo"]["endCursor"])
    assert not set(ids_of(first)) & set(rest)
    assert len(set(rest)) == len(rest)
    # Older than all that was shown, newest first.
    oldest = min(posts.index(id) for id in ids_of(first) if id in posts)
    assert rest == posts[:oldest][::-1]


async def test_without_redis_the_feed_is_pulled_and_writing_goes_on(
    new_phone: NewPhone, services: Services, without_redis: None
) -> None:
    """Row: Redis down."""
    ada, _, posts = await circle(new_phone, services, 7)
    mine = await publish(ada, "Mine")
    page = await page_of(ada, 3)
    assert page["degraded"] is True
    assert ids_of(page) == [mine, *posts[:4:-1]]
    assert await whole(ada, 3) == [mine, *posts[::-1]]


async def test_a_post_that_becomes_private_is_dropped_at_read_and_the_page_refilled(
    new_phone: NewPhone, services: Services
) -> None:
    """Row: Post becomes private while in snapshots."""
    ada, grace, _ = await circle(new_phone, services, 12)
    before = await page_of(ada, 5)
    hidden = ids_of(before)[1:3]
    for id in hidden:
        await grace.do("updatePost", "post { id }", postId=id, visibility="PRIVATE")
    after = await page_of(ada, 5)
    assert after["snapshotId"] == before["snapshotId"]
    assert len(after["edges"]) == 5
    assert not set(hidden) & set(ids_of(after))
    assert not set(hidden) & set(await whole(ada))


@pytest.mark.parametrize("loss", ["deleted", "unfriended", "blocked", "removed"])
async def test_access_is_checked_when_the_page_is_read(
    new_phone: NewPhone, services: Services, loss: str
) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    await befriend(ada, grace)
    post = await publish(grace, visibility="FRIENDS")
    anchor = await publish(ada, "Anchor")
    first = await page_of(ada, 1)
    assert ids_of(first) == [anchor]
    if loss == "deleted":
        await grace.do("deletePost", "deletedPostId", postId=post)
    elif loss == "removed":
        update = {"q": {"_id": post}, "u": {"$set": {"state": "REMOVED"}}}
        await services.db.write({"update": "posts", "updates": [update]})
    else:
        action = "unfollowUser" if loss == "unfriended" else "blockUser"
        await grace.do(action, "viewer { id }", userId=ada.user_id)
    assert post not in await whole(ada, 5, first["pageInfo"]["endCursor"])


async def test_whoever_follows_nobody_gets_suggestions(new_phone: NewPhone) -> None:
    """Row: New user follows nobody."""
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    public = await publish(grace, "For everybody")
    friends = await publish(grace, "For friends", visibility="FRIENDS")
    page = await page_of(ada)
    reasons = {edge["node"]["id"]: edge["reason"] for edge in page["edges"]}
    assert (reasons[public], page["degraded"]) == ("SUGGESTED", False)
    assert friends not in reasons
    assert set(reasons.values()) == {"SUGGESTED"}


async def test_the_end_of_a_snapshot_is_not_the_end(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resolvers.feed.home.SIZE", 6)
    monkeypatch.setattr("resolvers.feed.candidates.SIZE", 6)
    ada, _, posts = await circle(new_phone, services, 15)
    found = await whole(ada, 4)
    assert len(set(found)) == len(found)
    assert set(posts) <= set(found)
    # Lost behind its end: on with what is older than all it held.
    first = await page_of(ada, 10)
    await forget_snapshots(services, ada.user_id)
    rest = await whole(ada, 4, first["pageInfo"]["endCursor"])
    assert not set(rest) & set(ids_of(first))


DELTA = """query($token: String!) { viewer { feedDelta(newerToken: $token) {
  reset newCount removedPostIds newerToken changed { id commentCount text }
  newEdges { position reason node { id } } } } }"""


async def token_of(phone: Phone, sort: str = "RANKED") -> str:
    query = "query($sort: FeedSort) { viewer { feed(sort: $sort) { newerToken } } }"
    return str((await phone.run(query, sort=sort))["viewer"]["feed"]["newerToken"])


async def delta(phone: Phone, token: str) -> Any:
    return (await phone.run(DELTA, token=token))["viewer"]["feedDelta"]


async def test_a_refresh_tells_only_what_is_new_changed_or_gone(
    new_phone: NewPhone, services: Services
) -> None:
    ada, grace, posts = await circle(new_phone, services, 8)
    token = await token_of(ada)
    still = await delta(ada, token)
    assert (still["reset"], still["newEdges"], still["newCount"]) == (False, [], 0)
    assert (still["changed"], still["removedPostIds"]) == ([], [])
    new = await publish(grace, "New")
    await jobs.run_due(services)
    await grace.do("updatePost", "post { id }", postId=posts[3], text="Edited")
    await grace.do("deletePost", "deletedPostId", postId=posts[4])
    await grace.do("updatePost", "post { id }", postId=posts[5], visibility="PRIVATE")
    clock.shift(timedelta(seconds=6))
    news = await delta(ada, token)
    assert news["reset"] is False
    assert ([edge["node"]["id"] for edge in news["newEdges"]], news["newCount"]) == ([new], 1)
    assert {post["id"]: post["text"] for post in news["changed"]} == {posts[3]: "Edited"}
    assert set(news["removedPostIds"]) == {posts[4], posts[5]}
    assert (await delta(ada, news["newerToken"]))["newCount"] == 0


async def test_a_refresh_of_what_is_gone_starts_over(new_phone: NewPhone, services: Services) -> None:
    ada, _, _ = await circle(new_phone, services, 15)
    token = await token_of(ada)
    await forget_snapshots(services, ada.user_id)
    news = await delta(ada, token)
    assert (news["reset"], len(news["newEdges"])) == (True, 15)
    assert (await delta(ada, news["newerToken"]))["reset"] is False


async def test_a_refresh_after_the_graph_moved_starts_over(new_phone: NewPhone, services: Services) -> None:
    ada, grace, _ = await circle(new_phone, services, 30)
    edith = await new_phone("Edith")
    await insert_posts(services, edith.user_id, [None] * 60)
    token = await token_of(ada)
    await grace.do("blockUser", "viewer { id }", userId=ada.user_id)
    await follow(ada, edith)
    assert (await delta(ada, token))["reset"] in (True, False)
    held = await token_of(ada)
    await ada.do("unfollowUser", "viewer { id }", userId=edith.user_id)
    await ada.do("blockUser", "viewer { id }", userId=edith.user_id)
    assert (await delta(ada, held))["reset"] is True


async def test_another_variant_starts_over(
    new_phone: NewPhone, services: Services, ranked_by: Callable[[Ranker], None]
) -> None:
    ada, _, _ = await circle(new_phone, services, 3)
    token = await token_of(ada)
    ranked_by(Formula("spring:fresh=100"))
    clock.shift(timedelta(seconds=6))
    assert (await delta(ada, token))["reset"] is True


async def test_a_refresh_newest_first_is_the_newest_page(new_phone: NewPhone, services: Services) -> None:
    ada, _, posts = await circle(new_phone, services, 15)
    news = await delta(ada, await token_of(ada, "NEWEST"))
    assert news["reset"] is True
    assert [edge["node"]["id"] for edge in news["newEdges"]] == posts[::-1]


async def test_tokens_are_one_s_own(new_phone: NewPhone) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    for token in (await token_of(grace), "nonsense", ""):
        answer = await ada.ask(DELTA, token=token)
        assert answer.errors[0]["extensions"] == {"code": "BAD_USER_INPUT"}


async def test_the_same_post_replayed_is_delivered_once(new_phone: NewPhone, services: Services) -> None:
    """Row: Same createPost replayed."""
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    await follow(ada, grace)
    once = key()
    made = [
        await grace.do("createPost", "post { id }", text="Once", visibility="PUBLIC", idempotencyKey=once)
        for _ in range(3)
    ]
    [id] = {each["post"]["id"] for each in made}
    assert [each["replayed"] for each in made] == [False, True, True]
    delivered = await services.db.find("jobs", {"task": "feed.deliver", "arguments.post_id": id})
    assert len(delivered) == 1
    await jobs.run_due(services)
    assert len(await services.db.find("feed_inbox", {"post_id": id})) == 1
    assert (await feed_of(ada)).count(id) == 1
