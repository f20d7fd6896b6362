"""Chain of custody: who may record what of evidence, each record with its entry in the audit log."""

import random
from typing import Any

import pytest

from core import ids
from core.context import Services
from core.graphql.types import type_name
from schema.audit import Evidence
from stores import audit as store
from stores.audit.roles import AUDIT_ADMIN
from tests.audit.evidence_steps import EVIDENCE, codes, custodian, read, sealed, sent
from tests.audit.evidence_steps import collect as collected
from tests.audit.steps import on_record
from tests.conftest import NewPhone
from tests.media import steps as media
from tests.phone import Phone, granted


async def hand(phone: Phone, evidence_id: str, action: str, **fields: Any) -> dict[str, Any]:
    """The payload of `recordCustody`."""
    given = {"evidenceId": evidence_id, "action": action, **fields}
    done: dict[str, Any] = await phone.do("recordCustody", f"evidence {{ {EVIDENCE} }}", **given)
    return done


async def test_evidence_is_handed_over_analyzed_and_archived_each_with_its_entry(
    new_phone: NewPhone, services: Services
) -> None:
    org = ids.new_id("org")
    ada, grace = [await custodian(new_phone, services, org, name) for name in ("Ada", "Grace")]
    id = (await sealed(ada, services))["id"]
    noted = {"location": "Locker 7", "notes": "In a bag"}
    done = await hand(ada, id, "TRANSFERRED", receivedById=grace.user_id, **noted)
    assert done["errors"] == []
    assert done["evidence"]["custodianId"] == grace.user_id
    assert codes(await hand(grace, id, "ANALYZED")) == []
    last = await hand(grace, id, "ARCHIVED", receivedById=ada.user_id)
    chain = last["evidence"]["chainOfCustody"]
    who = [(each["action"], each["handedOffById"], each["receivedById"]) for each in chain]
    a, g = ada.user_id, grace.user_id
    assert who == [("COLLECTED", a, a), ("TRANSFERRED", a, g), ("ANALYZED", g, g), ("ARCHIVED", g, a)]
    assert {name: chain[1][name] for name in noted} == noted
    assert last["evidence"]["archivedAt"] is not None
    found = await store.entries.by_ids(services.db, [each["auditEntryId"] for each in chain])
    entries = sorted(found, key=lambda each: (each["timestamp"], each["_id"]))
    assert [(each["action"], each["details"].get("action"), each["actor_id"]) for each in entries] == [
        ("audit.evidence_collected", None, a),
        ("audit.custody_recorded", "TRANSFERRED", a),
        ("audit.custody_recorded", "ANALYZED", g),
        ("audit.custody_recorded", "ARCHIVED", g),
    ]
    # They were in their chains, and signed, before anybody was answered.
    links = await store.links.find(services.db, {"entry_id": {"$in": [each["_id"] for each in entries]}})
    assert len(links) == 4
    assert all(each["signature"] for each in links)


async def test_custody_by_a_non_custodian_is_not_custodian_denial_logged(
    new_phone: NewPhone, services: Services
) -> None:
    """Row: Custody by a non-custodian."""
    org = ids.new_id("org")
    ada, grace = [await custodian(new_phone, services, org, name) for name in ("Ada", "Grace")]
    made = await sealed(ada, services)
    refused = await hand(grace, made["id"], "TRANSFERRED", receivedById=grace.user_id)
    assert codes(refused) == [("NOT_CUSTODIAN", None)]
    assert await read(ada, made["id"]) == made
    [denial] = await on_record(services, resource_id=made["id"], outcome="DENIED")
    assert (denial["action"], denial["actor_id"], denial["event_type"]) == (
        "audit.custody_recorded",
        grace.user_id,
        "ACCESS_DENIED",
    )


async def test_an_audit_admin_hands_over_what_others_have(new_phone: NewPhone, services: Services) -> None:
    org = ids.new_id("org")
    ada, grace = [await custodian(new_phone, services, org, name) for name in ("Ada", "Grace")]
    admin = await new_phone("Alan", org=org)
    await granted(services, admin, AUDIT_ADMIN, scope_id=org)
    made = await sealed(ada, services)
    done = await hand(admin, made["id"], "TRANSFERRED", receivedById=grace.user_id)
    assert (done["evidence"]["chainOfCustody"][1]["handedOffById"], done["evidence"]["custodianId"]) == (
        ada.user_id,
        grace.user_id,
    )


async def test_what_was_archived_stays_archived(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    made = await sealed(ada, services)
    assert codes(await hand(ada, made["id"], "ARCHIVED")) == []
    for action in ("ANALYZED", "ARCHIVED"):
        assert codes(await hand(ada, made["id"], action)) == [("ALREADY_ARCHIVED", None)]
    assert len((await read(ada, made["id"]))["chainOfCustody"]) == 2


async def test_an_action_that_has_no_place_in_the_chain_is_refused(
    new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada")
    made = await sealed(ada, services)
    assert codes(await hand(ada, made["id"], "COLLECTED")) == [("INVALID_ACTION", ["action"])]
    upload = await media.created(ada, b"never sent", "text/plain", purpose="EVIDENCE")
    lost = (await collected(ada, upload["id"]))["evidence"]
    await ada.do("cancelUpload", "deletedUploadId", uploadId=upload["id"])
    assert (await read(ada, lost["id"]))["status"] == "EXPIRED"
    assert codes(await hand(ada, lost["id"], "ANALYZED")) == [("INVALID_ACTION", ["action"])]


async def test_custody_goes_only_to_those_who_handle_evidence_here(
    new_phone: NewPhone, services: Services
) -> None:
    org = ids.new_id("org")
    ada = await custodian(new_phone, services, org)
    made = await sealed(ada, services)
    member = await new_phone("Member", org=org)
    stranger = await custodian(new_phone, services, ids.new_id("org"), "Stranger")
    for user_id in (member.user_id, stranger.user_id, ids.new_id("user")):
        refused = await hand(ada, made["id"], "TRANSFERRED", receivedById=user_id)
        assert codes(refused) == [("NOT_FOUND", ["receivedById"])]
    assert codes(await hand(ada, made["id"], "TRANSFERRED")) == [("REQUIRED", ["receivedById"])]
    assert codes(await hand(ada, made["id"], "ANALYZED", notes="x" * 2_001)) == [("TOO_LONG", ["notes"])]
    assert codes(await hand(ada, made["id"], "ANALYZED", location="x" * 201)) == [("TOO_LONG", ["location"])]
    person = await new_phone("Personal")
    alone = await sealed(person, services)
    refused = await hand(person, alone["id"], "TRANSFERRED", receivedById=ada.user_id)
    assert codes(refused) == [("NOT_FOUND", ["receivedById"])]
    assert await read(ada, made["id"]) == made


async def test_a_chain_of_custody_has_100_records_and_the_last_one_ends_it(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "MOST_CUSTODY", 3)
    ada = await new_phone("Ada")
    made = await sealed(ada, services)
    assert codes(await hand(ada, made["id"], "ANALYZED")) == []
    refused = await hand(ada, made["id"], "ANALYZED")
    assert [(each["code"], each["limit"]) for each in refused["errors"]] == [("LIMIT_REACHED", 3)]
    assert codes(await hand(ada, made["id"], "ARCHIVED")) == []


async def test_custody_recorded_offline_right_after_collecting_is_taken(
    new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada")
    upload = await media.created(ada, b"log", "text/plain", purpose="EVIDENCE")
    made = (await collected(ada, upload["id"], b"log"))["evidence"]
    assert codes(await hand(ada, made["id"], "ANALYZED", notes="Copied")) == []
    assert await sent(ada, services)


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_is_tried_a_chain_of_custody_has_no_gap_and_no_second_end(
    seed: int, new_phone: NewPhone, services: Services
) -> None:
    chance, org = random.Random(seed), ids.new_id("org")
    ada, grace = [await custodian(new_phone, services, org, name) for name in ("Ada", "Grace")]
    admin, member = await new_phone("Alan", org=org), await new_phone("Bo", org=org)
    await granted(services, admin, AUDIT_ADMIN, scope_id=org)
    id, people = (await sealed(ada, services))["id"], [ada, grace, admin, member]
    expected = [("COLLECTED", ada.user_id, ada.user_id)]
    for _ in range(14):
        actor, receiver = chance.choice(people[:3]), chance.choice(people)
        action = chance.choice(["TRANSFERRED"] * 4 + ["ANALYZED"] * 3 + ["COLLECTED", "ARCHIVED"])
        done = await hand(actor, id, action, receivedById=receiver.user_id)
        holder, archived = expected[-1][2], expected[-1][0] == "ARCHIVED"
        allowed = actor is admin or actor.user_id == holder
        fit = receiver is not member or receiver.user_id == holder
        if allowed and not archived and action != "COLLECTED" and fit:
            assert codes(done) == []
            expected.append((action, holder, receiver.user_id))
        else:
            assert len(done["errors"]) == 1
        chain = (await read(ada, id))["chainOfCustody"]
        assert [(each["action"], each["handedOffById"], each["receivedById"]) for each in chain] == expected
    # Each attempt is on record: what was done, and what was denied.
    acts = await on_record(services, resource_id=id, outcome="OK", event_type="EVIDENCE_COLLECTED")
    assert len(acts) == len(expected)


def test_a_record_is_not_taken_for_the_evidence_whose_id_its_own_begins_with() -> None:
    """The first query of each chain of custody failed, on the reference executor."""
    evidence_id = ids.new_id("evidence")
    assert type_name({"_id": evidence_id}) == Evidence.__name__
    assert type_name({"_id": store.custody_id(evidence_id, 0)}) is None
