"""Evidence and custody that were changed in the database: verification finds that the log says otherwise."""

from typing import Any

import pytest

from core import ids
from core.context import Services
from resolvers.audit import sequencing
from stores import audit as store
from stores.audit import IntegrityCheckKind, IntegrityProblem
from tests.audit import logs
from tests.audit.evidence_steps import custodian, read, sealed
from tests.audit.tampering import Log
from tests.conftest import NewPhone
from tests.media.steps import sha256
from tests.phone import Phone

OTHER = b"another file, which was sealed as well"


async def changed(services: Services, name: str, where: dict[str, Any], **fields: Any) -> None:
    """Past the service, as somebody does it who can write to the database."""
    await services.db._database.command({"update": name, "updates": [{"q": where, "u": {"$set": fields}}]})


async def verified(phone: Phone, id: str) -> tuple[bool, str]:
    done = await phone.do("verifyEvidence", "valid evidence { status }", evidenceId=id)
    return done["valid"], done["evidence"]["status"]


async def handed(phone: Phone, services: Services, **fields: Any) -> dict[str, Any]:
    """Evidence that was analyzed, with notes."""
    made = await sealed(phone, services)
    given = {"action": "ANALYZED", "location": "Laboratory 2", "notes": "Image copied", **fields}
    assert (await phone.do("recordCustody", "evidence { id }", evidenceId=made["id"], **given))[
        "errors"
    ] == []
    return made


async def test_evidence_whose_chain_of_custody_is_the_logs_is_valid(
    new_phone: NewPhone, services: Services
) -> None:
    ada = await custodian(new_phone, services, ids.new_id("org"))
    made = await handed(ada, services)
    assert await verified(ada, made["id"]) == (True, "SEALED")
    await store.subject_keys.destroy(services.db, ada.user_id)
    assert await verified(ada, made["id"]) == (True, "SEALED")


async def test_another_sealed_file_in_the_place_of_evidence_is_found(
    new_phone: NewPhone, services: Services
) -> None:
    org = ids.new_id("org")
    ada = await custodian(new_phone, services, org)
    made, other = await sealed(ada, services), await sealed(ada, services, OTHER)
    await changed(
        services,
        "audit_evidence",
        {"_id": made["id"], "org_id": org},
        file_key=f"evidence/{org}/{other['id']}",
        cryptographic_hash=sha256(OTHER),
    )
    assert await verified(ada, made["id"]) == (False, "COMPROMISED")


@pytest.mark.parametrize(
    "fields",
    [
        {"notes": "Nothing was copied"},
        {"location": None},
        {"received_by_id": "user_of_somebody_else"},
        {"action": "TRANSFERRED"},
    ],
)
async def test_a_record_of_custody_that_was_changed_is_found(
    new_phone: NewPhone, services: Services, fields: dict[str, Any]
) -> None:
    ada = await custodian(new_phone, services, ids.new_id("org"))
    made = await handed(ada, services)
    await changed(services, "audit_custody", {"_id": f"{made['id']}:001"}, **fields)
    assert await verified(ada, made["id"]) == (False, "COMPROMISED")


@pytest.mark.parametrize(
    "fields", [{"custodian_id": "user_x"}, {"custody_count": 1}, {"collector_id": "user_x"}]
)
async def test_evidence_that_was_given_another_custodian_or_collector_is_found(
    new_phone: NewPhone, services: Services, fields: dict[str, Any]
) -> None:
    ada = await custodian(new_phone, services, ids.new_id("org"))
    made = await handed(ada, services)
    await changed(services, "audit_evidence", {"_id": made["id"]}, **fields)
    assert await verified(ada, made["id"]) == (False, "COMPROMISED")
    assert (await read(ada, made["id"]))["status"] == "COMPROMISED"


@pytest.mark.parametrize("fields", [{"signature": None}, {"signature": "AAAA"}, {"signature_key_id": "00"}])
async def test_a_decision_that_lost_its_signature_is_found(
    services: Services, fields: dict[str, Any]
) -> None:
    org_id, made = await logs.sealed_log(services)
    [decision] = await logs.append(services, org_id, 1, event_type="DECISION_MADE", actor_id="user_a")
    log = Log(services, org_id, made)
    check = await log.verify(IntegrityCheckKind.WHOLE)
    assert check["integrity_valid"] is True
    link = await logs.link_of(services, decision)
    await log.change(store.links.name, link["_id"], **fields)
    check = await log.verify(IntegrityCheckKind.WHOLE)
    assert (check["failed_entry_ids"], check["hash_chain_broken"]) == ([decision["_id"]], False)
    assert [each["problem"] for each in check["damages"]] == [IntegrityProblem.UNSIGNED]
    assert sequencing.is_signed_singly(decision)


async def test_entries_that_were_marked_as_sealed_to_keep_them_out_of_the_log_are_found(
    services: Services,
) -> None:
    """No checkpoint would take them: removed with the head of their chain, nobody would miss them."""
    org_id, made = await logs.sealed_log(services)
    newest = await logs.append(services, org_id, 2, actor_id="user_a")
    log = Log(services, org_id, made)
    for each in newest:
        await log.change(store.entry_states.name, each["_id"], status="SEALED")
    check = await log.verify(IntegrityCheckKind.NEW)
    assert check["failed_entry_ids"] == [each["_id"] for each in newest]
    assert {each["problem"] for each in check["damages"]} == {IntegrityProblem.LEAF_MISSING}
