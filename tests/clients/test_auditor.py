"""The auditor's program, run by Node.js against this Landfall: it believes nothing that it is told."""

import asyncio
import json
import os
import shutil
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from core import ids
from core.context import Context, Services
from core.ledger import checkpoint, signed_note
from core.ledger.signed_note import Signer, encode_base64
from resolvers.audit import key_rotation, log_keys, sealing
from resolvers.auth.passwords import hash_password
from stores import audit as store
from stores import auth as accounts
from stores.audit import AuditEntryStatus
from stores.auth import Role
from tests.audit import logs
from tests.audit.tampering import (
    Log,
    dropped,
    flipped,
    middle_deleted,
    moved,
    newest_deleted,
    newest_deleted_with_its_head,
    rewritten,
    swapped,
)
from tests.clients.test_clients import CLIENTS, run_program
from tests.phone import make_user

PASSWORD = "a password to type"


class Auditor:
    """The program, of one auditor with one file of what was seen."""

    def __init__(self, address: str, email: str, file: Path) -> None:
        self.environment = {
            "LANDFALL_URL": f"{address}/graphql",
            "LANDFALL_PEOPLE": json.dumps([{"email": email, "password": PASSWORD}]),
        }
        self.file = file

    async def run(self, *told: str) -> tuple[int | None, list[str]]:
        """Exit code, and the lines that it said; `told` are verifier keys that the auditor was told."""
        program = [node(), str(CLIENTS / "auditor" / "main.js"), str(self.file), *told]
        code, said = await run_program(program, seconds=60, **self.environment)
        lines = [
            line for line in said.splitlines() if "Warning" not in line and "--trace-warnings" not in line
        ]
        return code, lines


def node() -> str:
    """Path of Node.js; the test is skipped where it is not installed, unless the run demands it."""
    found = shutil.which("node")
    if found is None:
        if os.environ.get("CI_NODE") == "required":
            pytest.fail("Node.js is not installed")
        pytest.skip("Node.js is not installed")
    return found


@pytest.fixture
async def log(services: Services) -> Log:
    return Log(services, *await logs.sealed_log(services))


@pytest.fixture
async def auditor(services: Services, address: str, log: Log, tmp_path: Path) -> Auditor:
    # A program signs in each time it runs: those of other tests came from the same network, within a minute.
    if counted := await services.redis.keys("rate:*"):
        await services.redis.delete(*counted)
    return Auditor(address, await make_auditor(services, log.org_id), tmp_path / "seen.json")


async def make_auditor(services: Services, org_id: str) -> str:
    """Email address of a new auditor of an organization, who signs in by PASSWORD."""
    email, hashed = f"{ids.new_id('auditor')}@example.com", await hash_password(PASSWORD)
    roles = [Role.MEMBER, Role.AUDITOR]
    user_id = await make_user(services, "Ada", email=email, password_hash=hashed, org=org_id, roles=roles)
    key = {"_id": accounts.email_key(email), "user_id": user_id}
    await services.db.write({"insert": accounts.user_keys.name, "documents": [key]})
    return email


async def test_a_sound_log_is_sound_each_time(log: Log, auditor: Auditor) -> None:
    # Signing in is on record too.
    assert await auditor.run() == (0, ["15 entries and 2 checkpoints: sound"])
    await logs.append(log.services, log.org_id, 1, event_type="DECISION_MADE")
    await sealing.seal(log.services, log.org_id)
    code, [said] = await auditor.run()
    assert (code, said.partition(" and ")[2]) == (0, "3 checkpoints: sound")


FOUND = {
    flipped: "{1} does not have its hash",
    swapped: "{1} does not have its hash",
    newest_deleted: "1 of the 12 entries of the log are gone",
    middle_deleted: "{chain} lacks seq 1",
    moved: "{chain} lacks seq 1",
    dropped: "4 of the 12 entries of the log are gone",
    rewritten: "4 of the 12 entries of the log are gone",
}


@pytest.mark.parametrize(("tamper", "found"), FOUND.items(), ids=[each.__name__ for each in FOUND])
async def test_tampering_is_found_without_believing_the_server(
    log: Log, auditor: Auditor, tamper: Callable[[Log], Awaitable[None]], found: str
) -> None:
    named = {str(link["seq"]): link["entry_id"] for link in await log.links()}
    await tamper(log)
    code, said = await auditor.run()
    wanted = found.format(None, named["1"], chain=log.chain_id)
    assert code == 1
    assert f"damaged: {wanted}" in said
    assert said[-1].endswith("NOT SOUND")
    assert not auditor.file.exists()


async def sealed_anew(log: Log) -> None:
    """The whole log made anew with what is stored, checkpoints included, by somebody who has its keys."""
    await log.delete(store.checkpoints.name, org_id=log.org_id)
    await log.delete(store.leaves.name, org_id=log.org_id)
    await log.delete(store.tiles.name, _id=f"{log.org_id}:0:0")
    chain_ids = {entry["chain_id"] for entry in log.entries}
    for link in [each for chain_id in chain_ids for each in await logs.links_of(log.services, chain_id)]:
        [entry] = await store.entries.by_ids(log.services.db, [link["entry_id"]])
        await log.delete(store.entry_states.name, _id=entry["_id"])
        state = {**store.accepted(entry), "status": AuditEntryStatus.CHAINED}
        await log.insert(store.entry_states.name, state)
    await sealing.seal(log.services, log.org_id)


async def test_a_log_rewritten_with_its_own_keys_is_found_by_who_saw_it_before(
    log: Log, auditor: Auditor
) -> None:
    assert (await auditor.run())[0] == 0
    await log.rewrite(2)
    await sealed_anew(log)
    code, said = await auditor.run()
    assert code == 1
    assert said[0] == (
        "damaged: the log of 12 entries does not continue that of 12: it was forked or shortened"
    )
    # Who looks for the first time has nothing to compare it with.
    auditor.file.unlink()
    assert (await auditor.run())[0] == 0


async def test_a_log_shortened_with_its_own_keys_is_found_by_who_saw_it_before(
    log: Log, auditor: Auditor
) -> None:
    assert (await auditor.run())[0] == 0
    await newest_deleted_with_its_head(log)
    await sealed_anew(log)
    code, said = await auditor.run()
    assert (code, said[0]) == (1, "damaged: the log was shortened from 12 entries to 11")


async def test_keys_of_a_server_that_cheats_are_not_believed(log: Log, auditor: Auditor) -> None:
    assert (await auditor.run())[0] == 0
    name = log_keys.origin(log.services, log.org_id)
    rows = await store.checkpoints.find(log.services.db, {"org_id": log.org_id})
    for row in rows:
        head = await sealing.verified(log.services, row)
        forged = checkpoint.sign(head, Signer(name, Ed25519PrivateKey.generate()))
        await log.change(store.checkpoints.name, row["_id"], note=forged)
    code, said = await auditor.run()
    assert code == 1
    assert "damaged: no known key signed the checkpoint of 12 entries" in said
    assert "damaged: the log of 12 entries is gone" in said


async def sealed_by_a_new_key(log: Log, *, distrust: bool = False) -> str:
    """Rotate the key, and seal a further entry with it; its verifier key."""
    ctx = Context(log.services)
    await ctx.unit(lambda: key_rotation.rotate(ctx, distrust=distrust))
    await logs.append(log.services, log.org_id, 1)
    await sealing.seal(log.services, log.org_id)
    return (await log_keys.verifiers(log.services, log.org_id))[-1].vkey


async def kept(auditor: Auditor) -> list[str]:
    """Verifier keys that the auditor's file keeps."""
    return json.loads(await asyncio.to_thread(auditor.file.read_text))["keys"]  # type: ignore[no-any-return]


async def test_an_auditor_follows_from_a_key_to_the_next(log: Log, auditor: Auditor) -> None:
    assert (await auditor.run())[0] == 0
    [first] = await kept(auditor)
    made = [await sealed_by_a_new_key(log), await sealed_by_a_new_key(log)]
    code, [said] = await auditor.run()
    assert (code, said.partition(" and ")[2]) == (0, "4 checkpoints: sound")
    assert await kept(auditor) == [first, *made]
    await logs.append(log.services, log.org_id, 1)
    await sealing.seal(log.services, log.org_id)
    assert (await auditor.run())[0] == 0


async def test_a_key_that_no_known_key_vouches_for_is_refused_until_the_auditor_is_told(
    log: Log, auditor: Auditor
) -> None:
    assert (await auditor.run())[0] == 0
    made = await sealed_by_a_new_key(log, distrust=True)
    refused = f"no known key vouches for the key {made.split('+')[1]}, which signs from 13 entries on"
    code, said = await auditor.run()
    assert (code, said[:2]) == (
        1,
        [f"damaged: {refused}", "damaged: no known key signed the checkpoint of 13 entries"],
    )
    assert (await auditor.run(made))[0] == 0
    assert (await kept(auditor))[-1] == made
    assert (await auditor.run())[0] == 0
    # Who audits for the first time, and was told the new key, believes what it continues.
    auditor.file.unlink()
    assert (await auditor.run(made))[0] == 0
    auditor.file.unlink()
    other = Signer("landfall/audit/other", Ed25519PrivateKey.generate()).verifier.vkey
    code, said = await auditor.run(other)
    assert (code, said[0]) == (1, f"damaged: the log shows no key {other}")


async def test_a_signature_beside_that_of_a_known_key_vouches_for_nothing(log: Log, auditor: Auditor) -> None:
    assert (await auditor.run())[0] == 0
    await sealed_by_a_new_key(log)
    row = await store.latest_checkpoint(log.services.db, log.org_id)
    assert row is not None
    signing = await log_keys.signing(log.services, log.org_id, None)
    old = await store.checkpoints.first(log.services.db, {"org_id": log.org_id, "size": 12})
    assert old is not None
    # As who has no old key would do it: their own signature on a note that the old key signed.
    beside = signed_note.cosign(old["note"], *signing.signers)
    await log.change(store.checkpoints.name, row["_id"], note=beside)
    code, said = await auditor.run()
    key_id = signing.signers[0].verifier.key_id.hex()
    assert code == 1
    assert f"damaged: no known key vouches for the key {key_id}, which signs from 12 entries on" in said


async def test_a_key_that_was_replaced_cannot_go_on_with_the_log(log: Log, auditor: Auditor) -> None:
    code, said = await auditor.run()
    assert code == 0, said
    await sealed_by_a_new_key(log)
    await logs.append(log.services, log.org_id, 1)
    await sealing.seal(log.services, log.org_id)
    row = await store.latest_checkpoint(log.services.db, log.org_id)
    assert row is not None
    forged = checkpoint.sign(await sealing.verified(log.services, row), await former_signer(log))
    # Whether the auditor learns of the new key by now, or knows it already.
    for _ in range(2):
        await log.change(store.checkpoints.name, row["_id"], note=forged)
        code, said = await auditor.run()
        assert code == 1
        assert "damaged: no known key signed the checkpoint of 14 entries" in said
        await log.change(store.checkpoints.name, row["_id"], note=row["note"])
        assert (await auditor.run())[0] == 0


async def former_signer(log: Log) -> Signer:
    """The key that signed the log before the present one."""
    before = await store.checkpoints.first(log.services.db, {"org_id": log.org_id, "size": 12})
    signing = await log_keys.signing(log.services, log.org_id, before)
    return signing.signers[-1]


async def test_a_decision_signed_by_nobody_is_found(log: Log, auditor: Auditor) -> None:
    [entry] = await logs.append(log.services, log.org_id, 1, event_type="DECISION_MADE")
    link = await logs.link_of(log.services, entry)
    signature = encode_base64(bytes(64))
    await log.change(store.links.name, link["_id"], signature=signature)
    code, said = await auditor.run()
    assert (code, said[0]) == (1, f"damaged: {entry['_id']} has a wrong signature")
