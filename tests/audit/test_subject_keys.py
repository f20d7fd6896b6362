"""Erasure by destroying a person's key, and rotation of the keys that wrap it (golden A10)."""

import dataclasses
import os

from core import ids
from core.audit import Act, record_apart
from core.context import Context, Services
from core.ledger import chain
from core.security import key_rotation
from core.security.crypto import Keyring
from core.storage.mongo import Database
from stores import audit as store
from tests.audit.steps import on_record, opened, sensitive

SAID = {"reason": "She said so."}


async def recorded_about(services: Services, person: str) -> store.AuditEntry:
    act = Act("tested.judged", resource_type="ACCOUNT", subject_id=person, sensitive=SAID)
    await record_apart(Context(services), act)
    [entry] = await on_record(services, subject_id=person)
    return entry


async def test_a10_erasure_values_null_hash_input_unchanged_chain_verifies(services: Services) -> None:
    person = ids.new_id("user")
    before = await recorded_about(services, person)
    assert await sensitive(services, before) == SAID
    linked, head = chain.append(chain.EMPTY, before["chain_id"], store.hashed_content(before), store.HASHED)
    await store.subject_keys.destroy(services, person)
    [after] = await on_record(services, subject_id=person)
    assert after == before
    assert await opened(services, after, "sensitive_details") is None
    link = {"seq": 0, "previous_hash": chain.GENESIS_HASH}
    assert chain.entry_hash(store.hash_input(after, link).encode()) == head.current_hash
    assert chain.verify(after["chain_id"], [linked], store.HASHED, head=head) is None


async def test_nothing_is_encrypted_for_whom_was_erased(services: Services) -> None:
    person = ids.new_id("user")
    await store.subject_keys.destroy(services, person)
    entry = await recorded_about(services, person)
    assert entry["sensitive_details"] is None
    row = await store.subject_keys.store.by_id(services.db, person)
    assert row is not None
    assert row["key"] is None


async def test_master_key_rotated_ciphertext_and_hashes_of_entries_byte_for_byte_the_same(
    services: Services,
) -> None:
    """Row: Master key rotated (golden A10): only the wraps of the subject keys change."""
    old, new, index = os.urandom(32), os.urandom(32), os.urandom(32)
    db = Database(services.db.client, f"{services.db.name}_rotated")
    elsewhere = dataclasses.replace(services, db=db, crypto=Keyring({"old": old}, index))
    person = ids.new_id("user")
    try:
        entry = await recorded_about(elsewhere, person)
        wrapped = await store.subject_keys.store.by_id(db, person)
        rotated = Keyring({"new": new, "old": old}, index)
        run = await key_rotation.reencrypt(db, rotated)
        assert run.anew == 1
        again = await store.subject_keys.store.by_id(db, person)
        assert wrapped is not None
        assert again is not None
        assert {name for name in again if again[name] != wrapped[name]} == {"key"}  # type: ignore[literal-required]
        assert str(again["key"]).startswith("new.")
        assert await on_record(elsewhere, subject_id=person) == [entry]
        # Without the old key it opens still.
        later = dataclasses.replace(elsewhere, crypto=Keyring({"new": new}, index))
        assert await sensitive(later, entry) == SAID
    finally:
        await db.command({"dropDatabase": 1})
