"""Reads of the audit log through side doors, and denied attempts: all are on record, whatever is sent."""

from typing import Any

import pytest

from core import ids
from core.context import Services
from resolvers.audit import detecting
from stores.audit.roles import AUDIT_READER
from tests.audit.evidence_steps import collect, custodian, read, sent
from tests.audit.steps import on_record
from tests.audit.test_reading import put
from tests.conftest import NewPhone
from tests.phone import Phone, granted

NODES = "query($ids: [ID!]!) { nodes(ids: $ids) { id } }"
NODE = "query($id: ID!) { node(id: $id) { id } }"
CHECK = "query($id: ID!) { integrityCheck(id: $id) { id } }"


async def told(services: Services, phone: Phone) -> list[tuple[str, str, str | None, Any]]:
    rows = await on_record(services, actor_id=phone.user_id, metadata={"source": "meta"})
    return [(each["action"], each["outcome"], each["resource_id"], each["details"]) for each in rows]


async def test_entries_read_as_nodes_are_on_record_with_those_that_are_hidden(
    new_phone: NewPhone, services: Services
) -> None:
    org = ids.new_id("org")
    ada = await new_phone("Ada", org=org)
    await granted(services, ada, AUDIT_READER, scope_id=org)
    shown = [await put(services, org) for _ in range(2)]
    hidden = await put(services, ids.new_id("org"))
    await ada.run(NODE, id=shown[0])
    found = (await ada.run(NODES, ids=[*shown, hidden, ada.user_id]))["nodes"]
    assert [each and each["id"] for each in found] == [*shown, None, ada.user_id]
    assert await told(services, ada) == [
        ("audit.entry_read", "OK", shown[0], {"count": 1}),
        ("audit.entry_read", "OK", None, {"count": 2, "ids": shown}),
        ("audit.entry_read", "DENIED", hidden, {"count": 1}),
    ]


async def test_evidence_and_checks_read_by_their_ids_are_on_record(
    new_phone: NewPhone, services: Services
) -> None:
    org = ids.new_id("org")
    ada, bob = await custodian(new_phone, services, org), await new_phone("Bob", org=org)
    id = (await collect(ada, await sent(ada, services)))["evidence"]["id"]
    await read(ada, id)
    assert await read(bob, id) is None
    missing = ids.new_id("integrity_check")
    await bob.run(CHECK, id=missing)
    assert await told(services, ada) == [("audit.evidence_read", "OK", id, {"count": 1})]
    assert await told(services, bob) == [
        ("audit.evidence_read", "DENIED", id, {"count": 1}),
        ("audit.check_read", "DENIED", missing, {"count": 1}),
    ]


@pytest.mark.parametrize(
    "query",
    [
        "auditConsistency(fromEntryCount: 0, toEntryCount: 0) { path }",
        "auditCheckpoints { edges { node { note } } }",
        "integrityChecks { edges { node { id } } }",
        "legalHolds { edges { node { id } } }",
        "auditAccessGrants { edges { node { id } } }",
        "evidence { edges { node { id } } }",
    ],
)
async def test_each_denied_query_is_on_record_once_though_all_have_one_request_id(
    new_phone: NewPhone, services: Services, query: str
) -> None:
    bob = await new_phone("Bob", org=ids.new_id("org"))
    for _ in range(2):
        answer = await bob.post({"query": f"{{ {query} }}"}, **{"X-Request-Id": "always-the-same"})
        assert answer.code == "FORBIDDEN"
    denied = await on_record(services, actor_id=bob.user_id, outcome="DENIED")
    assert [each["event_type"] for each in denied] == ["ACCESS_DENIED"] * 2


async def test_denied_checks_and_attempts_at_evidence_of_others_are_on_record(
    new_phone: NewPhone, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    org = ids.new_id("org")
    ada, bob = await custodian(new_phone, services, org), await new_phone("Bob", org=org)
    evidence = (await collect(ada, await sent(ada, services)))["evidence"]["id"]
    entry = await put(services, org)
    attempts: dict[str, dict[str, Any]] = {
        "verifyAuditIntegrity": {"startEntryId": entry, "endEntryId": entry},
        "requestEvidenceDownload": {"evidenceId": evidence, "reason": "Curious"},
        "verifyEvidence": {"evidenceId": evidence},
        "recordCustody": {"evidenceId": evidence, "action": "ANALYZED"},
    }
    for name, given in attempts.items():
        assert (await bob.do(name, "", **given))["errors"]
    denied = await on_record(services, actor_id=bob.user_id, outcome="DENIED")
    assert [(each["action"], each["resource_id"]) for each in denied] == [
        ("audit.verified", None),
        ("audit.evidence_downloaded", evidence),
        ("audit.evidence_verification_requested", evidence),
        ("audit.custody_recorded", evidence),
    ]
    # They count as attempts at the log do.
    assert await detecting.store.denial_counts(services.db, org, denied[0]["timestamp"], 4) == {
        bob.user_id: 4
    }


async def test_a_denied_watch_of_the_alerts_is_on_record(new_phone: NewPhone, services: Services) -> None:
    bob = await new_phone("Bob", org=ids.new_id("org"))
    async with bob.watch("subscription { auditAlerts { __typename } }") as stream:
        with pytest.raises(Exception, match="FORBIDDEN"):
            await stream.next()
    assert [each[:2] for each in await told(services, bob)] == [("audit.alerts_watched", "DENIED")]


@pytest.mark.parametrize("field", ["actions", "resourceIds", "incidentIds", "actorIds"])
async def test_a_huge_value_of_a_filter_is_refused_and_bloats_no_record(
    new_phone: NewPhone, services: Services, field: str
) -> None:
    ada = await new_phone("Ada")
    answer = await ada.ask(
        "query($f: AuditEntryFilterInput) { auditEntries(filter: $f) { edges { node { id } } } }",
        f={field: ["x" * 201]},
    )
    assert answer.code == "BAD_USER_INPUT"
    assert await told(services, ada) == []
