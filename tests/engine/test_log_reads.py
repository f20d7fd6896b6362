"""Cost of log reads: in proportion to what they return, for any number of scopes and entries."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from pymongo.monitoring import CommandFailedEvent, CommandListener, CommandStartedEvent, CommandSucceededEvent

from core.settings import Settings
from core.storage import mongo, store
from core.storage.mongo import Database
from core.sync import changes
from tests.explained import examined, profiled

ENTRIES = 100_000
SCOPES = 5_000
GROUPS = 500
PAGE = 101
BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)


class Reads(CommandListener):
    """The reads that are sent."""

    def __init__(self) -> None:
        self.commands: list[dict[str, Any]] = []

    def started(self, event: CommandStartedEvent) -> None:
        if event.command_name in ("find", "aggregate"):
            self.commands.append(dict(event.command))

    def succeeded(self, event: CommandSucceededEvent) -> None:
        pass

    def failed(self, event: CommandFailedEvent) -> None:
        pass


Log = tuple[Database, list[dict[str, Any]], Reads]


@pytest.fixture(scope="module")
async def log(settings: Settings) -> AsyncIterator[Log]:
    """100,000 entries, each for one of 5,000 readers, one of 500 groups and for who looks at it.

    Some were for another reader before.
    """
    dice, reads = Random(1), Reads()
    readers = [f"followers:{number:04d}" for number in range(SCOPES)]
    rows = [
        {
            "_id": f"post_{number:06d}",
            "type": "POST",
            "node": f"post_{number:06d}",
            "version": 1,
            "scopes": [dice.choice(readers), f"post:{number}", f"groups:{number % GROUPS:03d}"],
            "former_scopes": [dice.choice(readers)] if number % 10 == 0 else [],
            "at": BEGINNING + timedelta(milliseconds=dice.randrange(ENTRIES)),
            "revision": 1,
            "deleted": False,
            "created": False,
        }
        for number in range(ENTRIES)
    ]
    client = mongo.connect(settings.mongo_url, settings.mongo_driver, listeners=[reads])
    db = Database(client, "log_reads")
    await store.ensure_indexes(db)
    for start in range(0, ENTRIES, 10_000):
        await db.write({"insert": changes.log.name, "documents": rows[start : start + 10_000]})
    yield db, sorted(rows, key=lambda row: (row["at"], row["_id"])), reads
    await client.drop_database("log_reads")
    await mongo.close(client)


@pytest.mark.parametrize("count", [1, 10, 200, 1_000, 5_000])
async def test_a_page_examines_at_most_three_times_what_it_returns(
    log: Log, count: int, capsys: pytest.CaptureFixture[str]
) -> None:
    db, rows, reads = log
    scopes = {f"followers:{number:04d}" for number in range(count)}
    seen = [row for row in rows if scopes & {*row["scopes"], *row["former_scopes"]}]
    after, told = None, []
    for start in (0, PAGE, 2 * PAGE):
        reads.commands.clear()
        async with profiled(db, changes.log.name) as cost:
            page = await changes.since(db, sorted(scopes), after=after, limit=PAGE)
        assert [entry["_id"] for entry in page] == [row["_id"] for row in seen[start : start + PAGE]]
        told.append((len(page), cost.commands, cost.documents))
        assert cost.documents <= 3 * len(page)
        # A scan of each scope must be begun, if only to find nothing.
        assert cost.keys <= 3 * len(page) + 5 * count
        if count <= 200:
            [command] = [each for each in reads.commands if each.get("find") != "system.profile"]
            explained = await examined(db, command)
            assert (explained.documents, explained.scans) == (cost.documents, 0)
        after = changes.place(page[-1]) if page else after
    with capsys.disabled():
        print(f"\n{count} scopes (returned, commands, documents examined): {told}")


@pytest.mark.parametrize("count", [200, 5_000])
async def test_a_sweep_examines_at_most_three_times_what_it_returns(log: Log, count: int) -> None:
    db, rows, _ = log
    scopes = {f"followers:{number:04d}" for number in range(count)}
    floor = rows[-2_000]["at"]
    wanted = [row for row in rows if row["at"] >= floor and scopes & {*row["scopes"], *row["former_scopes"]}]
    async with profiled(db, changes.log.name) as cost:
        found = await changes.since(db, sorted(scopes), floor=floor, limit=1_000)
    assert [entry["_id"] for entry in found] == [row["_id"] for row in wanted[:1_000]]
    assert cost.documents <= 3 * len(found)


async def test_what_several_scopes_lead_to_is_read_once(log: Log) -> None:
    """5,000 scopes, two of which nine in ten entries have: they were read up to six times."""
    db, rows, _ = log
    followed = [f"followers:{number:04d}" for number in range(SCOPES - GROUPS)]
    scopes = sorted([*followed, *(f"groups:{number:03d}" for number in range(GROUPS))])
    after, told = None, []
    for start in (0, PAGE, 2 * PAGE):
        async with profiled(db, changes.log.name) as cost:
            page = await changes.since(db, scopes, after=after, limit=PAGE, former_scopes=False)
        assert [entry["_id"] for entry in page] == [row["_id"] for row in rows[start : start + PAGE]]
        assert [entry["scopes"] for entry in page] == [row["scopes"] for row in rows[start : start + PAGE]]
        assert cost.documents <= 3 * len(page)
        assert cost.keys <= 6 * len(page) + 5 * len(scopes)
        after = changes.place(page[-1])
        told.append((len(page), cost.commands, cost.documents, cost.keys))


@pytest.mark.parametrize("others", [0, 1_000])
async def test_a_first_sync_passes_over_a_long_archive_without_reading_it(log: Log, others: int) -> None:
    """Archived entries of a long list come before those that are still sent."""
    db, _, _ = log
    archive, at = f"archive:{others}", BEGINNING - timedelta(days=30)
    fields = {
        "type": "MESSAGE",
        "version": 1,
        "former_scopes": [],
        "revision": 1,
        "deleted": False,
        "created": True,
    }
    made = [
        {"_id": id, "node": id, "scopes": [archive], "at": at + timedelta(seconds=number), **fields}
        for number in range(5_000)
        for id in [f"message_{others:04d}_{number:04d}"]
    ]
    await db.write({"insert": changes.log.name, "documents": made})
    await changes.archive(db, [each["_id"] for each in made[:4_900]])
    scopes = [archive, *(f"nobody:{number:04d}" for number in range(others))]
    async with profiled(db, changes.log.name) as cost:
        page = await changes.since(db, scopes, limit=PAGE, former_scopes=False, archived=False)
    assert [entry["_id"] for entry in page] == [each["_id"] for each in made[4_900:]]
    assert cost.documents <= 3 * len(page)
    # Whoever has synchronised before is told of changes to those as well.
    assert [each["_id"] for each in await changes.since(db, scopes, limit=PAGE)] == [
        each["_id"] for each in made[:PAGE]
    ]


@pytest.mark.parametrize("meanwhile", ["written again", "expired"])
async def test_an_entry_that_moves_while_it_is_read_is_not_lost(
    log: Log, monkeypatch: pytest.MonkeyPatch, meanwhile: str
) -> None:
    """Of many scopes places are read first, then entries: one of them changes between the two."""
    db, _, _ = log
    scopes = [f"{meanwhile}:{number:04d}" for number in range(300)]
    ids = [f"{meanwhile}_{number}" for number in range(3)]
    fields = {
        "type": "POST",
        "version": 1,
        "former_scopes": [],
        "revision": 1,
        "deleted": False,
        "created": True,
    }
    at = BEGINNING - timedelta(days=9)
    made = [
        {"_id": id, "node": id, "scopes": scopes[place::250], "at": at + timedelta(seconds=place), **fields}
        for place, id in enumerate(ids)
    ]
    await db.write({"insert": changes.log.name, "documents": made})
    named = changes.named

    async def after_that(db: Database, wanted: Any) -> Any:
        if meanwhile == "written again":
            [log] = changes.appending([changes.Change(ids[0], "POST", ids[0], 2, (scopes[0],))])
            await db.write(log)
        else:
            await db.write({"delete": changes.log.name, "deletes": [{"q": {"_id": ids[0]}, "limit": 1}]})
        return await named(db, wanted)

    with monkeypatch.context() as patched:
        patched.setattr(changes, "named", after_that)
        page = await changes.since(db, scopes, limit=2)
    rest = await changes.since(db, scopes, after=changes.place(page[-1]), limit=10)
    found = [entry["_id"] for entry in (*page, *rest)]
    # In its old place and its new one, or in none.
    assert found == ([*ids, ids[0]] if meanwhile == "written again" else ids[1:])


async def test_entries_of_one_moment_are_paged_without_reading_them_again(log: Log) -> None:
    """A transaction that writes much gives all of it one moment."""
    db, _, reads = log
    at = BEGINNING - timedelta(days=1)
    ids = [f"comment_{number:04d}" for number in range(1_000)]
    fields = {
        "type": "COMMENT",
        "version": 1,
        "former_scopes": [],
        "revision": 1,
        "deleted": False,
        "created": True,
    }
    made = [{"_id": id, "node": id, "scopes": ["bulk"], "at": at, **fields} for id in ids]
    await db.write({"insert": changes.log.name, "documents": made})
    after, found = None, []
    while page := await changes.since(db, ["bulk"], after=after, limit=PAGE):
        found += [entry["_id"] for entry in page]
        after = changes.place(page[-1])
        cost = await examined(db, reads.commands[-1])
        assert cost.documents <= 3 * len(page)
        assert cost.keys <= 3 * len(page)
    assert found == ids


async def test_an_entry_of_several_groups_is_given_once_and_in_its_place(log: Log) -> None:
    db, _, _ = log
    everybody = [f"group:{number:04d}" for number in range(600)]
    at = BEGINNING - timedelta(days=2)
    fields = {"type": "POST", "version": 1, "revision": 1, "deleted": False, "created": True}
    made = [
        {
            "_id": f"shared_{number:03d}",
            "node": f"shared_{number:03d}",
            "scopes": everybody[number::100],
            "former_scopes": everybody[number + 1 :: 100],
            "at": at + timedelta(milliseconds=number // 3),
            **fields,
        }
        for number in range(50)
    ]
    await db.write({"insert": changes.log.name, "documents": made})
    for size in (1, 7, 50, 60):
        after, found = None, []
        while page := await changes.since(db, everybody, after=after, limit=size):
            found += [entry["_id"] for entry in page]
            after = changes.place(page[-1])
        assert found == [row["_id"] for row in made]
