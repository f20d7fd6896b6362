"""The proof of paging: a ranked feed read page by page while everything moves."""

import asyncio
import random
from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import clock
from core.context import Services
from resolvers.feed.background import KeyedTasks
from tests.conftest import NewPhone
from tests.feed.steps import befriend, insert_posts
from tests.feed.test_home import forget_snapshots
from tests.feed.test_ranking import ids_of, page_of
from tests.phone import Phone

pytestmark = pytest.mark.usefixtures("no_posts")

MOVES = st.lists(
    st.tuples(
        st.sampled_from(["create", "delete", "hide", "narrow", "widen", "react", "rank anew"]),
        st.integers(0, 1_000),
    ),
    max_size=4,
)
STEPS = st.lists(st.tuples(st.integers(1, 5), MOVES), min_size=1, max_size=10)

Steps = Sequence[tuple[int, Sequence[tuple[str, int]]]]


@pytest.mark.parametrize("kept", [True, False], ids=["snapshots kept", "snapshots lost"])
async def test_a_ranked_feed_repeats_and_skips_nothing_while_it_moves(
    kept: bool, new_phone: NewPhone, services: Services
) -> None:
    """Nothing comes twice; what is visible throughout comes once, while its snapshot is there."""
    loop = asyncio.get_running_loop()
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    await befriend(ada, grace)

    @settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
    @given(steps=STEPS)
    def moves(steps: Steps) -> None:
        work = _read_while_moving(ada, grace, steps, services, kept=kept)
        asyncio.run_coroutine_threadsafe(work, loop).result(60)

    await asyncio.to_thread(moves)


async def _read_while_moving(
    ada: Phone, grace: Phone, steps: Steps, services: Services, *, kept: bool
) -> None:
    await services.db.write({"delete": "posts", "deletes": [{"q": {}, "limit": 0}]})
    await forget_snapshots(services, ada.user_id)
    moving = Moving(ada, grace, services)
    await moving.begin(12)
    found: list[str] = []
    cursor, more, pending = None, True, list(steps)
    while more:
        size, moves = pending.pop(0) if pending else (4, [])
        page = await page_of(ada, size, cursor)
        # What is gone from the snapshot makes room for what follows.
        assert len(page["edges"]) == size if page["pageInfo"]["hasNextPage"] else len(page["edges"]) <= size
        assert not moving.unseen & set(ids_of(page))
        found += ids_of(page)
        more, cursor = page["pageInfo"]["hasNextPage"], page["pageInfo"]["endCursor"]
        for move, where in moves:
            await moving.move(move, where)
        if not kept and moves:
            await forget_snapshots(services, ada.user_id)
    assert len(found) == len(set(found))
    if kept:
        assert moving.throughout <= set(found)
    await services.get(KeyedTasks).done()


class Moving:
    """Posts that come, go and change while somebody reads."""

    def __init__(self, reader: Phone, author: Phone, services: Services) -> None:
        self.reader, self.author, self.services = reader, author, services
        self.alive: list[str] = []
        self.throughout: set[str] = set()
        self.unseen: set[str] = set()

    async def begin(self, count: int) -> None:
        start = clock.now() - timedelta(days=20)
        moments = [start + timedelta(hours=random.Random(n).randrange(480)) for n in range(count)]
        self.alive = await insert_posts(self.services, self.author.user_id, moments)
        self.throughout = set(self.alive)

    async def move(self, move: str, where: int) -> None:
        if move == "create":
            at = clock.now() - timedelta(hours=where)
            self.alive += await insert_posts(self.services, self.author.user_id, [at])
        elif move == "rank anew":
            await self.reader.do("muteUser", "viewer { id }", userId=self.author.user_id)
            await self.reader.do("unmuteUser", "viewer { id }", userId=self.author.user_id)
            await page_of(self.reader, 3)
        elif self.alive:
            await self._change(move, self.alive[where % len(self.alive)])

    async def _change(self, move: str, id: str) -> None:
        if move == "delete":
            await self.author.do("deletePost", "deletedPostId", postId=id)
            self.alive.remove(id)
        elif move == "react":
            await self.reader.do("setReaction", "subject { __typename }", subjectId=id, kind="LOVE")
            return
        elif move == "narrow":
            await self.author.do("updatePost", "post { id }", postId=id, visibility="PRIVATE")
        elif move == "hide":
            # For good: what is widened afterwards stays hidden.
            await self.reader.do("hidePost", "removedPostId", postId=id)
            self.alive.remove(id)
        else:
            await self.author.do("updatePost", "post { id }", postId=id, visibility="PUBLIC")
            self.unseen.discard(id)
            return
        self.unseen.add(id)
        self.throughout.discard(id)
