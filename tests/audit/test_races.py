"""Evidence that several people, or several requests, act on at the same moment."""

import asyncio
from itertools import pairwise

from core import ids
from core.context import Services
from stores.audit.roles import AUDIT_ADMIN, EVIDENCE_CUSTODIAN
from tests.audit.evidence_steps import codes, collect, custodian, read, sealed, sent
from tests.audit.steps import on_record
from tests.conftest import NewPhone
from tests.phone import granted, key


async def test_one_upload_is_evidence_once_though_two_requests_collect_it_at_once(
    new_phone: NewPhone, services: Services
) -> None:
    ada = await custodian(new_phone, services, ids.new_id("org"))
    upload = await sent(ada, services)
    done = await asyncio.gather(*(collect(ada, upload) for _ in range(4)))
    made = [each["evidence"]["id"] for each in done if not each["errors"]]
    assert len(made) == 1, [codes(each) for each in done]
    assert {code for each in done for code, _ in codes(each)} <= {"NOT_FOUND", "UPLOAD_REJECTED", "CONFLICT"}
    org = (await read(ada, made[0]))["organizationId"]
    acts = await on_record(services, org_id=org, action="audit.evidence_collected", outcome="OK")
    assert [each["resource_id"] for each in acts] == made


async def test_custody_that_two_people_hand_on_at_once_goes_one_way_after_the_other(
    new_phone: NewPhone, services: Services
) -> None:
    org = ids.new_id("org")
    ada, bo = await custodian(new_phone, services, org), await custodian(new_phone, services, org, "Bo")
    boss = await new_phone("Grace", org=org)
    await granted(services, boss, AUDIT_ADMIN, EVIDENCE_CUSTODIAN, scope_id=org)
    made = await sealed(ada, services)
    given = {"evidenceId": made["id"], "action": "TRANSFERRED"}
    done = await asyncio.gather(
        ada.do("recordCustody", "evidence { id }", receivedById=bo.user_id, **given),
        boss.do("recordCustody", "evidence { id }", receivedById=boss.user_id, **given),
        boss.do("recordCustody", "evidence { id }", evidenceId=made["id"], action="ARCHIVED"),
    )
    refused = [code for each in done for code, _ in codes(each)]
    assert set(refused) <= {"NOT_CUSTODIAN", "ALREADY_ARCHIVED", "CONFLICT"}
    chain = (await read(ada, made["id"]))["chainOfCustody"]
    assert len(chain) == 1 + len(done) - len(refused)
    for before, after in pairwise(chain):
        assert before["receivedById"] == after["handedOffById"]
    assert "ARCHIVED" not in [each["action"] for each in chain[:-1]]


async def test_the_same_custody_sent_twice_at_once_is_recorded_once(
    new_phone: NewPhone, services: Services
) -> None:
    ada = await custodian(new_phone, services, ids.new_id("org"))
    made = await sealed(ada, services)
    given = {"evidenceId": made["id"], "action": "ANALYZED", "idempotencyKey": key()}
    await asyncio.gather(*(ada.do("recordCustody", "evidence { id }", **given) for _ in range(3)))
    assert len((await read(ada, made["id"]))["chainOfCustody"]) == 2
    assert len(await on_record(services, resource_id=made["id"], action="audit.custody_recorded")) == 1
