"""Files of evidence: verified again, and given out with a reason, on record."""

from datetime import timedelta
from typing import Any

import pytest

from core import clock, ids, jobs
from core.context import Context, Services
from ports.audit import LockedStorage
from resolvers.audit import evidence_files
from stores.audit.roles import AUDIT_ADMIN
from tests.audit.evidence_steps import LOG, codes, custodian, read, sealed
from tests.audit.steps import on_record
from tests.conftest import NewPhone
from tests.media import steps as media
from tests.notification.steps import titles
from tests.phone import Phone, granted, key

WANTED = "download { url expiresAt } evidence { id }"


async def verify(phone: Phone, evidence_id: str) -> dict[str, Any]:
    done: dict[str, Any] = await phone.do(
        "verifyEvidence", "valid evidence { status lastVerifiedAt }", evidenceId=evidence_id
    )
    return done


async def tamper(services: Services, evidence: dict[str, Any]) -> None:
    """Change a byte of the file behind the service's back."""
    key = f"evidence/{evidence['organizationId'] or 'personal'}/{evidence['id']}"
    locked = services.get(LockedStorage).objects
    await locked.put(key, LOG[:-1] + b"\xff", mime="application/octet-stream")


async def test_verification_finds_evidence_as_it_was_sealed(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    made = await sealed(ada, services)
    clock.shift(timedelta(minutes=1))
    done = await verify(ada, made["id"])
    assert (done["valid"], done["evidence"]["status"]) == (True, "SEALED")
    assert done["evidence"]["lastVerifiedAt"] > made["lastVerifiedAt"]
    [act] = await on_record(services, resource_id=made["id"], action="audit.evidence_verified")
    assert (act["event_type"], act["outcome"]) == ("COMPLIANCE_CHECK", "OK")


@pytest.mark.parametrize("what", ["changed", "gone"])
async def test_evidence_whose_file_changed_is_compromised_for_good(
    what: str, new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada")
    made = await sealed(ada, services)
    if what == "changed":
        await tamper(services, made)
    else:
        await services.get(LockedStorage).objects.delete([f"evidence/personal/{made['id']}"])
    done = await verify(ada, made["id"])
    assert (done["valid"], done["evidence"]["status"]) == (False, "COMPROMISED")
    [act] = await on_record(services, resource_id=made["id"], action="audit.evidence_verified")
    assert act["outcome"] == "FAILED"
    # A file that is put back afterwards proves nothing.
    locked = services.get(LockedStorage).objects
    await locked.put(f"evidence/personal/{made['id']}", LOG, mime="application/octet-stream")
    assert (await verify(ada, made["id"]))["valid"] is False
    assert (await read(ada, made["id"]))["status"] == "COMPROMISED"
    acts = await on_record(services, resource_id=made["id"], action="audit.evidence_verified")
    assert [act["outcome"] for act in acts] == ["FAILED", "FAILED"]


async def test_those_who_administer_the_log_are_told_once_of_evidence_that_was_compromised(
    new_phone: NewPhone, services: Services
) -> None:
    org = ids.new_id("org")
    ada, admin = await custodian(new_phone, services, org), await new_phone("Alan", org=org)
    await granted(services, admin, AUDIT_ADMIN, scope_id=org)
    made = await sealed(ada, services)
    await tamper(services, made)
    for _ in range(2):
        assert (await verify(ada, made["id"]))["valid"] is False
    await jobs.run_due(services)
    assert await titles(admin) == ["Evidence was compromised"]
    assert await titles(ada) == []
    # Where nobody administers a log, its collector is told.
    person = await new_phone("Grace")
    own = await sealed(person, services)
    await tamper(services, own)
    await verify(person, own["id"])
    await jobs.run_due(services)
    assert await titles(person) == ["Evidence was compromised"]


async def test_large_files_are_verified_by_a_job(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence_files, "MOST_BYTES_AT_ONCE", len(LOG) - 1)
    ada = await new_phone("Ada")
    made = await sealed(ada, services)
    await tamper(services, made)
    done = await verify(ada, made["id"])
    assert (done["valid"], done["evidence"]["status"]) == (None, "SEALED")
    await jobs.run_due(services)
    assert (await read(ada, made["id"]))["status"] == "COMPROMISED"


async def test_all_sealed_evidence_is_hashed_again_every_month(
    new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada")
    good, bad = await sealed(ada, services), await sealed(ada, services, b"other")
    await tamper(services, bad)
    every = jobs.TASKS["audit.verify_all_evidence"]
    await every(services)
    await jobs.run_due(services)
    assert (await read(ada, good["id"]))["status"] == "SEALED"
    assert (await read(ada, bad["id"]))["status"] == "COMPROMISED"


async def test_a_file_is_given_for_a_reason_on_record_and_for_five_minutes(
    new_phone: NewPhone, services: Services
) -> None:
    org = ids.new_id("org")
    ada = await custodian(new_phone, services, org)
    made = await sealed(ada, services)
    wanted = {"evidenceId": made["id"], "reason": "Report to the authority"}
    done = await ada.do("requestEvidenceDownload", WANTED, **wanted)
    assert done["errors"] == []
    url = done["download"]["url"]
    status, headers, body = await media.fetched(ada.http, url)
    assert (status, body) == (200, LOG)
    assert headers["Content-Disposition"].startswith("attachment")
    assert headers["Cache-Control"] == "private, no-store"
    [act] = await on_record(services, resource_id=made["id"], action="audit.evidence_downloaded")
    assert (act["access_reason"], act["actor_id"], act["event_type"]) == (
        "Report to the authority",
        ada.user_id,
        "ACCESS_GRANTED",
    )
    other = await sealed(ada, services, b"another file")
    assert (await media.fetched(ada.http, url.replace(made["id"], other["id"])))[0] == 404
    clock.shift(timedelta(minutes=4, seconds=50))
    assert (await media.fetched(ada.http, url))[0] == 200
    clock.shift(timedelta(seconds=11))
    assert (await media.fetched(ada.http, url))[0] == 404


async def test_a_request_that_is_sent_again_after_the_role_was_lost_brings_no_url(
    new_phone: NewPhone, services: Services
) -> None:
    org = ids.new_id("org")
    ada, admin = await custodian(new_phone, services, org), await new_phone("Alan", org=org)
    await granted(services, admin, AUDIT_ADMIN, scope_id=org)
    given = {"evidenceId": (await sealed(ada, services))["id"], "reason": "Report", "idempotencyKey": key()}
    first = await ada.do("requestEvidenceDownload", WANTED, **given)
    again = await ada.do("requestEvidenceDownload", WANTED, **given)
    assert again["download"] == first["download"]
    await admin.do("revokeRole", "", userId=ada.user_id, role="EVIDENCE_CUSTODIAN")
    answer = await ada.ask(
        """mutation($input: RequestEvidenceDownloadInput!) {
          requestEvidenceDownload(input: $input) { evidence { id } download { url } } }""",
        input=given,
    )
    assert answer.code == "FORBIDDEN"
    assert answer.body["data"]["requestEvidenceDownload"] == {"evidence": None, "download": None}


async def test_no_file_is_given_without_a_reason_or_to_others(
    new_phone: NewPhone, services: Services
) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    made = await sealed(ada, services)
    for phone, reason, expected in (
        (ada, "", ("REQUIRED", ["reason"])),
        (ada, "x" * 501, ("TOO_LONG", ["reason"])),
        (grace, "Curious", ("NOT_FOUND", ["evidenceId"])),
    ):
        done = await phone.do("requestEvidenceDownload", WANTED, evidenceId=made["id"], reason=reason)
        assert (codes(done), done["download"]) == ([expected], None)
    [denied] = await on_record(services, resource_id=made["id"], action="audit.evidence_downloaded")
    assert (denied["actor_id"], denied["outcome"]) == (grace.user_id, "DENIED")


async def test_a_file_that_is_gone_before_it_was_locked_away_fails_its_job(
    new_phone: NewPhone, services: Services
) -> None:
    await evidence_files.seal_evidence(Context(services), ids.new_id("evidence"))
    ada = await new_phone("Ada")
    made = await sealed(ada, services)
    # Run again, as after a worker that died: it is sealed once.
    await evidence_files.seal_evidence(Context(services), made["id"])
    assert await read(ada, made["id"]) == made
