"""Entries that come late: batches, and the spool that holds them while the database is away."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pymongo.errors import AutoReconnect

from core import ids
from core.audit import Act, Mode, record
from core.context import Context, Services
from core.sync.log_offset import Signer
from resolvers.audit import batching
from resolvers.audit.batching import EntryBatches
from resolvers.audit.spooling import REJECTED, WHOLE, Spool
from tests.audit.steps import on_record
from tests.conftest import NewPhone
from tests.phone import key

RECORDS = [{"key": f"tested:{each}", "entry": {"n": each}} for each in range(3)]


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path, Signer("a secret of the spool"))


def files(folder: Path, suffix: str) -> list[Path]:
    return [*folder.glob(f"*{suffix}")]


async def spooled(spool: Spool) -> list[dict[str, Any]]:
    return [each async for batch in spool.batches() for each in batch]


async def test_what_was_spooled_comes_back_once_in_its_order(spool: Spool, tmp_path: Path) -> None:
    await spool.append(RECORDS[:2])
    await spool.append(RECORDS[2:])
    assert len(files(tmp_path, WHOLE)) == 2
    assert await spooled(spool) == RECORDS
    assert await spooled(spool) == []


@pytest.mark.parametrize("how", ["changed", "left out", "swapped", "of another secret"])
async def test_a_spool_that_was_changed_is_put_aside(spool: Spool, tmp_path: Path, how: str) -> None:
    writer = Spool(tmp_path, Signer("another")) if how == "of another secret" else spool
    await writer.append(RECORDS)
    [file] = files(tmp_path, WHOLE)
    lines = file.read_bytes().split(b"\n")
    if how == "changed":
        lines[1] = lines[1].replace(b'"n":1', b'"n":7')
    elif how == "left out":
        del lines[1]
    elif how == "swapped":
        lines[0], lines[1] = lines[1], lines[0]
    file.write_bytes(b"\n".join(lines))
    assert await spooled(spool) == []
    assert len(files(tmp_path, REJECTED)) == 1


@pytest.fixture
def away(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """The database is away for batches, until this is undone."""

    async def lost(*given: Any) -> None:
        raise AutoReconnect("planted")

    with monkeypatch.context() as patch:
        patch.setattr(batching, "append_all", lost)
        yield patch


async def test_database_down_spooled(services: Services, away: pytest.MonkeyPatch) -> None:
    """Row: Database down: spooled (and drained when it is back, once)."""
    thing, batches = ids.new_id("thing"), services.get(EntryBatches)
    act = Act("tested.denied", "ACCESS_DENIED", resource_id=thing, entry_key=key())
    await record(Context(services), act, Mode.ASYNC)
    await batches.write()
    assert await on_record(services, resource_id=thing) == []
    away.undo()
    await record(Context(services), act, Mode.ASYNC)
    await batches.write()
    await batches.drain()
    [entry] = await on_record(services, resource_id=thing)
    assert (entry["action"], entry["outcome"]) == ("tested.denied", "OK")


async def test_a_denial_while_the_database_is_away_is_spooled(
    new_phone: NewPhone, services: Services, away: pytest.MonkeyPatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada, bob = await new_phone("Ada"), await new_phone("Bob")

    async def lost(*given: Any) -> None:
        raise AutoReconnect("planted")

    monkeypatch.setattr("core.mutations.auditing.record_apart", lost)
    refused = await ada.do("suspendUser", "account { id }", userId=bob.user_id, reason="Because.")
    assert [each["code"] for each in refused["errors"]] == ["FORBIDDEN"]
    await services.get(EntryBatches).write()
    assert await on_record(services, actor_id=ada.user_id, action="auth.user_suspended") == []
    away.undo()
    await services.get(EntryBatches).drain()
    [entry] = await on_record(services, actor_id=ada.user_id, action="auth.user_suspended")
    assert (entry["outcome"], entry["resource_id"]) == ("DENIED", bob.user_id)


async def test_many_are_one_transaction(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    thing, batches, sizes = ids.new_id("thing"), services.get(EntryBatches), []
    append_all = batching.append_all

    async def counted(services: Services, batch: Any) -> None:
        sizes.append(len(batch))
        await append_all(services, batch)

    await batches.write()
    monkeypatch.setattr(batching, "append_all", counted)
    for _ in range(501):
        await record(Context(services), Act("tested.seen", resource_id=thing), Mode.ASYNC)
    await batches.write()
    assert sum(sizes) == 501
    assert max(sizes) == 500
    assert len(await on_record(services, resource_id=thing)) == 501
