"""Read batcher: reads of one turn of the event loop are one command, and each gets its own answer."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pymongo.errors import OperationFailure

from core import ids
from core.context import Services
from core.settings import Settings
from core.storage import mongo, reads
from core.storage.mongo import Database
from core.storage.store import Collection
from tests.conftest import BACKGROUND, Commands

ROWS = 5
SEEN: Collection[Any] = Collection("reads_seen", dict)
OTHERS: Collection[Any] = Collection("reads_others", dict)


@pytest.fixture
async def db(settings: Settings, counted: Commands) -> AsyncIterator[Database]:
    """A client of its own: nothing in the background sends commands with it."""
    client = mongo.connect(settings.mongo_url, settings.mongo_driver, listeners=[counted])
    found = Database(client, settings.mongo_database)
    await found.command({"ping": 1})
    counted.reset()
    yield found
    await mongo.close(client)


@pytest.fixture
def counted() -> Commands:
    return Commands()


@pytest.fixture(scope="module", autouse=True)
async def rows(services: Services) -> AsyncIterator[None]:
    for store in (SEEN, OTHERS):
        made = [{"_id": f"{store.name}-{n}", "n": n, "of": n % 2, "tags": []} for n in range(ROWS)]
        await services.db.write({"insert": store.name, "documents": made})
    yield
    for store in (SEEN, OTHERS):
        await services.db.command({"drop": store.name})


def seen(*numbers: int) -> list[str]:
    return [f"{SEEN.name}-{number}" for number in numbers]


def numbers(found: list[Any]) -> list[int]:
    return sorted(row["n"] for row in found)


async def test_reads_of_one_turn_are_one_command(db: Database, counted: Commands) -> None:
    by_id, others, newest, lookup = await asyncio.gather(
        SEEN.by_ids(db, seen(1, 2)),
        OTHERS.by_ids(db, [f"{OTHERS.name}-4"], fields=("n",)),
        OTHERS.find(db, {"of": 0}, sort=[("n", -1)], limit=2, fields=("n",), batch=True),
        SEEN.per_parent(db, "of", [1], sort=[("n", 1)], limit=1),  # type: ignore[list-item]
    )
    assert counted.sent == 1
    assert numbers(by_id) == [1, 2]
    assert others == [{"_id": f"{OTHERS.name}-4", "n": 4}]
    assert [row["n"] for row in newest] == [4, 2]
    assert numbers(lookup[1]) == [1]  # type: ignore[index]
    assert all(reads.TAG not in row for row in [*by_id, *others, *newest])


async def test_a_read_alone_is_a_plain_find(db: Database, counted: Commands) -> None:
    assert numbers(await SEEN.by_ids(db, seen(0, 3))) == [0, 3]
    assert counted.names == ["find"]


@pytest.mark.parametrize("sweep_first", [True, False])
async def test_what_a_request_reads_is_counted_whatever_a_sweep_reads_beside_it(
    db: Database, counted: Commands, sweep_first: bool
) -> None:
    async def sweep() -> None:
        BACKGROUND.set(True)
        await db.find("here", {"n": 1}, limit=1, batch=True)

    works = [sweep(), db.find("here", {"n": 2}, limit=1, batch=True)]
    await asyncio.gather(*(works if sweep_first else works[::-1]))
    assert counted.counts == {"find": 1}


async def test_nothing_is_sent_for_no_ids(db: Database, counted: Commands) -> None:
    assert await SEEN.by_ids(db, []) == []
    assert counted.names == []


async def test_requests_that_want_the_same_documents_share_a_read_but_no_document(
    db: Database, counted: Commands
) -> None:
    first, second, third = await asyncio.gather(
        SEEN.by_ids(db, seen(1, 2)),
        SEEN.by_ids(db, seen(2, 3)),
        SEEN.by_ids(db, seen(2), fields=("n",)),
    )
    assert counted.sent == 1
    assert (numbers(first), numbers(second)) == ([1, 2], [2, 3])
    assert third == [{"_id": seen(2)[0], "n": 2}]
    [mine] = [row for row in first if row["n"] == 2]
    [theirs] = [row for row in second if row["n"] == 2]
    mine["n"] = 99
    assert theirs["n"] == 2


async def test_fields_may_be_a_list(db: Database, counted: Commands) -> None:
    found = await asyncio.gather(
        SEEN.by_ids(db, seen(1), fields=["n"]),
        SEEN.by_ids(db, seen(2), fields=("n",)),
        SEEN.by_ids(db, seen(3), fields=["n", "of"]),
    )
    assert counted.sent == 1
    assert found == [
        [{"_id": seen(1)[0], "n": 1}],
        [{"_id": seen(2)[0], "n": 2}],
        [{"_id": seen(3)[0], "n": 3, "of": 1}],
    ]


async def test_a_failing_read_fails_alone(db: Database) -> None:
    good, bad = await asyncio.gather(
        SEEN.by_ids(db, seen(1)),
        OTHERS.find(db, {"$nonsense": 1}, batch=True),
        return_exceptions=True,
    )
    assert numbers(good) == [1]  # type: ignore[arg-type]
    assert isinstance(bad, OperationFailure)


async def test_a_cancelled_reader_takes_nobody_along(db: Database) -> None:
    gone = asyncio.ensure_future(SEEN.by_ids(db, seen(1)))
    stays = asyncio.ensure_future(SEEN.by_ids(db, seen(1, 2)))
    await asyncio.sleep(0)
    gone.cancel()
    assert numbers(await stays) == [1, 2]
    assert gone.cancelled()


async def test_many_reads_are_several_commands(
    db: Database, counted: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reads, "MOST_BRANCHES", 2)
    monkeypatch.setattr(reads, "MOST_IDS", 3)
    found = await asyncio.gather(
        SEEN.by_ids(db, seen(0, 1)),
        SEEN.by_ids(db, seen(2, 3)),
        *(OTHERS.find(db, {"n": n}, batch=True) for n in range(3)),
    )
    assert counted.sent == 3
    assert [numbers(rows) for rows in found] == [[0, 1], [2, 3], [0], [1], [2]]


@pytest.mark.parametrize("answered", [True, False], ids=["until the next answer", "a moment at most"])
async def test_while_many_are_under_way_reads_wait_for_company(
    monkeypatch: pytest.MonkeyPatch, answered: bool
) -> None:
    """A busy process asks for more with each command; one that is not never waits."""
    monkeypatch.setattr(reads, "HELD_SECONDS", 60.0 if answered else 0.1)
    gate, third = asyncio.Event(), asyncio.Event()
    sent: list[dict[str, Any]] = []

    async def send(command: dict[str, Any]) -> list[dict[str, Any]]:
        sent.append(command)
        if len(sent) == 3:
            third.set()
        await gate.wait()
        return []

    turn = reads.ReadBatcher(send, {})
    waiting = []
    for number in range(6):
        waiting.append(turn.rows(f"of_{number}", {"find": f"of_{number}"}, []))
        for _ in range(5):
            await asyncio.sleep(0)
    assert [command.get("find") for command in sent] == ["of_0", "of_1"]
    if answered:
        gate.set()
    await asyncio.wait_for(third.wait(), 2)
    gate.set()
    await asyncio.gather(*waiting)
    unions = [stage["$unionWith"]["coll"] for stage in sent[2]["pipeline"] if "$unionWith" in stage]
    assert ([sent[2]["aggregate"], *unions], len(sent)) == (["of_2", "of_3", "of_4", "of_5"], 3)


async def test_a_transaction_reads_for_itself(db: Database, counted: Commands) -> None:
    async with mongo.transaction(db) as handle:
        await handle.write({"insert": SEEN.name, "documents": [{"_id": ids.new_id("post"), "n": 7}]})
        counted.reset()
        mine, theirs = await asyncio.gather(
            SEEN.find(handle, {"n": 7}, batch=True), SEEN.find(db, {"n": 7}, batch=True)
        )
        assert counted.names == ["find", "find"]
        assert (numbers(mine), theirs) == ([7], [])
        await handle.write({"delete": SEEN.name, "deletes": [{"q": {"n": 7}, "limit": 1}]})


async def test_an_outage_reaches_every_reader(settings: Any) -> None:
    client = mongo.connect(
        "mongodb://127.0.0.1:1/?directConnection=true", settings.mongo_driver, timeout=0.05
    )
    db = Database(client, "nowhere")
    found = await asyncio.gather(SEEN.by_ids(db, seen(1)), OTHERS.by_ids(db, ["x"]), return_exceptions=True)
    assert [isinstance(error, mongo.DOWN) for error in found] == [True, True]
    await mongo.close(client)
