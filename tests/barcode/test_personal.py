"""Personal data of the scanner: exported in the clear, erased with the account, in no telemetry."""

from datetime import timedelta
from typing import Any

import pytest

from core import clock, ids
from core.context import Services
from core.erasure import ERASERS, EXPORTERS
from jobs import barcode as barcode_jobs
from resolvers.barcode import retaining
from stores import barcode as store
from tests.barcode.steps import case_of, gtin_of, history, new_code, scanned, submitted, with_code
from tests.conftest import NewPhone
from tests.phone import Phone

TRACK = """mutation($input: RecordTelemetryEventsInput!) {
  recordTelemetryEvents(input: $input) { acceptedCount droppedCount } }"""


async def test_the_export_has_all_in_the_clear_and_all_goes_with_the_account(
    services: Services, admin: Phone, reviewer: Phone, new_phone: NewPhone
) -> None:
    ada, known, unknown = await new_phone("Ada"), new_code(), new_code()
    product = await with_code(services, admin, known)
    scan = (await scanned(ada, known))["scanRecord"]
    made = await submitted(ada, unknown, context="White jar")
    item = {"productId": product["id"], "addedFrom": "SCAN"}
    await ada.do("createStack", "stack { id }", name="Sleep", items=[item])
    await barcode_jobs.rebuild_warmup(services, user_id=ada.user_id)
    found: dict[str, Any] = {}
    async for name, rows in EXPORTERS["barcode"](services, ada.user_id):
        found[name] = list(rows)
    [kept] = found["scans"]
    assert (kept["id"], kept["code"], kept["product_id"]) == (scan["id"], known, product["id"])
    [sent] = found["barcode_submissions"]
    assert (sent["id"], sent["code"], sent["context"]) == (made["id"], unknown, "White jar")
    assert [each["name"] for each in found["stacks"]] == ["Sleep"]
    assert [each["product_id"] for each in found["stack_items"]] == [product["id"]]
    await ERASERS["barcode"](services, ada.user_id)
    personal = ("scans", "barcode_submissions", "stacks", "stack_items", "scan_windows")
    for name in (*personal, "barcode_warmup_sets"):
        assert await services.db.find(name, {"user_id": ada.user_id}) == [], name
    assert await services.db.find("review_cases", {"gtin": gtin_of(unknown)}) == []
    assert await services.db.find("barcode_mappings", {"gtin": gtin_of(known)}) != []


async def test_scans_go_after_two_years_or_beyond_5000(
    services: Services, new_phone: NewPhone, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = await new_phone("Ada")
    now = clock.now()
    for days in (1, 2, 3):
        await scanned(ada, new_code(), now - timedelta(days=days))
    monkeypatch.setattr(store, "MOST_SCANS", 2)
    await retaining.prune(services, ada.user_id)
    assert len(await history(ada)) == 2
    clock.shift(timedelta(days=728, hours=12))
    await barcode_jobs.retain(services)
    clock.reset()
    assert len(await history(ada)) == 1


async def test_unmatched_scans_rank_the_queue(
    services: Services, reviewer: Phone, new_phone: NewPhone
) -> None:
    ada, code = await new_phone("Ada"), new_code()
    await submitted(ada, code)
    for hours in (1, 2, 3):
        await scanned(ada, code, clock.now() - timedelta(hours=hours))
    await retaining.rank(services)
    case = await case_of(reviewer, code)
    assert (case["scanCount"], case["version"]) == (3, 1)


async def test_telemetry_of_scans_is_stored_without_who_and_sampled(
    services: Services, new_phone: NewPhone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services.limits, "scale", 1.0)
    ada, mark = await new_phone("Ada"), ids.new_id("event")
    for kind, count in (("SCAN", 45), ("SCAN_UNMATCHED", 45), ("STACK_ADD", 5)):
        events = [event(kind, f"{mark} {kind} {number}", mark) for number in range(count)]
        answer = await ada.run(TRACK, input={"idempotencyKey": ids.new_id("event"), "events": events})
        assert answer["recordTelemetryEvents"]["acceptedCount"] <= count
    rows = await services.db.find("telemetry", {"properties.mark": mark})
    kept = [row["type"] for row in rows]
    assert (kept.count("SCAN"), kept.count("STACK_ADD")) == (45, 5)
    assert 15 <= kept.count("SCAN_UNMATCHED") < 35
    assert not [row for row in rows if ada.user_id in str(row) or ada.device_id in str(row)]


def event(kind: str, id: str, mark: str) -> dict[str, Any]:
    moment = clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"kind": kind, "eventId": id, "occurredAt": moment, "properties": {"mark": mark}}
