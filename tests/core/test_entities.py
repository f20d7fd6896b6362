"""Entities log their own writes: creation, change, deletion, and who must have read them before."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from core import ids
from core.context import Context, Services
from core.errors import UserError
from core.storage.store import COLLECTIONS, Collection, Row, entity


class Buoy(Row):
    harbour_id: str | None
    name: str


def scopes_of(buoy: Buoy) -> list[str]:
    return [f"harbour:{buoy['harbour_id']}"] if buoy["harbour_id"] else []


@pytest.fixture
async def buoys(services: Services) -> AsyncIterator[Collection[Buoy]]:
    made = entity("test_buoys", Buoy, prefix="buoy", scopes=scopes_of, aspects=["lamp"])
    await services.db.command({"create": made.name})
    yield made
    del COLLECTIONS["test_buoys"]
    await services.db.command({"drop": "test_buoys"})


async def entry_of(services: Services, id: str) -> dict[str, Any]:
    [entry] = await services.db.find("changes", {"_id": id})
    return {
        name: entry[name] for name in ("type", "version", "scopes", "former_scopes", "created", "deleted")
    }


async def test_each_write_is_logged_for_those_who_read_it_and_those_who_did(
    services: Services, buoys: Collection[Buoy]
) -> None:
    ctx, id = Context(services), ids.new_id("buoy")
    logged = {"type": "BUOY", "version": 1, "scopes": ["harbour:a"], "former_scopes": []}

    async def create() -> Buoy:
        return await ctx.tx.insert(buoys, {"_id": id, "harbour_id": "a", "name": "Red"})

    made = await ctx.unit(create)
    assert await entry_of(services, id) == {**logged, "created": True, "deleted": False}
    moved = await ctx.unit(lambda: ctx.tx.edit(buoys, made, {"harbour_id": "b"}, expected_version=1))
    assert await entry_of(services, id) == {
        **logged,
        **{
            "version": 2,
            "scopes": ["harbour:b"],
            "former_scopes": ["harbour:a"],
            "created": False,
            "deleted": False,
        },
    }
    with pytest.raises(UserError) as conflict:
        await ctx.unit(lambda: ctx.tx.edit(buoys, moved, {"name": "Green"}, expected_version=1))
    assert (conflict.value.code, conflict.value.entities) == ("CONFLICT", {"buoy": moved})
    assert await ctx.unit(lambda: ctx.tx.edit(buoys, moved, {})) == moved
    await ctx.unit(lambda: ctx.tx.delete(buoys, id))
    gone = await entry_of(services, id)
    assert (gone["deleted"], gone["scopes"], sorted(gone["former_scopes"])) == (
        True,
        [],
        ["harbour:a", "harbour:b"],
    )


async def test_one_that_is_made_and_changed_in_one_unit_is_new(
    services: Services, buoys: Collection[Buoy]
) -> None:
    ctx, id = Context(services), ids.new_id("buoy")

    async def create() -> None:
        made = await ctx.tx.insert(buoys, {"_id": id, "harbour_id": "a", "name": "Red"})
        await ctx.tx.edit(buoys, made, {"name": "Green"})

    await ctx.unit(create)
    entry = await entry_of(services, id)
    assert (entry["created"], entry["version"]) == (True, 2)


async def test_one_that_nobody_reads_any_more_is_gone_with_its_aspects(
    services: Services, buoys: Collection[Buoy]
) -> None:
    ctx, id = Context(services), ids.new_id("buoy")

    async def create() -> Buoy:
        made = await ctx.tx.insert(buoys, {"_id": id, "harbour_id": "a", "name": "Red"})
        ctx.tx.changed(made, aspect="lamp", scopes=["harbour:a"])
        return made

    made = await ctx.unit(create)
    await ctx.unit(lambda: ctx.tx.edit(buoys, made, {"harbour_id": None}))
    for entry_id in (id, f"lamp:{id}"):
        gone = await entry_of(services, entry_id)
        assert (gone["deleted"], gone["scopes"], gone["former_scopes"]) == (True, [], ["harbour:a"])


async def test_what_a_write_shows_nobody_has_no_entry_and_takes_none_away(
    services: Services, buoys: Collection[Buoy]
) -> None:
    ctx, id = Context(services), ids.new_id("buoy")

    async def create() -> None:
        made = await ctx.tx.insert(buoys, {"_id": id, "harbour_id": "a", "name": "Red"})
        ctx.tx.skip_log(await ctx.tx.edit(buoys, made, {"name": "Green"}))

    await ctx.unit(create)
    entry = await entry_of(services, id)
    assert (entry["created"], entry["version"]) == (True, 1)

    async def change() -> None:
        changed = await ctx.tx.update(buoys, id, set={"name": "Blue"})
        assert changed is not None
        ctx.tx.skip_log(changed)

    await ctx.unit(change)
    assert await entry_of(services, id) == entry


def test_an_entity_says_who_reads_it() -> None:
    with pytest.raises(ValueError, match="say who reads it, by `scopes` or `owner`"):
        entity("test_nobodys", Buoy, prefix="buoy")
