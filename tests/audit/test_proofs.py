"""Proofs over GraphQL, verified by what a client knows: hashes, a verifier key, and an older checkpoint."""

from typing import Any

import pytest

from core import ids
from core.context import Services
from core.ledger import checkpoint, merkle
from core.ledger.checkpoint import Checkpoint
from core.ledger.log import Leaf
from core.ledger.signed_note import Verifier
from resolvers.audit import sealing
from stores import audit as store
from stores.audit.roles import AUDIT_READER
from stores.auth import Role
from tests.audit import logs
from tests.audit.steps import on_record
from tests.audit.tampering import Log
from tests.conftest import NewPhone
from tests.phone import Phone, granted

CHECKPOINT = "entryCount rootHash note createdAt timestampToken stampedAt ledgerReference verifierKeys"
PROOF = f"""query($id: ID!) {{ auditProof(entryId: $id) {{ leafIndex leaf path
  entry {{ chainId seq currentHash }} checkpoint {{ {CHECKPOINT} }} }} }}"""
CHECKPOINTS = f"""query($first: Int, $after: String) {{ auditCheckpoints(first: $first, after: $after) {{
  edges {{ node {{ {CHECKPOINT} }} }} pageInfo {{ hasNextPage endCursor }} }} }}"""
CONSISTENCY = """query($old: Int!, $new: Int!) { auditConsistency(
  fromEntryCount: $old, toEntryCount: $new) { fromEntryCount toEntryCount path } }"""
OF_THE_LOG = {CHECKPOINTS: {}, CONSISTENCY: {"old": 0, "new": 0}}


@pytest.fixture
async def log(services: Services) -> Log:
    return Log(services, *await logs.sealed_log(services))


@pytest.fixture
async def auditor(log: Log, new_phone: NewPhone) -> Phone:
    return await new_phone("Ada", org=log.org_id, roles=[Role.MEMBER, Role.AUDITOR])


def verified(shown: dict[str, Any], org_id: str) -> Checkpoint:
    """Checkpoint of its note, as whoever knows the log's keys reads it."""
    keys = [Verifier.from_vkey(each) for each in shown["verifierKeys"]]
    read = checkpoint.verify(shown["note"], f"landfall/audit/{org_id}", keys)
    assert (read.size, read.root.hex()) == (shown["entryCount"], shown["rootHash"])
    return read


def raw(path: list[str]) -> list[bytes]:
    return [bytes.fromhex(each) for each in path]


async def test_every_sealed_entry_has_a_proof_that_it_is_in_the_latest_checkpoint(
    log: Log, auditor: Phone
) -> None:
    indexes = set()
    for entry in log.entries:
        proof = (await auditor.run(PROOF, id=entry["_id"]))["auditProof"]
        shown = proof["entry"]
        leaf = Leaf(shown["chainId"], shown["seq"], shown["currentHash"]).hash
        assert leaf.hex() == proof["leaf"]
        head = verified(proof["checkpoint"], log.org_id)
        assert merkle.verify_inclusion(leaf, proof["leafIndex"], head.size, raw(proof["path"]), head.root)
        indexes.add(proof["leafIndex"])
    assert indexes == set(range(12))


async def test_an_entry_has_no_proof_until_it_is_sealed(log: Log, auditor: Phone) -> None:
    fresh = logs.entry(log.org_id)
    await logs.accept(log.services, [fresh])
    assert await auditor.run(PROOF, id=fresh["_id"]) == {"auditProof": None}
    [chained] = await logs.append(log.services, log.org_id, 1)
    assert await auditor.run(PROOF, id=chained["_id"]) == {"auditProof": None}
    await sealing.seal(log.services, log.org_id)
    assert (await auditor.run(PROOF, id=chained["_id"]))["auditProof"]["checkpoint"]["entryCount"] == 14


async def test_each_checkpoint_continues_the_ones_before(log: Log, auditor: Phone) -> None:
    await logs.append(log.services, log.org_id, 3)
    await sealing.seal(log.services, log.org_id)
    page = (await auditor.run(CHECKPOINTS, first=2))["auditCheckpoints"]
    rest = (await auditor.run(CHECKPOINTS, after=page["pageInfo"]["endCursor"]))["auditCheckpoints"]
    shown = [edge["node"] for edge in (*page["edges"], *rest["edges"])]
    assert [each["entryCount"] for each in shown] == [15, 12, 6]
    heads = [verified(each, log.org_id) for each in shown]
    for new in heads:
        for old in heads:
            if old.size <= new.size:
                proof = (await auditor.run(CONSISTENCY, old=old.size, new=new.size))["auditConsistency"]
                assert (proof["fromEntryCount"], proof["toEntryCount"]) == (old.size, new.size)
                assert checkpoint.continues(new, old, raw(proof["path"]))
    forged = Checkpoint(heads[0].origin, 12, bytes(32))
    proof = (await auditor.run(CONSISTENCY, old=12, new=15))["auditConsistency"]
    assert not checkpoint.continues(heads[0], forged, raw(proof["path"]))


@pytest.mark.parametrize(("old", "new"), [(-1, 6), (7, 6), (0, 13), (2_147_483_647, 2_147_483_647)])
async def test_sizes_that_the_log_never_had_are_refused(log: Log, auditor: Phone, old: int, new: int) -> None:
    assert (await auditor.ask(CONSISTENCY, old=old, new=new)).code == "BAD_USER_INPUT"


async def test_a_log_whose_tree_is_damaged_proves_nothing(log: Log, auditor: Phone) -> None:
    await log.delete(store.tiles.name, _id=f"{log.org_id}:0:0")
    assert await auditor.run(PROOF, id=log.entries[0]["_id"]) == {"auditProof": None}
    assert await auditor.run(CONSISTENCY, old=5, new=12) == {"auditConsistency": None}
    await log.delete(store.checkpoints.name, org_id=log.org_id, size=12)
    assert await auditor.run(PROOF, id=log.entries[-1]["_id"]) == {"auditProof": None}


async def test_people_prove_their_own_entries_and_learn_nothing_of_others(
    new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada")
    [own] = await logs.append(services, "personal", 1, actor_id=ada.user_id)
    [other] = await logs.append(services, "personal", 1, actor_id=ids.new_id("user"))
    await sealing.seal(services, "personal")
    proof = (await ada.run(PROOF, id=own["_id"]))["auditProof"]
    assert verified(proof["checkpoint"], "personal").size > proof["leafIndex"]
    for hidden in (other["_id"], ids.new_id("audit_entry")):
        assert await ada.run(PROOF, id=hidden) == {"auditProof": None}
    meta = await on_record(services, chain_id="meta:personal", actor_id=ada.user_id)
    assert [(each["action"], each["outcome"]) for each in meta] == [
        ("audit.proof_read", "OK"),
        ("audit.proof_read", "DENIED"),
        ("audit.proof_read", "DENIED"),
    ]


@pytest.mark.parametrize("query", OF_THE_LOG, ids=["checkpoints", "consistency"])
async def test_the_log_as_a_whole_is_for_who_reads_it_in_their_organization(
    new_phone: NewPhone, anonymous: Phone, services: Services, log: Log, query: str
) -> None:
    member = await new_phone("Grace", org=log.org_id)
    assert (await anonymous.ask(query, **OF_THE_LOG[query])).code == "UNAUTHENTICATED"
    assert (await member.ask(query, **OF_THE_LOG[query])).code == "FORBIDDEN"
    await granted(services, member, AUDIT_READER, scope_id=log.org_id)
    assert (await member.ask(query, **OF_THE_LOG[query])).code is None
    nobodys = await (await new_phone("Alan")).ask(query, **OF_THE_LOG[query])
    assert nobodys.errors[0]["extensions"]["reason"] == "NO_ORGANIZATION"
    [meta] = await on_record(services, chain_id=f"meta:{log.org_id}")
    assert (meta["actor_id"], meta["event_type"]) == (member.user_id, "ACCESS_GRANTED")
