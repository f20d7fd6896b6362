"""Exported entries as AuditEvent resources of FHIR R4: golden cases."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from resolvers.audit.exported import Row
from resolvers.audit.exported_fhir import Fhir, audit_event
from stores.audit import AuditActorKind, AuditEventKind, AuditIntegrity, AuditResourceKind
from tests.audit import logs

ID = "audit_entry_01h455vb4pex5vsknk084sn02q"
AT = datetime(2026, 3, 8, 7, 30, tzinfo=UTC)


def entry(**fields: Any) -> Any:
    return {**logs.entry("acme", details={}), "_id": ID, "timestamp": AT, **fields}


HEALTH = entry(
    event_type=AuditEventKind.ACCESS_GRANTED,
    action="dose.read",
    actor_id="user_a",
    actor_type=AuditActorKind.PROVIDER,
    actor_role="MEMBER PROVIDER",
    ip_masked="192.0.2.0",
    resource_type=AuditResourceKind.DOSE,
    resource_id="dose_1",
    subject_id="user_p",
    incident_id="incident_1",
    access_reason="Treatment",
    occurred_at=AT,
    details={"count": 3, "kind": "DAILY", "none": ""},
)
LINK = {
    "chain_id": "org:acme:0",
    "seq": 7,
    "previous_hash": "0" * 64,
    "current_hash": "a" * 64,
    "signature": None,
    "signature_key_id": None,
}
CHAIN = {"url": "chainId", "valueString": HEALTH["chain_id"]}
KIND = "urn:landfall:audit-resource-kind"


def named(id: str) -> dict[str, Any]:
    return {"identifier": {"system": "urn:landfall:id", "value": id}}


def test_the_reading_of_health_data_as_an_audit_event() -> None:
    told = audit_event(Row(HEALTH, LINK, AuditIntegrity.VERIFIED), "audit.example.com")  # type: ignore[arg-type]
    assert told == {
        "resourceType": "AuditEvent",
        "id": "audit-entry-01h455vb4pex5vsknk084sn02q",
        "extension": [
            {"url": "urn:landfall:audit-entry", "valueString": ID},
            {
                "url": "urn:landfall:audit-chain",
                "extension": [
                    CHAIN,
                    {"url": "seq", "valueInteger": 7},
                    {"url": "previousHash", "valueString": "0" * 64},
                    {"url": "currentHash", "valueString": "a" * 64},
                    {"url": "hashVersion", "valueInteger": 1},
                ],
            },
        ],
        "type": {
            "system": "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle",
            "code": "access",
            "display": "Access/View Record Lifecycle Event",
        },
        "subtype": [
            {"system": "urn:landfall:audit-event-kind", "code": "ACCESS_GRANTED"},
            {"system": "urn:landfall:audit-action", "code": "dose.read"},
        ],
        "action": "R",
        "period": {"start": "2026-03-08T07:30:00.000Z", "end": "2026-03-08T07:30:00.000Z"},
        "recorded": "2026-03-08T07:30:00.000Z",
        "outcome": "0",
        "purposeOfEvent": [{"text": "Treatment"}],
        "agent": [
            {
                "role": [{"text": "MEMBER"}, {"text": "PROVIDER"}],
                "who": named("user_a"),
                "requestor": True,
                "network": {"address": "192.0.2.0", "type": "2"},
            }
        ],
        "source": {
            "site": "acme",
            "observer": {"display": "audit.example.com"},
            "type": [
                {
                    "system": "http://terminology.hl7.org/CodeSystem/security-source-type",
                    "code": "4",
                    "display": "Application Server",
                }
            ],
        },
        "entity": [
            {
                "what": named("dose_1"),
                "type": {"system": KIND, "code": "DOSE"},
                "detail": [{"type": "count", "valueString": "3"}, {"type": "kind", "valueString": "DAILY"}],
            },
            {"what": named("incident_1"), "type": {"system": KIND, "code": "INCIDENT"}},
            {
                "what": named("user_p"),
                "role": {
                    "system": "http://terminology.hl7.org/CodeSystem/object-role",
                    "code": "1",
                    "display": "Patient",
                },
            },
        ],
    }


@pytest.mark.parametrize(
    ("kind", "outcome", "code", "action", "told"),
    [
        ("USER_ACTION", "OK", "110100", "E", "0"),
        ("SYSTEM_EVENT", "FAILED", "110100", "E", "8"),
        ("DECISION_MADE", "OK", "110100", "E", "0"),
        ("ACCESS_GRANTED", "OK", "access", "R", "0"),
        ("ACCESS_DENIED", "DENIED", "110113", "E", "4"),
        ("DATA_MODIFIED", "OK", "amend", "U", "0"),
        ("COMMUNICATION_SENT", "OK", "transmit", "E", "0"),
        ("EVIDENCE_COLLECTED", "OK", "originate", "C", "0"),
        ("COMPLIANCE_CHECK", "FAILED", "verify", "E", "8"),
    ],
)
def test_kinds_and_outcomes_have_codes_of_the_standards(
    kind: str, outcome: str, code: str, action: str, told: str
) -> None:
    row = Row(entry(event_type=AuditEventKind(kind), outcome=outcome), None, AuditIntegrity.PENDING)
    event = audit_event(row, "landfall")
    assert (event["type"]["code"], event["action"], event["outcome"]) == (code, action, told)


def test_an_act_of_the_service_on_nothing_has_no_entity_and_is_no_requestor() -> None:
    row = Row(
        entry(actor_type=AuditActorKind.SYSTEM, actor_role="SYSTEM", resource_type=None),
        None,
        AuditIntegrity.PENDING,
    )
    event = audit_event(row, "landfall")
    assert event["agent"] == [{"role": [{"text": "SYSTEM"}], "requestor": False, "name": "SYSTEM"}]
    assert "entity" not in event
    assert [each["url"] for each in event["extension"][1]["extension"]] == ["chainId", "hashVersion"]


def test_a_subject_of_what_is_not_about_health_is_a_user() -> None:
    row = Row(
        entry(subject_id="user_s", resource_type=AuditResourceKind.ACCOUNT), None, AuditIntegrity.PENDING
    )
    assert audit_event(row, "landfall")["entity"][-1]["role"]["display"] == "User"


def test_a_file_has_a_resource_to_a_line() -> None:
    file = Fhir("landfall")
    rows = [Row(HEALTH, None, AuditIntegrity.PENDING)] * 2
    written = (file.begin() + file.batch(rows) + file.end()).decode()
    assert [json.loads(line)["resourceType"] for line in written.splitlines()] == ["AuditEvent"] * 2
