"""Tiers: entries grow warm and cold by their age, unless a legal hold is on them."""

import hashlib
import json
from datetime import timedelta
from typing import Any

import pytest

from core import clock, ids, jobs
from core.context import Services
from ports.audit import LockedStorage
from resolvers.audit import archiving, sequencing, tiering
from stores import audit as store
from tests.audit import logs
from tests.audit.steps import on_record
from tests.audit.test_reading import AUDITOR
from tests.conftest import NewPhone
from tests.phone import Phone

LIST = """query($filter: AuditEntryFilterInput, $first: Int, $after: String, $last: Int) {
  auditEntries(filter: $filter, first: $first, after: $after, last: $last) {
    edges { node { id tier } } pageInfo { hasNextPage endCursor } } }"""
TESTED = {"actions": ["tested.aged"]}
YEARS = timedelta(days=731)


async def aged(services: Services, org: str, *ages: timedelta, **fields: Any) -> list[str]:
    """Ids of chained entries that were recorded so long ago."""
    now, fields = clock.now(), {"action": "tested.aged", **fields}
    made = [{**logs.entry(org, **fields), "timestamp": now - age} for age in ages]
    await logs.accept(services, made)  # type: ignore[arg-type]
    await sequencing.sequence_all(services)
    return [each["_id"] for each in made]


async def tiers(services: Services, entry_ids: list[str]) -> list[str]:
    rows = {row["_id"]: row["tier"] for row in await store.entry_states.by_ids(services.db, entry_ids)}
    return [rows[id] for id in entry_ids]


async def read(phone: Phone, **variables: Any) -> Any:
    return (await phone.run(LIST, filter=TESTED, **variables))["auditEntries"]


async def test_entries_are_warm_at_91_days_and_cold_at_two_years(services: Services) -> None:
    day = timedelta(days=1)
    made = await aged(services, logs.new_org(), 90 * day, 92 * day, 729 * day, 731 * day)
    await tiering.tier_all(services)
    assert await tiers(services, made) == ["HOT", "WARM", "WARM", "COLD"]
    # Whatever the tier, the entry is as it was: nothing of it says so.
    assert all("tier" not in each for each in await store.entries.by_ids(services.db, made))


async def test_a_legal_hold_keeps_entries_out_of_the_cold(services: Services) -> None:
    org, incident = logs.new_org(), ids.new_id("incident")
    held = await aged(services, org, YEARS, incident_id=incident)
    other = await aged(services, org, YEARS)
    hold = {
        "_id": ids.new_id("legal_hold"),
        "version": 1,
        "org_id": org,
        "incident_id": incident,
        "subject_id": None,
        "reason": services.crypto.seal("Court", place="audit_holds/x/reason"),
        "placed_by": "user_x",
        "created_at": clock.now(),
        "released_by": None,
        "released_at": None,
    }
    hold["reason"] = services.crypto.seal("Court", place=f"audit_holds/{hold['_id']}/reason")
    await services.db.write({"insert": store.holds.name, "documents": [hold]})
    await tiering.tier_all(services)
    assert await tiers(services, [*held, *other]) == ["WARM", "COLD"]
    await store.holds.update_one(
        services.db, {"_id": hold["_id"], "org_id": org}, {"$set": {"released_at": clock.now()}}
    )
    await tiering.tier_all(services)
    assert await tiers(services, held) == ["COLD"]


async def test_query_reaches_cold_entries_cold_data_with_the_id_of_an_export_job_that_fetches_them(
    new_phone: NewPhone, services: Services
) -> None:
    """Row: Query reaches cold entries."""
    org = ids.new_id("org")
    auditor = await new_phone("Ada", org=org, roles=AUDITOR)
    cold, warm, hot = await aged(services, org, YEARS, timedelta(days=100), timedelta())
    await tiering.tier_all(services)
    # The page ends where they begin, and says that there is more.
    page = await read(auditor)
    assert [edge["node"] for edge in page["edges"]] == [
        {"id": hot, "tier": "HOT"},
        {"id": warm, "tier": "WARM"},
    ]
    assert page["pageInfo"]["hasNextPage"] is True
    after = {"after": page["pageInfo"]["endCursor"]}
    answers = [await auditor.ask(LIST, filter=TESTED, **after) for _ in range(2)]
    assert [each.code for each in answers] == ["COLD_DATA"] * 2
    # Asked again, it is the same export.
    [export_id] = {each.errors[0]["extensions"]["exportId"] for each in answers}
    await jobs.run_due(services)
    wanted = f'{{ auditExport(id: "{export_id}") {{ status fileUrl filter }} }}'
    shown = (await auditor.run(wanted))["auditExport"]
    assert (shown["status"], shown["filter"]) == ("READY", TESTED)
    async with auditor.http.get(shown["fileUrl"]) as response:
        entries = json.loads(await response.read())["entries"]
    assert [each["id"] for each in entries] == [cold, warm, hot]
    assert (await auditor.ask(LIST, filter=TESTED, last=1)).code == "COLD_DATA"
    recent = {**TESTED, "from": (clock.now() - timedelta(days=200)).isoformat()}
    assert (await auditor.run(LIST, filter=recent))["auditEntries"]["pageInfo"]["hasNextPage"] is False


async def test_a_critical_incident_is_exported_to_locked_storage_before_it_grows_cold(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    org, critical, other = logs.new_org(), ids.new_id("incident"), ids.new_id("incident")

    async def judged(services: Services, org_id: str, incident_id: str) -> bool:
        return (org_id, incident_id) == (org, critical)

    monkeypatch.setattr(archiving.is_critical, "listeners", [judged])
    made = await aged(services, org, YEARS, YEARS, timedelta(), incident_id=critical)
    await aged(services, org, YEARS, incident_id=other)
    await tiering.tier_all(services)
    locked = services.get(LockedStorage).objects
    [kept] = await locked.under(f"archive/{org}")
    assert kept.key == f"archive/{org}/{critical}/{made[2]}.json"
    body = b"".join([piece async for piece in locked.read(kept.key)])
    assert {each["id"] for each in json.loads(body)["entries"]} == {*made}
    [act] = await on_record(services, action="audit.incident_archived", resource_id=critical)
    assert (act["org_id"], act["details"]["sha256"]) == (org, hashlib.sha256(body).hexdigest())
    # It is as it was archived.
    states = await store.entry_states.by_ids(services.db, made[:1])
    await store.move(services.db, states, store.AuditTier.COLD, store.AuditTier.WARM)
    await tiering.tier_all(services)
    assert len(await locked.under(f"archive/{org}")) == 1
    assert len(await on_record(services, action="audit.incident_archived", resource_id=critical)) == 1


async def test_entries_of_a_critical_incident_stay_warm_until_it_was_archived(
    services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def critical(services: Services, org_id: str, incident_id: str) -> bool:
        return True

    async def full(*_: Any, **__: Any) -> str:
        raise OSError("No space left on device")

    made = await aged(services, logs.new_org(), YEARS, incident_id=ids.new_id("incident"))
    with monkeypatch.context() as patched:
        patched.setattr(archiving.is_critical, "listeners", [critical])
        patched.setattr(services.get(LockedStorage).objects, "put", full)
        with pytest.raises(OSError, match="No space"):
            await tiering.tier_all(services)
    assert await tiers(services, made) == ["WARM"]
