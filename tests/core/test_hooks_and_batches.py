"""Hooks between systems, and the batch helper of background work."""

from typing import TypedDict

from core.context import Context, Services
from core.hooks import Hook, on
from core.storage.batches import each_in_unit
from core.storage.store import COLLECTIONS, collection


async def test_an_unfilled_hook_does_nothing() -> None:
    assert await Hook[[str], int]("nobody.asks")("who") == []


async def test_a_hook_asks_all_who_filled_it_in_their_order() -> None:
    told: list[str] = []
    sailed: Hook[[str], int] = Hook("fleet.sailed")

    @on(sailed)
    async def first(ship: str) -> int:
        told.append(f"first {ship}")
        return 1

    @on(sailed)
    async def second(ship: str) -> int:
        told.append(f"second {ship}")
        return 2

    assert await sailed("Ada") == [1, 2]
    assert told == ["first Ada", "second Ada"]


class Barrel(TypedDict):
    _id: str
    hold: str


async def test_every_row_is_worked_on_once_in_batches_whatever_the_work_changes(services: Services) -> None:
    barrels = collection("test_barrels", Barrel, shard_key=None)
    try:
        rows = [{"_id": f"{number:03}", "hold": "fore"} for number in range(25)]
        await services.db.write({"insert": barrels.name, "documents": [*rows, {"_id": "aft", "hold": "aft"}]})
        done: list[str] = []

        async def move(ctx: Context, row: Barrel) -> None:
            done.append(row["_id"])
            await ctx.tx.update(barrels, row["_id"], set={"hold": "aft"})

        assert await each_in_unit(services, barrels, {"hold": "fore"}, move, size=10) == 25
        assert done == [row["_id"] for row in rows]
        assert await each_in_unit(services, barrels, {"hold": "fore"}, move, size=10) == 0
        assert len(await barrels.find(services.db, {"hold": "aft"})) == 26
    finally:
        del COLLECTIONS["test_barrels"]
        await services.db.command({"drop": "test_barrels"})
