"""Erasure by destroying a person's key, and rotation of the keys that wrap it (golden A10)."""

import dataclasses
import os
from contextlib import suppress
from datetime import timedelta

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from core import clock, ids
from core.audit import Act, record_apart
from core.context import Context, Services
from core.ledger import chain
from core.ports import KMS_PREFIX, Kms
from core.security import key_rotation
from core.security.crypto import Cipher, Keyring, Unreadable
from core.storage.mongo import Database
from jobs.audit.keys import renew_wraps
from providers.field_keys import FieldKeys
from stores import audit as store
from tests.audit.steps import on_record, opened, sensitive

SAID = {"reason": "She said so."}


def beside(services: Services, db: Database, crypto: Keyring, kms: Kms | None = None) -> Services:
    """Services of a deployment of its own, with its own keys."""
    extra = {**services.extra, Kms: kms or FieldKeys(crypto)}
    return dataclasses.replace(services, db=db, crypto=crypto, extra=extra)


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
    await store.subject_keys.destroy(services.db, person)
    [after] = await on_record(services, subject_id=person)
    assert after == before
    assert await opened(services, after, "sensitive_details") is None
    link = {"seq": 0, "previous_hash": chain.GENESIS_HASH}
    assert chain.entry_hash(store.hash_input(after, link).encode()) == head.current_hash
    assert chain.verify(after["chain_id"], [linked], store.HASHED, head=head) is None


async def test_nothing_is_encrypted_for_whom_was_erased(services: Services) -> None:
    person = ids.new_id("user")
    await store.subject_keys.destroy(services.db, person)
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
    elsewhere = beside(services, db, Keyring({"old": old}, index))
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
        later = beside(services, db, Keyring({"new": new}, index))
        assert await sensitive(later, entry) == SAID
    finally:
        await db.command({"dropDatabase": 1})


class OutsideKms:
    """A service outside, whose present key may change; former ones unwrap."""

    def __init__(self) -> None:
        self._ciphers = [Cipher("kms", AESGCM(os.urandom(32)))]

    def rotate(self) -> None:
        self._ciphers.insert(0, Cipher("kms", AESGCM(os.urandom(32))))

    def forget_former(self) -> None:
        del self._ciphers[1:]

    async def wrap(self, key: bytes, *, place: str) -> str:
        return self._ciphers[0].seal(key.hex(), place=place)

    async def unwrap(self, wrapped: str, *, place: str) -> bytes:
        for cipher in self._ciphers:
            with suppress(Unreadable):
                return bytes.fromhex(cipher.open(wrapped, place=place))
        raise Unreadable


async def test_wraps_are_renewed_every_90_days_and_entries_stay_byte_for_byte_the_same(
    services: Services,
) -> None:
    kms, index = OutsideKms(), os.urandom(32)
    db = Database(services.db.client, f"{services.db.name}_renewed")
    ring = Keyring({"old": os.urandom(32)}, index)
    elsewhere = beside(services, db, ring, kms)
    person, erased = ids.new_id("user"), ids.new_id("user")
    try:
        entry = await recorded_about(elsewhere, person)
        await recorded_about(elsewhere, erased)
        await store.subject_keys.destroy(elsewhere.db, erased)
        before = await store.subject_keys.store.by_id(db, person)
        assert before is not None
        assert str(before["key"]).startswith(KMS_PREFIX)
        # Rotation of the field keys has nothing to do with it.
        assert (await key_rotation.reencrypt(db, Keyring({"new": os.urandom(32)}, index))).unreadable == 0
        kms.rotate()
        for days, renewed in ((89, False), (2, True)):
            clock.shift(timedelta(days=days))
            await renew_wraps(elsewhere)
            after = await store.subject_keys.store.by_id(db, person)
            assert (after != before) is renewed
        assert after is not None
        assert after["wrapped_at"] == clock.now() or after["wrapped_at"] > before["wrapped_at"]
        gone = await store.subject_keys.store.by_id(db, erased)
        assert gone is not None
        assert gone["key"] is None
        assert await on_record(elsewhere, subject_id=person) == [entry]
        kms.forget_former()
        # A process that remembers nothing reads it by the renewed wrap.
        later = beside(services, db, Keyring({"new": os.urandom(32)}, index), kms)
        assert await sensitive(later, entry) == SAID
    finally:
        await db.command({"dropDatabase": 1})
