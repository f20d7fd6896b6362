"""Feed inboxes: fan-out on write, and removal."""

from datetime import timedelta
from typing import Any

import pytest

from core import clock, jobs
from core.context import Services
from jobs import feed as feed_jobs
from resolvers.feed import fanout
from resolvers.feed.background import KeyedTasks
from stores import feed as store
from tests.conftest import NewPhone
from tests.feed.steps import befriend, follow, insert_posts, publish
from tests.feed.test_home import delta, token_of
from tests.feed.test_ranking import ids_of, page_of
from tests.phone import Phone


async def inbox(services: Services, phone: Phone) -> set[str]:
    return {row["post_id"] for row in await services.db.find("feed_inbox", {"user_id": phone.user_id})}


async def test_posts_come_to_those_who_should_have_them(new_phone: NewPhone, services: Services) -> None:
    author, friend, fan, stranger = [
        await new_phone(name) for name in ("Author", "Friend", "Fan", "Stranger")
    ]
    await befriend(author, friend)
    await follow(fan, author)
    public = await publish(author, visibility="PUBLIC")
    friends = await publish(author, visibility="FRIENDS")
    private = await publish(author, visibility="PRIVATE")
    await jobs.run_due(services)
    assert await inbox(services, friend) == {public, friends}
    assert await inbox(services, fan) == {public}
    assert await inbox(services, stranger) == await inbox(services, author) == set()
    assert private not in await inbox(services, friend)


@pytest.mark.parametrize("change", ["deleted", "friends", "private", "wider"])
async def test_what_a_post_loses_of_its_audience_leaves_their_inboxes(
    new_phone: NewPhone, services: Services, change: str
) -> None:
    author, friend, fan = [await new_phone(name) for name in ("Author", "Friend", "Fan")]
    await befriend(author, friend)
    await follow(fan, author)
    post = await publish(author, visibility="FRIENDS" if change == "wider" else "PUBLIC")
    await jobs.run_due(services)
    if change == "deleted":
        await author.do("deletePost", "deletedPostId", postId=post)
    else:
        audience = {"friends": "FRIENDS", "private": "PRIVATE", "wider": "PUBLIC"}[change]
        await author.do("updatePost", "post { id }", postId=post, visibility=audience)
    await jobs.run_due(services)
    has = [post in await inbox(services, phone) for phone in (friend, fan)]
    assert has == {"friends": [True, False], "wider": [True, True]}.get(change, [False, False])


async def test_a_delivery_may_be_done_again(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In batches, and twice."""
    monkeypatch.setattr(fanout, "BATCH", 2)
    author = await new_phone("Author")
    fans = [await new_phone("Fan") for _ in range(5)]
    for fan in fans:
        await follow(fan, author)
    post = await publish(author)
    for _ in range(2):
        await feed_jobs.deliver(services, post_id=post, author_id=author.user_id, created=True)
    rows = await services.db.find("feed_inbox", {"post_id": post})
    assert sorted(row["user_id"] for row in rows) == sorted(fan.user_id for fan in fans)


async def test_following_brings_posts_along_and_unfollowing_takes_them(
    new_phone: NewPhone, services: Services
) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    public = await publish(grace, visibility="PUBLIC")
    friends = await publish(grace, visibility="FRIENDS")
    await follow(ada, grace)
    assert await inbox(services, ada) == {public}
    await follow(grace, ada)
    assert await inbox(services, ada) == {public, friends}
    await ada.do("unfollowUser", "user { id }", userId=grace.user_id)
    assert await inbox(services, ada) == set()


async def test_an_inbox_keeps_its_newest_thousand(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    start = clock.now() - timedelta(days=1)
    rows: list[Any] = [
        {
            "_id": store.pair(ada.user_id, f"post_{n}"),
            "user_id": ada.user_id,
            "post_id": f"post_{n}",
            "author_id": "user_x",
            "created_at": start + timedelta(seconds=n),
        }
        for n in range(1_100)
    ]
    await store.put_in(services.db, rows)
    await store.trim(services.db, ada.user_id)
    assert await inbox(services, ada) == {f"post_{n}" for n in range(100, 1_100)}


async def test_the_first_reading_begins_the_inbox(new_phone: NewPhone, services: Services) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    await follow(ada, grace)
    posts = await insert_posts(services, grace.user_id, [None] * 3)
    assert await inbox(services, ada) == set()
    assert set(posts) <= set(ids_of(await page_of(ada)))
    await services.get(KeyedTasks).done()
    assert await inbox(services, ada) == set(posts)
    late = await publish(grace, "Delivered")
    await jobs.run_due(services)
    clock.shift(timedelta(seconds=6))
    await delta(ada, await token_of(ada))
    assert {late, *posts} <= set(ids_of(await page_of(ada)))


async def test_a_widely_followed_author_is_looked_for(new_phone: NewPhone, services: Services) -> None:
    """Row: Author with 1 M followers posts: no fan-out; appears by pull within 5 s."""
    ada, star = await new_phone("Ada"), await new_phone("Star")
    await follow(ada, star)
    token = await token_of(ada)
    await services.get(KeyedTasks).done()
    many = {"q": {"_id": star.user_id}, "u": {"$set": {"follower_count": 1_000_000}}}
    await services.db.write({"update": "users", "updates": [many]})
    post = await publish(star, "To a million")
    assert await services.db.find("jobs", {"task": "feed.deliver", "arguments.post_id": post}) == []
    await jobs.run_due(services)
    assert await inbox(services, ada) == set()
    clock.shift(timedelta(seconds=5, milliseconds=1))
    news = await delta(ada, token)
    assert post in [edge["node"]["id"] for edge in news["newEdges"]]
    assert post in ids_of(await page_of(ada))


async def test_what_is_prepared_is_used(new_phone: NewPhone, services: Services) -> None:
    """Every quarter of an hour for those who are active: tastes, and posts of people near them."""
    ada, grace, near, far = [await new_phone(name) for name in ("Ada", "Grace", "Near", "Far")]
    await follow(ada, grace)
    await follow(grace, near)
    [hers] = await insert_posts(services, grace.user_id, [None])
    [close] = await insert_posts(services, near.user_id, [clock.now() - timedelta(days=9)])
    await insert_posts(services, far.user_id, [clock.now()] * 120)
    await page_of(ada)
    await ada.do("setReaction", "subject { __typename }", subjectId=hers, kind="LOVE")
    # What was read counts too, less than a reaction; what was passed by does not.
    seen = [
        {"postId": hers, "position": 0, "dwellMs": 9_000, "snapshotId": "x"},
        {"postId": close, "position": 1, "dwellMs": 300, "snapshotId": "x"},
    ]
    assert (await ada.do("recordImpressions", "recordedCount", items=seen))["recordedCount"] == 2
    await feed_jobs.prepare(services)
    await jobs.run_due(services)
    [taste] = await services.db.find("feed_affinities", {"_id": ada.user_id})
    assert taste["authors"] == {grace.user_id: pytest.approx(1 - 2.718281828 ** (-1.5 / 5), abs=1e-6)}
    assert taste["media"] == {"PICTURED": 2 / 5, "WRITTEN": 3 / 5}
    await publish(ada, "Rank anew")
    reasons, after = {}, None
    while True:
        page = await page_of(ada, 50, after)
        reasons |= {edge["node"]["id"]: edge["reason"] for edge in page["edges"]}
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
    assert reasons[close] == "SUGGESTED"
