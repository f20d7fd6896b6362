"""Exports of the audit log: requested by who may read it, written by a job, good for a day."""

import csv
import hashlib
import io
import json
import re
import zlib
from datetime import timedelta
from typing import Any

import pytest

from core import clock, ids, jobs
from core.context import Context, Services
from resolvers.audit import export_file, export_job, exporting, sequencing
from resolvers.audit.exported import Csv, Row
from resolvers.audit.exported_pdf import COLUMNS, Pdf
from stores import audit as store
from stores.audit import AuditIntegrity
from stores.audit.roles import AUDIT_ADMIN, EXTERNAL_AUDITOR
from tests.audit import logs
from tests.audit.steps import on_record
from tests.audit.test_reading import AUDITOR, put
from tests.conftest import NewPhone
from tests.media.steps import fetched
from tests.phone import Phone, granted

EXPORT = """id status exportFailure format filter entryCount fileSizeBytes fileUrl fileExpiresAt
  manifest manifestHash"""
READ = f"query($id: ID!) {{ auditExport(id: $id) {{ {EXPORT} }} }}"
TESTED = {"actions": ["tested.done"]}


async def request(phone: Phone, format: str = "JSON", **fields: Any) -> dict[str, Any]:
    """The payload of `requestAuditExport`."""
    done: dict[str, Any] = await phone.do(
        "requestAuditExport", f"auditExport {{ {EXPORT} }}", format=format, **fields
    )
    return done


async def exported(phone: Phone, services: Services, format: str, **fields: Any) -> tuple[Any, bytes]:
    """An export that is ready, and its file."""
    done = await request(phone, format, **fields)
    assert done["errors"] == []
    await sequencing.sequence_all(services)
    await jobs.run_due(services)
    shown = (await phone.run(READ, id=done["auditExport"]["id"]))["auditExport"]
    assert shown["status"] == "READY", shown
    status, _, body = await fetched(phone.http, shown["fileUrl"])
    assert status == 200
    return shown, body


async def test_an_auditor_exports_the_entries_of_a_filter_oldest_first_as_json_that_can_be_verified(
    new_phone: NewPhone, services: Services
) -> None:
    org = ids.new_id("org")
    auditor = await new_phone("Ada", org=org, roles=AUDITOR)
    made = [await put(services, org, details={"n": n}, sensitive={"phone": "+43 1"}) for n in range(3)]
    await put(services, ids.new_id("org"))
    shown, body = await exported(auditor, services, "JSON", filter=TESTED)
    entries = json.loads(body)["entries"]
    assert [each["id"] for each in entries] == made
    for each in entries:
        assert hashlib.sha256(each["hashInput"].encode()).hexdigest() == each["currentHash"]
        assert each["integrity"] == "VERIFIED"
        # What is personal is in no file, but as the ciphertext that was hashed.
        assert not each.keys() & {"actorName", "userAgent", "location", "sensitiveDetails"}
    manifest = json.loads(shown["manifest"])
    assert hashlib.sha256(shown["manifest"].encode()).hexdigest() == shown["manifestHash"]
    assert manifest["sha256"] == hashlib.sha256(body).hexdigest()
    assert (manifest["entryCount"], manifest["firstEntryId"], manifest["lastEntryId"]) == (
        3,
        made[0],
        made[2],
    )
    assert (shown["entryCount"], shown["fileSizeBytes"], shown["filter"]) == (3, len(body), TESTED)


async def test_a_request_is_on_record_before_it_is_answered_and_so_is_the_file(
    new_phone: NewPhone, services: Services
) -> None:
    org = ids.new_id("org")
    auditor = await new_phone("Ada", org=org, roles=AUDITOR)
    done = await request(auditor, "CSV", filter=TESTED)
    id = done["auditExport"]["id"]
    [asked] = await on_record(services, resource_id=id)
    assert (asked["action"], asked["chain_id"], asked["details"]) == (
        "audit.export_requested",
        f"meta:{org}",
        {"format": "CSV", "filter": TESTED},
    )
    assert await store.links.first(services.db, {"entry_id": asked["_id"]}) is not None
    await jobs.run_due(services)
    shown = (await auditor.run(READ, id=id))["auditExport"]
    [written] = await on_record(services, resource_id=id, action="audit.exported")
    assert (written["org_id"], written["actor_id"]) == (org, auditor.user_id)
    assert written["details"]["manifestHash"] == shown["manifestHash"]


async def test_its_requester_is_told_when_a_file_is_ready_and_nobody_else(
    new_phone: NewPhone, services: Services
) -> None:
    live = """subscription { changeEvents(types: [AUDIT_EXPORT]) {
      ... on NodeChanged { node { ... on AuditExport { id status } } } } }"""
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    async with ada.watch(live) as own, grace.watch(live) as others:
        id = (await request(ada, "CSV", filter=TESTED))["auditExport"]["id"]
        seen = [(await own.next())["changeEvents"]["node"]]
        await jobs.run_due(services)
        while seen[-1]["status"] != "READY":
            seen.append((await own.next())["changeEvents"]["node"])
        assert {each["id"] for each in seen} == {id}
        assert await others.nothing()


async def test_people_export_what_is_about_them_and_nobody_else_sees_the_file(
    new_phone: NewPhone, services: Services
) -> None:
    ada, grace = await new_phone("Ada"), await new_phone("Grace")
    own = await put(services, "personal", actor_id=ada.user_id)
    about = await put(services, "acme", subject_id=ada.user_id)
    await put(services, "personal", actor_id=grace.user_id)
    shown, body = await exported(ada, services, "JSON", filter=TESTED)
    assert [each["id"] for each in json.loads(body)["entries"]] == [own, about]
    assert (await grace.run(READ, id=shown["id"]))["auditExport"] is None


async def test_a_file_is_good_for_24_hours_and_gone_afterwards(
    new_phone: NewPhone, services: Services
) -> None:
    ada = await new_phone("Ada")
    shown, _ = await exported(ada, services, "CSV", filter=TESTED)
    clock.shift(timedelta(hours=23, minutes=59))
    assert (await fetched(ada.http, shown["fileUrl"]))[0] == 200
    clock.shift(timedelta(minutes=2))
    assert (await fetched(ada.http, shown["fileUrl"]))[0] == 404
    await jobs.run_due(services)
    assert [
        each.key for each in await services.objects.under("audit-exports") if shown["id"] in each.key
    ] == []
    [row] = await store.audit_exports.find(services.db, {"_id": shown["id"]})
    assert row["status"] == "READY"


async def test_more_than_a_file_may_have_is_refused_or_fails(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await new_phone("Ada")
    for _ in range(3):
        await put(services, "personal", actor_id=ada.user_id)
    monkeypatch.setattr(store, "MOST_EXPORTED", 2)
    refused = await request(ada, filter=TESTED)
    assert [(each["code"], each["field"], each["limit"]) for each in refused["errors"]] == [
        ("EXPORT_TOO_LARGE", ["filter"], 2)
    ]
    # Where counting takes too long, the job finds out.
    monkeypatch.setattr(exporting, "COUNTING_SECONDS", 0.0)
    done = await request(ada, filter=TESTED)
    await jobs.run_due(services)
    shown = (await ada.run(READ, id=done["auditExport"]["id"]))["auditExport"]
    assert (shown["status"], shown["exportFailure"], shown["fileUrl"]) == ("FAILED", "TOO_LARGE", None)


async def test_an_export_that_fails_three_times_has_failed(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: Any, **__: Any) -> str:
        raise OSError("No space left on device")

    ada = await new_phone("Ada")
    id = (await request(ada, filter=TESTED))["auditExport"]["id"]
    monkeypatch.setattr(services.objects, "put", full)
    statuses = []
    for _ in range(3):
        await jobs.run_due(services)
        [row] = await store.audit_exports.find(services.db, {"_id": id})
        statuses.append((row["status"], row["failure"]))
        clock.shift(timedelta(minutes=6))
    assert statuses == [("RUNNING", None)] * 2 + [("FAILED", "ERROR")]
    [act] = await on_record(services, resource_id=id, action="audit.exported")
    assert act["outcome"] == "FAILED"
    await no_dead_letter(services, id)


async def no_dead_letter(services: Services, export_id: str) -> None:
    """Delete the dead letter of an export, which there is."""
    [dead] = [each for each in await jobs.dead_letters(services.db) if each["key"] == export_id]
    await services.db.write({"delete": "jobs", "deletes": [{"q": {"_id": dead["_id"]}, "limit": 1}]})


@pytest.mark.parametrize("begun", [False, True], ids=["before it began", "while it ran"])
async def test_an_export_whose_every_worker_was_killed_has_failed(
    new_phone: NewPhone, services: Services, begun: bool
) -> None:
    ada = await new_phone("Ada")
    await jobs.run_due(services)
    id = (await request(ada, filter=TESTED))["auditExport"]["id"]
    for _ in range(3):
        job, _ = await jobs.claim(services.db, [jobs.Lane.BULK])
        assert job is not None
        assert job["key"] == id
        if begun:
            await export_job._begin(Context(services), id)
        clock.shift(timedelta(seconds=61))
    await jobs.run_due(services)
    shown = (await ada.run(READ, id=id))["auditExport"]
    assert (shown["status"], shown["exportFailure"], shown["fileUrl"]) == ("FAILED", "ERROR", None)
    [act] = await on_record(services, resource_id=id, action="audit.exported")
    assert act["outcome"] == "FAILED"
    await no_dead_letter(services, id)
    # One that was given up writes no file, whoever runs it again.
    await export_job.run_export(services, id)
    assert (await ada.run(READ, id=id))["auditExport"] == shown


async def test_who_may_not_read_the_log_any_more_gets_no_file(
    new_phone: NewPhone, services: Services
) -> None:
    org = ids.new_id("org")
    auditor = await new_phone("Ada", org=org, roles=AUDITOR)
    await put(services, org)
    first, second = await request(auditor, filter=TESTED), await request(auditor, filter=TESTED)
    change = {"$set": {"roles": ["MEMBER"]}}
    update = {"q": {"_id": auditor.user_id}, "u": change}
    await services.db.write({"update": "users", "updates": [update]})
    await export_job.run_export(services, first["auditExport"]["id"])
    [row] = await store.audit_exports.find(services.db, {"_id": first["auditExport"]["id"]})
    assert (row["status"], row["entry_count"]) == ("READY", 0)
    left = {"q": {"_id": auditor.user_id}, "u": {"$set": {"org": ids.new_id("org")}}}
    await services.db.write({"update": "users", "updates": [left]})
    await export_job.run_export(services, second["auditExport"]["id"])
    [row] = await store.audit_exports.find(services.db, {"_id": second["auditExport"]["id"]})
    assert (row["status"], row["failure"]) == ("FAILED", "FORBIDDEN")


async def test_a_long_export_is_read_a_batch_at_a_time_and_has_each_entry_once(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_file, "BATCH", 2)
    ada = await new_phone("Ada")
    about = {"actor_id": ada.user_id, "subject_id": ada.user_id}
    made = await logs.append(services, "personal", 7, action="tested.done", **about)
    shown, body = await exported(ada, services, "JSON", filter=TESTED)
    assert [each["id"] for each in json.loads(body)["entries"]] == [
        each["_id"] for each in sorted(made, key=lambda each: (each["timestamp"], each["_id"]))
    ]
    assert shown["entryCount"] == 7


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_no_cell_of_a_table_is_a_formula(text: str) -> None:
    entry = logs.entry("acme", access_reason=text)
    table = Csv()
    written = table.begin() + table.batch([Row(entry, None, AuditIntegrity.PENDING)]) + table.end()
    [row] = csv.DictReader(io.StringIO(written.decode(), newline=""))
    assert row["accessReason"] == f"'{text}"
    assert json.loads(row["details"]) == entry["details"]
    assert (row["seq"], row["currentHash"]) == ("", "")


async def test_a_table_has_a_row_for_each_entry(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    made = [await put(services, "personal", actor_id=ada.user_id, details={"n": n}) for n in range(2)]
    _, body = await exported(ada, services, "CSV", filter=TESTED)
    rows = list(csv.DictReader(io.StringIO(body.decode())))
    assert [row["id"] for row in rows] == made
    assert [json.loads(row["details"]) for row in rows] == [{"n": 0}, {"n": 1}]


def pages_of(pdf: bytes) -> list[str]:
    """Text of the pages of a PDF of ours, found by its cross-reference table as a reader does."""
    start = int(re.search(rb"startxref\n(\d+)\n%%EOF\n$", pdf)[1])  # type: ignore[index]
    table = pdf[start:].split(b"\n")
    assert table[0] == b"xref"
    count = int(table[1].split()[1])
    offsets = [int(line.split()[0]) for line in table[2 : 2 + count]]
    for number, offset in enumerate(offsets[1:], 1):
        assert pdf[offset:].startswith(b"%d 0 obj\n" % number)
    contents = [int(each) for each in re.findall(rb"/Contents (\d+) 0 R", pdf)]
    shown = []
    for number in contents:
        whole = pdf[offsets[number] :]
        length = int(re.search(rb"/Length (\d+)", whole)[1])  # type: ignore[index]
        begins = whole.index(b"stream\n") + len(b"stream\n")
        drawn = zlib.decompress(whole[begins : begins + length]).decode("cp1252")
        lines = re.findall(r"^\((.*)\) '$", drawn, re.MULTILINE)
        assert max(map(len, lines)) <= COLUMNS + 20
        shown.append("\n".join(lines))
    return shown


def test_a_pdf_is_written_page_by_page_and_every_object_is_where_its_table_says() -> None:
    entries = [
        logs.entry("acme", details={"text": "(é€) \\ 😀", "n": n, "long": "x" * 300}) for n in range(60)
    ]
    pdf = Pdf()
    pieces = [pdf.begin()]
    pieces += [pdf.batch([Row(entry, None, AuditIntegrity.VERIFIED)]) for entry in entries]
    whole = b"".join([*pieces, pdf.end()])
    assert whole.startswith(b"%PDF-1.4\n")
    # Nothing is kept of the pages that are written.
    assert len(pdf._lines) < 80
    pages = pages_of(whole)
    assert len(pages) > 5
    assert pages[1].startswith("Audit log, page 2")
    text = "\n".join(pages)
    for entry in entries:
        assert entry["_id"] in text
    assert r"\(é€\) \\\\ \\ud83d\\ude00" in text


def test_a_pdf_of_nothing_has_a_page() -> None:
    pdf = Pdf()
    assert pages_of(pdf.begin() + pdf.batch([]) + pdf.end()) == ["Audit log, page 1\n"]


async def test_a_pdf_is_exported(new_phone: NewPhone, services: Services) -> None:
    ada = await new_phone("Ada")
    made = await put(services, "personal", actor_id=ada.user_id)
    _, body = await exported(ada, services, "PDF", filter=TESTED)
    assert made in "\n".join(pages_of(body))


async def test_an_external_auditor_exports_granted_incidents_until_access_is_over(
    new_phone: NewPhone, services: Services
) -> None:
    org, incident = ids.new_id("org"), ids.new_id("incident")
    boss, auditor = await new_phone("Ada", org=org), await new_phone("Alan")
    await granted(services, boss, AUDIT_ADMIN, scope_id=org)
    await granted(services, auditor, EXTERNAL_AUDITOR)
    made = await put(services, org, incident_id=incident)
    await put(services, org)
    ends = clock.now() + timedelta(days=90)
    given = {"userId": auditor.user_id, "incidentIds": [incident], "expiresAt": ends.isoformat()}
    assert (await boss.do("grantAuditAccess", "auditAccessGrant { id }", **given))["errors"] == []
    _, body = await exported(auditor, services, "JSON", filter=TESTED)
    assert [each["id"] for each in json.loads(body)["entries"]] == [made]
    late = (await request(auditor, filter=TESTED))["auditExport"]["id"]
    clock.shift(timedelta(days=91))
    await export_job.run_export(services, late)
    [row] = await store.audit_exports.find(services.db, {"_id": late})
    assert (row["status"], row["entry_count"]) == ("READY", 0)
