"""Overlap of log reads: a write that commits late lies before entries already read, so readers look back."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from core import ids
from core.context import Context, Services
from core.sync import changes
from core.sync.changes import user_scope
from stores import feed as store
from tests.conftest import NewPhone
from tests.engine.steps import post
from tests.engine.streams import opened
from tests.engine.sync_documents import EVENTS
from tests.engine.test_delta import Device
from tests.phone import deleted_ids


@asynccontextmanager
async def committed_late(
    services: Services, write: Callable[[Context], Awaitable[Any]]
) -> AsyncIterator[Callable[[], Awaitable[None]]]:
    """A transaction that has written its log entry; call what it gives to commit it."""
    ctx, release, written = Context(services), asyncio.Event(), asyncio.Event()

    async def slowly() -> None:
        await write(ctx)
        await ctx.tx.flush()
        # Else it is written once more, with a later time, at the end.
        ctx.tx._changes.clear()
        written.set()
        await release.wait()

    writing = asyncio.create_task(ctx.unit(slowly))
    await written.wait()
    # The log's times are of milliseconds: what follows is later.
    await asyncio.sleep(0.01)

    async def commit() -> None:
        release.set()
        await writing

    yield commit
    await commit()


async def test_what_goes_late_in_a_paged_first_sync_goes_by_its_end(
    new_phone: NewPhone, services: Services
) -> None:
    """Its entry is of before the first page, which has shown it all the same."""
    ada = await new_phone("Ada")
    posts = [await post(ada, "PRIVATE") for _ in range(3)]
    device = Device(ada, ["POST"])

    async def delete(ctx: Context) -> None:
        gone = await ctx.tx.delete(store.posts, posts[0])
        assert gone is not None
        ctx.tx.removed(gone)

    async with committed_late(services, delete) as commit:
        first = await device.sync(first=1)
        assert [node["id"] for node in first["nodes"]] == [posts[0]]
        await commit()
    [entry] = await changes.named(services.db, [posts[0]])
    assert entry["deleted"]
    forgotten: list[str] = []
    while (page := await device.sync(first=1))["hasMore"]:
        forgotten += deleted_ids(page)
    assert [*forgotten, *deleted_ids(page)] == [posts[0]]
    assert set(device.nodes) == set(posts[1:])


async def test_a_sweep_finds_what_lies_before_the_last_look(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its hint was lost, and the last sweep was after its time and before its commit."""
    ada, late = await new_phone("Ada"), ids.new_id("post")

    async def lost(messages: dict[str, Any]) -> None:
        pass

    async def insert(ctx: Context) -> None:
        row = {"_id": late, "author_id": ada.user_id, "text": "Late", "visibility": "PRIVATE"}
        made = await ctx.tx.insert(store.posts, {**row, **PLAIN})
        ctx.tx.changed(made, scopes=[user_scope(ada.user_id)], created=True)

    async with opened(ada, "socket", EVENTS) as stream:
        known = await post(ada, "PRIVATE")
        await heard(stream, known)
        monkeypatch.setattr(services.live._bus, "publish", lost)
        async with committed_late(services, insert) as commit:
            written, looked = await changes.database_time(services.db), None
            # One of the process's own may be under way.
            while looked is None or looked < written:
                await services.live.sweep()
                looked = services.live._swept
            await commit()
        [entry] = await changes.named(services.db, [late])
        assert entry["at"] < looked
        await services.live.sweep()
        await heard(stream, late)


async def heard(stream: Any, id: str) -> None:
    """Wait for the event of this id; events of the post counter come between."""
    while (await stream.next())["changeEvents"]["node"]["id"] != id:
        continue


PLAIN = {
    "media_ids": [],
    "state": "PUBLISHED",
    "pinned": False,
    "comment_count": 0,
    "share_count": 0,
    "reactions": {},
    "edited_at": None,
}
