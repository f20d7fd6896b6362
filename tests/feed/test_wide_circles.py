"""Feeds of people who follow very many: no read looks at more than a few times what it returns."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest

from core.paging import NEWEST, KeysetPage, sort_order
from core.settings import Settings
from core.storage import mongo, store
from core.storage.mongo import Database
from resolvers.feed import latest
from stores import feed
from tests.explained import profiled

AUTHORS, POSTS, LIMIT = 2_500, 30_000, 1_000
BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
async def posts(settings: Settings) -> AsyncIterator[tuple[Database, list[dict[str, Any]]]]:
    """A database of its own with posts of many authors, newest first."""
    client = mongo.connect(settings.mongo_url, settings.mongo_driver)
    db = Database(client, "wide_circles")
    await store.ensure_indexes(db)
    dice = Random(3)
    rows = [
        {
            "_id": f"post_{number:05d}",
            "author_id": f"user_{dice.randrange(AUTHORS):04d}",
            "visibility": dice.choice(["PUBLIC", "FRIENDS"]),
            "state": "PUBLISHED",
            "created_at": BEGINNING + timedelta(seconds=dice.randrange(POSTS)),
        }
        for number in range(POSTS)
    ]
    await db.write({"insert": feed.posts.name, "documents": rows})
    yield db, sorted(rows, key=lambda row: (row["created_at"], row["_id"]), reverse=True)
    await client.drop_database("wide_circles")
    await mongo.close(client)


def audience(count: int) -> dict[str, Any]:
    """Audience filter of somebody who follows so many people."""
    edges: Any = [
        {"followee_id": f"user_{number:04d}", "state": "FOLLOWING", "mutual": number % 2 == 0}
        for number in range(count)
    ]
    return latest.audience("user_me", edges)


def shown(post: dict[str, Any], count: int) -> bool:
    number = int(post["author_id"][-4:])
    return number < count and (post["visibility"] == "PUBLIC" or number % 2 == 0)


@pytest.mark.parametrize("count", [50, 150, 1_000, 2_500])
async def test_the_newest_posts_of_many_are_merged(
    posts: tuple[Database, list[dict[str, Any]]], count: int, capsys: pytest.CaptureFixture[str]
) -> None:
    db, rows = posts
    wanted = [row["_id"] for row in rows if shown(row, count)]
    async with profiled(db, feed.posts.name) as cost:
        found = await feed.by_authors(db, audience(count), since=BEGINNING - timedelta(days=1))
    assert [post["_id"] for post in found] == wanted[:LIMIT]
    with capsys.disabled():
        print(
            f"\n{count} authors: {len(found)} posts in {cost.commands} commands of {cost.documents} documents"
        )
    assert cost.documents <= 3 * len(found)


@pytest.mark.parametrize("backward", [False, True])
async def test_a_page_deep_in_a_wide_feed_costs_what_the_first_does(
    posts: tuple[Database, list[dict[str, Any]]], backward: bool
) -> None:
    db, rows = posts
    count = 1_000
    seen = [row for row in rows if shown(row, count)]
    middle = len(seen) // 2
    place = (seen[middle]["created_at"], seen[middle]["_id"])
    page = KeysetPage(20, backward=backward, position=place)
    bounds = latest.past(page)
    order = sort_order(NEWEST, page)
    async with profiled(db, feed.posts.name) as cost:
        found = await feed.newest(db, audience(count), bounds, order=order, limit=21)
    rest = seen[:middle][::-1] if backward else seen[middle + 1 :]
    assert [post["_id"] for post in found] == [row["_id"] for row in rest[:21]]
    # Of some 4,500 that come after it; others' posts are among them, where MongoDB reads by time alone.
    assert cost.documents <= 700
