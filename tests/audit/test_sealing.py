"""Checkpoints: signed, consistent with the one before, copied and stamped; proofs from them."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from core import clock, jobs
from core.context import Services
from core.ledger import checkpoint, log, tiles
from core.ledger.checkpoint import Checkpoint
from jobs.audit import sealing as tasks
from ports.audit import LockedStorage
from resolvers.audit import copying, log_keys, proofs, sealing, sequencing
from stores import audit as store
from stores.audit import AuditEntryStatus
from tests.audit import logs


async def latest(services: Services, org_id: str) -> Checkpoint:
    row = await store.latest_checkpoint(services.db, org_id)
    assert row is not None
    return await sealing.verified(services, row)


async def test_entries_of_all_chains_are_sealed_in_one_log(services: Services) -> None:
    org_id, made = await logs.sealed_log(services)
    sealed = await latest(services, org_id)
    assert (sealed.origin, sealed.size) == (f"landfall/audit/{org_id}", 12)
    rows = await store.leaves_between(services.db, org_id, 0, 100)
    assert [row["index"] for row in rows] == list(range(12))
    assert log.verify(map(store.leaf_of, rows), 12, sealed.root)
    assert await logs.statuses(services, made) == {AuditEntryStatus.SEALED}
    assert len({row["chain_id"] for row in rows}) == 3


async def test_every_entry_has_a_proof_in_the_latest_checkpoint(services: Services) -> None:
    org_id, made = await logs.sealed_log(services)
    sealed = await latest(services, org_id)
    for each in made:
        proof = await proofs.inclusion(services.db, await logs.link_of(services, each))
        assert proof is not None
        path = [bytes.fromhex(node) for node in proof.path]
        assert checkpoint.includes(sealed, bytes.fromhex(proof.leaf), proof.leaf_index, path)
    [unsealed] = await logs.append(services, org_id, 1)
    assert await proofs.inclusion(services.db, await logs.link_of(services, unsealed)) is None


async def test_one_checkpoint_continues_another(services: Services) -> None:
    org_id, _ = await logs.sealed_log(services)
    rows = await store.checkpoints.find(services.db, {"org_id": org_id}, sort=[("size", 1)])
    old, new = [await sealing.verified(services, row) for row in rows]
    path = [bytes.fromhex(node) for node in await proofs.consistency(services.db, org_id, old.size, new.size)]
    assert path
    assert checkpoint.continues(new, old, path)
    with pytest.raises(ValueError, match="no such size"):
        await proofs.consistency(services.db, org_id, old.size, new.size + 1)


async def test_a_checkpoint_is_due_after_a_minute_or_with_a_thousand_entries(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    org_id = logs.new_org()
    await logs.append(services, org_id, 1)
    assert org_id in await sealing.due(services)
    await sealing.seal(services, org_id)
    await logs.append(services, org_id, 1)
    assert org_id not in await sealing.due(services)
    monkeypatch.setattr(sealing, "LARGEST", 1)
    assert org_id in await sealing.due(services)
    monkeypatch.undo()
    clock.shift(timedelta(seconds=61))
    assert org_id in await sealing.due(services)
    await tasks.seal_due(services)
    await jobs.run_due(services)
    assert (await latest(services, org_id)).size == 2


async def test_many_entries_are_sealed_by_checkpoints_of_so_many_each(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sealing, "LARGEST", 10)
    org_id = logs.new_org()
    await logs.append(services, org_id, 25)
    assert await sealing.seal(services, org_id) == 25
    rows = await store.checkpoints.find(services.db, {"org_id": org_id}, sort=[("size", 1)])
    assert [row["size"] for row in rows] == [10, 20, 25]


async def test_two_processes_that_seal_at_once_make_one_log(services: Services) -> None:
    org_id = logs.new_org()
    await logs.append(services, org_id, 30)
    await asyncio.gather(*(sealing.seal(services, org_id) for _ in range(4)))
    rows = await store.leaves_between(services.db, org_id, 0, 100)
    assert [row["seq"] for row in rows] == list(range(30))
    assert log.verify(map(store.leaf_of, rows), 30, (await latest(services, org_id)).root)


async def test_nothing_is_signed_on_top_of_a_log_that_was_changed(services: Services) -> None:
    org_id, _ = await logs.sealed_log(services)
    key = store.tile_key(org_id, tiles.TileId(0, 0))
    stored = await store.tiles.by_id(services.db, key)
    assert stored is not None
    changed = bytes([stored["hashes"][0] ^ 1]) + stored["hashes"][1:]
    await store.tiles.update_one(services.db, {"_id": key}, {"$set": {"hashes": changed}})
    await logs.append(services, org_id, 1)
    with pytest.raises(sealing.Forked):
        await sealing.seal(services, org_id)
    await store.tiles.update_one(services.db, {"_id": key}, {"$set": {"hashes": stored["hashes"]}})
    assert await sealing.seal(services, org_id) == 1


async def test_a_key_that_others_wrote_into_the_database_verifies_nothing(services: Services) -> None:
    org_id, _ = await logs.sealed_log(services)
    keys = await store.all_log_keys(services.db)
    [key, *_] = keys
    forged = {**key, "_id": "forged", "generation": 99}
    await services.db.write({"insert": store.log_keys.name, "documents": [forged]})
    try:
        assert len(await log_keys.verifiers(services, org_id)) == len(keys)
    finally:
        await store.log_keys.delete_one(services.db, {"_id": "forged"})


async def test_a_copy_of_each_checkpoint_is_locked_away(services: Services) -> None:
    org_id, _ = await logs.sealed_log(services)
    await jobs.run_due(services)
    row = await store.latest_checkpoint(services.db, org_id)
    assert row is not None
    assert row["copied_at"] is not None
    assert await copying.latest_copy(services, org_id) == (12, row["note"])
    assert await copying.latest_copy(services, org_id, [clock.now().date()]) == (12, row["note"])
    with pytest.raises(FileExistsError):
        await services.get(LockedStorage).objects.put_once(copying.copy_key(row), b"other", mime="text/plain")
    await store.checkpoints.update_one(
        services.db, {"_id": row["_id"], "org_id": org_id}, {"$set": {"copied_at": None, "note": "forged"}}
    )
    with pytest.raises(copying.CopyDiffers):
        await copying.copy_checkpoint(services, org_id, 12)
    fixed = {"$set": {"note": row["note"]}}
    await store.checkpoints.update_one(services.db, {"_id": row["_id"], "org_id": org_id}, fixed)
    await copying.copy_checkpoint(services, org_id, 12)


async def test_what_is_locked_on_disk_is_no_more_than_read(services: Services, tmp_path: Path) -> None:
    objects = services.get(LockedStorage).objects
    key = f"checkpoints/{logs.new_org()}/note.txt"
    await objects.put_once(key, b"first", mime="text/plain")
    with pytest.raises(FileExistsError):
        await objects.put_once(key, b"second", mime="text/plain")
    assert b"".join([piece async for piece in objects.read(key)]) == b"first"


async def test_sequencing_and_sealing_again_changes_nothing(services: Services) -> None:
    org_id, _ = await logs.sealed_log(services)
    assert await sequencing.sequence(services, [f"org:{org_id}:0"]) == 0
    assert await sealing.seal(services, org_id) == 0
