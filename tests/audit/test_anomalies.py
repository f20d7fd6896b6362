"""Anomalies in how a log is used: detected by a job, alerted once, and on record."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core import clock, ids
from core.audit import Act, record_apart
from core.context import Context, Services, Viewer
from core.jobs import run_due
from jobs.audit.anomalies import detect_all
from ports.audit import AuditSettings
from resolvers.audit import detecting
from stores.audit.roles import AUDIT_ADMIN, AUDIT_READER
from tests.audit.logs import append
from tests.audit.steps import on_record
from tests.audit.test_client_entries import codes, entry, send
from tests.conftest import NewPhone
from tests.phone import Phone, granted, make_user

ALERTS = """subscription { auditAlerts { ... on AuditAnomalyDetected { anomaly {
  kind actorId actCount startsAt endsAt } } } }"""
LIST = "{ auditEntries(first: 5) { edges { node { id } } } }"
ONE = "query($id: ID!) { auditEntry(id: $id) { id } }"
MONDAY = datetime(2027, 3, 1, tzinfo=UTC)


@pytest.fixture(autouse=True)
def low_limits(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    """Few reads and denials are many."""
    monkeypatch.setitem(services.extra, AuditSettings, AuditSettings(audit_bulk_reads=8, audit_denials=3))


async def member(services: Services, new_phone: NewPhone, org: str, *roles: Any) -> Phone:
    phone = await new_phone("Ada", org=org)
    await granted(services, phone, *roles, scope_id=org)
    return phone


async def detected(services: Services, org: str) -> list[tuple[str, str, int]]:
    """Anomalies on record: kind, who, and how many acts."""
    rows = await on_record(services, org_id=org, action="audit.anomaly_detected")
    return [tuple(each["details"][name] for name in ("kind", "actorId", "count")) for each in rows]  # type: ignore[misc]


async def test_bulk_reads_are_alerted_once(services: Services, new_phone: NewPhone) -> None:
    org = ids.new_id("org")
    boss = await member(services, new_phone, org, AUDIT_ADMIN)
    ada = await member(services, new_phone, org, AUDIT_READER)
    await append(services, org, 6)
    async with boss.watch(ALERTS) as stream:
        await ada.run(LIST)
        assert await detecting.detect(services, org) == 0
        await ada.run(LIST)
        assert await detecting.detect(services, org) == 1
        anomaly = (await stream.next())["auditAlerts"]["anomaly"]
        assert (anomaly["kind"], anomaly["actorId"], anomaly["actCount"]) == ("BULK_READ", ada.user_id, 10)
        assert anomaly["startsAt"] < anomaly["endsAt"]
        assert await detecting.detect(services, org) == 0
        assert await detected(services, org) == [("BULK_READ", ada.user_id, 10)]
    # What was read more than an hour ago counts no more.
    clock.shift(timedelta(hours=1, minutes=1))
    assert await detecting.detect(services, org) == 0


async def test_entries_of_apps_hide_neither_bulk_reads_nor_exports_at_odd_hours(
    services: Services, new_phone: NewPhone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An app may write under any name, also such counts that a sum of all would be small."""
    monkeypatch.setattr(detecting, "MOST_EXPORTS", 3)
    clock.shift(MONDAY + timedelta(days=6, hours=12) - clock.now())
    org = ids.new_id("org")
    ada = await member(services, new_phone, org, AUDIT_READER)
    await append(services, org, 8)
    await ada.run("{ auditEntries(first: 8) { edges { node { id } } } }")
    await ada.do("requestAuditExport", "auditExport { id }", format="CSV")
    told = [
        *(entry(action="audit.entries_read", details={"count": -1000}) for _ in range(2)),
        *(entry(action="audit.export_requested") for _ in range(4)),
    ]
    assert codes(await send(ada, *told)) == [[]] * 6
    await detecting.detect(services, org)
    assert await detected(services, org) == [
        ("BULK_READ", ada.user_id, 8),
        ("OFF_HOURS_EXPORT", ada.user_id, 1),
    ]


async def test_repeated_denials_are_alerted(services: Services, new_phone: NewPhone) -> None:
    org = ids.new_id("org")
    grace = await new_phone("Grace", org=org)
    for _ in range(3):
        assert await detecting.detect(services, org) == 0
        await grace.run(ONE, id=ids.new_id("audit_entry"))
    assert await detecting.detect(services, org) == 1
    assert await detected(services, org) == [("REPEATED_DENIALS", grace.user_id, 3)]


@pytest.mark.parametrize(
    ("hour", "day", "odd"),
    [(6, 0, True), (7, 0, False), (19, 0, False), (20, 0, True), (12, 5, False), (12, 6, True)],
)
async def test_an_export_out_of_working_hours_is_alerted_by_the_clock_of_who_exports(
    services: Services, hour: int, day: int, odd: bool
) -> None:
    org = ids.new_id("org")
    person = await make_user(services, org=org, time_zone="Asia/Tokyo")
    # Tokyo is nine hours ahead all year.
    clock.shift(MONDAY + timedelta(days=day, hours=hour - 9) - clock.now())
    ctx = Context(services, viewer=Viewer(person, "session_x", "device_x", org=org))
    await record_apart(ctx, Act("audit.export_requested", "ACCESS_GRANTED", "AUDIT_LOG", source="meta"))
    for _ in range(2):
        await detecting.detect(services, org)
    assert await detected(services, org) == ([("OFF_HOURS_EXPORT", person, 1)] if odd else [])


async def test_the_job_looks_at_every_organization(services: Services, new_phone: NewPhone) -> None:
    org = ids.new_id("org")
    ada = await member(services, new_phone, org, AUDIT_READER)
    await append(services, org, 6)
    for _ in range(2):
        await ada.run(LIST)
    await detect_all(services)
    await run_due(services)
    assert await detected(services, org) == [("BULK_READ", ada.user_id, 10)]
