"""Entries that were changed into what no answer has room for: shown as BROKEN, and nothing else is lost."""

from typing import Any

import pytest

from core import jobs
from core.context import Services
from resolvers.audit import sequencing
from stores import audit as store
from tests.audit.logs import new_org
from tests.audit.test_exports import READ, request
from tests.audit.test_reading import AUDITOR, put
from tests.conftest import NewPhone

WHOLE = """id chainId createdAt occurredAt clockSkewed eventKind action actorId actorKind actorRole actorName
  deviceId requestId ipMasked userAgent location { lat } incidentId resourceKind resourceId subjectId outcome
  accessReason details sensitiveDetails metadata hashVersion seq hashInput integrity status tier
  organizationId"""
LIST = f'{{ auditEntries(filter: {{actions: ["tested.done"]}}) {{ edges {{ node {{ {WHOLE} }} }} }} }}'
SEARCH = f'{{ searchAuditEntries(query: "tested") {{ edges {{ node {{ {WHOLE} }} }} }} }}'
NODE = f"query($id: ID!) {{ node(id: $id) {{ ... on AuditEntry {{ {WHOLE} }} }} }}"


@pytest.mark.parametrize(
    "change",
    [
        {"$set": {"event_type": "USER_ACTIOM"}},
        {"$set": {"outcome": "OJ"}},
        {"$set": {"actor_type": "X", "resource_type": "X"}},
        {"$set": {"details": b"abc"}},
        {"$unset": {"details": 1}},
        {"$unset": {"clock_skewed": 1}},
        {"$set": {"hash_version": "x", "occurred_at": "yesterday", "ip_masked": None}},
        {"$set": {"metadata": "x", "actor_name": "x", "location": 1, "sensitive_details": "x"}},
    ],
    ids=str,
)
async def test_one_byte_of_an_old_entry_changed_reads_show_broken_whatever_it_became(
    new_phone: NewPhone, services: Services, change: dict[str, Any]
) -> None:
    """Row: One byte of an old entry changed. A kind that there is not took the whole page away."""
    org = new_org()
    ada = await new_phone("Ada", org=org, roles=AUDITOR)
    good, bad = await put(services, org), await put(services, org, sensitive={"a": 1})
    await sequencing.sequence_all(services)
    changed = {"q": {"_id": bad}, "u": change}
    await services.db._database.command({"update": store.entries.name, "updates": [changed]})
    for query in (LIST, SEARCH):
        [edges] = [each["edges"] for each in (await ada.run(query)).values()]
        shown = {edge["node"]["id"]: edge["node"]["integrity"] for edge in edges}
        assert shown == {bad: "BROKEN", good: "VERIFIED"}
    assert (await ada.run(NODE, id=bad))["node"]["integrity"] == "BROKEN"
    exports = [
        (await request(ada, format, filter={"actions": ["tested.done"]}))["auditExport"]["id"]
        for format in ("JSON", "CSV", "PDF", "FHIR")
    ]
    await jobs.run_due(services)
    assert {(await ada.run(READ, id=id))["auditExport"]["status"] for id in exports} == {"READY"}
    checks = await store.checks.find(services.db, {"org_id": org, "failed_entry_ids": bad})
    assert len(checks) == 1
