"""A unit's late writes and its log: one round trip, all or nothing; an error names its write."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

import pytest
from pymongo.errors import DuplicateKeyError, OperationFailure

from core import ids
from core.context import Services
from core.errors import UserError
from core.storage import mongo, transactions
from core.storage.mongo import Database
from core.storage.unit import Unit
from core.storage.wire import Transaction
from core.sync.changes import log
from stores.auth import auth_keys
from stores.feed import posts
from tests.conftest import NewPhone

JOBS = "late_writes_of_a_test"


@asynccontextmanager
async def given_up(services: Services) -> AsyncIterator[Database]:
    """A transaction that is aborted at its end."""

    class GivenUp(Exception):
        pass

    with suppress(GivenUp):
        async with mongo.transaction(services.db) as handle:
            yield handle
            raise GivenUp


def _insert(*rows: str) -> dict[str, Any]:
    return {"insert": JOBS, "documents": [{"_id": each} for each in rows]}


def _refused(id: str, error: Exception) -> UserError:
    return UserError("ID_TAKEN", id)


async def _stored(services: Services) -> set[str]:
    return {row["_id"] for row in await services.db.find(JOBS, {})}


async def test_the_first_that_fails_is_told_and_nothing_stays(services: Services) -> None:
    await services.db.write(_insert(taken := ids.new_id("job")))
    first, last = ids.new_id("job"), ids.new_id("job")
    async with given_up(services) as handle:
        await handle.by_ids(JOBS, [taken])
        with pytest.raises(DuplicateKeyError) as told:
            await handle.write_together([_insert(first), _insert(taken), _insert(last)])
        assert not mongo.transient(told.value)
        with pytest.raises(OperationFailure, match="aborted"):
            await handle.by_ids(JOBS, [taken])
    assert handle.last_write == _insert(taken)
    assert not {first, last} & await _stored(services)


async def test_a_conflict_names_the_document_in_the_way(services: Services) -> None:
    """Those that come after wait for that one alone, not for all that was sent with it."""
    await services.db.write(_insert(hot := ids.new_id("job"), calm := ids.new_id("job")))

    def change(id: str) -> dict[str, Any]:
        return {"update": JOBS, "updates": [{"q": {"_id": id}, "u": {"$inc": {"n": 1}}}]}

    async with given_up(services) as handle:
        await handle.by_ids(JOBS, [hot])
        await services.db.write(change(hot))
        with pytest.raises(OperationFailure) as told:
            await handle.write_together([change(calm), change(hot), _insert(ids.new_id("job"))])
        assert mongo.transient(told.value)
    assert handle.last_written == [f"{JOBS}|{hot}"]


async def test_an_id_that_the_log_knows_is_taken_and_one_of_a_late_write_a_bug(services: Services) -> None:
    known = ids.new_id("comment")
    entry = {"_id": known, "type": "COMMENT", "node": known, "scopes": [], "deleted": False}
    await services.db.write({"insert": log.name, "documents": [entry]})

    async def taken(tx: Unit) -> None:
        tx._new.add(known)
        tx.changed({"_id": known}, scopes=["user:nobody"])

    with pytest.raises(UserError, match="in use"):
        await transactions.run(services.db, taken)

    async def bug(tx: Unit) -> None:
        for _ in range(2):
            tx.late.insert(posts, {"_id": known})  # type: ignore[type-var]

    with pytest.raises(DuplicateKeyError):
        await transactions.run(services.db, bug)


async def test_a_mutation_sends_its_last_writes_together(
    services: Services, new_phone: NewPhone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Receipt, jobs, acts on record and log wait for one answer of the network."""
    ada = await new_phone("Ada")
    trips: list[list[str]] = []
    plain = Transaction.commands

    async def counted(self: Transaction, database: str, commands: Any) -> Any:
        trips.append([f"{next(iter(each))} {next(iter(each.values()))}" for each in commands])
        return await plain(self, database, commands)

    monkeypatch.setattr(Transaction, "commands", counted)
    made = await ada.do("createPost", "post { id }", text="Hello")
    assert made["errors"] == []
    [together] = [trip for trip in trips if "update changes" in trip]
    assert {"insert posts", "update receipts", "update changes"} <= set(together)
    assert len(trips) == 3
    assert trips[-1] == together


@pytest.mark.parametrize("turns", [1, 2, 3])
async def test_one_that_is_given_up_leaves_no_connection_with_answers_on_the_way(
    turns: int, services: Services, new_phone: NewPhone
) -> None:
    async def cut_off(begun: asyncio.Event) -> None:
        async with mongo.transaction(services.db) as handle:
            await handle.by_ids(JOBS, ["job_of_nobody"])
            begun.set()
            await handle.write_together([_insert(ids.new_id("job")) for _ in range(5)])

    for _ in range(10):
        running = asyncio.create_task(cut_off(begun := asyncio.Event()))
        await begun.wait()
        for _ in range(turns):
            await asyncio.sleep(0)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    ada = await new_phone("Ada")
    assert (await ada.do("createPost", "post { id }", text="Hello"))["errors"] == []


async def test_an_insert_that_is_refused_is_told_by_the_command_it_went_with(
    services: Services, new_phone: NewPhone
) -> None:
    """Its id is in use: told by what reads next, by the end of the unit, and by nothing that was not sent."""
    ada = await new_phone("Ada")
    made = await ada.do("createPost", "post { id }", text="Hello")
    [taken] = await services.db.find("posts", {"_id": made["post"]["id"]})

    async def read_next(tx: Unit) -> None:
        await tx.insert(posts, taken)
        tx.skip_log(taken)
        await posts.by_id(tx.db, "post_of_nobody")
        raise AssertionError("the read went through")

    async def end(tx: Unit) -> None:
        await tx.insert(posts, taken)
        tx.skip_log(taken)

    for work in (read_next, end):
        with pytest.raises(UserError, match="in use") as told:
            await transactions.run(services.db, work)
        assert told.value.code == "ID_TAKEN"


async def test_new_documents_travel_together_and_each_is_refused_in_its_own_name(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of one collection that come one after the other are one command, also where another follows."""
    await services.db.write(_insert(taken := ids.new_id("job")))
    sent: list[list[Any]] = []
    plain = Transaction.commands

    async def noted(self: Transaction, database: str, commands: Any) -> Any:
        sent.append([(each.get("insert"), len(each.get("documents", ()))) for each in commands])
        return await plain(self, database, commands)

    monkeypatch.setattr(Transaction, "commands", noted)
    other = "others_of_a_test"
    await services.db.write({"insert": other, "documents": [{"_id": ids.new_id("job")}]})
    rows = [(JOBS, ids.new_id("job")), (JOBS, taken), (JOBS, ids.new_id("job")), (other, ids.new_id("job"))]
    async with given_up(services) as handle:
        for name, id in rows:
            refused = partial(_refused, id)
            await handle.write_ahead({"insert": name, "documents": [{"_id": id}]}, refused)
        with pytest.raises(UserError, match=taken):
            await handle.by_ids(JOBS, [taken])
    assert sent == [[(JOBS, 3), (other, 1), (None, 0)]]


async def test_a_unique_value_that_is_taken_is_what_its_system_makes_of_it(services: Services) -> None:
    user_id = ids.new_id("user")
    row = {"user_id": user_id, "kind": "PASSKEY", "credential_id": "the same", "name": "Phone"}

    async def enroll(tx: Unit) -> None:
        refused = UserError("ALREADY_DONE", "Enrolled.")
        key = {"_id": ids.new_id("auth_key"), **row}
        await tx.insert(auth_keys, key, taken=lambda _: refused)
        tx.skip_log(key)

    await transactions.run(services.db, enroll)
    with pytest.raises(UserError, match="Enrolled"):
        await transactions.run(services.db, enroll)
    await services.db.write({"delete": auth_keys.name, "deletes": [{"q": {"user_id": user_id}, "limit": 0}]})
