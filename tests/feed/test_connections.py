"""Every list pages by the Relay specification, and stays whole while it moves."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core import clock
from core.context import Services
from tests.conftest import NewPhone
from tests.feed.lists import MAKERS, List, shown, timeline
from tests.feed.steps import follow, insert_posts

MINUTE = timedelta(minutes=1)


async def make(name: str, new_phone: NewPhone, services: Services) -> List:
    ada, other = await new_phone("Ada"), await new_phone("Grace")
    if name == "feed":
        await follow(ada, other)
    return await MAKERS[name](services, ada, other)


async def filled(listing: List, count: int) -> list[str]:
    """Adds so many items, some of them at the same moment, and returns the list in its order."""
    start = clock.now() - timedelta(days=10)
    placed = []
    for index in range(count):
        at = start + MINUTE * (index // 2)
        placed.append((at, await listing.insert(at)))
    placed.sort(reverse=listing.newest_first)
    return [id for _, id in placed]


@pytest.mark.parametrize("name", MAKERS)
async def test_pages_forwards_and_backwards_join_to_the_whole(
    name: str, new_phone: NewPhone, services: Services
) -> None:
    listing = await make(name, new_phone, services)
    await filled(listing, 7)
    whole = await listing.page(first=listing.most)
    everything = shown(whole)
    assert len(set(everything)) == len(everything) == (8 if name == "sessions" else 7)
    info = whole["pageInfo"]
    assert (info["hasNextPage"], info["hasPreviousPage"]) == (False, False)
    assert (info["startCursor"], info["endCursor"]) == (
        whole["edges"][0]["cursor"],
        whole["edges"][-1]["cursor"],
    )
    assert await _forwards(listing, 3) == everything
    assert await _backwards(listing, 3) == everything


async def _forwards(listing: List, size: int) -> list[str]:
    found: list[str] = []
    after = None
    while True:
        page = await listing.page(first=size, after=after)
        info = page["pageInfo"]
        assert info["hasPreviousPage"] is (after is not None)
        found += shown(page)
        if not info["hasNextPage"]:
            return found
        assert len(page["edges"]) == size
        after = info["endCursor"]


async def _backwards(listing: List, size: int) -> list[str]:
    found: list[str] = []
    before = None
    while True:
        page = await listing.page(last=size, before=before)
        info = page["pageInfo"]
        assert info["hasNextPage"] is (before is not None)
        found = shown(page) + found
        if not info["hasPreviousPage"]:
            return found
        assert len(page["edges"]) == size
        before = info["startCursor"]


@pytest.mark.parametrize("name", MAKERS)
async def test_the_order_is_the_promised_one(name: str, new_phone: NewPhone, services: Services) -> None:
    listing = await make(name, new_phone, services)
    start = clock.now() - timedelta(days=10)
    made = [await listing.insert(start + MINUTE * minute) for minute in (2, 1, 3)]
    expected = [made[2], made[0], made[1]] if listing.newest_first else [made[1], made[0], made[2]]
    assert shown(await listing.page(first=3)) == expected
    backwards = shown(await listing.page(last=listing.most))
    assert backwards[:3] == expected


@pytest.mark.parametrize("name", [name for name in MAKERS if name not in ("feed", "sessions")])
async def test_an_empty_page_has_null_cursors(name: str, new_phone: NewPhone, services: Services) -> None:
    listing = await make(name, new_phone, services)
    nothing = {"hasNextPage": False, "hasPreviousPage": False, "startCursor": None, "endCursor": None}
    assert await listing.page(first=5) == {"edges": [], "pageInfo": nothing}
    assert await listing.page(last=5) == {"edges": [], "pageInfo": nothing}


@pytest.mark.parametrize("name", MAKERS)
async def test_past_either_end_is_an_empty_page(name: str, new_phone: NewPhone, services: Services) -> None:
    listing = await make(name, new_phone, services)
    await filled(listing, 2)
    info = (await listing.page(first=listing.most))["pageInfo"]
    past = await listing.page(first=5, after=info["endCursor"])
    nothing = {"hasNextPage": False, "hasPreviousPage": True, "startCursor": None, "endCursor": None}
    assert past == {"edges": [], "pageInfo": nothing}
    before = await listing.page(last=5, before=info["startCursor"])
    nothing = {"hasNextPage": True, "hasPreviousPage": False, "startCursor": None, "endCursor": None}
    assert before == {"edges": [], "pageInfo": nothing}


@pytest.mark.parametrize("name", MAKERS)
async def test_a_list_s_cursor_is_of_no_use_elsewhere(
    name: str, new_phone: NewPhone, services: Services
) -> None:
    listing = await make(name, new_phone, services)
    await filled(listing, 2)
    cursor = (await listing.page(first=1))["pageInfo"]["endCursor"]
    for other in MAKERS:
        elsewhere = await make(other, new_phone, services)
        answer = await elsewhere.ask(first=1, after=cursor)
        [error] = answer.errors
        assert error["message"] == "The cursor belongs to another list or filter."
        assert error["path"] == list(elsewhere.path)
        assert error["extensions"] == {"code": "BAD_USER_INPUT"}


async def test_pinned_posts_come_first_over_all_pages(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    now = clock.now()
    moments = [now - MINUTE * minute for minute in range(6)]
    plain = await insert_posts(services, ada.user_id, moments)
    pinned = await insert_posts(services, ada.user_id, [now - MINUTE * 60], pinned=True)
    listing = await timeline(services, ada, ada)
    assert await _forwards(listing, 2) == pinned + plain
    assert await _backwards(listing, 2) == pinned + plain


MOVES = st.lists(
    st.tuples(st.sampled_from(["insert", "delete"]), st.integers(0, 1_000)), min_size=0, max_size=3
)
STEPS = st.lists(st.tuples(st.integers(1, 4), MOVES), min_size=1, max_size=12)


@pytest.mark.parametrize("way", ["forwards", "backwards"])
@pytest.mark.parametrize("name", ["feed", "comments, oldest first"])
async def test_a_moving_list_repeats_and_skips_nothing(
    way: str, name: str, new_phone: NewPhone, services: Services
) -> None:
    """Pages of random sizes, with items inserted anywhere and deleted between them."""
    loop = asyncio.get_running_loop()

    @settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
    @given(steps=STEPS)
    def moves(steps: list[tuple[int, list[tuple[str, int]]]]) -> None:
        work = _read_while_moving(way, name, steps, new_phone, services)
        asyncio.run_coroutine_threadsafe(work, loop).result(60)

    await asyncio.to_thread(moves)


async def _read_while_moving(
    way: str,
    name: str,
    steps: list[tuple[int, list[tuple[str, int]]]],
    new_phone: NewPhone,
    services: Services,
) -> None:
    listing = await make(name, new_phone, services)
    alive = await filled(listing, 9)
    throughout, seen = set(alive), []
    start = clock.now() - timedelta(days=10)
    cursor, more = None, True
    # The steps are repeated until the end, so that every run reads the whole list.
    pending = list(steps)
    while more:
        size, moves = pending.pop(0) if pending else (4, [])
        page = await _next_page(listing, way, size, cursor)
        info = page["pageInfo"]
        seen += shown(page) if way == "forwards" else shown(page)[::-1]
        more = info["hasNextPage" if way == "forwards" else "hasPreviousPage"]
        cursor = info["endCursor" if way == "forwards" else "startCursor"]
        assert len(page["edges"]) == size if more else len(page["edges"]) <= size
        for move, where in moves:
            if move == "insert":
                alive.append(await listing.insert(start + timedelta(seconds=where % 300)))
            elif alive:
                gone = alive.pop(where % len(alive))
                await listing.remove(gone)
                throughout.discard(gone)
    assert len(seen) == len(set(seen))
    assert throughout <= set(seen)


async def _next_page(listing: List, way: str, size: int, cursor: str | None) -> Any:
    if way == "forwards":
        return await listing.page(first=size, after=cursor)
    return await listing.page(last=size, before=cursor)
