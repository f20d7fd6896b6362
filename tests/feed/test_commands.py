"""Database commands of a feed page: the same few, however long it is."""

from typing import Any

import pytest

from core import clock, ids, jobs
from core.context import Services
from core.settings import Settings
from resolvers.feed.background import KeyedTasks
from resolvers.feed.snapshots import Snapshots
from stores import feed as store
from tests.conftest import Commands, NewPhone
from tests.feed.steps import follow, insert_comments, insert_posts, publish
from tests.phone import Phone, make_user

PAGE = """query($first: Int, $sort: FeedSort) { viewer { feed(first: $first, sort: $sort) {
  edges { cursor reason node {
    id text textPreview visibility commentCount createdAt
    author { id name avatar { id url thumbnailUrl dominantColor } }
    media { id url width height }
    reactionSummary { count like love viewerReaction }
    viewerCan { edit comment }
    commentPreview { id text author { id name avatar { url } } reactions { count viewerReaction } }
  } }
  pageInfo { hasNextPage endCursor }
} } }"""

EXPECTED = {
    "NEWEST": {"find": 12, "aggregate": 1},
    # Who is muted as well: the newest first know that of whom one follows.
    "RANKED": {"find": 13, "aggregate": 1},
}
"""Follows, blocks, hidden posts, groups, posts; authors, their avatars, media, the viewer's reactions;
comments in one aggregate; their authors, the authors' avatars, the viewer's reactions."""

JOURNEYS = {"NEWEST": 5, "RANKED": 4}
"""Commands they travel in: who is followed and blocked; the posts; what they show; what that shows, twice.
The posts of a ranked page are known before."""

FIRST_SCREEN = """query($first: Int) { viewer { feed(first: $first) {
  snapshotId degraded
  edges { cursor reason score node {
    id textPreview createdAt commentCount author { id name } reactionSummary { count viewerReaction }
  } }
  pageInfo { hasNextPage endCursor }
} } }"""


async def media(services: Services, owner: str, count: int = 1) -> list[str]:
    made = [ids.new_id("media") for _ in range(count)]
    rows = [
        {
            "_id": id,
            "owner_id": owner,
            "kind": "IMAGE",
            "mime": "image/webp",
            "size_bytes": 1,
            "width": 640,
            "height": 480,
            "folder": f"public/{id}",
            "main": "640.webp",
            "thumb": None,
            "dominant_color": "#336699",
            "created_at": clock.now(),
        }
        for id in made
    ]
    await services.db.write({"insert": "media", "documents": rows})
    return made


@pytest.fixture
async def reader(new_phone: NewPhone, services: Services, no_posts: None) -> Phone:
    """Follows five authors with thirty posts between them, all with pictures, comments and reactions."""
    phone = await new_phone("Ada")
    for _ in range(5):
        owner = ids.new_id("user")
        [avatar] = await media(services, owner)
        author = await new_phone(user_id=await make_user(services, "Author", avatar_id=avatar))
        await follow(phone, author)
        pictures = await media(services, author.user_id, 2)
        posts = await insert_posts(services, author.user_id, [None] * 6, media_ids=pictures)
        for post in posts:
            [face] = await media(services, owner)
            commenters = [await make_user(services, "Commenter", avatar_id=face) for _ in range(2)]
            said = await insert_comments(services, post, commenters, [clock.now()] * 5)
            for subject in (post, *said[:2]):
                row = {"subject_id": subject, "user_id": phone.user_id, "kind": "LIKE"}
                row["_id"] = store.pair(subject, phone.user_id)
                await services.db.write({"insert": "reactions", "documents": [row]})
    return phone


@pytest.mark.parametrize("sort", JOURNEYS)
async def test_a_page_costs_the_same_however_long_it_is(
    reader: Phone,
    commands: Commands,
    settings: Settings,
    quiet: None,
    capsys: pytest.CaptureFixture[str],
    sort: str,
) -> None:
    await reader.run(PAGE, first=2, sort=sort)
    costs, sent = {}, {}
    for size in (1, 5, 20):
        commands.reset()
        found = await reader.run(PAGE, first=size, sort=sort)
        costs[size], sent[size] = dict(commands.counts), commands.sent
        _assert_complete(found["viewer"]["feed"]["edges"], size)
    with capsys.disabled():
        reads = sum(costs[1].values())
        print(f"\nA whole {sort} page costs {reads} reads in {sent[1]} MongoDB commands: {costs[1]}")
    assert costs == dict.fromkeys((1, 5, 20), EXPECTED[sort])
    if settings.executor == "compiled":
        # The reference goes field by field; which of its reads meet is luck.
        assert sent == dict.fromkeys((1, 5, 20), JOURNEYS[sort])


async def test_the_first_ranked_page_costs_little(
    reader: Phone,
    services: Services,
    commands: Commands,
    trips: list[str],
    quiet: None,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Warm at most 4 commands and one Redis round trip, cold at most 10, whatever the page."""
    snapshots = services.get(Snapshots)
    await reader.run(FIRST_SCREEN, first=1)
    await services.get(KeyedTasks).done()
    cold, warm = {}, {}
    for size in (1, 12, 29):
        for costs in (cold, warm):
            if costs is cold:
                await snapshots.spoil([reader.user_id])
            commands.reset()
            trips.clear()
            page = (await reader.run(FIRST_SCREEN, first=size))["viewer"]["feed"]
            costs[size] = (commands.sent, len(trips))
            assert (len(page["edges"]), page["degraded"]) == (size, False)
            await services.get(KeyedTasks).done()
    with capsys.disabled():
        print(f"\nThe first ranked page costs (commands, Redis round trips) warm {warm[12]}, cold {cold[12]}")
    assert [size for size, cost in warm.items() if cost[0] > 4 or cost[1] > 1] == []
    assert [size for size, cost in cold.items() if cost[0] > 10] == []
    assert len(set(warm.values())) == 1


async def test_the_coldest_page_costs_little_too(reader: Phone, commands: Commands, quiet: None) -> None:
    """Nothing known of the reader yet, no inbox kept, no snapshot."""
    commands.reset()
    await reader.run(FIRST_SCREEN, first=12)
    assert commands.sent <= 10


async def test_publishing_does_not_deliver(
    new_phone: NewPhone, services: Services, commands: Commands, quiet: None
) -> None:
    """However many follow: what createPost writes does not depend on them."""
    author, counts = await new_phone("Author"), []
    for followers in (0, 5):
        for _ in range(followers):
            await follow(await new_phone("Follower"), author)
        commands.reset()
        post = await publish(author)
        # Readers of the log may look meanwhile.
        counts.append({name: count for name, count in commands.counts.items() if name != "find"})
        assert await services.db.find("feed_inbox", {"post_id": post}) == []
        await jobs.run_due(services)
        delivered = await services.db.find("feed_inbox", {"post_id": post})
        assert len(delivered) == followers
    assert counts[0] == counts[1]


def _assert_complete(edges: list[dict[str, Any]], size: int) -> None:
    assert len(edges) == size
    for post in (edge["node"] for edge in edges):
        assert post["author"]["avatar"]["url"]
        assert len(post["media"]) == 2
        assert post["reactionSummary"]["viewerReaction"] == "LIKE"
        assert len(post["commentPreview"]) == 3
        assert all(said["author"]["avatar"]["url"] for said in post["commentPreview"])
