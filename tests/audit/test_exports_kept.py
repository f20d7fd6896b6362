"""Exports after their requester's access has ended: the file is not given out again."""

from datetime import timedelta

import pytest

from core import clock, ids, jobs
from core.context import Services
from jobs.audit.personal import erase
from resolvers.audit import export_file, export_job
from resolvers.audit.files import EXPORT_FOLDER
from stores import audit as store
from stores.audit.roles import AUDIT_ADMIN
from tests.audit.test_exports import READ, TESTED, exported, request
from tests.audit.test_reading import put
from tests.conftest import NewPhone
from tests.media.steps import stored
from tests.phone import Phone, granted

NODE = "query($id: ID!) { node(id: $id) { ... on AuditExport { fileUrl manifest } } }"


async def external(new_phone: NewPhone, services: Services, minutes: int) -> Phone:
    """External auditor with access for some minutes to an incident that has an entry."""
    org, incident = ids.new_id("org"), ids.new_id("incident")
    boss, auditor = await new_phone("Ada", org=org), await new_phone("Alan")
    await granted(services, boss, AUDIT_ADMIN, scope_id=org)
    for _ in range(2):
        await put(services, org, incident_id=incident)
    ends = (clock.now() + timedelta(minutes=minutes)).isoformat()
    given = {"userId": auditor.user_id, "incidentIds": [incident], "expiresAt": ends}
    assert (await boss.do("grantAuditAccess", "auditAccessGrant { id }", **given))["errors"] == []
    return auditor


async def test_a_file_is_not_given_to_an_external_auditor_whose_access_has_expired(
    new_phone: NewPhone, services: Services
) -> None:
    auditor = await external(new_phone, services, 5)
    shown, _ = await exported(auditor, services, "CSV", filter=TESTED)
    assert shown["entryCount"] == 2
    clock.shift(timedelta(minutes=6))
    assert await auditor.run(READ, id=shown["id"]) == {"auditExport": None}
    assert await auditor.run(NODE, id=shown["id"]) == {"node": None}


async def test_a_file_with_ones_own_entries_is_given_after_other_access_has_expired(
    new_phone: NewPhone, services: Services
) -> None:
    auditor = await external(new_phone, services, 5)
    clock.shift(timedelta(minutes=6))
    shown, _ = await exported(auditor, services, "CSV", filter=TESTED)
    assert (await auditor.run(READ, id=shown["id"]))["auditExport"]["fileUrl"] is not None


async def test_a_file_whose_requester_was_erased_while_it_was_written_is_left_nowhere(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await new_phone("Ada")
    made = (await request(ada, filter=TESTED))["auditExport"]["id"]
    finish = export_job._finish

    async def late(*given: object) -> None:
        await erase(services, ada.user_id)
        await finish(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(export_job, "_finish", late)
    await export_job.run_export(services, made)
    assert await stored(services, f"{EXPORT_FOLDER}/{made}.json") == []
    assert await store.audit_exports.by_id(services.db, made) is None


async def test_a_file_that_three_tries_wrote_and_did_not_finish_is_left_nowhere(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await new_phone("Ada")
    made = (await request(ada, "CSV", filter=TESTED))["auditExport"]["id"]

    async def broken(*given: object) -> None:
        raise OSError("Disk is full")

    monkeypatch.setattr(export_job, "_finish", broken)
    for _ in range(3):
        with pytest.raises(OSError, match="Disk"):
            await export_job.run_export(services, made)
    assert await stored(services, EXPORT_FOLDER) != []
    await export_job.give_up(services, made)
    assert (await ada.run(READ, id=made))["auditExport"]["status"] == "FAILED"
    assert f"{EXPORT_FOLDER}/{made}.csv" not in await stored(services, EXPORT_FOLDER)


async def test_access_that_ends_while_a_file_is_written_ends_the_file(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    auditor = await external(new_phone, services, 5)
    made = (await request(auditor, filter=TESTED))["auditExport"]["id"]
    rows = export_file._rows

    async def late(*given: object) -> object:
        clock.shift(timedelta(minutes=6))
        return await rows(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(export_file, "BATCH", 1)
    monkeypatch.setattr(export_file, "_rows", late)
    await jobs.run_due(services)
    shown = (await auditor.run(READ, id=made))["auditExport"]
    assert (shown["status"], shown["exportFailure"], shown["fileUrl"]) == ("FAILED", "FORBIDDEN", None)
