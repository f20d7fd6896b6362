"""Indexes that serve the queries they are for, and are built anew when their declaration changes."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo.errors import DuplicateKeyError

from core import discovery
from core.context import Services
from core.storage import store
from core.storage.indexes import A_MOMENT, A_TEXT, Index, due, index, settle
from core.storage.mongo import Database
from resolvers.catalog.migrations import holds_by_holder
from stores.catalog import stock

NAME = "changing_indexes"
LIFE = datetime(2026, 1, 1, tzinfo=UTC)


def partial_indexes() -> list[tuple[str, Index]]:
    discovery.all_systems()
    return [
        (declared.name, each)
        for declared in store.COLLECTIONS.values()
        for each in declared.indexes
        if "partialFilterExpression" in each.options
    ]


async def read_by(db: Database, collection: str, query: Any) -> set[str]:
    """The indexes that MongoDB would read for the query."""
    answer = await db.command({"explain": {"find": collection, "filter": query}, "verbosity": "queryPlanner"})
    names: set[str] = set()

    def look(plan: Any) -> None:
        if isinstance(plan, dict):
            if plan.get("stage") == "IXSCAN":
                names.add(plan["indexName"])
            for each in plan.values():
                look(each)
        elif isinstance(plan, list):
            for each in plan:
                look(each)

    look(answer["queryPlanner"]["winningPlan"])
    look(answer["queryPlanner"]["rejectedPlans"])
    return names


async def test_every_partial_index_is_read_for_the_query_it_is_for(services: Services) -> None:
    found = partial_indexes()
    assert len(found) > 8
    for collection, each in found:
        if each.serves is None:
            # Kept for what it forbids, or for what it lets expire.
            lone = "unique" in each.options or "expireAfterSeconds" in each.options
            assert lone, f"{collection} {each.name} must say which query it `serves`"
        else:
            read = await read_by(services.db, collection, each.serves)
            assert each.name in read, f"{collection} {each.name} is not read for {each.serves}"


async def test_no_partial_index_is_of_a_type(services: Services) -> None:
    """MongoDB reads such an index for no query but one for the type."""
    for collection, each in partial_indexes():
        if "expireAfterSeconds" not in each.options:
            assert "$type" not in str(each.options), f"{collection} {each.name}"


@pytest.fixture
async def db(services: Services) -> Any:
    await services.db.command({"create": NAME})
    yield services.db
    await services.db.command({"drop": NAME})


async def existing(db: Database) -> list[dict[str, Any]]:
    answer = await db.command({"listIndexes": NAME, "cursor": {}})
    return [each for each in answer["cursor"]["firstBatch"] if each["name"] != "_id_"]


OLD_TO_NEW: dict[str, tuple[Index, Index]] = {
    "a filter": (
        index("at", partialFilterExpression={"at": {"$type": "date"}}),
        index("at", partialFilterExpression={"at": A_MOMENT}),
    ),
    "a filter of a unique one": (
        index("a", "b", unique=True, partialFilterExpression={"b": {"$type": "string"}}),
        index("a", "b", unique=True, partialFilterExpression={"b": A_TEXT}),
    ),
    "a filter that goes": (index("at", partialFilterExpression={"at": A_MOMENT}), index("at")),
    "a filter that comes": (index("at"), index("at", partialFilterExpression={"at": A_MOMENT})),
    "uniqueness": (index("a"), index("a", unique=True)),
    "uniqueness that goes": (index("a", unique=True), index("a")),
    "expiry": (index("at", expireAfterSeconds=0), index("at", expireAfterSeconds=60)),
    "expiry that comes": (index("at"), index("at", expireAfterSeconds=60)),
    "expiry that goes": (index("at", expireAfterSeconds=60), index("at")),
    "sparseness": (index("a", sparse=True), index("a")),
}


@pytest.mark.parametrize("what", OLD_TO_NEW)
async def test_an_index_whose_definition_changes_is_built_anew(db: Database, what: str) -> None:
    old, new = OLD_TO_NEW[what]
    await settle(db, NAME, [old])
    assert [each["name"] for each in await existing(db)] == [old.name]
    await settle(db, NAME, [new])
    [only] = await existing(db)
    assert tuple(only["key"].items()) == new.keys
    assert {name: only[name] for name in new.options} == new.options
    assert set(only) == {"v", "key", "name", *new.options}
    if not new.options:
        # Queries may ask for it by name.
        assert only["name"] == new.name
    # Every process that starts does this; and back again, as a deployment that is undone does.
    await asyncio.gather(*(settle(db, NAME, [new]) for _ in range(3)))
    assert await existing(db) == [only]
    await settle(db, NAME, [old])
    [only] = await existing(db)
    assert {name: only[name] for name in old.options} == old.options


async def test_processes_that_start_together_agree(db: Database) -> None:
    old, new = OLD_TO_NEW["a filter of a unique one"]
    await settle(db, NAME, [old])
    await asyncio.gather(*(settle(db, NAME, [new]) for _ in range(5)))
    [only] = await existing(db)
    assert only["partialFilterExpression"] == {"b": A_TEXT}


async def test_what_is_unique_stays_so_meanwhile(db: Database) -> None:
    """The new index is built before the old one goes: no moment lets a second row in."""
    old, new = OLD_TO_NEW["a filter of a unique one"]
    await settle(db, NAME, [old])
    await db.write({"insert": NAME, "documents": [{"a": 1, "b": "x"}]})
    tried, over = 0, asyncio.Event()

    async def rival() -> None:
        nonlocal tried
        while not over.is_set():
            with pytest.raises(DuplicateKeyError):
                await db.write({"insert": NAME, "documents": [{"a": 1, "b": "x"}]})
            tried += 1

    trying = asyncio.create_task(rival())
    for each in (new, old, new, old):
        await settle(db, NAME, [each])
    over.set()
    await trying
    assert tried > 0
    assert len(await db.find(NAME, {})) == 1


async def test_indexes_of_other_keys_are_left_alone(db: Database) -> None:
    own = {"key": {"theirs": 1}, "name": "made by hand", "unique": True}
    await db.command({"createIndexes": NAME, "indexes": [own]})
    await settle(db, NAME, [index("a"), index("a", "b")])
    assert {each["name"] for each in await existing(db)} == {"made by hand", "a_1", "a_1_b_1"}


async def test_a_change_that_was_cut_off_is_finished(db: Database) -> None:
    """The process died after it had built the new index, before the old one was dropped."""
    old, new = OLD_TO_NEW["a filter"]
    await settle(db, NAME, [old])
    await db.command({"createIndexes": NAME, "indexes": [{**new.definition, "name": new.other_name}]})
    await settle(db, NAME, [new])
    assert [each["name"] for each in await existing(db)] == [new.other_name]


async def test_a_query_for_what_is_due_reads_those_that_have_a_moment(db: Database) -> None:
    only = index("at", partialFilterExpression={"at": A_MOMENT})
    await settle(db, NAME, [only])
    moments = [None, LIFE, LIFE + timedelta(days=1), "no moment"]
    await db.write({"insert": NAME, "documents": [{"_id": n, "at": at} for n, at in enumerate(moments)]})
    assert [row["_id"] for row in await db.find(NAME, due("at", LIFE))] == [1]
    assert await read_by(db, NAME, due("at", LIFE)) == {"at_1"}
    assert await read_by(db, NAME, {"at": {"$lte": LIFE}}) == set()


async def test_an_index_that_is_declared_no_more_goes_by_its_migration(services: Services) -> None:
    """A unique one that does not begin with the shard key would keep its collection off a cluster."""
    kept, former = stock.reservations, index("holder.type", "holder.id", unique=True)
    # Ended holds of other tests have one holder.
    await services.db.write({"delete": kept.name, "deletes": [{"q": {}, "limit": 0}]})
    await services.db.command({"createIndexes": kept.name, "indexes": [former.definition]})
    assert [await holds_by_holder(services.db) for _ in range(2)] == [1, 0]
    answer = await services.db.command({"listIndexes": kept.name, "cursor": {}})
    left = {each["name"] for each in answer["cursor"]["firstBatch"]}
    assert former.name not in left
    assert {each.name for each in kept.indexes} <= left
