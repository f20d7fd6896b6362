"""Places of entries in their chains, as clients are shown them, and how what is damaged is shown."""

import hashlib
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from core import ids
from core.audit import Act, record_apart
from core.context import Context, Services, Viewer
from core.ledger.signed_note import decode_base64
from resolvers.audit import log_keys, sequencing
from stores import audit as store
from stores.audit import IntegrityCheck, IntegrityCheckKind
from stores.auth import Role
from tests.audit import logs
from tests.audit.steps import on_record
from tests.audit.tampering import Log, flipped
from tests.conftest import NewPhone
from tests.phone import Phone

AUDITOR = [Role.MEMBER, Role.AUDITOR]
PLACE = """id action chainId seq hashVersion previousHash currentHash hashInput signature signatureKeyId
  integrity status tier"""
ONE = f"query($id: ID!) {{ auditEntry(id: $id) {{ {PLACE} }} }}"
LIST = f"""query($filter: AuditEntryFilterInput) {{ auditEntries(first: 50, filter: $filter) {{
  edges {{ node {{ {PLACE} }} }} }} }}"""
RECEIPT = "results { replayed auditEntry { id chainId seq currentHash } }"


@pytest.fixture
async def log(services: Services) -> Log:
    return Log(services, *await logs.sealed_log(services))


@pytest.fixture
async def auditor(log: Log, new_phone: NewPhone) -> Phone:
    return await new_phone("Ada", org=log.org_id, roles=AUDITOR)


async def shown(auditor: Phone, log: Log) -> dict[str, dict[str, Any]]:
    """Entries of a log by their ids, as a list shows them."""
    filter = {"actions": ["post.removed", "forged"]}
    found = (await auditor.run(LIST, filter=filter))["auditEntries"]["edges"]
    return {edge["node"]["id"]: edge["node"] for edge in found}


async def checks(log: Log) -> list[IntegrityCheck]:
    """Checks that came of reads."""
    return await store.checks.find(log.services.db, {"org_id": log.org_id, "kind": IntegrityCheckKind.READ})


async def test_an_entry_is_shown_with_its_place_and_the_text_that_was_hashed(
    log: Log, auditor: Phone
) -> None:
    entries = await shown(auditor, log)
    chain = [entries[link["entry_id"]] for link in await log.links()]
    assert [(each["seq"], each["integrity"], each["status"]) for each in chain] == [
        (seq, "VERIFIED", "SEALED") for seq in range(4)
    ]
    previous = "0" * 64
    for each in chain:
        assert hashlib.sha256(each["hashInput"].encode()).hexdigest() == each["currentHash"]
        hashed = json.loads(each["hashInput"])
        assert (hashed["id"], hashed["seq"], hashed["action"]) == (each["id"], each["seq"], each["action"])
        assert each["previousHash"] == hashed["previousHash"] == previous
        previous = each["currentHash"]


async def test_what_has_no_place_yet_is_pending(log: Log, auditor: Phone) -> None:
    fresh = logs.entry(log.org_id, actor_id="user_a")
    await logs.accept(log.services, [fresh])
    found = (await auditor.run(ONE, id=fresh["_id"]))["auditEntry"]
    unknown = ("seq", "previousHash", "currentHash", "hashInput", "signature", "signatureKeyId")
    assert [found[name] for name in unknown] == [None] * 6
    assert (found["integrity"], found["status"], found["chainId"]) == (
        "PENDING",
        "ACCEPTED",
        log.chain_id,
    )


async def test_a_receipt_has_seq_and_hash_once_the_entry_is_chained(
    new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada")
    entry = {"id": ids.new_id("audit_entry"), "eventKind": "USER_ACTION", "action": "note.pinned"}
    [first] = (await ada.do("recordAuditEntries", RECEIPT, entries=[entry]))["results"]
    assert (first["auditEntry"]["seq"], first["auditEntry"]["currentHash"]) == (None, None)
    await sequencing.sequence(services, [first["auditEntry"]["chainId"]])
    [again] = (await ada.do("recordAuditEntries", RECEIPT, entries=[entry]))["results"]
    link = await logs.link_of(services, (await on_record(services, _id=entry["id"]))[0])
    assert again == {
        "replayed": True,
        "auditEntry": {
            "id": entry["id"],
            "chainId": link["chain_id"],
            "seq": link["seq"],
            "currentHash": link["current_hash"],
        },
    }


@pytest.mark.parametrize(
    ("act", "is_signed"),
    [
        ({"event_type": "DECISION_MADE"}, True),
        ({"event_type": "EVIDENCE_COLLECTED"}, True),
        ({"event_type": "ACCESS_GRANTED", "emergency": True}, True),
        ({"event_type": "ACCESS_GRANTED"}, False),
    ],
    ids=["decision", "evidence", "emergency", "other"],
)
async def test_decisions_evidence_and_emergency_access_are_signed_singly(
    new_phone: NewPhone, services: Services, act: dict[str, Any], is_signed: bool
) -> None:
    org, thing = ids.new_id("org"), ids.new_id("thing")
    auditor = await new_phone("Ada", org=org, roles=AUDITOR)
    ctx = Context(services, viewer=Viewer(ids.new_id("user"), "session_x", "device_x", org=org))
    await record_apart(ctx, Act("vault.opened", resource_id=thing, **act))
    [entry] = await on_record(services, resource_id=thing)
    await sequencing.sequence(services, [entry["chain_id"]])
    found = (await auditor.run(ONE, id=entry["_id"]))["auditEntry"]
    if not is_signed:
        assert (found["signature"], found["signatureKeyId"]) == (None, None)
        return
    [key] = [
        each.public_key
        for each in await log_keys.verifiers(services, org)
        if each.key_id.hex() == found["signatureKeyId"]
    ]
    assert isinstance(key, Ed25519PublicKey)
    key.verify(decode_base64(found["signature"]), found["currentHash"].encode())


async def test_one_byte_of_an_old_entry_changed_reads_show_broken_alerted_once_and_writing_goes_on(
    log: Log, auditor: Phone
) -> None:
    """Row: One byte of an old entry changed."""
    await flipped(log)
    bad = (await log.links())[1]["entry_id"]
    for _ in range(2):
        entries = await shown(auditor, log)
        assert [id for id, each in entries.items() if each["integrity"] == "BROKEN"] == [bad]
    assert (await auditor.run(ONE, id=bad))["auditEntry"]["integrity"] == "BROKEN"
    [check] = await checks(log)
    assert (check["failed_entry_ids"], check["integrity_valid"], check["hash_chain_broken"]) == (
        [bad],
        False,
        False,
    )
    [fresh] = await logs.append(log.services, log.org_id, 1, actor_id="user_a")
    assert (await auditor.run(ONE, id=fresh["_id"]))["auditEntry"]["integrity"] == "VERIFIED"


async def forged(log: Log) -> str:
    """An entry put into the database past the service, without key, state or place."""
    entry = logs.entry(log.org_id, action="forged", actor_id="user_a")
    await log.insert(store.entries.name, entry)
    return entry["_id"]


async def moved_away(log: Log) -> str:
    """An entry said to be of another chain."""
    id = (await log.links())[1]["entry_id"]
    await log.change(store.entries.name, id, chain_id=f"org:{log.org_id}:other")
    return id


async def unlinked(log: Log) -> str:
    """An entry that has lost its place."""
    link = (await log.links())[2]
    await log.delete(store.links.name, _id=link["_id"])
    return link["entry_id"]


@pytest.mark.parametrize("tamper", [forged, moved_away, unlinked])
async def test_an_entry_without_a_place_that_it_was_given_is_broken_and_alerted_once(
    log: Log, auditor: Phone, tamper: Callable[[Log], Awaitable[str]]
) -> None:
    bad = await tamper(log)
    for _ in range(2):
        entries = await shown(auditor, log)
        assert [id for id, each in entries.items() if each["integrity"] == "BROKEN"] == [bad]
    [check] = await checks(log)
    assert [(each["problem"], each["entry_id"]) for each in check["damages"]] == [("UNRECORDED", bad)]


async def test_what_a_check_found_is_shown_though_the_entry_has_its_hash(log: Log, auditor: Phone) -> None:
    link = (await log.links())[1]
    leaf = await store.leaf_at(log.services.db, log.org_id, log.chain_id, 1)
    assert leaf is not None
    # As where the entry and its link were made anew, and the log knows another.
    await log.change(store.leaves.name, leaf["_id"], current_hash="0" * 64)
    assert (await shown(auditor, log))[link["entry_id"]]["integrity"] == "VERIFIED"
    await log.verify()
    assert (await shown(auditor, log))[link["entry_id"]]["integrity"] == "BROKEN"
    assert await checks(log) == []
