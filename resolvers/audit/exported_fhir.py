"""Exported entries as AuditEvent resources of FHIR R4, one to a line (NDJSON)."""

from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from core.audit import AuditOutcome
from resolvers.audit.exported import Row, fields
from stores.audit import AuditActorKind, AuditEventKind, AuditResourceKind

IDS = "urn:landfall:id"
DICOM = "http://dicom.nema.org/resources/ontology/DCM"
LIFECYCLE = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle"
OBJECT_ROLE = "http://terminology.hl7.org/CodeSystem/object-role"
SOURCE_TYPE = "http://terminology.hl7.org/CodeSystem/security-source-type"
HASHES = ("chainId", "seq", "previousHash", "currentHash", "hashVersion")

APPLICATION = (DICOM, "110100", "Application Activity")
TYPES: dict[str, tuple[str, str, str]] = {
    AuditEventKind.USER_ACTION: APPLICATION,
    AuditEventKind.SYSTEM_EVENT: APPLICATION,
    AuditEventKind.DECISION_MADE: APPLICATION,
    AuditEventKind.ACCESS_GRANTED: (LIFECYCLE, "access", "Access/View Record Lifecycle Event"),
    AuditEventKind.ACCESS_DENIED: (DICOM, "110113", "Security Alert"),
    AuditEventKind.DATA_MODIFIED: (LIFECYCLE, "amend", "Amend (Update) Record Lifecycle Event"),
    AuditEventKind.COMMUNICATION_SENT: (LIFECYCLE, "transmit", "Transmit Record Lifecycle Event"),
    AuditEventKind.EVIDENCE_COLLECTED: (LIFECYCLE, "originate", "Originate/Retain Record Lifecycle Event"),
    AuditEventKind.COMPLIANCE_CHECK: (LIFECYCLE, "verify", "Verify Record Lifecycle Event"),
}
ACTIONS: dict[str, str] = {
    AuditEventKind.ACCESS_GRANTED: "R",
    AuditEventKind.DATA_MODIFIED: "U",
    AuditEventKind.EVIDENCE_COLLECTED: "C",
}
"""AuditEventAction; whatever else is done is E, execute."""
PATIENT, USER = ("1", "Patient"), ("6", "User")
ABOUT_HEALTH = frozenset(
    {
        AuditResourceKind.VAULT_DOCUMENT,
        AuditResourceKind.NOTE,
        AuditResourceKind.INTAKE,
        AuditResourceKind.BOOKING,
        AuditResourceKind.DOSE,
        AuditResourceKind.REMINDER,
        AuditResourceKind.REFILL,
    }
)
"""Kinds of resources whose subject is a patient."""
OUTCOMES: dict[str, str] = {AuditOutcome.OK: "0", AuditOutcome.DENIED: "4", AuditOutcome.FAILED: "8"}
"""AuditEventOutcome: success, minor and serious failure."""


class Fhir:
    """Resources of one type, as a bulk export of FHIR has them."""

    extension, mime = "ndjson", "application/fhir+ndjson"

    def __init__(self, origin: str) -> None:
        self._origin = origin

    def begin(self) -> bytes:
        return b""

    def batch(self, rows: Sequence[Row]) -> bytes:
        return b"".join(
            orjson.dumps(audit_event(row, self._origin), default=str, option=orjson.OPT_APPEND_NEWLINE)
            for row in rows
        )

    def end(self) -> bytes:
        return b""


def audit_event(row: Row, origin: str) -> dict[str, Any]:
    """AuditEvent resource of an entry."""
    told = fields(row)
    kind = told["eventType"]
    system, code, display = TYPES[kind]
    event: dict[str, Any] = {
        "resourceType": "AuditEvent",
        # Ids of FHIR have no underscores.
        "id": told["id"].replace("_", "-"),
        "extension": _extensions(told),
        "type": {"system": system, "code": code, "display": display},
        "subtype": [
            {"system": "urn:landfall:audit-event-kind", "code": kind},
            {"system": "urn:landfall:audit-action", "code": told["action"]},
        ],
        "action": ACTIONS.get(kind, "E"),
        "recorded": told["timestamp"],
        "outcome": OUTCOMES[told["outcome"]],
        "agent": [_agent(told)],
        "source": {
            "site": told["orgId"],
            "observer": {"display": origin},
            "type": [{"system": SOURCE_TYPE, "code": "4", "display": "Application Server"}],
        },
    }
    if told["occurredAt"]:
        event["period"] = {"start": told["occurredAt"], "end": told["occurredAt"]}
    if told["accessReason"]:
        event["purposeOfEvent"] = [{"text": told["accessReason"]}]
    if entities := list(_entities(told)):
        event["entity"] = entities
    return event


def _extensions(told: dict[str, Any]) -> list[dict[str, Any]]:
    """The entry's own id, and its place in its chain: with them its hash is found and verified."""
    parts = [_extension(name, told[name]) for name in HASHES if told[name] is not None]
    return [
        {"url": "urn:landfall:audit-entry", "valueString": told["id"]},
        {"url": "urn:landfall:audit-chain", "extension": parts},
    ]


def _extension(name: str, value: str | int) -> dict[str, Any]:
    return {"url": name, "valueInteger" if isinstance(value, int) else "valueString": value}


def _agent(told: dict[str, Any]) -> dict[str, Any]:
    """Agent of the act; a person is the requestor, the service itself is not."""
    agent: dict[str, Any] = {
        "role": [{"text": role} for role in told["actorRole"].split()],
        "requestor": told["actorType"] in (AuditActorKind.USER, AuditActorKind.PROVIDER),
    }
    if told["actorId"]:
        agent["who"] = _reference(told["actorId"])
    else:
        agent["name"] = told["actorType"]
    if told["ipMasked"]:
        # An IP address.
        agent["network"] = {"address": told["ipMasked"], "type": "2"}
    return {name: value for name, value in agent.items() if value != []}


def _entities(told: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Entities: what the act was done to, with its details; its incident; and whom it is about."""
    # Texts of FHIR are not empty.
    details = [
        {"type": name, "valueString": text}
        for name, value in told["details"].items()
        if name and (text := value if isinstance(value, str) else orjson.dumps(value, default=str).decode())
    ]
    if told["resourceType"] or details:
        entity: dict[str, Any] = {}
        if told["resourceId"]:
            entity["what"] = _reference(told["resourceId"])
        if told["resourceType"]:
            entity["type"] = {"system": "urn:landfall:audit-resource-kind", "code": told["resourceType"]}
        yield {**entity, **({"detail": details} if details else {})}
    if told["incidentId"]:
        kind = {"system": "urn:landfall:audit-resource-kind", "code": "INCIDENT"}
        yield {"what": _reference(told["incidentId"]), "type": kind}
    if told["subjectId"]:
        code, display = PATIENT if told["resourceType"] in ABOUT_HEALTH else USER
        role = {"system": OBJECT_ROLE, "code": code, "display": display}
        yield {"what": _reference(told["subjectId"]), "role": role}


def _reference(id: str) -> dict[str, Any]:
    return {"identifier": {"system": IDS, "value": id}}
