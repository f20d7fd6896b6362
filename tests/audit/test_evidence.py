"""Evidence: collected from files of any type, verified on arrival, and locked away."""

from datetime import timedelta
from typing import Any

import pytest

from core import clock, ids, jobs
from core.context import Context, Services
from core.security.limits import Limits
from ports.audit import LockedStorage
from resolvers.audit.client_entries import incident_exists
from resolvers.media import keeping, uploading
from stores.audit.roles import AUDIT_ADMIN, COMPLIANCE_OFFICER
from tests.audit.evidence_steps import LIST, LOG, codes, collect, custodian, read, sealed, sent
from tests.audit.steps import on_record
from tests.conftest import Commands, NewPhone
from tests.media import steps as media
from tests.phone import granted


async def test_a_file_of_any_type_is_sealed_when_it_has_the_declared_hash(
    new_phone: NewPhone, services: Services
) -> None:
    org = ids.new_id("org")
    ada = await custodian(new_phone, services, org)
    upload_id = await sent(ada, services, fileName="disk.img")
    done = await collect(ada, upload_id, id=(minted := ids.new_id("evidence")))
    assert done["errors"] == []
    made = done["evidence"]
    assert (made["id"], made["status"], made["uploadId"]) == (minted, "VERIFYING", upload_id)
    [record] = made["chainOfCustody"]
    assert record == {
        "handedOffById": ada.user_id,
        "receivedById": ada.user_id,
        "action": "COLLECTED",
        "location": None,
        "notes": None,
        "auditEntryId": record["auditEntryId"],
    }
    [edge] = (await ada.run(LIST))["evidence"]["edges"]
    assert edge == {"cursor": done["evidenceEdge"]["cursor"], "node": {"id": minted}}
    await jobs.run_due(services)
    shown = await read(ada, minted)
    assert {**shown, "lastVerifiedAt": None} == {**made, "status": "SEALED", "version": 2}
    assert (shown["organizationId"], shown["evidenceFileName"], shown["sizeBytes"]) == (
        org,
        "disk.img",
        len(LOG),
    )
    # The file lies where nobody may change it, and nowhere else.
    locked = services.get(LockedStorage).objects
    kept = b"".join([piece async for piece in locked.read(f"evidence/{org}/{minted}")])
    assert kept == LOG
    assert await media.stored(services, f"incoming/{upload_id}") == []
    assert await services.db.find("media", {"owner_id": ada.user_id}) == []
    acts = await on_record(services, resource_id=minted)
    assert [(each["action"], each["outcome"]) for each in acts] == [
        ("audit.evidence_collected", "OK"),
        ("audit.evidence_sealed", "OK"),
        ("audit.evidence_read", "OK"),
    ]
    assert acts[0]["_id"] == record["auditEntryId"]
    assert {each["org_id"] for each in acts} == {org}


async def test_evidence_may_be_collected_before_its_file_has_arrived(
    new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada")
    upload = await media.created(ada, LOG, "text/x-log", purpose="EVIDENCE", fileName="a.log")
    made = (await collect(ada, upload["id"]))["evidence"]
    assert (made["status"], made["organizationId"]) == ("UPLOADING", None)
    await media.complete(ada, upload, await media.send(ada.http, upload, LOG))
    await jobs.run_due(services)
    assert (await read(ada, made["id"]))["status"] == "SEALED"


@pytest.mark.parametrize("where", ["of the upload", "of the evidence"])
async def test_evidence_hash_differs_on_arrival_rejected_hash_mismatch_kept_for_inquiry(
    where: str, new_phone: NewPhone, services: Services
) -> None:
    """Row: Evidence hash differs on arrival."""
    ada = await new_phone("Ada")
    wrong = media.sha256(b"other")
    fields = {"sha256": wrong} if where == "of the upload" else {}
    upload_id = await sent(ada, services, **fields)
    made = await collect(ada, upload_id, sha256=wrong if where == "of the evidence" else media.sha256(LOG))
    assert made["errors"] == []
    await jobs.run_due(services)
    shown = await read(ada, made["evidence"]["id"])
    assert (shown["status"], shown["rejection"]) == ("REJECTED", "HASH_MISMATCH")
    locked = services.get(LockedStorage).objects
    kept = b"".join([piece async for piece in locked.read(f"evidence/personal/{shown['id']}")])
    assert kept == LOG


async def test_a_file_with_malware_is_rejected_and_kept_but_given_to_nobody(
    new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada")
    body = b"log " + media.EICAR
    made = (await collect(ada, await sent(ada, services, body), body))["evidence"]
    await jobs.run_due(services)
    shown = await read(ada, made["id"])
    assert (shown["status"], shown["rejection"]) == ("REJECTED", "MALWARE")
    refused = await ada.do(
        "requestEvidenceDownload", "download { url }", evidenceId=made["id"], reason="Inquiry"
    )
    assert codes(refused) == [("WRONG_STATUS", None)]
    assert await services.get(LockedStorage).objects.stat(f"evidence/personal/{made['id']}") is not None


async def test_evidence_whose_file_never_comes_expires_after_24_hours(
    new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada")
    upload = await media.created(ada, LOG, "text/plain", purpose="EVIDENCE", fileName="a.log")
    made = (await collect(ada, upload["id"]))["evidence"]
    for hours, expected in ((23, ("UPLOADING", None)), (2, ("EXPIRED", "EXPIRED"))):
        clock.shift(timedelta(hours=hours))
        await keeping.sweep(Context(services))
        [row] = await services.db.find("audit_evidence", {"_id": made["id"]})
        assert (row["status"], row["rejection"]) == expected


async def test_an_organizations_evidence_is_seen_by_those_who_handle_it_and_by_nobody_else(
    new_phone: NewPhone, services: Services
) -> None:
    org = ids.new_id("org")
    ada = await custodian(new_phone, services, org)
    made = await sealed(ada, services)
    for role in (COMPLIANCE_OFFICER, AUDIT_ADMIN):
        handler = await new_phone("Grace", org=org)
        await granted(services, handler, role, scope_id=org)
        assert (await read(handler, made["id"]))["status"] == "SEALED"
    stranger = await custodian(new_phone, services, ids.new_id("org"), "Alan")
    member = await new_phone("Bo", org=org)
    for other in (stranger, member, await new_phone("Personal")):
        assert await read(other, made["id"]) is None
    assert (await member.ask(LIST)).code == "FORBIDDEN"
    refused = await collect(member, await sent(member, services))
    assert codes(refused) == [("FORBIDDEN", None)]
    denied = await on_record(services, actor_id=member.user_id, outcome="DENIED")
    assert [each["action"] for each in denied] == [
        "audit.evidence_read",
        "audit.evidence_listed",
        "audit.evidence_collected",
    ]
    assert (await stranger.run(LIST))["evidence"]["edges"] == []


async def test_evidence_of_people_without_an_organization_is_its_collectors_alone(
    new_phone: NewPhone, services: Services
) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    made = await sealed(ada, services)
    assert await read(grace, made["id"]) is None
    assert (await grace.run(LIST))["evidence"]["edges"] == []
    assert [edge["node"]["id"] for edge in (await ada.run(LIST))["evidence"]["edges"]] == [made["id"]]


async def test_the_list_is_narrowed_by_incident_kind_and_collector(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def exists(ctx: Any, incident_id: str) -> bool:
        return True

    monkeypatch.setattr(incident_exists, "listeners", [exists])
    ada, incident = await new_phone("Ada"), ids.new_id("incident")
    first = await sealed(ada, services, incidentId=incident)
    second = await sealed(ada, services, b"other", kind="RECORDING")
    for filter, found in (
        ({"incidentIds": [incident]}, [first]),
        ({"kinds": ["RECORDING", "DOCUMENT"]}, [second]),
        ({"collectorIds": [ada.user_id]}, [second, first]),
        ({"kinds": ["RECORDING"], "incidentIds": [incident]}, []),
        ({"collectorIds": [ids.new_id("user")]}, []),
    ):
        edges = (await ada.run(LIST, filter=filter))["evidence"]["edges"]
        assert [edge["node"]["id"] for edge in edges] == [each["id"] for each in found]


async def test_what_is_no_evidence_is_refused(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    upload_id = await sent(ada, services)
    for fields, expected in (
        ({"incidentId": ids.new_id("incident")}, ("INCIDENT_NOT_FOUND", ["incidentId"])),
        ({"sha256": "abc"}, ("INVALID_FORMAT", ["sha256"])),
        ({"description": ""}, ("REQUIRED", ["description"])),
        ({"description": "x" * 1_001}, ("TOO_LONG", ["description"])),
        ({"uploadId": ids.new_id("upload")}, ("NOT_FOUND", ["uploadId"])),
    ):
        given = {"upload_id": fields.pop("uploadId", upload_id), **fields}
        assert codes(await collect(ada, **given)) == [expected]
    picture = await media.uploaded(ada, services, media.picture())
    assert codes(await collect(ada, picture["id"])) == [("NOT_FOUND", ["uploadId"])]
    canceled = await media.created(ada, LOG, "text/plain", purpose="EVIDENCE")
    await ada.do("cancelUpload", "deletedUploadId", uploadId=canceled["id"])
    assert codes(await collect(ada, canceled["id"])) == [("UPLOAD_REJECTED", ["uploadId"])]
    assert await services.db.find("audit_evidence", {"collector_id": ada.user_id}) == []
    # Nothing was lost: the upload is still good.
    assert codes(await collect(ada, upload_id)) == []


async def test_files_of_evidence_have_a_limit_of_their_own_and_no_daily_quota(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await new_phone("Ada")
    monkeypatch.setattr(uploading, "MOST_BYTES_A_DAY", len(LOG))
    largest = {"mime": "application/x-tar", "purpose": "EVIDENCE"}
    assert (await media.create(ada, 2**31 - 1, **largest))["errors"] == []
    # A picture is as large as the quota is: evidence has taken nothing of it.
    assert (await media.create(ada, LOG, "text/plain"))["errors"] == []
    assert codes(await media.create(ada, LOG, "text/plain")) == [("QUOTA_EXCEEDED", ["sizeBytes"])]
    assert codes(await media.create(ada, LOG, "tar", purpose="EVIDENCE")) == [
        ("INVALID_FORMAT", ["mimeType"])
    ]
    most = await ada.post(
        {
            "query": """mutation { createUpload(input: {idempotencyKey: "k", purpose: EVIDENCE,
              fileName: "a", mimeType: "a/b", sizeBytes: 2147483648}) { errors { code } } }"""
        }
    )
    assert most.code is not None


async def test_collections_are_limited_per_hour(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await new_phone("Ada")
    monkeypatch.setattr(services, "limits", Limits(services.redis, scale=1 / 120))
    asked = [codes(await collect(ada, ids.new_id("upload"))) for _ in range(2)]
    assert asked == [[("NOT_FOUND", ["uploadId"])], [("RATE_LIMITED", None)]]


async def test_a_page_of_evidence_costs_two_reads_and_its_record(
    new_phone: NewPhone, services: Services, commands: Commands
) -> None:
    ada = await custodian(new_phone, services, ids.new_id("org"))
    for body in (b"one", b"two", b"three"):
        await sealed(ada, services, body)
    page = "{ evidence(first: 2) { edges { node { id chainOfCustody { action } } } } }"
    await ada.run(page)
    commands.reset()
    await ada.run(page)
    # The page and all its chains of custody; then the record with its actor's name.
    assert commands.counts == {"find": 1, "aggregate": 1, "insert": 3, "commitTransaction": 1}
